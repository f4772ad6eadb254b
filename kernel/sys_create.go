package kernel

import (
	"strings"

	"golang.org/x/sys/unix"
)

// Names of files: making, moving and removing them. What root does is the
// kernel's work, since guests really are root. For others the emulator looks
// whether they may, and makes what will then be theirs.

// ordinaryUser tells that files which the task makes are not root's.
func (t *Task) ordinaryUser() bool {
	return !t.cred.overrides() || t.cred.fsuid != 0 || t.cred.fsgid != 0
}

// mayChange tells whether the task may change what a folder holds.
func (t *Task) mayChange(folder *place) unix.Errno {
	if errno := t.mayReach(folder); errno != 0 {
		return errno
	}
	return t.permits(folder, wantWrite|wantExecute)
}

// make lets the emulator make a file for a task that is not root: how gets the
// folder and the name in it.
func (t *Task) make(directory int, name string, how func(folder int, base string) error) Outcome {
	folder, base, ok := t.locateParent(directory, name)
	if !ok {
		return native()
	}
	defer folder.close()
	if errno := t.mayReach(&folder); errno != 0 {
		return fail(errno)
	}
	var s unix.Stat_t
	if unix.Fstatat(folder.fd, base, &s, unix.AT_SYMLINK_NOFOLLOW) == nil {
		return fail(unix.EEXIST)
	}
	if errno := t.permits(&folder, wantWrite|wantExecute); errno != 0 {
		return fail(errno)
	}
	old := unix.Umask(int(t.umask()))
	err := how(folder.fd, base)
	unix.Umask(old)
	if err != nil {
		return fail(err.(unix.Errno))
	}
	return fail(t.takeNew(&folder, base))
}

// takeNew notes that a new file is the task's.
func (t *Task) takeNew(folder *place, base string) unix.Errno {
	fd, err := unix.Openat(folder.fd, base, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err.(unix.Errno)
	}
	p := place{fd: fd}
	if !p.look() {
		return unix.EIO
	}
	defer p.close()
	return t.host().setOwner(p.fd, &p.stat, t.newOwner(folder))
}

// newOwner is whom a file belongs to that the task makes in a folder.
func (t *Task) newOwner(folder *place) owner {
	o := owner{t.cred.fsuid, t.cred.fsgid}
	if folder.stat.Mode&modeSetGID != 0 {
		o.gid = t.host().ownerOf(folder.fd, &folder.stat).gid
	}
	return o
}

func sysMkdir(t *Task) Outcome {
	at := t.call.number == unix.SYS_MKDIRAT
	directory, name, errno := t.pathArguments(at)
	if errno != 0 || !t.ordinaryUser() {
		return native()
	}
	mode := uint32(t.arg(1))
	if at {
		mode = uint32(t.arg(2))
	}
	return t.make(directory, name, func(folder int, base string) error { return unix.Mkdirat(folder, base, mode&0o1777) })
}

func sysMknod(t *Task) Outcome {
	at := t.call.number == unix.SYS_MKNODAT
	directory, name, errno := t.pathArguments(at)
	first := 1
	if at {
		first = 2
	}
	mode, device := uint32(t.arg(first)), int(t.arg(first+1))
	if kind := mode & unix.S_IFMT; (kind == unix.S_IFCHR || kind == unix.S_IFBLK) && !t.cred.capable(capMknod) {
		return fail(unix.EPERM)
	}
	if errno != 0 || !t.ordinaryUser() {
		return native()
	}
	return t.make(directory, name, func(folder int, base string) error { return unix.Mknodat(folder, base, mode, device) })
}

func sysSymlink(t *Task) Outcome {
	directory, argument := unix.AT_FDCWD, t.arg(1)
	if t.call.number == unix.SYS_SYMLINKAT {
		directory, argument = t.int(1), t.arg(2)
	}
	target, errno := t.readString(t.arg(0))
	name, errno2 := t.readString(argument)
	if errno != 0 || errno2 != 0 || target == "" || !t.ordinaryUser() {
		return native()
	}
	return t.make(directory, name, func(folder int, base string) error { return unix.Symlinkat(target, folder, base) })
}

