package emulator

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/guest"
)

// What a host may see and change of the machine's kernel: files of /proc and /dev
// belong to root, which a guest is when root runs the emulator, and no
// namespace divides them.

const inert = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC

// kernelFiles are mounts of /proc that show the host's own processes, and the machine's
// settings read-only but for those of its network namespace.
func kernelFiles() []guest.Mount {
	list := []guest.Mount{
		{Source: "proc", Target: "/proc", Type: "proc", Flags: inert},
		{Source: "/proc/sys/net", Target: "/proc/sys/net", Flags: unix.MS_BIND},
	}
	for _, folder := range []string{"/proc/sys", "/proc/irq", "/proc/bus", "/proc/acpi", "/proc/scsi"} {
		needed := folder == "/proc/sys"
		list = append(list,
			guest.Mount{Source: folder, Target: folder, Flags: unix.MS_BIND | unix.MS_REC, Optional: !needed},
			guest.Mount{Source: "none", Target: folder, Flags: unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY | inert, Optional: !needed})
	}
	// The memory of the host's first process is the emulator's agent's.
	for _, file := range []string{"/proc/1/mem", "/proc/1/task/1/mem"} {
		list = append(list, guest.Mount{Source: "/dev/null", Target: file, Flags: unix.MS_BIND})
	}
	for _, file := range []string{
		"/proc/sysrq-trigger", "/proc/kcore", "/proc/kmsg", "/proc/keys", "/proc/timer_list", "/proc/mtrr",
		"/proc/kpagecgroup", "/proc/kpagecount", "/proc/kpageflags",
	} {
		list = append(list, guest.Mount{Source: "/dev/null", Target: file, Flags: unix.MS_BIND, Optional: true})
	}
	// How the machine's disks and lines are used.
	for _, folder := range []string{"/proc/fs", "/proc/tty/driver"} {
		list = append(list, guest.Mount{Source: "tmpfs", Target: folder, Type: "tmpfs", Flags: inert | unix.MS_RDONLY, Data: "mode=555", Optional: true})
	}
	return list
}

// deviceNames are the machine's devices that hosts have.
var deviceNames = func() []string {
	names := []string{"null", "zero", "full", "random", "urandom", "tty"}
	const tunnels = "net/tun"
	if unix.Access("/dev/"+tunnels, unix.F_OK) == nil { // not all machines have it
		names = append(names, tunnels)
	}
	return names
}()

// deviceNodes are the machine's own: mounted read-only they can be written to,
// but their modes and owners cannot be changed.
func deviceNodes() []string {
	var list []string
	for _, name := range deviceNames {
		list = append(list, "/dev/"+name)
	}
	return list
}

// deviceStage is where a /dev is put together that is then laid over the machine's.
const deviceStage = "/dev/shm"

// devices are mounts that make a /dev without the machine's hardware.
func devices() []guest.Mount {
	list := []guest.Mount{{Source: "tmpfs", Target: deviceStage, Type: "tmpfs", Flags: unix.MS_NOSUID | unix.MS_NOEXEC, Data: "mode=755", Make: 'd'}}
	for _, device := range deviceNames {
		if folder, _, below := strings.Cut(device, "/"); below {
			list = append(list, guest.Mount{Target: deviceStage + "/" + folder, Make: 'd'})
		}
		list = append(list, guest.Mount{Source: "/dev/" + device, Target: deviceStage + "/" + device, Flags: unix.MS_BIND, Make: 'f'})
	}
	return append(list,
		guest.Mount{Source: "devpts", Target: deviceStage + "/pts", Type: "devpts", Flags: unix.MS_NOSUID | unix.MS_NOEXEC, Data: "newinstance,ptmxmode=0666,mode=0620", Make: 'd'},
		guest.Mount{Source: "tmpfs", Target: deviceStage + "/shm", Type: "tmpfs", Flags: unix.MS_NOSUID | unix.MS_NODEV, Data: "mode=1777", Make: 'd'},
		guest.Mount{Source: "tmpfs", Target: deviceStage + "/mqueue", Type: "tmpfs", Flags: inert, Data: "mode=1777", Make: 'd'},
		guest.Mount{Source: deviceStage, Target: "/dev", Flags: unix.MS_MOVE})
}

// deviceLinks are the links of /dev, by their paths.
var deviceLinks = []guest.Link{
	{Path: "/dev/ptmx", Target: "pts/ptmx"},
	{Path: "/dev/fd", Target: "/proc/self/fd"},
	{Path: "/dev/stdin", Target: "/proc/self/fd/0"},
	{Path: "/dev/stdout", Target: "/proc/self/fd/1"},
	{Path: "/dev/stderr", Target: "/proc/self/fd/2"},
}
