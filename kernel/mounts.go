package kernel

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// Files of /proc that tell of mounts and control groups. The machine's own tell
// where the run's output lies, how the layers of hosts are made and which other
// mounts the machine has, with numbers that are others in each run.

// firstMount is the number of a host's first mount: a booting system has had
// others before.
const firstMount = 21

// MountOfRun is the source of mounts that belong to the run's output, which guests
// see where that lies in a folder that they have.
const MountOfRun = "simterpose"

// mountReport gives the files about mounts and control groups of any process: its
// host's processes all see the same. A host has no control groups but the root.
func (t *Task) mountReport(name string) (string, bool) {
	switch name {
	case "/proc/cgroups":
		return "#subsys_name\thierarchy\tnum_cgroups\tenabled\n", true
	case "/proc/mounts":
		return t.mounts(mountLine), true
	}
	if f, ok := t.procFile(name); ok {
		switch f.file {
		case "cgroup":
			return "0::/\n", true
		case "mounts":
			return t.mounts(mountLine), true
		case "mountinfo":
			return t.mounts(mountInfo), true
		case "mountstats":
			return t.mounts(mountStats), true
		}
	}
	return "", false
}

// machineMounts are the mounts that the task has on the machine.
func (t *Task) machineMounts() []*mountinfo.Info {
	file, err := os.Open("/proc/" + strconv.Itoa(t.TID) + "/mountinfo")
	if err != nil {
		return nil
	}
	defer file.Close()
	all, _ := mountinfo.GetMountsFromReader(file, nil)
	return all
}

func (t *Task) mounts(line func(*mountinfo.Info) string) string {
	var b strings.Builder
	for _, m := range t.host().ownMounts(t.machineMounts()) {
		b.WriteString(line(m))
	}
	return b.String()
}

// ownMounts are those that a guest can reach and that a host has: files and folders
// that are bound to other places are left out, as are the emulator's own mounts.
// They are in the order of their names and have the host's own numbers.
func (h *Host) ownMounts(all []*mountinfo.Info) []*mountinfo.Info {
	var own []*mountinfo.Info
	for _, m := range reachable(all) {
		switch {
		case m.Mountpoint == "/root" && m.Root != "/":
			// An ordinary user's hosts have an empty folder there instead of a
			// layer over the machine's: all hosts show the same, with a device of its own.
			m.FSType, m.Major, m.Minor = "overlay", 0, 0
			own = append(own, m)
		case m.Mountpoint == "/sys":
			m.FSType = "sysfs" // as guests see it
			own = append(own, m)
		case m.Root == "/" && m.Source != MountOfRun && ownMount(m.Mountpoint), m.Mountpoint == "/":
			own = append(own, m)
		}
	}
	slices.SortFunc(own, func(a, b *mountinfo.Info) int { return cmp.Compare(a.Mountpoint, b.Mountpoint) })
	for i, m := range own {
		device := h.device(unix.Mkdev(uint32(m.Major), uint32(m.Minor)))
		m.ID, m.Parent, m.Major, m.Minor = firstMount+i, 1, int(unix.Major(device)), int(unix.Minor(device))
		for _, above := range own[:i] { // the last one is the nearest
			if Within(m.Mountpoint, above.Mountpoint) {
				m.Parent = above.ID
			}
		}
		if m.Mountpoint == queueFolder {
			m.FSType = "mqueue" // as guests see it
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
		if point != folder && Within(point, folder) {
			return false
		}
	}
	return true
}

// reachable are the mounts that no other one hides.
func reachable(all []*mountinfo.Info) (found []*mountinfo.Info) {
	children := map[int][]*mountinfo.Info{}
	ids := map[int]bool{}
	for _, m := range all {
		ids[m.ID] = true
	}
	var roots []*mountinfo.Info
	for _, m := range all {
		if ids[m.Parent] && m.Parent != m.ID {
			children[m.Parent] = append(children[m.Parent], m)
		} else {
			roots = append(roots, m)
		}
	}
	var visit func(m *mountinfo.Info)
	visit = func(m *mountinfo.Info) {
		for _, c := range children[m.ID] {
			if c.Mountpoint == m.Mountpoint { // it covers the whole of m
				visit(c)
				return
			}
		}
		found = append(found, m)
		for _, c := range children[m.ID] {
			hidden := slices.ContainsFunc(children[m.ID], func(other *mountinfo.Info) bool {
				return other.Mountpoint != c.Mountpoint && Within(c.Mountpoint, other.Mountpoint)
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

// mountSource is what is mounted: a host's disk has no name of its own.
func mountSource(m *mountinfo.Info) string {
	switch m.FSType {
	case "overlay", "tmpfs", "proc", "sysfs", "devpts", "mqueue", "devtmpfs":
		return m.FSType
	}
	return "/dev/root"
}

// mountEscapes are how these files write what separates their fields.
var mountEscapes = strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`)

// mountPoint is where it is mounted, as these files write it.
func mountPoint(m *mountinfo.Info) string { return mountEscapes.Replace(m.Mountpoint) }

func mountLine(m *mountinfo.Info) string {
	return fmt.Sprintf("%s %s %s %s 0 0\n", mountSource(m), mountPoint(m), m.FSType, m.Options)
}

func mountInfo(m *mountinfo.Info) string {
	super, _, _ := strings.Cut(m.Options, ",") // ro or rw
	return fmt.Sprintf("%d %d %d:%d / %s %s - %s %s %s\n", m.ID, m.Parent, m.Major, m.Minor,
		mountPoint(m), m.Options, m.FSType, mountSource(m), super)
}

func mountStats(m *mountinfo.Info) string {
	return fmt.Sprintf("device %s mounted on %s with fstype %s\n", mountSource(m), mountPoint(m), m.FSType)
}