// sysLink gives a file, which must belong to the guests, another name.
func sysLink(t *Task) Outcome {
	directory, argument, flags := unix.AT_FDCWD, t.arg(1), 0
	if t.call.number == unix.SYS_LINKAT {
		directory, argument, flags = t.int(2), t.arg(3), t.flags(4)
	}
	from, old, errno := t.pathArguments(t.call.number == unix.SYS_LINKAT)
	name, errno2 := t.readString(argument)
	if errno != 0 || errno2 != 0 {
		return native()
	}
	p, ok := t.locate(from, old, flags&unix.AT_SYMLINK_FOLLOW != 0, flags&unix.AT_EMPTY_PATH != 0)
	if !ok {
		return native()
	}
	defer func() { p.close() }()
	if errno := t.mayReach(&p); errno != 0 {
		return fail(errno)
	}
	folder, _, ok := t.locateParent(directory, name)
	if !ok {
		return native()
	}
	defer folder.close()
	if !t.owns(&p) && !t.linkable(&p) {
		return fail(unix.EPERM)
	}
	if !t.cred.overrides() {
		if errno := t.mayChange(&folder); errno != 0 {
			return fail(errno)
		}
	}
	return t.nativeOnOwn(&p)
}

// linkable tells whether somebody may link to another one's file, as
// fs.protected_hardlinks says (safe_hardlink_source).
func (t *Task) linkable(p *place) bool {
	const executableGroup = unix.S_ISGID | unix.S_IXGRP
	mode := p.stat.Mode
	if mode&unix.S_IFMT == unix.S_IFREG && mode&unix.S_ISUID == 0 && mode&executableGroup != executableGroup && t.permits(p, wantRead|wantWrite) == 0 {
		return true
	}
	setting, ok := t.host().read("/proc/sys/fs/protected_hardlinks")
	return ok && strings.TrimSpace(setting) == "0"
}

// sysUnlink is unlink, unlinkat and rmdir.
func sysUnlink(t *Task) Outcome {
	directory, name, errno := t.pathArguments(t.call.number == unix.SYS_UNLINKAT)
	if errno != 0 || t.cred.overrides() {
		return native()
	}
	if errno := t.mayRemove(directory, name); errno != 0 {
		return fail(errno)
	}
	return native()
}

// mayRemove tells whether the task may remove a name, as may_delete does.
func (t *Task) mayRemove(directory int, name string) unix.Errno {
	folder, base, ok := t.locateParent(directory, name)
	if !ok {
		return 0
	}
	defer folder.close()
	if errno := t.mayReach(&folder); errno != 0 {
		return errno
	}
	fd, err := unix.Openat(folder.fd, base, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0 // it is not there, says the kernel
	}
	p := place{fd: fd}
	if !p.look() {
		return unix.EIO
	}
	defer p.close()
	if errno := t.permits(&folder, wantWrite|wantExecute); errno != 0 {
		return errno
	}
	if folder.stat.Mode&modeSticky != 0 && !t.owns(&p) && !t.owns(&folder) {
		return unix.EPERM
	}
	return 0
}

// sysRename is rename, renameat and renameat2.
func sysRename(t *Task) Outcome {
	at := t.call.number != unix.SYS_RENAME
	from, old, errno := t.pathArguments(at)
	directory, argument := unix.AT_FDCWD, t.arg(1)
	if at {
		directory, argument = t.int(2), t.arg(3)
	}
	name, errno2 := t.readString(argument)
	if errno != 0 || errno2 != 0 || t.cred.overrides() {
		return native()
	}
	if errno := t.mayRemove(from, old); errno != 0 {
		return fail(errno)
	}
	if errno := t.mayRemove(directory, name); errno != 0 {
		return fail(errno)
	}
	if folder, _, ok := t.locateParent(directory, name); ok {
		defer folder.close()
		if errno := t.mayChange(&folder); errno != 0 {
			return fail(errno)
		}
	}
	return native()
}
