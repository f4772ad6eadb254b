package kernel

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/unixsocket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// Unix sockets' names in the file system. The package unixsocket knows a bound
// file by its identity; resolving paths and making the file is done here.

// credentials are what peers learn of the task's process.
func (t *Task) credentials() socket.Credentials {
	c := socket.Credentials{PID: int32(t.process.PID)}
	status, err := os.ReadFile("/proc/" + strconv.Itoa(t.TID) + "/status")
	if err != nil {
		return c
	}
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		id, _ := strconv.Atoi(fields[2]) // the effective one
		switch fields[0] {
		case "Uid:":
			c.UID = t.host().toGuest(id)
		case "Gid:":
			c.GID = t.host().toGuest(id)
			return c
		}
	}
	return c
}

// toGuest turns one of the machine's user or group ids into the guest's: all
// are mapped to themselves, or only the emulator's own, to root.
func (h *Host) toGuest(id int) int32 {
	if os.Geteuid() != 0 {
		return 0
	}
	return int32(id)
}

// unixPath is the path of a Unix socket's address; ok is false when it is
// abstract or empty.
func unixPath(a socket.Address) (name string, ok bool) {
	if len(a) <= 2 || a[2] == 0 {
		return "", false
	}
	name = string(a[2:])
	if i := strings.IndexByte(name, 0); i >= 0 {
		name = name[:i]
	}
	return name, true
}

// key names a bound file in a unixsocket.Namespace.
func (f fileIdentity) key() string { return fmt.Sprintf("%x:%x", f.device, f.inode) }

func (t *Task) bindUnix(s *unixsocket.Socket, a socket.Address) unix.Errno {
	name, ok := unixPath(a)
	if a.Family() != unix.AF_UNIX || !ok {
		return s.Bind(a)
	}
	if local, errno := s.LocalAddress(); errno == 0 && len(local) > 2 {
		return unix.EINVAL
	}
	full, errno := t.absolute(unix.AT_FDCWD, name)
	if errno != 0 {
		return errno
	}
	identity, errno := t.makeSocketFile(full)
	if errno != 0 {
		return errno
	}
	return s.BindPath(a, identity.key())
}

// unixKey finds what a path address means; ECONNREFUSED when it is no socket.
func (t *Task) unixKey(a socket.Address) (string, unix.Errno) {
	name, ok := unixPath(a)
	if !ok || a.Family() != unix.AF_UNIX {
		return "", 0
	}
	full, errno := t.absolute(unix.AT_FDCWD, name)
	if errno != 0 {
		return "", errno
	}
	identity, mode, errno := t.host().stat(full)
	if errno != 0 {
		return "", errno
	}
	if mode&unix.S_IFMT != unix.S_IFSOCK {
		return "", unix.ECONNREFUSED
	}
	return identity.key(), 0
}

func (t *Task) connectUnix(d *description, s *unixsocket.Socket, a socket.Address) Outcome {
	key, errno := t.unixKey(a)
	if errno != 0 {
		return fail(errno)
	}
	full, errno := s.ConnectKey(a, key, t.credentials())
	if errno != unix.EAGAIN || d.nonblock || full == nil {
		return fail(errno)
	}
	t.parking.waitsFor = "room in a listener's backlog"
	t.watch(full, waiter.Out|waiter.Hup)
	return t.park(erestartsys)
}

// destination reads the address of a datagram's receiver. Paths are given to
// the socket as the identity of the file.
func (t *Task) destination(s socket.Socket, address uint64, size int) (socket.Address, unix.Errno) {
	a, errno := t.readAddress(address, size)
	if errno != 0 || a == nil {
		return nil, errno
	}
	if u, ok := s.(*unixsocket.Socket); ok {
		key, errno := t.unixKey(a)
		if errno != 0 {
			return nil, errno
		}
		if key != "" {
			return u.KeyAddress(key), 0
		}
	}
	return a, 0
}
