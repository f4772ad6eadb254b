package kernel

import (
	"path"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What is told of files: the machine's answers, with the host's owners.

// What all folders show, whatever layers of whatever file systems they consist
// of: one link is what overlayfs tells of merged folders, and what it means is
// that the number of folders in it is not known.
const (
	folderLinks  = 1
	folderSize   = 4096
	folderBlocks = 8
)

// device is the number by which the host's guests know a file system. The
// machine's own numbers of overlays and the like differ from run to run.
func (h *Host) device(machines uint64) uint64 {
	const first = 20 // below it is what a booting system mounts for itself
	if machines == h.interfacesDevice() {
		machines = h.systemDevice()
	}
	return unix.Mkdev(0, uint32(first+h.devices.of(machines)))
}

// numbering counts what guests have seen, from 0 on: their numbers are the same in
// each run.
type numbering[K comparable] map[K]int

func (n *numbering[K]) of(machines K) int {
	number, known := (*n)[machines]
	if !known {
		if *n == nil {
			*n = numbering[K]{}
		}
		number = len(*n)
		(*n)[machines] = number
	}
	return number
}

// statPlace finds the file that a call of the stat family is about.
func (t *Task) statPlace() (p place, o Outcome, ok bool) {
	directory, argument, follow, empty := unix.AT_FDCWD, t.arg(0), true, false
	switch t.call.number {
	case unix.SYS_FSTAT:
		p, ok = t.locateDescriptor(t.int(0))
		return p, native(), ok
	case unix.SYS_LSTAT:
		follow = false
	case unix.SYS_NEWFSTATAT, unix.SYS_STATX:
		flags := t.flags(2)
		if t.call.number == unix.SYS_NEWFSTATAT {
			flags = t.flags(3)
		}
		directory, argument = t.int(0), t.arg(1)
		follow, empty = flags&unix.AT_SYMLINK_NOFOLLOW == 0, flags&unix.AT_EMPTY_PATH != 0
		if argument == 0 && empty {
			p, ok = t.locateDescriptor(directory)
			return p, native(), ok
		}
	}
	name, errno := t.readString(argument)
	if errno != 0 {
		return p, native(), false
	}
	if p, ok = t.locate(directory, name, follow, empty); !ok {
		return p, native(), false
	}
	if name != "" {
		if errno := t.mayReach(&p); errno != 0 {
			p.close()
			return p, fail(errno), false
		}
	}
	return p, Outcome{}, true
}

// statEmulated is statPlace for an emulated descriptor: what it shows is its
// placeholder's, which is of the same kind.
func (t *Task) statEmulated() (p place, ok bool) {
	owner, number := t.statDescriptor()
	if owner == nil {
		return p, false
	}
	if d := owner.files.get(number); d == nil || d.machines() {
		return p, false
	}
	fd, err := unix.Open(owner.descriptor(number).path(), unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return p, false
	}
	p.fd = fd
	return p, p.look()
}

// statDescriptor finds the descriptor that a call of the stat family is about: its
// first argument, or one that is named in /proc. The owner is nil if there is none.
func (t *Task) statDescriptor() (owner *Task, number int) {
	directory, argument, flags := unix.AT_FDCWD, t.arg(0), 0
	switch t.call.number {
	case unix.SYS_FSTAT:
		return t, t.int(0)
	case unix.SYS_LSTAT:
		return nil, 0
	case unix.SYS_NEWFSTATAT:
		directory, argument, flags = t.int(0), t.arg(1), t.flags(3)
	case unix.SYS_STATX:
		directory, argument, flags = t.int(0), t.arg(1), t.flags(2)
	}
	name, errno := t.readString(argument)
	switch {
	case argument == 0, errno == 0 && name == "":
		return t, directory
	case errno != 0, flags&unix.AT_SYMLINK_NOFOLLOW != 0, !mayNameDescriptor(name):
		return nil, 0
	}
	full, errno := t.absolute(directory, name)
	if errno != 0 {
		return nil, 0
	}
	return t.namedDescriptor(path.Clean(full))
}

// mayNameDescriptor tells from the end of a path, which most programs give in vain,
// whether it is worth while to find out where it begins.
func mayNameDescriptor(name string) bool {
	switch base := path.Base(name); base {
	case ".", "..", "stdin", "stdout", "stderr":
		return true
	default:
		return isNumber(base)
	}
}

// sysStat is stat, fstat, lstat and newfstatat.
func sysStat(t *Task) Outcome {
	p, o, ok := t.statPlace()
	emulated := false
	if !ok && o.Kind == Native {
		p, emulated = t.statEmulated()
	}
	if !ok && !emulated {
		return o
	}
	defer p.close()
	whom := t.host().ownerOf(p.fd, &p.stat)
	p.stat.Uid, p.stat.Gid = whom.uid, whom.gid
	if p.stat.Mode&unix.S_IFMT == unix.S_IFDIR {
		p.stat.Nlink, p.stat.Size, p.stat.Blocks = folderLinks, folderSize, folderBlocks
	}
	if emulated {
		t.host().showTimesNow(&p.stat)
	} else {
		t.host().showTimes(&p.stat, 0)
	}
	p.stat.Ino = t.shownInode(&p, emulated)
	p.stat.Dev = t.host().device(p.stat.Dev) // times are found by the machine's number
	address := t.arg(1)
	if t.call.number == unix.SYS_NEWFSTATAT {
		address = t.arg(2)
	}
	return fail(t.write(address, unsafe.Slice((*byte)(unsafe.Pointer(&p.stat)), unsafe.Sizeof(p.stat))))
}

func sysStatx(t *Task) Outcome {
	p, o, ok := t.statPlace()
	emulated := false
	if !ok && o.Kind == Native {
		p, emulated = t.statEmulated()
	}
	if !ok && !emulated {
		return o
	}
	defer p.close()
	const sync = unix.AT_STATX_FORCE_SYNC | unix.AT_STATX_DONT_SYNC
	if t.flags(2)&^(sync|unix.AT_SYMLINK_NOFOLLOW|unix.AT_EMPTY_PATH|unix.AT_NO_AUTOMOUNT) != 0 {
		return native()
	}
	var s unix.Statx_t
	if err := unix.Statx(p.fd, "", t.flags(2)&sync|unix.AT_EMPTY_PATH, t.flags(3), &s); err != nil {
		return fail(err.(unix.Errno))
	}
	whom := t.host().ownerOf(p.fd, &p.stat)
	s.Uid, s.Gid = whom.uid, whom.gid
	device := t.host().device(p.stat.Dev)
	s.Dev_major, s.Dev_minor = unix.Major(device), unix.Minor(device)
	if s.Mode&unix.S_IFMT == unix.S_IFDIR {
		s.Nlink, s.Size, s.Blocks = folderLinks, folderSize, folderBlocks
	}
	s.Ino = t.shownInode(&p, emulated)
	t.host().showStatx(&s, p.stat, emulated)
	return fail(t.write(t.arg(4), unsafe.Slice((*byte)(unsafe.Pointer(&s)), unsafe.Sizeof(s))))
}

// shownInode is the inode number that a call of the stat family tells.
func (t *Task) shownInode(p *place, emulated bool) uint64 {
	if emulated {
		if owner, number := t.statDescriptor(); owner != nil {
			if n, ok := owner.files.socketInode(number); ok {
				return n
			}
		}
	}
	return t.host().placeInode(p)
}

// sysAccess is access, faccessat and faccessat2.
func sysAccess(t *Task) Outcome {
	directory, argument, mode, flags := unix.AT_FDCWD, t.arg(0), t.flags(1), 0
	if t.call.number != unix.SYS_ACCESS {
		directory, argument, mode = t.int(0), t.arg(1), t.flags(2)
	}
	if t.call.number == unix.SYS_FACCESSAT2 {
		flags = t.flags(3)
	}
	const known = unix.AT_EACCESS | unix.AT_SYMLINK_NOFOLLOW | unix.AT_EMPTY_PATH
	if mode&^7 != 0 || flags&^known != 0 {
		return native()
	}
	name, errno := t.readString(argument)
	if errno != 0 {
		return native()
	}
	p, ok := t.locate(directory, name, flags&unix.AT_SYMLINK_NOFOLLOW == 0, flags&unix.AT_EMPTY_PATH != 0)
	if !ok {
		return native()
	}
	defer p.close()
	// The question is about the real user, with the capabilities that it has.
	own := t.cred
	if flags&unix.AT_EACCESS == 0 && (own.uid != own.fsuid || own.gid != own.fsgid || own.effective != own.permitted) {
		asked := own.copy()
		asked.fsuid, asked.fsgid = own.uid, own.gid
		if own.securebits&secureNoSetuidFixup == 0 {
			asked.effective = 0
			if own.uid == 0 {
				asked.effective = own.permitted
			}
		}
		t.cred = asked
		defer func() { t.cred = own }()
	}
	if errno := t.mayReach(&p); errno != 0 {
		return fail(errno)
	}
	if mode&unix.X_OK != 0 && p.stat.Mode&unix.S_IFMT == unix.S_IFREG && mountedWith(p.fd, unix.ST_NOEXEC) {
		return fail(unix.EACCES)
	}
	if errno := t.permits(&p, uint32(mode)); mode != 0 && errno != 0 {
		return fail(errno)
	}
	if mode&unix.W_OK != 0 {
		if kind := p.stat.Mode & unix.S_IFMT; (kind == unix.S_IFREG || kind == unix.S_IFDIR || kind == unix.S_IFLNK) && mountedWith(p.fd, unix.ST_RDONLY) {
			return fail(unix.EROFS)
		}
	}
	return ret(0)
}

// mountedWith tells whether a file lies on a mount that has a flag of statfs(2).
func mountedWith(fd int, flag int64) bool {
	var s unix.Statfs_t
	return unix.Fstatfs(fd, &s) == nil && s.Flags&flag != 0
}
