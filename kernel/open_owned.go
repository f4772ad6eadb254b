package kernel

import (
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// Opening files as somebody: what Linux looks at before it opens a file, and
// whose a new one is.

// createMode is the mode that an open gives a new file.
func (t *Task) createMode() uint32 {
	switch t.call.number {
	case unix.SYS_CREAT:
		return uint32(t.arg(1)) & 0o7777
	case unix.SYS_OPEN:
		return uint32(t.arg(2)) & 0o7777
	case unix.SYS_OPENAT2:
		mode, _ := t.readWord(t.arg(2) + 8)
		return uint32(mode) & 0o7777
	}
	return uint32(t.arg(3)) & 0o7777
}

// wanted is what an open wants of a file.
func wanted(flags int) (want uint32) {
	switch flags & unix.O_ACCMODE {
	case unix.O_RDONLY:
		want = wantRead
	case unix.O_WRONLY:
		want = wantWrite
	default:
		want = wantRead | wantWrite
	}
	if flags&unix.O_TRUNC != 0 {
		want |= wantWrite
	}
	return want
}

// openOwned does what ownership asks for before a file is opened. done is false
// when the open may go on as root's would.
func (t *Task) openOwned(directory int, name string, flags int) (o Outcome, done bool) {
	ordinary := t.ordinaryUser()
	want := wanted(flags)
	if !ordinary && (t.kernel().machineUID == 0 || want&wantWrite == 0) {
		return Outcome{}, false
	}
	temporary := flags&unix.O_TMPFILE == unix.O_TMPFILE
	p, ok := t.locate(directory, name, flags&unix.O_NOFOLLOW == 0, false)
	if !ok {
		if !ordinary || flags&unix.O_CREAT == 0 || temporary {
			return Outcome{}, false
		}
		return t.openNew(directory, name, flags, maximumLinks)
	}
	defer func() { p.close() }()
	if errno := t.mayReach(&p); errno != 0 {
		return fail(errno), true
	}
	kind := p.stat.Mode & unix.S_IFMT
	switch {
	case flags&unix.O_PATH != 0, kind == unix.S_IFLNK, flags&(unix.O_CREAT|unix.O_EXCL) == unix.O_CREAT|unix.O_EXCL:
		return Outcome{}, false
	case temporary:
		if !ordinary {
			return Outcome{}, false
		}
		return t.openTemporary(&p, flags), true
	}
	if !t.cred.overrides() {
		if errno := t.permits(&p, want); errno != 0 {
			return fail(errno), true
		}
		if flags&unix.O_NOATIME != 0 && !t.owns(&p) {
			return fail(unix.EPERM), true
		}
	}
	if want&wantWrite != 0 && kind == unix.S_IFREG {
		if errno := t.adopt(&p); errno != 0 {
			return fail(errno), true
		}
	}
	return Outcome{}, false
}

// openNew makes a file for a task that is not root. A link that leads nowhere
// says where; links is how many may still be followed.
func (t *Task) openNew(directory int, name string, flags, links int) (o Outcome, done bool) {
	folder, base, ok := t.locateParent(directory, name)
	if !ok {
		return Outcome{}, false
	}
	defer folder.close()
	if errno := t.mayChange(&folder); errno != 0 {
		return fail(errno), true
	}
	const ours = unix.O_CREAT | unix.O_EXCL | unix.O_CLOEXEC | unix.O_NOCTTY
	old := unix.Umask(int(t.umask()))
	fd, err := unix.Openat(folder.fd, base, flags|ours, t.createMode())
	unix.Umask(old)
	if err == unix.EEXIST {
		if flags&(unix.O_EXCL|unix.O_NOFOLLOW) != 0 || links == 0 {
			return Outcome{}, false // which is the kernel's to refuse
		}
		above, err := os.Readlink(descriptorPath(folder.fd))
		if err != nil {
			return Outcome{}, false
		}
		target, errno := t.host().readLink(path.Join(above, base))
		if errno != 0 {
			return Outcome{}, false
		}
		if !path.IsAbs(target) {
			target = path.Join(above, target)
		}
		return t.openNew(unix.AT_FDCWD, target, flags, links-1)
	}
	if err != nil {
		return fail(errnoOf(err)), true
	}
	defer unix.Close(fd)
	if errno := t.takeNew(&folder, base); errno != 0 {
		return fail(errno), true
	}
	return t.giveFile(fd, flags), true
}

// openTemporary is O_TMPFILE in a folder.
func (t *Task) openTemporary(folder *place, flags int) Outcome {
	if errno := t.permits(folder, wantWrite|wantExecute); errno != 0 {
		return fail(errno)
	}
	old := unix.Umask(int(t.umask()))
	fd, err := unix.Open(descriptorPath(folder.fd), flags|unix.O_CLOEXEC, t.createMode())
	unix.Umask(old)
	if err != nil {
		return fail(errnoOf(err))
	}
	defer unix.Close(fd)
	p := place{fd: fd}
	if unix.Fstat(fd, &p.stat) != nil {
		return fail(unix.EIO)
	}
	if errno := t.host().setOwner(fd, &p.stat, t.newOwner(folder)); errno != 0 {
		return fail(errno)
	}
	return t.giveFile(fd, flags)
}

// giveFile answers an open with a file that the emulator has opened.
func (t *Task) giveFile(fd, flags int) Outcome {
	number, errno := t.machine().AddDescriptor(t, fd, -1, flags&unix.O_CLOEXEC != 0)
	return result(number, errno)
}
