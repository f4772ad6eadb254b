package kernel

import (
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// DiskState is what is wrong with a host's disk.
type DiskState int

const (
	// DiskFine disks work.
	DiskFine DiskState = iota
	// DiskFull disks take no more data: ENOSPC.
	DiskFull
	// DiskFails disks neither read nor write: EIO.
	DiskFails
	// DiskSlow disks take slowAccess for each access.
	DiskSlow
)

// slowAccess is how long an access to a slow disk takes: some seeks of a worn
// disk that reads sectors again.
const slowAccess = 50 * time.Millisecond

// diskUse is what a call does to a disk.
type diskUse int

const (
	diskReads diskUse = iota
	diskWrites
	diskSyncs
	diskAllocates
	// diskSyncsAll calls have no descriptor.
	diskSyncsAll
)

// diskCalls are the calls that use a disk, most by their first argument, a
// descriptor. Those that are native otherwise stop at the emulator when the
// experiment lets disks fail.
var diskCalls = map[int]diskUse{
	unix.SYS_READ: diskReads, unix.SYS_READV: diskReads, unix.SYS_PREAD64: diskReads, unix.SYS_PREADV: diskReads, unix.SYS_PREADV2: diskReads,
	unix.SYS_GETDENTS64: diskReads,
	unix.SYS_WRITE:      diskWrites, unix.SYS_WRITEV: diskWrites, unix.SYS_PWRITE64: diskWrites, unix.SYS_PWRITEV: diskWrites, unix.SYS_PWRITEV2: diskWrites,
	unix.SYS_FSYNC: diskSyncs, unix.SYS_FDATASYNC: diskSyncs, unix.SYS_SYNC_FILE_RANGE: diskSyncs, unix.SYS_SYNCFS: diskSyncs,
	unix.SYS_FALLOCATE: diskAllocates,
	unix.SYS_SYNC:      diskSyncsAll, unix.SYS_MSYNC: diskSyncsAll,
}

// NativeCallsOfDisks are NativeCalls for an experiment whose disks may fail, or
// lose what is not synchronized.
func NativeCallsOfDisks() []int {
	var list []int
	for _, n := range NativeCalls() {
		if _, uses := diskCalls[n]; !uses {
			list = append(list, n)
		}
	}
	return list
}

// onDisk lets the kernel carry out a call that may use the host's disk, as far
// as the disk lets it.
func (t *Task) onDisk() Outcome {
	o := t.asDiskLets()
	if o.Kind == Native && t.host().unsynced != nil {
		t.followDisk()
	}
	return o
}

func (t *Task) asDiskLets() Outcome {
	switch t.call.number {
	case unix.SYS_WRITE, unix.SYS_WRITEV, unix.SYS_PWRITEV, unix.SYS_PWRITEV2, unix.SYS_FTRUNCATE, unix.SYS_FALLOCATE:
		t.noteWrite(t.int(0))
	}
	t.kernel().settleOutside()
	h := t.host()
	if h.Disk == DiskFine && h.Transfer == nil {
		return native()
	}
	use, ok := diskCalls[t.call.number]
	if !ok || use == diskSyncsAll {
		return native()
	}
	path, file, ok := t.descriptor(t.int(0)).diskFile()
	if !ok {
		return native()
	}
	state := h.Disk
	switch state {
	case DiskFails:
		return fail(unix.EIO)
	case DiskFull:
		if use == diskAllocates || use == diskWrites && t.extends(file.Size) {
			return fail(unix.ENOSPC)
		}
	case DiskSlow:
		if o, waits := t.onSlowDisk(); waits {
			return o
		}
	case DiskFine:
		return t.onTimedDisk(use, path, file.Size)
	}
	return native()
}

// onSlowDisk lets a call wait for as long as an access of a slow disk takes; waits is
// false when that is over.
func (t *Task) onSlowDisk() (o Outcome, waits bool) {
	if t.first() {
		t.call.deadline = t.now().Add(slowAccess)
	}
	if t.timedOut() {
		return o, false
	}
	t.parking.waitsFor = "a slow disk"
	return t.park(0), true
}

// onTimedDisk lets a call that reads or writes a file of some size take the time
// that the host's disk needs for it.
func (t *Task) onTimedDisk(use diskUse, path string, size int64) Outcome {
	if !t.first() || use != diskReads && use != diskWrites || t.call.number == unix.SYS_GETDENTS64 {
		return native()
	}
	bytes, position := t.extent()
	if use == diskReads && position >= 0 {
		bytes = min(bytes, size-position)
	}
	if bytes <= 0 || !t.host().Transfer(path, use == diskWrites, bytes, t.wake) {
		return native()
	}
	t.parking.waitsFor = "a disk"
	return t.park(0)
}

// diskLetsMove is asDiskLets for a call that moves up to size bytes from one
// descriptor to another, to an offset of it (nil: where it stands). It returns false
// if the call may be carried out.
func (t *Task) diskLetsMove(in, out int, from, to *int64, size int) (o Outcome, stop bool) {
	h := t.host()
	if h.Disk == DiskFine && h.Transfer == nil {
		return o, false
	}
	source, read, reads := t.moved(in)
	target, written, writes := t.moved(out)
	if !reads && !writes {
		return o, false
	}
	bytes := int64(size)
	if reads {
		bytes = max(0, min(bytes, read.Size-t.offsetOf(in, from)))
	}
	switch {
	case h.Disk == DiskFails:
		return fail(unix.EIO), true
	case h.Disk == DiskFull:
		return fail(unix.ENOSPC), writes && bytes > 0 && t.offsetOf(out, to)+bytes > written.Size
	case !t.first() || t.description(in) != nil || t.description(out) != nil:
		// What waits for a peer as well takes no time of the disk.
		return o, false
	case h.Disk == DiskSlow:
		return t.onSlowDisk()
	}
	write := func() bool { return writes && h.Transfer(target, true, bytes, t.wake) }
	if bytes > 0 && (reads && h.Transfer(source, false, bytes, func() {
		if !write() {
			t.wake()
		}
	}) || !reads && write()) {
		t.parking.waitsFor = "a disk"
		return t.park(0), true
	}
	return o, false
}

// moved is diskFile of a descriptor that is not emulated.
func (t *Task) moved(number int) (path string, s unix.Stat_t, ok bool) {
	if t.description(number) != nil {
		return "", s, false
	}
	return t.descriptor(number).diskFile()
}

// offsetOf is where a call moves bytes from or to in a file.
func (t *Task) offsetOf(number int, given *int64) int64 {
	if given != nil {
		return *given
	}
	position, _, _ := t.descriptor(number).state()
	return position
}

// diskFile tells whether a descriptor is a file of a disk, its path and what it is.
// The files that take the process's output for the experiment are not.
func (d descriptor) diskFile() (path string, s unix.Stat_t, ok bool) {
	name := d.path()
	target, err := os.Readlink(name)
	if err != nil || strings.HasSuffix(target, ".stdout") || strings.HasSuffix(target, ".stderr") {
		return "", s, false
	}
	var f unix.Statfs_t
	if unix.Stat(name, &s) != nil || unix.Statfs(name, &f) != nil {
		return "", s, false
	}
	if kind := s.Mode & unix.S_IFMT; kind != unix.S_IFREG && kind != unix.S_IFDIR {
		return "", s, false
	}
	switch f.Type {
	case unix.TMPFS_MAGIC, unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.CGROUP2_SUPER_MAGIC:
		return "", s, false
	}
	return target, s, true
}

// extends tells whether a write goes beyond the end of a file of a size.
func (t *Task) extends(size int64) bool {
	length, position := t.extent()
	return position < 0 || position+length > size
}

// extent is how much a call reads or writes at most, and where in its file; -1
// for its end.
func (t *Task) extent() (length, position int64) {
	switch t.call.number {
	case unix.SYS_PREAD64, unix.SYS_PREADV, unix.SYS_PWRITE64, unix.SYS_PWRITEV:
		position = t.long(3)
	case unix.SYS_PREADV2, unix.SYS_PWRITEV2:
		if position = t.long(3); position == -1 {
			position = t.position()
		}
	default:
		position = t.position()
	}
	switch t.call.number {
	case unix.SYS_READV, unix.SYS_PREADV, unix.SYS_PREADV2, unix.SYS_WRITEV, unix.SYS_PWRITEV, unix.SYS_PWRITEV2:
		s, errno := t.vector(t.arg(1), t.int(2), 0)
		if errno != 0 {
			return 0, 0 // the kernel says what is wrong
		}
		return int64(s.Len()), position
	}
	return int64(t.size(2)), position
}

// position is where the next write of the call's descriptor goes; -1 at the end.
func (t *Task) position() int64 {
	position, flags, ok := t.descriptor(t.int(0)).state()
	if !ok || flags&unix.O_APPEND != 0 {
		return -1
	}
	return position
}

// descriptor is an open file of a process of the machine's, of the emulator itself
// if process is 0.
type descriptor struct{ process, number int }

func (t *Task) descriptor(number int) descriptor { return descriptor{t.TID, number} }

func (d descriptor) name(folder string) string {
	process := "self"
	if d.process > 0 {
		process = strconv.Itoa(d.process)
	}
	return "/proc/" + process + "/" + folder + "/" + strconv.Itoa(d.number)
}

// path opens the file behind the descriptor.
func (d descriptor) path() string { return d.name("fd") }

// state gives the position and the flags of open(2).
func (d descriptor) state() (position, flags int64, ok bool) {
	content, err := os.ReadFile(d.name("fdinfo"))
	if err != nil {
		return 0, 0, false
	}
	for line := range strings.Lines(string(content)) {
		name, value, _ := strings.Cut(line, ":")
		switch name {
		case "pos":
			position, _ = strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		case "flags":
			flags, _ = strconv.ParseInt(strings.TrimSpace(value), 8, 64)
		}
	}
	return position, flags, true
}
