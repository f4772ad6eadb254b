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

// unixInodes numbers the host's Unix sockets: as the machine does, where a
// program needs that, or in the order in which they were made. Connections that
// wait to be accepted have the number 0.
func (h *Host) unixInodes(machines bool) map[*unixsocket.Socket]uint64 {
	inodes := map[*unixsocket.Socket]uint64{}
	own := uint64(0)
	for s := range h.unix.All() {
		own++
		switch n := s.MachineInode(); {
		case !s.Accepted():
			inodes[s] = 0
		case machines && n != 0:
			inodes[s] = n
		default:
			inodes[s] = own
		}
	}
	return inodes
}

// procUnix is /proc/net/unix.
func (h *Host) procUnix(machines bool) string {
	b := []byte(unixsocket.ProcHeader)
	inodes := h.unixInodes(machines)
	for s := range h.unix.All() {
		b = s.AppendProc(b, inodes[s])
	}
	return string(b)
}

// Unix implements sockdiag.Tables.
func (v tables) Unix() (all []sockdiag.Unix) {
	h := v.task.host()
	inodes := h.unixInodes(v.task.process.seeksDescriptors)
	for s := range h.unix.All() {
		if !s.Accepted() {
			continue
		}
		u := sockdiag.Unix{Detail: s.Detail(), Inode: uint32(inodes[s])}
		u.PeerInode = uint32(inodes[u.Peer])
		for _, c := range u.Waiting {
			u.WaitingInodes = append(u.WaitingInodes, uint32(inodes[c]))
		}
		all = append(all, u)
	}
	return all
}
