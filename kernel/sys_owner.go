package kernel

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Changing whose files are and what may be done with them.

// pathArguments are a call's folder and path: at the first argument for the old
// calls, at the second after a folder's descriptor for the newer ones.
func (t *Task) pathArguments(at bool) (directory int, name string, errno unix.Errno) {
	directory, argument := unix.AT_FDCWD, t.arg(0)
	if at {
		directory, argument = t.int(0), t.arg(1)
	}
	name, errno = t.readString(argument)
	return directory, name, errno
}

// sysChown is chown, lchown, fchown and fchownat.
func sysChown(t *Task) Outcome {
	number := t.call.number
	var p place
	var ok bool
	first := 1 // the argument with the user
	if number == unix.SYS_FCHOWN {
		if p, ok = t.locateDescriptor(t.int(0)); !ok {
			return native()
		}
	} else {
		flags := 0
		if number == unix.SYS_FCHOWNAT {
			first, flags = 2, t.flags(4)
		}
		if flags&^(unix.AT_SYMLINK_NOFOLLOW|unix.AT_EMPTY_PATH) != 0 {
			return native()
		}
		directory, name, errno := t.pathArguments(number == unix.SYS_FCHOWNAT)
		if errno != 0 {
			return native()
		}
		follow := number != unix.SYS_LCHOWN && flags&unix.AT_SYMLINK_NOFOLLOW == 0
		if p, ok = t.locate(directory, name, follow, flags&unix.AT_EMPTY_PATH != 0); !ok {
			return native()
		}
	}
	defer func() { p.close() }()
	if errno := t.mayReach(&p); errno != 0 {
		return fail(errno)
	}
	return fail(t.chown(&p, t.id(first), t.id(first+1)))
}

func (t *Task) chown(p *place, uid, gid uint32) unix.Errno {
	h, c := t.host(), t.cred
	if mountedWith(p.fd, unix.ST_RDONLY) {
		return unix.EROFS
	}
	old := h.ownerOf(p.fd, &p.stat)
	n := owner{chosen(uid, old.uid), chosen(gid, old.gid)}
	own := c.fsuid == old.uid
	if !c.capable(capChown) && (uid != noID && (!own || uid != old.uid) || gid != noID && (!own || gid != old.gid && !c.inGroup(gid))) {
		return unix.EPERM
	}
	if p.stat.Dev == h.procDevice() {
		return unix.EPERM
	}
	if errno := t.adopt(p); errno != 0 {
		return errno
	}
	if errno := h.setOwner(p.fd, &p.stat, n); errno != 0 {
		return errno
	}
	kind, mode := p.stat.Mode&unix.S_IFMT, p.stat.Mode&0o7777
	if kind == unix.S_IFREG {
		less := mode &^ modeSetUID
		if less&modeGroupRun != 0 {
			less &^= modeSetGID
		}
		if less != mode {
			unix.Chmod(descriptorPath(p.fd), less)
		}
	}
	return 0
}

// owns tells whether the task may do what only a file's owner may.
func (t *Task) owns(p *place) bool {
	return t.cred.capable(capFowner) || t.cred.fsuid == t.host().ownerOf(p.fd, &p.stat).uid
}

// sysChmod is chmod, fchmod, fchmodat and fchmodat2: the kernel carries them out
// if they are allowed.
func sysChmod(t *Task) Outcome {
	var p place
	var ok bool
	if t.call.number == unix.SYS_FCHMOD {
		p, ok = t.locateDescriptor(t.int(0))
	} else {
		directory, name, errno := t.pathArguments(t.call.number != unix.SYS_CHMOD)
		if errno != 0 {
			return native()
		}
		flags := 0
		if t.call.number == unix.SYS_FCHMODAT2 {
			flags = t.flags(3)
		}
		p, ok = t.locate(directory, name, flags&unix.AT_SYMLINK_NOFOLLOW == 0, flags&unix.AT_EMPTY_PATH != 0)
	}
	if !ok {
		return native()
	}
	defer func() { p.close() }()
	if errno := t.mayReach(&p); errno != 0 {
		return fail(errno)
	}
	if !t.owns(&p) {
		return fail(unix.EPERM)
	}
	return t.nativeOnOwn(&p)
}

