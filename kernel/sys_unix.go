package kernel

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/unixsocket"
)

// What Unix sockets need to know of the task that uses them.

// unixCaller is the task whose call is being handled, as unixsocket.Caller.
type unixCaller struct{ host *Host }

func (c unixCaller) Credentials() socket.Credentials {
	if c.host.calling == nil {
		return socket.Credentials{}
	}
	return c.host.calling.credentials()
}

func (c unixCaller) CreateSocketFile(name string) (unixsocket.Inode, unix.Errno) {
	t := c.host.calling
	full, errno := t.absolute(unix.AT_FDCWD, name)
	if errno != 0 {
		return unixsocket.Inode{}, errno
	}
	identity, errno := t.makeSocketFile(full)
	return unixsocket.Inode{Device: identity.device, Number: identity.inode}, errno
}

func (c unixCaller) FindSocketFile(name string) (unixsocket.Inode, unix.Errno) {
	t := c.host.calling
	full, errno := t.absolute(unix.AT_FDCWD, name)
	if errno != 0 {
		return unixsocket.Inode{}, errno
	}
	identity, mode, errno := c.host.stat(full)
	if errno != 0 {
		return unixsocket.Inode{}, errno
	}
	if mode&unix.S_IFMT != unix.S_IFSOCK {
		return unixsocket.Inode{}, unix.ECONNREFUSED
	}
	return unixsocket.Inode{Device: identity.device, Number: identity.inode}, 0
}

// passing counts the references to descriptors on their way (control.go).
type passing struct{}

func (passing) Hold(file any) { file.(*passed).hold() }
func (passing) Drop(file any) { file.(*passed).drop() }

// procUnix is /proc/net/unix.
func (h *Host) procUnix() string {
	b := []byte(unixsocket.ProcHeader)
	inode := uint64(0)
	for s := range h.unix.All() {
		inode++
		b = s.AppendProc(b, inode)
	}
	return string(b)
}

// credentials are what peers learn of the task's process. They are read anew
// after a call that changes them.
func (t *Task) credentials() socket.Credentials {
	if t.process.credentials == nil {
		c := t.readCredentials()
		t.process.credentials = &c
	}
	return *t.process.credentials
}

// sysSetID is every call that changes user or group ids.
func sysSetID(t *Task) Outcome {
	t.process.credentials = nil
	return native()
}

func (t *Task) readCredentials() socket.Credentials {
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
