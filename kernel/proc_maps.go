package kernel

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Files of /proc that tell of a process's memory. Where everything lies repeats, as
// addresses are not random; what is in memory is told by the rule of proc_memory.go.

// The pages that the emulator has put into each process (guest/vdso.go).
const (
	ownPages    = 0x100000
	ownPagesEnd = 0x102000
)

// area is a mapped area of memory, as proc(5)'s maps has it.
type area struct {
	start, end          uint64
	permissions, offset string
	device, inode       uint64
	name                string
}

func parseArea(line string) (a area, ok bool) {
	var major, minor uint32
	if _, err := fmt.Sscanf(line, "%x-%x %s %s %x:%x %d", &a.start, &a.end, &a.permissions, &a.offset, &major, &minor, &a.inode); err != nil {
		return a, false
	}
	a.device = unix.Mkdev(major, minor)
	const columns = 6
	rest := strings.TrimRight(line, "\n")
	for range columns - 1 {
		_, rest, _ = strings.Cut(rest, " ")
	}
	_, rest, _ = strings.Cut(strings.TrimLeft(rest, " "), " ")
	a.name = strings.TrimLeft(rest, " ")
	return a, true
}

func (a *area) String() string {
	head := fmt.Sprintf("%08x-%08x %s %s %02x:%02x %d ", a.start, a.end, a.permissions, a.offset, unix.Major(a.device), unix.Minor(a.device), a.inode)
	if a.name == "" {
		return head
	}
	const nameColumn = 73 // fs/proc/task_mmu.c
	return fmt.Sprintf("%-*s%s", nameColumn, head, a.name)
}

// emulators tells of an area that is none of the program's.
func (a *area) emulators() bool { return a.start >= ownPages && a.end <= ownPagesEnd }

// code tells of a program's code, which counts as being in memory.
func (a *area) code() bool {
	return strings.Contains(a.permissions, "x") && !strings.Contains(a.permissions, "w") && (a.inode != 0 || a.name == "[vdso]")
}

// hostArea gives an area the numbers by which the host's guests know its file.
func (h *Host) hostArea(a *area) {
	if a.inode == 0 {
		return
	}
	fd, errno := h.open(a.name, unix.O_PATH)
	if p := (place{fd: fd}); errno == 0 && p.look() {
		defer p.close()
		if p.stat.Ino == a.inode && p.stat.Mode&unix.S_IFMT == unix.S_IFREG {
			// Overlayfs has another number of the device for maps.
			a.device, a.inode = h.device(p.stat.Dev), h.placeInode(&p)
			return
		}
	}
	a.device, a.inode = h.device(a.device), h.inode(a.device, a.inode)
}

// mapsReport is proc(5)'s maps.
func mapsReport(t *Task, f procFile) (string, bool) {
	text, ok := t.machineText(f)
	var b strings.Builder
	for line := range strings.Lines(text) {
		if a, ok := parseArea(line); ok && !a.emulators() {
			t.host().hostArea(&a)
			b.WriteString(a.String() + "\n")
		}
	}
	return b.String(), ok
}

// areaUse is how much of an area is in memory, in kB.
type areaUse struct {
	area
	lines []string // of smaps, below its first
	memoryUse
	sharedOwn, share uint64 // of its own pages: shared, and the share of them
}

func (u *areaUse) proportional() uint64 { return u.share + u.files + u.shared }

// areas reads the areas of a process from the machine's smaps.
func (t *Task) areas(f procFile) (all []areaUse, ok bool) {
	f.file = "smaps"
	text, ok := t.machineText(f)
	if !ok {
		return nil, false
	}
	for line := range strings.Lines(text) {
		if a, ok := parseArea(line); ok {
			all = append(all, areaUse{area: a})
		} else if n := len(all); n > 0 {
			all[n-1].lines = append(all[n-1].lines, line)
		}
	}
	memory := t.memoryDevices()
	kept := all[:0]
	for _, u := range all {
		if u.emulators() {
			continue
		}
		u.count(memory[u.device])
		t.host().hostArea(&u.area)
		kept = append(kept, u)
	}
	return kept, true
}

// count takes what is in memory out of the lines. inMemory tells that the area is of
// a file that lies in memory.
func (u *areaUse) count(inMemory bool) {
	values := map[string]uint64{}
	for _, line := range u.lines {
		key, value, _ := strings.Cut(line, ":")
		values[key] = kilobytes(value)
	}
	u.own = values["Anonymous"] + values["Swap"]
	u.sharedOwn = min(values["Shared_Dirty"], u.own)
	u.share = min(values["Pss_Dirty"]+values["Swap"], u.own)
	switch {
	case u.inode != 0 && inMemory:
		u.shared = values["Rss"] - min(values["Rss"], u.own)
	case u.code():
		u.files = values["Size"] - min(values["Size"], u.own)
	}
}

