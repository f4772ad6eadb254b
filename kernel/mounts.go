package kernel

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Files of /proc that tell of mounts and control groups. The machine's own tell
// where the run's output lies, how the layers of hosts are made and which other
// mounts the machine has, with numbers that are others in each run.

// mount is a line of a mountinfo file (proc(5)).
type mount struct {
	id, parent int
	device     uint64
	whole      bool   // the file system, not a folder or file of it
	point      string // escaped
	options    string // of this mount
	kind       string // of file system
}

// firstMount is the number of a host's first mount: a booting system has had
// others before.
const firstMount = 21

// mountReport gives the files about mounts and control groups of any process: its
// host's processes all see the same. A host has no control groups but the root.
func (t *Task) mountReport(name string) (string, bool) {
	switch name {
	case "/proc/cgroups":
		return "#subsys_name\thierarchy\tnum_cgroups\tenabled\n", true
	case "/proc/mounts":
		return t.host().mounts(t.TID, mount.line), true
	}
	if _, _, file, ok := t.processFile(name); ok {
		switch file {
		case "cgroup":
			return "0::/\n", true
		case "mounts":
			return t.host().mounts(t.TID, mount.line), true
		case "mountinfo":
			return t.host().mounts(t.TID, mount.info), true
		case "mountstats":
			return t.host().mounts(t.TID, mount.stats), true
		}
	}
	return "", false
}

func (h *Host) mounts(tid int, line func(mount) string) string {
	content, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/mountinfo")
	if err != nil {
		return ""
	}
	var b strings.Builder
	for _, m := range h.ownMounts(parseMounts(string(content))) {
		b.WriteString(line(m))
	}
	return b.String()
}

func parseMounts(content string) (all []mount) {
	for line := range strings.Lines(content) {
		before, after, _ := strings.Cut(line, " - ")
		fields, kind := strings.Fields(before), strings.Fields(after)
		if len(fields) < 6 || len(kind) == 0 {
			continue
		}
		var m mount
		m.id, _ = strconv.Atoi(fields[0])
		m.parent, _ = strconv.Atoi(fields[1])
		var major, minor uint32
		fmt.Sscanf(fields[2], "%d:%d", &major, &minor)
		m.device = unix.Mkdev(major, minor)
		m.whole, m.point, m.options, m.kind = fields[3] == "/", fields[4], fields[5], kind[0]
		if m.point == queueFolder {
			m.kind = "mqueue" // as guests see it
		}
		all = append(all, m)
	}
	return all
}

// ownMounts are those that a guest can reach and that a host has: files and folders
// that are bound to other places are left out, as are the emulator's own mounts. They are in the order of their
// names and have the host's own numbers.
func (h *Host) ownMounts(all []mount) []mount {
	var own []mount
	for _, m := range reachable(all) {
		if m.whole && ownMount(m.point) || m.point == "/" {
			own = append(own, m)
		}
	}
	slices.SortFunc(own, func(a, b mount) int { return cmp.Compare(a.point, b.point) })
	for i := range own {
		m := &own[i]
		m.id, m.parent, m.device = firstMount+i, 1, h.device(m.device)
		for _, above := range own[:i] { // the last one is the nearest
			if inside(m.point, above.point) {
				m.parent = above.id
			}
		}
	}
	return own
}

func ownMount(point string) bool {
	switch point {
	case "/dev/pts", "/dev/shm", "/dev/mqueue":
		return true
	}
	for _, folder := range []string{"/dev", "/proc", "/run", "/sys"} {
		if point != folder && inside(point, folder) {
			return false
		}
	}
	return true
}

func inside(point, folder string) bool {
	return folder == "/" || point == folder || strings.HasPrefix(point, folder+"/")
}

// reachable are the mounts that no other one hides.
func reachable(all []mount) (found []mount) {
	children := map[int][]mount{}
	ids := map[int]bool{}
	for _, m := range all {
		ids[m.id] = true
	}
	var roots []mount
	for _, m := range all {
		if ids[m.parent] && m.parent != m.id {
			children[m.parent] = append(children[m.parent], m)
		} else {
			roots = append(roots, m)
		}
	}
	var visit func(m mount)
	visit = func(m mount) {
		for _, c := range children[m.id] {
			if c.point == m.point { // it covers the whole of m
				visit(c)
				return
			}
		}
		found = append(found, m)
		for _, c := range children[m.id] {
			hidden := slices.ContainsFunc(children[m.id], func(other mount) bool {
				return other.point != c.point && inside(c.point, other.point)
			})
			if !hidden {
				visit(c)
			}
		}
	}
	for _, m := range roots {
		visit(m)
	}
	return found
}

// source is what is mounted: a host's disk has no name of its own.
func (m mount) source() string {
	switch m.kind {
	case "overlay", "tmpfs", "proc", "sysfs", "devpts", "mqueue", "devtmpfs":
		return m.kind
	}
	return "/dev/root"
}

func (m mount) line() string {
	return fmt.Sprintf("%s %s %s %s 0 0\n", m.source(), m.point, m.kind, m.options)
}

func (m mount) info() string {
	super, _, _ := strings.Cut(m.options, ",") // ro or rw
	return fmt.Sprintf("%d %d %d:%d / %s %s - %s %s %s\n", m.id, m.parent, unix.Major(m.device), unix.Minor(m.device),
		m.point, m.options, m.kind, m.source(), super)
}

func (m mount) stats() string {
	return fmt.Sprintf("device %s mounted on %s with fstype %s\n", m.source(), m.point, m.kind)
}
