package kernel

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/sim"
)

// What guests write to files is in the memory of a real host until it is
// synchronized, or until the kernel's flusher has found it old enough, and gone
// if the power fails before. Here all of it is in the files at once; beside that,
// a host whose crash may lose data keeps, for each file, what the writes that are
// not synchronized have replaced: the size that the file had and the bytes that
// they went over. When the power fails this is put back, the latest first, so
// that each file is as it was at an instant between its last synchronization and
// the crash.
//
// What makes files shorter is not in that log, nor are names: like a journal that
// is committed at once. Putting back never makes a file longer.

// Linux's flusher looks each dirty_writeback_centisecs for what has been written
// more than dirty_expire_centisecs ago.
const (
	flusherPeriod = 5 * sim.Time(time.Second)
	flusherAge    = 30 * sim.Time(time.Second)
)

// How much is kept of a host at most. When it is more, the file that has waited
// longest counts as written, as when Linux has too many dirty pages.
const (
	maximumUnsynced      = 64 << 20 // bytes that were replaced
	maximumUnsyncedFiles = 256
)

// ownPosition stands for that of the descriptor.
const ownPosition = -1

// unsyncedWrites is what a host's guests have not synchronized.
type unsyncedWrites struct {
	files  map[fileIdentity]*unsyncedFile
	order  []*unsyncedFile // the first to be written first
	bytes  int64           // of all that was replaced
	period int64           // in which the flusher has looked last
}

type unsyncedFile struct {
	identity fileIdentity
	fd       int // with O_PATH: neither locks nor notifications know of it
	writes   []unsyncedWrite
}

// unsyncedWrite is what a write has replaced.
type unsyncedWrite struct {
	period int64 // of the flusher, in which it was
	size   int64 // the file's before
	offset int64
	old    []byte
}

// covers tells whether the replaced bytes of a range are those of w.
func (w *unsyncedWrite) covers(offset, length int64) bool {
	return length <= 0 || w.offset <= offset && offset+length <= w.offset+int64(len(w.old))
}

// settle forgets what a file's writes have replaced: they are on the disk.
func (u *unsyncedWrites) settle(f *unsyncedFile) {
	for i := range f.writes {
		u.bytes -= int64(len(f.writes[i].old))
	}
	unix.Close(f.fd)
	delete(u.files, f.identity)
	u.order = slices.DeleteFunc(u.order, func(o *unsyncedFile) bool { return o == f })
}

func (u *unsyncedWrites) settleAll() {
	for len(u.order) > 0 {
		u.settle(u.order[0])
	}
}

// flush lets the flusher look, if it has not in this period.
func (u *unsyncedWrites) flush(now sim.Time) {
	period := int64(now / flusherPeriod)
	if period == u.period {
		return
	}
	u.period = period
	for _, f := range slices.Clone(u.order) {
		n := 0
		// A write is old enough when all of its period is.
		for n < len(f.writes) && period-f.writes[n].period > int64(flusherAge/flusherPeriod) {
			u.bytes -= int64(len(f.writes[n].old))
			n++
		}
		if f.writes = slices.Delete(f.writes, 0, n); len(f.writes) == 0 {
			u.settle(f)
		}
	}
}

// note takes note that a file, which path opens, is about to be written to.
func (u *unsyncedWrites) note(path string, s *unix.Stat_t, offset, length int64) {
	identity := fileIdentity{s.Dev, s.Ino}
	f := u.files[identity]
	replaced := max(0, min(length, s.Size-offset))
	if f != nil {
		if last := &f.writes[len(f.writes)-1]; last.period == u.period && last.size <= s.Size && last.covers(offset, replaced) {
			return
		}
	} else {
		fd, errno := openOwn(path, unix.O_PATH)
		if errno != 0 {
			return // it is kept
		}
		f = &unsyncedFile{identity: identity, fd: fd}
		u.files[identity], u.order = f, append(u.order, f)
	}
	w := unsyncedWrite{period: u.period, size: s.Size, offset: offset}
	if replaced > 0 {
		var ok bool
		if w.old, ok = readRange(f.fd, offset, replaced); !ok {
			u.settle(f)
			return
		}
	}
	f.writes = append(f.writes, w)
	u.bytes += int64(len(w.old))
	for u.bytes > maximumUnsynced || len(u.order) > maximumUnsyncedFiles {
		u.settle(u.order[0])
	}
}

// readRange reads a part of the file that a descriptor of O_PATH is of; ok is
// false if that is more than can be kept, or cannot be read.
func readRange(fd int, offset, length int64) (b []byte, ok bool) {
	if length > maximumUnsynced {
		return nil, false
	}
	file, err := os.OpenFile(descriptorPath(fd), os.O_RDONLY, 0)
	if err != nil {
		return nil, false
	}
	defer file.Close()
	b = make([]byte, length)
	n, _ := file.ReadAt(b, offset)
	return b, int64(n) == length
}

// putBack undoes a file's writes.
func (f *unsyncedFile) putBack() (err error) {
	path := descriptorPath(f.fd)
	var s unix.Stat_t
	if err := unix.Fstat(f.fd, &s); err != nil || s.Nlink == 0 {
		return err
	}
	fd, errno := openOwn(path, unix.O_RDWR)
	if errno == unix.EACCES { // the guest was root, the emulator is not
		if err := unix.Chmod(path, 0o600); err != nil {
			return err
		}
		fd, errno = openOwn(path, unix.O_RDWR)
	}
	if errno != 0 {
		return errno
	}
	file := os.NewFile(uintptr(fd), path)
	defer func() {
		err = errors.Join(err, unix.Fchmod(fd, s.Mode&0o7777), file.Close())
	}()
	size := s.Size
	for _, w := range slices.Backward(f.writes) {
		if size > w.size {
			size = w.size
			if err := file.Truncate(size); err != nil {
				return err
			}
		}
		old := w.old[:max(0, min(int64(len(w.old)), size-w.offset))]
		if _, err := file.WriteAt(old, w.offset); err != nil {
			return err
		}
	}
	return nil
}