// memoryDevices are the numbers of the file systems that lie in memory.
func (t *Task) memoryDevices() map[uint64]bool {
	devices := map[uint64]bool{t.kernel().anonymous.memory: true}
	for _, m := range t.machineMounts() {
		if m.FSType == "tmpfs" {
			devices[unix.Mkdev(uint32(m.Major), uint32(m.Minor))] = true
		}
	}
	return devices
}

// memoryValues are those lines of smaps that would tell of the machine, in kB.
func memoryValues(all ...areaUse) map[string]uint64 {
	v := map[string]uint64{}
	for _, u := range all {
		v["Rss"] += u.resident()
		v["Pss"] += u.proportional()
		v["Pss_Dirty"] += u.share + u.shared
		v["Pss_Anon"] += u.share
		v["Pss_File"] += u.files
		v["Pss_Shmem"] += u.shared
		v["Shared_Dirty"] += u.sharedOwn
		v["Private_Clean"] += u.files
		v["Private_Dirty"] += u.own - u.sharedOwn + u.shared
		v["Referenced"] += u.resident()
		v["Anonymous"] += u.own
	}
	for _, key := range []string{"Shared_Clean", "Swap", "SwapPss"} {
		v[key] = 0
	}
	return v
}

// withValues writes lines of smaps anew.
func withValues(b *strings.Builder, lines []string, values map[string]uint64) {
	for _, line := range lines {
		key, old, _ := strings.Cut(line, ":")
		switch value, ok := values[key]; {
		case ok:
			line = fmt.Sprintf("%-16s%8d kB\n", key+":", value)
		case key == "Locked" && strings.Trim(old, " 0kB\n") != "":
			line = fmt.Sprintf("%-16s%8d kB\n", key+":", values["Pss"])
		}
		b.WriteString(line)
	}
}

// smapsReport is proc(5)'s smaps.
func smapsReport(t *Task, f procFile) (string, bool) {
	all, ok := t.areas(f)
	var b strings.Builder
	for _, u := range all {
		b.WriteString(u.area.String() + "\n")
		withValues(&b, u.lines, memoryValues(u))
	}
	return b.String(), ok
}

// rollupReport is proc(5)'s smaps_rollup.
func rollupReport(t *Task, f procFile) (string, bool) {
	all, ok := t.areas(f)
	text, alsoOK := t.machineText(f)
	first, rest, _ := strings.Cut(text, "\n")
	whole, isArea := parseArea(first)
	if !ok || !alsoOK || !isArea || len(all) == 0 {
		return text, ok && alsoOK
	}
	whole.start = all[0].start
	var lines []string
	for line := range strings.Lines(rest) {
		lines = append(lines, line)
	}
	var b strings.Builder
	b.WriteString(whole.String() + "\n")
	withValues(&b, lines, memoryValues(all...))
	return b.String(), true
}

// numaReport is proc(5)'s numa_maps: all is on the host's one node.
func numaReport(t *Task, f procFile) (string, bool) {
	all, ok := t.areas(f)
	text, alsoOK := t.machineText(f)
	uses := map[uint64]areaUse{}
	for _, u := range all {
		uses[u.start] = u
	}
	const page = 4 // kB
	var b strings.Builder
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		start, _ := strconv.ParseUint(words[0], 16, 64)
		u, known := uses[start]
		if !known {
			continue
		}
		kept := words[:1]
		for _, word := range words[1:] {
			if key, _, counts := strings.Cut(word, "="); !counts || key == "file" {
				kept = append(kept, word)
			}
		}
		b.WriteString(strings.Join(kept, " "))
		if n := u.resident() / page; n > 0 {
			if own := u.own / page; own > 0 {
				fmt.Fprintf(&b, " anon=%d", own)
			}
			dirty := (u.own + u.shared) / page
			if dirty > 0 {
				fmt.Fprintf(&b, " dirty=%d", dirty)
			}
			if n != dirty {
				fmt.Fprintf(&b, " mapped=%d", n)
			}
			fmt.Fprintf(&b, " N0=%d kernelpagesize_kB=%d", n, page)
		}
		b.WriteByte('\n')
	}
	return b.String(), ok && alsoOK
}
