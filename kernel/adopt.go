package kernel

import (
	"errors"
	"io"
	"os"
	"path"
	"syscall"

	"golang.org/x/sys/unix"
)

// A file of the machine that a guest is about to change has to belong to the
// guests' one user. Where that user is root, chown does it, in the host's layer.
// An ordinary user cannot take other users' files, but can copy them: the copy
// takes the file's place in the host's layer.

// adopt makes a place belong to the guests, with its owner noted. The place may
// be another file afterwards.
func (t *Task) adopt(p *place) unix.Errno {
	k, h := t.kernel(), t.host()
	if p.stat.Uid == k.machineUID || p.stat.Dev == h.procDevice() {
		return 0
	}
	kind := p.stat.Mode & unix.S_IFMT
	if kind == unix.S_IFCHR || kind == unix.S_IFBLK {
		return 0 // devices are the machine's
	}
	whose, mode := h.ownerOf(p.fd, &p.stat), p.stat.Mode&0o7777
	if k.machineUID == 0 {
		if err := unix.Fchownat(p.fd, "", 0, int(k.machineGID), unix.AT_EMPTY_PATH); err != nil {
			return err.(unix.Errno)
		}
		if kind != unix.S_IFLNK && mode&(modeSetUID|modeSetGID) != 0 {
			unix.Chmod(descriptorPath(p.fd), mode)
		}
	} else if errno := h.copyUp(p); errno != 0 {
		return errno
	}
	if !p.look() {
		return unix.EIO
	}
	return h.setOwner(p.fd, &p.stat, whose)
}

// copyUp puts a copy of a file in its place, and opens that instead.
func (h *Host) copyUp(p *place) unix.Errno {
	name, err := os.Readlink(descriptorPath(p.fd))
	if err != nil {
		return unix.EIO
	}
	directory, base := path.Split(name)
	folder, errno := h.open(directory, unix.O_PATH|unix.O_DIRECTORY)
	if errno != 0 {
		return errno
	}
	defer unix.Close(folder)
	const temporary = ".simterpose-copy"
	switch p.stat.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		err = copyRegular(p, folder, temporary)
	case unix.S_IFLNK:
		var target string
		if target, err = os.Readlink(h.Root + name); err == nil {
			err = unix.Symlinkat(target, folder, temporary)
		}
	case unix.S_IFIFO, unix.S_IFSOCK:
		err = unix.Mknodat(folder, temporary, p.stat.Mode, 0)
	default:
		return unix.EPERM // folders: see the layer's list of those that can be written
	}
	if err == nil {
		err = unix.Renameat(folder, temporary, folder, base)
	}
	if err != nil {
		unix.Unlinkat(folder, temporary, 0)
		return errnoOf(err)
	}
	fd, err := unix.Openat(folder, base, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return errnoOf(err)
	}
	unix.Close(p.fd)
	p.fd = fd
	return 0
}

// copyRegular copies a file's content, mode and times.
func copyRegular(p *place, folder int, name string) error {
	from, err := os.Open(descriptorPath(p.fd))
	if err != nil {
		return err
	}
	defer from.Close()
	fd, err := unix.Openat(folder, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	to := os.NewFile(uintptr(fd), name)
	defer to.Close()
	if _, err := io.Copy(to, from); err != nil {
		return err
	}
	if err := unix.Fchmod(fd, p.stat.Mode&0o7777); err != nil {
		return err
	}
	return unix.UtimesNanoAt(folder, name, []unix.Timespec{p.stat.Atim, p.stat.Mtim}, 0)
}

// errnoOf is the errno in an error of a system call.
func errnoOf(err error) unix.Errno {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return unix.EIO
}