// LoseUnsynced takes from a host that has crashed, and whose guests are dead,
// what they had not synchronized.
func (h *Host) LoseUnsynced() error {
	u := h.unsynced
	if u == nil {
		panic("kernel: what is not synchronized was not followed")
	}
	u.flush(h.kernel.Now())
	defer u.settleAll()
	for _, f := range u.order {
		if err := f.putBack(); err != nil {
			return fmt.Errorf("losing what is not synchronized: %w", err)
		}
		var s unix.Stat_t
		if unix.Fstat(f.fd, &s) == nil {
			h.changed(&s, h.kernel.Now(), true)
		}
	}
	return nil
}

// KeepUnsynced keeps all that guests have written.
func (h *Host) KeepUnsynced() {
	if h.unsynced != nil {
		h.unsynced.settleAll()
	}
}

// noteUnsynced takes note that so many bytes are about to be written at a
// position to what d has open.
func (h *Host) noteUnsynced(d descriptor, position, length int64) {
	if h.unsynced == nil || length <= 0 {
		return
	}
	s, ok := d.unsyncedFile()
	if !ok {
		return
	}
	own, flags, ok := d.state()
	if !ok || flags&unix.O_ACCMODE == unix.O_RDONLY {
		return
	}
	if flags&unix.O_DSYNC != 0 { // which O_SYNC has too
		h.synchronized(&s)
		return
	}
	switch {
	case flags&unix.O_APPEND != 0:
		position = s.Size
	case position == ownPosition:
		position = own
	}
	h.noteChange(d, &s, position, length)
}

// noteChange takes note that a part of the file that d has open is about to change.
func (h *Host) noteChange(d descriptor, s *unix.Stat_t, offset, length int64) {
	if offset < 0 || length <= 0 {
		return // which the machine's kernel refuses
	}
	h.unsynced.flush(h.kernel.Now())
	h.unsynced.note(d.path(), s, offset, length)
}

// unsyncedFile is the file of a disk that d has open, if it has a name.
func (d descriptor) unsyncedFile() (s unix.Stat_t, ok bool) {
	_, s, ok = d.diskFile()
	return s, ok && s.Mode&unix.S_IFMT == unix.S_IFREG && s.Nlink > 0
}

// synchronized tells that a file's data is on the disk.
func (h *Host) synchronized(s *unix.Stat_t) {
	if f := h.unsynced.files[fileIdentity{s.Dev, s.Ino}]; f != nil {
		h.unsynced.settle(f)
	}
}

// followDisk takes note of what a call does, which the machine's kernel is about
// to carry out, to what is not synchronized.
func (t *Task) followDisk() {
	h, d := t.host(), t.descriptor(t.int(0))
	switch t.call.number {
	case unix.SYS_WRITE, unix.SYS_WRITEV, unix.SYS_PWRITE64, unix.SYS_PWRITEV, unix.SYS_PWRITEV2:
		t.followWrite(d)
	case unix.SYS_FTRUNCATE:
		// What it makes longer, it writes.
		if s, ok := d.unsyncedFile(); ok && t.long(1) > s.Size {
			h.noteChange(d, &s, s.Size, t.long(1)-s.Size)
		}
	case unix.SYS_FALLOCATE:
		t.followAllocation(d)
	case unix.SYS_FSYNC, unix.SYS_FDATASYNC:
		if s, ok := d.unsyncedFile(); ok {
			h.synchronized(&s)
		}
	case unix.SYS_MSYNC:
		// It is about some file that is mapped: all are synchronized.
		if t.flags(2)&unix.MS_SYNC != 0 && h.Disk != DiskFails {
			h.unsynced.settleAll()
		}
	case unix.SYS_SYNC, unix.SYS_SYNCFS:
		if h.Disk != DiskFails {
			h.unsynced.settleAll()
		}
	}
}

func (t *Task) followWrite(d descriptor) {
	length, position := t.extent()
	if position < 0 {
		position = ownPosition
	}
	if t.call.number == unix.SYS_PWRITEV2 {
		const rwfDsync, rwfSync, rwfAppend = 2, 4, 16
		flags := t.flags(5)
		s, ok := d.unsyncedFile()
		switch {
		case !ok:
			return
		case flags&(rwfDsync|rwfSync) != 0:
			t.host().synchronized(&s)
			return
		case flags&rwfAppend != 0:
			position = s.Size
		}
	}
	t.host().noteUnsynced(d, position, length)
}

func (t *Task) followAllocation(d descriptor) {
	mode, offset, length := t.flags(1), t.long(2), t.long(3)
	s, ok := d.unsyncedFile()
	switch {
	case !ok:
	case mode&(unix.FALLOC_FL_COLLAPSE_RANGE|unix.FALLOC_FL_INSERT_RANGE) != 0:
		// File systems write the file before they move what it holds.
		t.host().synchronized(&s)
	case mode&(unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_ZERO_RANGE) != 0:
		t.host().noteChange(d, &s, offset, length)
	case mode&unix.FALLOC_FL_KEEP_SIZE == 0 && offset+length > s.Size:
		t.host().noteChange(d, &s, s.Size, offset+length-s.Size)
	}
}
