package unixsocket

import (
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/socketfilter"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// state is what a socket is in its life.
type state uint8

const (
	closed state = iota // not connected
	listening
	established
)

const (
	wrBand waiter.Mask = 0x200 // POLLWRBAND

	canRead  = waiter.In | waiter.RdNorm
	canWrite = waiter.Out | waiter.WrNorm | wrBand
	// anything is notified when a connection changes.
	anything = canRead | canWrite | waiter.RdHup | waiter.Hup | waiter.Err
)

// Socket is a socket of any of the three types.
type Socket struct {
	namespace *Namespace
	kind      int // SOCK_*
	queue     waiter.Queue

	name     socket.Address // nil when not bound
	abstract abstractName   // under which it is registered, if so
	number   uint64         // among those of the namespace
	inode    Inode          // likewise

	state                  state
	released               bool
	peer                   *Socket
	receiveShut, sendShut  bool
	pending                unix.Errno // SO_ERROR
	peerCredentials        socket.Credentials
	passCredentials        bool
	sendBuffer, sendCharge int // bytes, as SO_SNDBUF and SIOCOUTQ tell them
	receiveBuffer          int
	options                map[int]int32
	filter                 socketfilter.Slot
	linger                 [2]int32

	received messages
	// backlog is how many messages or connections may wait before others
	// are refused; there may be one more.
	backlog int

	// connections wait to be accepted; embryo is set in each.
	firstConnection, lastConnection, nextConnection *Socket
	connections                                     int
	embryo                                          bool

	// senders have those that wait for room among received or connections;
	// sender is our own place in such a queue.
	senders waiter.Queue
	sender  waiter.Entry

	previous, next *Socket // in the namespace
}

// Domain implements socket.Socket.
func (s *Socket) Domain() int { return unix.AF_UNIX }

// Type implements socket.Socket.
func (s *Socket) Type() int { return s.kind }

// Protocol implements socket.Socket.
func (s *Socket) Protocol() int { return 0 }

// Queue implements socket.File.
func (s *Socket) Queue() *waiter.Queue { return &s.queue }

// connected tells whether the socket's type is one of connections.
func (s *Socket) connected() bool { return s.kind != unix.SOCK_DGRAM }

// Readiness implements socket.File.
func (s *Socket) Readiness() waiter.Mask {
	var m waiter.Mask
	if s.pending != 0 {
		m |= waiter.Err
	}
	if s.receiveShut {
		m |= waiter.RdHup | canRead
		if s.sendShut {
			m |= waiter.Hup
		}
	}
	if !s.received.empty() || s.connections > 0 {
		m |= canRead
	}
	if s.connected() && s.state == closed {
		m |= waiter.Hup
	}
	if s.writable() {
		peer := s.peer
		if s.kind == unix.SOCK_STREAM || peer == nil || peer.peer == s || !peer.full() {
			m |= canWrite
		} else {
			s.waitFor(peer)
		}
	}
	return m
}

// writable tells whether three quarters of the send buffer are free.
func (s *Socket) writable() bool {
	return s.state != listening && 4*s.sendCharge <= s.sendBuffer
}

// full tells whether no more may wait in s.
func (s *Socket) full() bool { return s.received.count+s.connections > s.backlog }

// waitFor makes s be notified when there is room in other.
func (s *Socket) waitFor(other *Socket) {
	if s.sender.Wake == nil {
		s.sender.Interest = canWrite
		s.sender.Wake = func(waiter.Mask) {
			s.sender.Remove()
			s.queue.Notify(canWrite)
		}
	}
	s.sender.Remove()
	other.senders.Add(&s.sender)
}

// takeError returns the pending error and clears it.
func (s *Socket) takeError() unix.Errno {
	e := s.pending
	s.pending = 0
	return e
}

// Shutdown implements socket.Socket. It works on sockets that are not connected
// too.
func (s *Socket) Shutdown(how int) unix.Errno {
	if how < unix.SHUT_RD || how > unix.SHUT_RDWR {
		return unix.EINVAL
	}
	receive, send := how != unix.SHUT_WR, how != unix.SHUT_RD
	s.receiveShut = s.receiveShut || receive
	s.sendShut = s.sendShut || send
	if peer := s.peer; peer != nil && s.connected() {
		peer.receiveShut = peer.receiveShut || send
		peer.sendShut = peer.sendShut || receive
		peer.queue.Notify(anything)
	}
	s.queue.Notify(anything)
	s.senders.Notify(canWrite)
	return 0
}

// Release implements socket.File.
func (s *Socket) Release() {
	if s.released {
		panic("unixsocket: socket released twice")
	}
	s.released = true
	s.namespace.remove(s)
	s.sender.Remove()
	if peer := s.peer; peer != nil {
		s.peer = nil
		if s.connected() {
			peer.receiveShut, peer.sendShut = true, true
			// Nobody will read what the peer has sent. Linux 6.18 looks past
			// an empty message, which may be a trace of urgent data.
			if s.received.bytes > 0 || s.received.count > 1 || s.embryo {
				peer.pending = unix.ECONNRESET
			}
			peer.queue.Notify(anything)
		}
		if peer.sender.Queued() {
			peer.queue.Notify(canWrite)
		}
	}
	s.state = closed
	s.senders.Notify(canWrite)
	for c := s.firstConnection; c != nil; {
		next := c.nextConnection
		c.Release()
		c = next
	}
	s.firstConnection, s.lastConnection, s.connections = nil, nil, 0
	s.purge()
}

// purge throws away the messages that have not been read.
func (s *Socket) purge() {
	for !s.received.empty() {
		s.discard(s.received.take())
	}
}
