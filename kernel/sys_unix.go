package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/sockdiag"
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

func (c unixCaller) Lives(pid int32) bool {
	if p := c.host.processes[int(pid)]; p != nil {
		return !p.gone()
	}
	return c.host.threads[int(pid)] != nil
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
	if !t.cred.overrides() {
		if p, ok := t.locate(unix.AT_FDCWD, name, true, false); ok {
			defer p.close()
			if errno := t.mayReach(&p); errno != 0 {
				return unixsocket.Inode{}, errno
			}
			if errno := t.permits(&p, wantWrite); errno != 0 {
				return unixsocket.Inode{}, errno
			}
		}
	}
	s, errno := c.host.stat(full)
	if errno != 0 {
		return unixsocket.Inode{}, errno
	}
	if s.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return unixsocket.Inode{}, unix.ECONNREFUSED
	}
	return unixsocket.Inode{Device: s.Dev, Number: s.Ino}, 0
}

// passing counts the references to descriptors on their way (control.go).
type passing struct{}

func (passing) Hold(file any) { file.(*passed).hold() }
func (passing) Drop(file any) { file.(*passed).drop() }

// procUnix is /proc/net/unix.
func (h *Host) procUnix() string {
	b := []byte(unixsocket.ProcHeader)
	for s := range h.unix.All() {
		b = s.AppendProc(b)
	}
	return string(b)
}

// Unix implements sockdiag.Tables.
func (v tables) Unix() (all []sockdiag.Unix) {
	for s := range v.task.host().unix.All() {
		if !s.Accepted() {
			continue
		}
		u := sockdiag.Unix{Detail: s.Detail(), Inode: uint32(s.Inode())}
		if u.Peer != nil {
			u.PeerInode = uint32(u.Peer.Inode())
		}
		for _, c := range u.Waiting {
			u.WaitingInodes = append(u.WaitingInodes, uint32(c.Inode()))
		}
		all = append(all, u)
	}
	return all
}
