package unixsocket

import (
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
)

// mostConnections is the default of net.core.somaxconn.
const mostConnections = 4096

// nobody are the peer's credentials before there is a peer.
var nobody = socket.Credentials{PID: 0, UID: -1, GID: -1}

// Listen implements socket.Socket. Whoever connects is told the credentials of
// the task that calls it.
func (s *Socket) Listen(backlog int) unix.Errno {
	switch {
	case !s.connected():
		return unix.EOPNOTSUPP
	case s.name == nil || s.state == established:
		return unix.EINVAL
	}
	if backlog < 0 || backlog > mostConnections {
		backlog = mostConnections
	}
	grown := backlog > s.backlog
	s.backlog = backlog
	s.state = listening
	s.peerCredentials = s.namespace.caller.Credentials()
	if grown {
		s.senders.Notify(canWrite)
	}
	return 0
}

// Connect implements socket.Socket. It is decided at once, but when too many
// connections wait already it gives EAGAIN: a blocking caller tries again when
// the socket is notified, a non-blocking one returns it.
func (s *Socket) Connect(a socket.Address) unix.Errno {
	if s.connected() {
		return s.connectStream(a)
	}
	if len(a) < pathOffset {
		return unix.EINVAL
	}
	var other *Socket
	if a.Family() != unix.AF_UNSPEC {
		if !validate(a) {
			return unix.EINVAL
		}
		if errno := s.prepareCredentials(); errno != 0 {
			return errno
		}
		var errno unix.Errno
		if other, errno = s.find(a); errno != 0 {
			return errno
		}
		if !s.maySend(other) {
			return unix.EPERM
		}
	}
	old := s.peer
	s.peer, s.state = other, closed
	if other != nil {
		s.state, other.state = established, established
	}
	if old != nil && old != other {
		s.leave(old)
	}
	return 0
}

// prepareCredentials gives a socket that wants credentials a name, for answers.
func (s *Socket) prepareCredentials() unix.Errno {
	if s.passCredentials {
		return s.bindAutomatically()
	}
	return 0
}

// leave ends a datagram socket's connection to old: what is in the queue is
// lost, and an old peer that was connected to s is told.
func (s *Socket) leave(old *Socket) {
	if s.sender.Queued() {
		s.sender.Remove()
		s.queue.Notify(canWrite)
	}
	if !s.received.empty() {
		s.purge()
		s.senders.Notify(canWrite)
		if !old.released && old.peer == s {
			old.pending = unix.ECONNRESET
			old.queue.Notify(anything)
		}
	}
	old.state = closed
}

func (s *Socket) connectStream(a socket.Address) unix.Errno {
	if !validate(a) {
		return unix.EINVAL
	}
	if errno := s.prepareCredentials(); errno != 0 {
		return errno
	}
	other, errno := s.find(a)
	switch {
	case errno != 0:
		return errno
	case other.state != listening || other.receiveShut:
		return unix.ECONNREFUSED
	case other.full():
		s.waitFor(other)
		return unix.EAGAIN
	case s.state == established:
		return unix.EISCONN
	case s.state == listening:
		return unix.EINVAL
	}
	s.sender.Remove()
	c := s.namespace.create(s.kind)
	c.name = other.name
	c.state, c.peer, c.peerCredentials, c.embryo = established, s, s.namespace.caller.Credentials(), true
	c.passCredentials = other.passCredentials
	s.state, s.peer, s.peerCredentials = established, c, other.peerCredentials

	if other.lastConnection == nil {
		other.firstConnection = c
	} else {
		other.lastConnection.nextConnection = c
	}
	other.lastConnection = c
	other.connections++
	other.queue.Notify(canRead)
	return 0
}

// Accept implements socket.Socket; the peer's address is the new socket's
// PeerAddress. On a socket that was shut down it gives EINVAL, as blocking
// callers get; Linux would tell non-blocking ones EAGAIN.
func (s *Socket) Accept() (socket.Socket, unix.Errno) {
	c := s.firstConnection
	switch {
	case !s.connected():
		return nil, unix.EOPNOTSUPP
	case s.state != listening:
		return nil, unix.EINVAL
	case c == nil && s.receiveShut:
		return nil, unix.EINVAL
	case c == nil:
		return nil, unix.EAGAIN
	}
	s.firstConnection, c.nextConnection = c.nextConnection, nil
	if s.firstConnection == nil {
		s.lastConnection = nil
	}
	s.connections--
	c.embryo = false
	s.senders.Notify(canWrite)
	return c, 0
}
