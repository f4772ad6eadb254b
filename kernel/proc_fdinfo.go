package kernel

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// descriptorReport is a file of proc(5)'s fdinfo, with the host's numbers of mounts
// and inodes.
func (t *Task) descriptorReport(f procFile, number string) (string, bool) {
	n, err := strconv.Atoi(number)
	if err != nil || !t.mayTrace(f.process) {
		return "", false
	}
	text, ok := t.machineText(f)
	owner := f.task()
	if !ok || owner == nil {
		return "", false
	}
	values := map[string]string{"mnt_id": fmt.Sprintf("\t%d", t.mountNumber(text))}
	if inode, ok := owner.descriptorInode(n); ok {
		values["ino"] = fmt.Sprintf("\t%d", inode)
	}
	text = withLines(text, values)
	if !strings.Contains(text, "\ninotify ") {
		return text, true
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "inotify ") { // a handle is the file system's own
			line, _, _ = strings.Cut(line, " fhandle-bytes")
			b.WriteString(t.watchedFile(line) + "\n")
			continue
		}
		b.WriteString(line)
	}
	return b.String(), true
}

// watchedFile gives a line of an inotify descriptor the host's number of the file
// system.
func (t *Task) watchedFile(line string) string {
	words := strings.Fields(line)
	for i, word := range words {
		if text, found := strings.CutPrefix(word, "sdev:"); found {
			const minorBits = 20 // linux/kdev_t.h
			device, _ := strconv.ParseUint(text, 16, 32)
			h := t.host().device(unix.Mkdev(uint32(device>>minorBits), uint32(device&(1<<minorBits-1))))
			words[i] = fmt.Sprintf("sdev:%x", unix.Major(h)<<minorBits|unix.Minor(h))
		}
	}
	return strings.Join(words, " ")
}

// mountNumber finds the host's number of the mount of which fdinfo has the
// machine's. What lies on none of a host's shows one of those that a booting kernel
// makes for itself.
func (t *Task) mountNumber(text string) int {
	const kernelsOwn = firstMount - 1
	_, rest, _ := strings.Cut(text, "mnt_id:")
	word, _, _ := strings.Cut(rest, "\n")
	id, err := strconv.Atoi(strings.TrimSpace(word))
	if err != nil {
		return kernelsOwn
	}
	all := t.machineMounts()
	point := ""
	for _, m := range all {
		if m.ID == id {
			point = m.Mountpoint
		}
	}
	found := kernelsOwn
	for _, m := range t.host().ownMounts(all) {
		if point != "" && Within(point, m.Mountpoint) {
			found = m.ID // the last one is the nearest
		}
	}
	return found
}

// descriptorInode is the inode number that a descriptor shows.
func (t *Task) descriptorInode(number int) (inode uint64, ok bool) {
	if n, ok := t.files.socketInode(number); ok {
		return n, true
	}
	fd, err := unix.Open(t.descriptor(number).path(), unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, false
	}
	p := place{fd: fd}
	if !p.look() {
		return 0, false
	}
	defer p.close()
	return t.host().placeInode(&p), true
}