// nativeOnOwn lets the kernel change a file once it belongs to the guests.
func (t *Task) nativeOnOwn(p *place) Outcome {
	if kind := p.stat.Mode & unix.S_IFMT; (kind == unix.S_IFCHR || kind == unix.S_IFBLK) && !terminal(p.stat.Rdev) {
		return t.kernel().refuse(t, "changing a device of the machine ("+t.Call()+")", unix.EPERM)
	}
	if errno := t.adopt(p); errno != 0 {
		return fail(errno)
	}
	return native()
}

// sysUtime is utime, utimes, futimesat and utimensat.
func sysUtime(t *Task) Outcome {
	var p place
	var ok bool
	times := t.arg(1)
	if n := t.call.number; n == unix.SYS_UTIMENSAT || n == unix.SYS_FUTIMESAT {
		times = t.arg(2)
		if t.arg(1) == 0 {
			p, ok = t.locateDescriptor(t.int(0))
		} else if directory, name, errno := t.pathArguments(true); errno == 0 {
			p, ok = t.locate(directory, name, n == unix.SYS_FUTIMESAT || t.flags(3)&unix.AT_SYMLINK_NOFOLLOW == 0, false)
		}
	} else if directory, name, errno := t.pathArguments(false); errno == 0 {
		p, ok = t.locate(directory, name, true, false)
	}
	if !ok {
		return native()
	}
	defer func() { p.close() }()
	if errno := t.mayReach(&p); errno != 0 {
		return fail(errno)
	}
	if !t.owns(&p) {
		if times != 0 {
			return fail(unix.EPERM)
		}
		if errno := t.permits(&p, wantWrite); errno != 0 {
			return fail(errno)
		}
	}
	return t.nativeOnOwn(&p)
}

// sysTruncate needs the right to write.
func sysTruncate(t *Task) Outcome { return t.onExisting(true, wantWrite, true) }

// sysChdir needs the right to search.
func sysChdir(t *Task) Outcome { return t.onExisting(true, wantExecute, false) }

// onExisting is a call on the file that its first argument names.
func (t *Task) onExisting(follow bool, want uint32, changes bool) Outcome {
	if t.cred.overrides() && (!changes || t.kernel().machineUID == 0) {
		return native()
	}
	directory, name, errno := t.pathArguments(false)
	if errno != 0 {
		return native()
	}
	p, ok := t.locate(directory, name, follow, false)
	if !ok {
		return native()
	}
	defer func() { p.close() }()
	if errno := t.mayReach(&p); errno != 0 {
		return fail(errno)
	}
	if errno := t.permits(&p, want); errno != 0 {
		return fail(errno)
	}
	if changes {
		return t.nativeOnOwn(&p)
	}
	return native()
}

// sysFchdir needs the right to search, as chdir.
func sysFchdir(t *Task) Outcome {
	if t.cred.overrides() {
		return native()
	}
	p, ok := t.locateDescriptor(t.int(0))
	if !ok {
		return native()
	}
	defer p.close()
	if errno := t.permits(&p, wantExecute); p.stat.Mode&unix.S_IFMT == unix.S_IFDIR && errno != 0 {
		return fail(errno)
	}
	return native()
}

// privileged are calls that need a capability, and are the kernel's otherwise:
// it takes all guests for root.
func privileged(number int) func(*Task) Outcome {
	return func(t *Task) Outcome {
		if !t.cred.capable(number) {
			return fail(unix.EPERM)
		}
		return native()
	}
}

func sysChroot(t *Task) Outcome {
	if !t.cred.capable(capSysChroot) {
		return fail(unix.EPERM)
	}
	return Outcome{Kind: Carry}
}

// carriedChroot notes where the process's paths begin from now on.
func (t *Task) carriedChroot(result int64) {
	if result != 0 {
		return
	}
	root, err := os.Readlink("/proc/" + strconv.Itoa(t.TID) + "/root")
	if err != nil || root == "/" {
		root = ""
	}
	t.process.root = root
}

// terminal tells of the devices of devpts, of which a host has its own.
func terminal(device uint64) bool {
	major := unix.Major(device)
	return major >= 136 && major <= 143 // UNIX98_PTY_SLAVE_MAJOR in linux/major.h
}
