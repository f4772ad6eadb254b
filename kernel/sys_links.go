package kernel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// What links and folders of /proc tell. All others are the machine's kernel's work.

// sysReadlink is readlink and readlinkat.
func sysReadlink(t *Task) Outcome {
	directory, argument, buffer, size := unix.AT_FDCWD, t.arg(0), t.arg(1), t.int(2)
	if t.call.number == unix.SYS_READLINKAT {
		directory, argument, buffer, size = t.int(0), t.arg(1), t.arg(2), t.int(3)
	}
	name, errno := t.readString(argument)
	if errno != 0 || name == "" || size <= 0 {
		return t.onDisk()
	}
	full, errno := t.absolute(directory, name)
	if errno != 0 {
		return t.onDisk()
	}
	target, ok := t.linkInProc(path.Clean(full))
	if !ok {
		return t.onDisk()
	}
	target = target[:min(len(target), size)]
	if errno := t.write(buffer, []byte(target)); errno != 0 {
		return fail(errno)
	}
	return ret(len(target))
}

// linkInProc is where a link of /proc leads whose text has the machine's numbers, or
// tells how the emulator answers.
func (t *Task) linkInProc(full string) (target string, ok bool) {
	if _, ok := standardStreams[full]; ok { // a link to a link
		return "", false
	}
	if owner, number := t.namedDescriptor(full); owner != nil {
		if !t.mayTrace(owner.process) {
			return "", false
		}
		if d := owner.files.get(number); d != nil {
			if f, ok := d.file.(*reportFile); ok {
				return f.task.ownFolder(f.name, false), true
			}
		}
		kind, ok := numberedLink(owner.descriptor(number).path())
		if !ok {
			return "", false
		}
		inode, ok := owner.descriptorInode(number)
		return fmt.Sprintf("%s:[%d]", kind, inode), ok
	}
	f, ok := t.procFile(full)
	of := f.task()
	if !ok || !strings.HasPrefix(f.file, "ns/") || of == nil || !t.mayTrace(f.process) {
		return "", false
	}
	link := fmt.Sprintf("/proc/%d/%s", of.TID, f.file)
	kind, ok := numberedLink(link)
	var s unix.Stat_t
	if !ok || unix.Stat(link, &s) != nil {
		return "", false
	}
	return fmt.Sprintf("%s:[%d]", kind, t.host().inode(s.Dev, s.Ino)), true
}

// numberedLink is what stands before the number in a link such as pipe:[123].
func numberedLink(link string) (kind string, ok bool) {
	text, err := os.Readlink(link)
	kind, number, found := strings.Cut(text, ":[")
	return kind, err == nil && found && isNumber(strings.TrimSuffix(number, "]"))
}

// sysGetdents is getdents64.
func sysGetdents(t *Task) Outcome {
	if d := t.description(t.int(0)); d != nil {
		return t.onDisk()
	}
	link := t.descriptor(t.int(0)).path()
	var s unix.Stat_t
	if unix.Stat(link, &s) != nil || s.Mode&unix.S_IFMT != unix.S_IFDIR {
		return t.onDisk()
	}
	inProc := s.Dev == t.host().procDevice()
	if !inProc && s.Ctim.Nano() < began-stampSlack { // nothing in it is new
		return t.onDisk()
	}
	fd, errno := t.machine().TakeDescriptor(t, t.int(0))
	if errno != 0 {
		return fail(errno)
	}
	defer unix.Close(fd)
	entry := func(name string) (uint64, bool) { return t.host().newEntry(fd, name), true }
	if inProc {
		folder, err := os.Readlink(link)
		if err != nil {
			return t.onDisk()
		}
		entry = func(name string) (uint64, bool) { return procEntry(folder, name) }
	}
	b := t.kernel().bytes(min(max(t.int(2), 0), 32<<10))
	for {
		n, err := unix.Getdents(fd, b)
		if err != nil {
			return fail(errnoOf(err))
		}
		kept := hostEntries(b[:n], entry)
		if n > 0 && len(kept) == 0 {
			continue
		}
		if errno := t.write(t.arg(1), kept); errno != 0 {
			return fail(errno)
		}
		return ret(len(kept))
	}
}

// procEntry is the number of an entry of a folder of /proc. What the emulator has put
// into a process is left out.
func procEntry(folder, name string) (inode uint64, ok bool) {
	var a area
	if path.Base(folder) == "map_files" {
		if n, _ := fmt.Sscanf(name, "%x-%x", &a.start, &a.end); n == 2 && a.emulators() {
			return 0, false
		}
	}
	return procInode(path.Join(folder, name)), true
}

// newEntry is the number of an entry of a folder if that is a new file, otherwise 0.
func (h *Host) newEntry(folder int, name string) uint64 {
	fd, err := unix.Openat(folder, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	p := place{fd: fd}
	if err != nil || !p.look() {
		return 0
	}
	defer p.close()
	n, _ := h.newFiles.inode(&p)
	return n
}

// Where the fields of struct linux_dirent64 lie, of which d_ino is the first
// (getdents(2)).
const (
	direntLength = 16 // of d_reclen
	direntName   = 19
)

// hostEntries gives entries of a folder the host's numbers where there are any, and
// leaves out those that are not ok.
func hostEntries(entries []byte, entry func(name string) (inode uint64, ok bool)) []byte {
	kept := entries[:0]
	for len(entries) > 0 {
		record := entries[:binary.LittleEndian.Uint16(entries[direntLength:])]
		entries = entries[len(record):]
		name, _, _ := bytes.Cut(record[direntName:], []byte{0})
		inode, ok := entry(string(name))
		if !ok {
			continue
		}
		if inode != 0 {
			binary.LittleEndian.PutUint64(record, inode)
		}
		kept = append(kept, record...)
	}
	return kept
}
