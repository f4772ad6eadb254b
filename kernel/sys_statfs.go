package kernel

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// What statfs tells of a host's disk. The machine's own numbers change whenever
// somebody else writes to its disk.
const (
	diskSize  = 128 << 30 // bytes
	diskFree  = 96 << 30
	diskFiles = 8 << 20 // inodes
	filesFree = 7 << 20
)

// sysStatfs is statfs and fstatfs: the machine's answer with the host's sizes.
func sysStatfs(t *Task) Outcome {
	s, o, ok := t.fileSystem()
	if !ok {
		return o
	}
	switch s.Type {
	case unix.TMPFS_MAGIC: // of half the memory, as by default; what is used is the guests'
		size := t.host().Memory / 2 / uint64(s.Bsize)
		used := s.Blocks - s.Bfree
		s.Blocks, s.Bfree, s.Bavail = size, size-min(size, used), size-min(size, used)
		files := s.Files - s.Ffree
		s.Files, s.Ffree = size, size-min(size, files)
	default:
		if s.Blocks == 0 {
			break // of the kernel's own
		}
		unit := uint64(s.Bsize)
		s.Blocks, s.Bfree, s.Bavail = diskSize/unit, diskFree/unit, diskFree/unit
		s.Files, s.Ffree = diskFiles, filesFree
		if t.host().Disk == DiskFull {
			s.Bfree, s.Bavail = 0, 0
		}
	}
	return fail(t.write(t.arg(1), unsafe.Slice((*byte)(unsafe.Pointer(&s)), unsafe.Sizeof(s))))
}

// fileSystem is what the machine tells of the file system that a call names.
func (t *Task) fileSystem() (s unix.Statfs_t, o Outcome, ok bool) {
	var p place
	if t.call.number == unix.SYS_FSTATFS {
		if p, ok = t.locateDescriptor(t.int(0)); !ok {
			return s, native(), false // of the placeholder's kind of file system
		}
	} else {
		name, errno := t.readString(t.arg(0))
		if errno != 0 {
			return s, native(), false
		}
		if p, ok = t.locate(unix.AT_FDCWD, name, true, false); !ok {
			return s, native(), false
		}
		if errno := t.mayReach(&p); errno != 0 {
			p.close()
			return s, fail(errno), false
		}
	}
	defer p.close()
	if err := unix.Fstatfs(p.fd, &s); err != nil {
		return s, fail(err.(unix.Errno)), false
	}
	if magic := t.host().kernelsOwn(p.stat.Dev); magic != 0 {
		s.Type, s.Blocks, s.Bfree, s.Bavail, s.Files, s.Ffree = magic, 0, 0, 0, 0, 0
	}
	s.Fsid = t.host().fileSystemID(s.Fsid)
	return s, o, true
}

// kernelsOwn is the type of a file system that guests see as one of the kernel's own
// and that the emulator has made in memory; 0 of others.
func (h *Host) kernelsOwn(device uint64) int64 {
	switch device {
	case h.queueDevice():
		return 0x19800202 // MQUEUE_MAGIC (linux/magic.h)
	case h.systemDevice():
		return unix.SYSFS_MAGIC
	}
	return 0
}

// fileSystemID is the identity by which the host's guests know a file system. The
// machine's own ones of overlays and tmpfs are random.
func (h *Host) fileSystemID(machines unix.Fsid) unix.Fsid {
	if machines == (unix.Fsid{}) {
		return machines
	}
	return unix.Fsid{Val: [2]int32{int32(1 + h.fileSystems.of(machines)), 0}}
}
