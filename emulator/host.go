package emulator

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/kernel"
	"github.com/simterpose/simterpose/kernel/inet"
	"github.com/simterpose/simterpose/platform"
)

// host is a simulated host that runs processes.
type host struct {
	name      string
	simulated *platform.Host
	container *guest.Container
	clock     *guest.Clock
	kernel    *kernel.Host
	stack     *inet.Stack
	settings  *settings
	random    *rand.ChaCha8
	folder    string // in the output folder
	index     int    // in the order in which hosts were brought up
	down      bool   // crashed, and not booted since
	loses     bool   // with a crash that happens now, what is not synchronized
	// nameService is what the host's name server does instead of answering
	// (experiment.NamesFail); empty if it answers.
	nameService string
	commands    int // run by events so far
	computing   int // activities of its guests under way
	threads     int // there have been so far
	// computedWithoutCall is the processor time of threads that had to give way since
	// the host's guests have last made a call.
	computedWithoutCall time.Duration
}

// hostOf is the host of a process.
func hostOf(p *kernel.Process) *host { return p.Host().Data.(*host) }

// memory is what guests are told that a host has, in bytes.
const memory = 8 << 30

// writeEtc writes the files that the host's guests see in /etc.
func writeEtc(folder, name, hosts string, server netip.Addr) error {
	if err := os.MkdirAll(filepath.Join(folder, "gcrypt"), 0o755); err != nil {
		return err
	}
	for file, content := range map[string]string{
		"hostname": name + "\n",
		"hosts":    hosts,
		// RFC 6724 prefers IPv4 to IPv6 addresses of fc00::/7, which the hosts'
		// are; glibc's own table does not.
		"gai.conf":    "precedence ::ffff:0:0/96 100\n",
		"resolv.conf": fmt.Sprintf("nameserver %s\noptions timeout:1 attempts:2\n", server),
		// Libgcrypt would take random numbers from the processor and from how
		// long its own loops take.
		"gcrypt/hwf.deny":    "intel-rdrand\n",
		"gcrypt/random.conf": "disable-jent\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// hostsFile is /etc/hosts: every host of the experiment.
func hostsFile(all []*platform.Host) string {
	var b strings.Builder
	b.WriteString("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n")
	for _, h := range all {
		for _, a := range addressesOf(h) {
			fmt.Fprintf(&b, "%s %s\n", a, h.Name)
		}
	}
	return b.String()
}

// mounts are what makes a host's files its own, beside its layer. etc is the
// folder of the host's files of /etc if they are not in the layer, system are the
// mounts of its /sys.
func (l *layers) mounts(etc string, system []guest.Mount) []guest.Mount {
	list := slices.Concat(kernelFiles(), system, devices())
	if etc != "" {
		for _, file := range []string{"hostname", "hosts", "gai.conf", "resolv.conf"} {
			list = append(list, guest.Mount{Source: filepath.Join(etc, file), Target: etcTarget(file), Flags: unix.MS_BIND, Make: 'f'})
		}
	}
	for _, m := range []struct{ target, mode string }{{"/run", "755"}, {"/tmp", "1777"}, {"/var/tmp", "1777"}} {
		if !l.covers(m.target) {
			list = append(list, guest.Mount{Source: "tmpfs", Target: m.target, Type: "tmpfs", Flags: unix.MS_NODEV, Data: "mode=" + m.mode})
		}
	}
	return list
}

// bootFolders are what a booted system has.
var bootFolders = []guest.Folder{{Path: "/run/lock", Mode: unix.S_ISVTX | 0o777}, {Path: "/run/sshd", Mode: 0o755}}

// etcTarget is the file behind /etc/NAME, which may be a link.
func etcTarget(name string) string {
	target, err := filepath.EvalSymlinks("/etc/" + name)
	if err != nil {
		return "/etc/" + name
	}
	return target
}

// hidden are the folders over which mounts lays new ones.
var hidden = []string{"/run", "/dev/shm", "/tmp", "/var/tmp"}

// hiddenFolder is the one of hidden that a path lies below, "" if none.
func hiddenFolder(path string) string {
	for _, h := range hidden {
		if strings.HasPrefix(path, h+"/") {
			return h
		}
	}
	return ""
}

// workingFolder is where guests find their host's folder of the output. Like
// experiment.GuestFolder it is always the same path, because guests see it, and
// even its length (on their stacks, in PWD).
const workingFolder = "/run/simterpose"

// keep selects the folders that guests need and that would be hidden.
func keep(folders []string) []guest.Kept {
	var kept []string
	for _, f := range folders {
		if hiddenFolder(f) != "" {
			kept = append(kept, f)
		}
	}
	// A folder below another kept one comes with it.
	var outer []guest.Kept
	for _, f := range kept {
		inside := false
		for _, g := range kept {
			inside = inside || f != g && strings.HasPrefix(f, g+"/")
		}
		seen := false
		for _, g := range outer {
			seen = seen || f == g.Folder
		}
		if !inside && !seen {
			outer = append(outer, guest.Kept{Folder: f, At: f})
		}
	}
	return outer
}
