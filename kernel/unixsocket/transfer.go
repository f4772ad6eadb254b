package unixsocket

import (
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
)

// Read implements socket.Reader. Descriptors that come with what is read are
// lost.
func (s *Socket) Read(dst socket.Sink) (int, unix.Errno) {
	if dst.Len() == 0 {
		return 0, 0
	}
	var m socket.Message
	n, errno := s.Receive(dst, &m)
	for _, f := range m.Files {
		s.namespace.references.Drop(f)
	}
	return n, errno
}

// Write implements socket.Writer.
func (s *Socket) Write(src socket.Source) (int, unix.Errno) {
	m := socket.Message{Credentials: s.namespace.caller.Credentials()}
	return s.Send(src, &m)
}

// Send implements socket.Socket. SCM_CREDENTIALS in the control data takes the
// place of m.Credentials. When it succeeds, the references in m.Files belong to
// the message, even if only a part of src was taken: they are not to be given
// again with the rest.
func (s *Socket) Send(src socket.Source, m *socket.Message) (int, unix.Errno) {
	if s.kind == unix.SOCK_SEQPACKET {
		if s.pending != 0 {
			return 0, s.takeError()
		}
		if s.state != established {
			return 0, unix.ENOTCONN
		}
	}
	explicit, errno := checkControl(s.namespace.caller, m)
	if errno != 0 {
		return 0, errno
	}
	if m.Flags&unix.MSG_OOB != 0 {
		return 0, unix.EOPNOTSUPP
	}
	if s.kind == unix.SOCK_STREAM {
		return s.sendStream(src, m, explicit)
	}
	return s.sendDatagram(src, m, explicit)
}

// Receive implements socket.Socket. The flags given should have MSG_DONTWAIT if
// the descriptor does not block: a datagram socket that was shut down gives
// EAGAIN then, else end of file.
func (s *Socket) Receive(dst socket.Sink, m *socket.Message) (int, unix.Errno) {
	flags := m.Flags
	m.Address, m.Control, m.Files, m.Flags = nil, m.Control[:0], m.Files[:0], 0
	if s.kind == unix.SOCK_STREAM {
		return s.receiveStream(dst, m, flags)
	}
	return s.receiveDatagram(dst, m, flags)
}

// unknown are the credentials of messages that were sent when nobody wanted any
// (the overflow ids, as the ids are invalid).
var unknown = socket.Credentials{PID: 0, UID: 65534, GID: 65534}

// put completes a message and puts it in the queue of other. explicit are the
// credentials that the sender has asked to send, if any.
func (s *Socket) put(other *Socket, c *message, charge int, m *socket.Message, files []any, explicit *socket.Credentials) {
	switch {
	case explicit != nil:
		c.credentials = *explicit
	case s.passCredentials || other.passCredentials || other.embryo:
		c.credentials = m.Credentials
	default:
		c.credentials = unknown
	}
	c.sender, c.charge = s, charge
	c.files = append(c.files[:0], files...)
	s.sendCharge += charge
	other.received.put(c)
}

func (s *Socket) sendStream(src socket.Source, m *socket.Message, explicit *socket.Credentials) (int, unix.Errno) {
	other := s.peer
	switch {
	case m.Address != nil && s.state == established:
		return 0, unix.EISCONN
	case m.Address != nil:
		return 0, unix.EOPNOTSUPP
	case other == nil:
		return 0, unix.ENOTCONN
	case s.sendShut:
		return 0, unix.EPIPE
	}
	total, n := src.Len(), 0
	if total == 0 {
		// No message, and nothing that carries the files.
		for _, f := range m.Files {
			s.namespace.references.Drop(f)
		}
		return 0, 0
	}
	errno := unix.EAGAIN
	for files := m.Files; n < total && s.sendCharge < s.sendBuffer; files = nil {
		if s.pending != 0 {
			errno = s.takeError()
			break
		}
		if other.receiveShut {
			errno = unix.EPIPE
			break
		}
		size := min(total-n, s.sendBuffer/2-cacheLine, streamPart)
		c := newMessage(size)
		if !fill(c.data, src) {
			c.free()
			errno = unix.EFAULT
			break
		}
		s.put(other, c, streamCharge(size), m, files, explicit)
		n += size
	}
	if n == 0 {
		return 0, errno
	}
	other.queue.Notify(canRead)
	return n, 0
}

func (s *Socket) receiveStream(dst socket.Sink, m *socket.Message, flags int) (int, unix.Errno) {
	if s.state != established {
		return 0, unix.EINVAL
	}
	if flags&unix.MSG_OOB != 0 {
		return 0, unix.EINVAL
	}
	c, peek := s.received.first, flags&unix.MSG_PEEK != 0
	if c == nil {
		switch {
		case s.pending != 0:
			return 0, s.takeError()
		case s.receiveShut:
			if s.passCredentials {
				m.Control = appendCredentials(m.Control, socket.Credentials{})
			}
			return 0, 0
		}
		return 0, unix.EAGAIN
	}
	m.Credentials = c.credentials
	m.Address = c.sender.name
	n, left := 0, dst.Len()
	for c != nil {
		if s.passCredentials && c.credentials != m.Credentials {
			break // what different tasks have written is not glued together
		}
		count := min(left, len(c.data))
		if written, _ := dst.Write(c.data[:count]); written < count {
			if n == 0 {
				return 0, unix.EFAULT
			}
			break
		}
		n += count
		left -= count
		withFiles := len(c.files) > 0
		if peek {
			// Like Linux, this goes on to the next message that has files
			// even when nothing more fits.
			s.holdFiles(c, m)
			c = c.next
		} else {
			s.takeFiles(c, m)
			s.received.bytes -= count
			c.data = c.data[count:]
			if len(c.data) > 0 {
				break
			}
			s.discard(s.received.take())
			c = s.received.first
		}
		if withFiles || left == 0 && !peek {
			break
		}
	}
	if s.passCredentials {
		m.Control = appendCredentials(m.Control, m.Credentials)
	}
	return n, 0
}

// takeFiles moves the files of a message to its receiver.
func (s *Socket) takeFiles(c *message, m *socket.Message) {
	m.Files = append(m.Files, c.files...)
	clear(c.files)
	c.files = c.files[:0]
}

// holdFiles gives the receiver references of its own.
func (s *Socket) holdFiles(c *message, m *socket.Message) {
	for _, f := range c.files {
		s.namespace.references.Hold(f)
	}
	m.Files = append(m.Files, c.files...)
}

// maySend tells whether s may send to other, which takes from its peer only if
// it has one.
func (s *Socket) maySend(other *Socket) bool { return other.peer == nil || other.peer == s }

func (s *Socket) sendDatagram(src socket.Source, m *socket.Message, explicit *socket.Credentials) (int, unix.Errno) {
	other, named := s.peer, false
	if m.Address != nil && s.kind == unix.SOCK_DGRAM {
		if !validate(m.Address) {
			return 0, unix.EINVAL
		}
		named = true
	}
	if errno := s.prepareCredentials(); errno != 0 {
		return 0, errno
	}
	size := src.Len()
	switch {
	case size > s.sendBuffer-32:
		return 0, unix.EMSGSIZE
	case s.pending != 0:
		return 0, s.takeError()
	case s.sendShut:
		return 0, unix.EPIPE
	case s.sendCharge >= s.sendBuffer:
		return 0, unix.EAGAIN
	}
	if named {
		var errno unix.Errno
		if other, errno = s.find(m.Address); errno != 0 {
			return 0, errno
		}
	}
	switch {
	case other == nil:
		return 0, unix.ENOTCONN
	case !s.maySend(other):
		return 0, unix.EPERM
	case other.released:
		s.peer = nil
		s.leave(other)
		s.state = closed
		return 0, unix.ECONNREFUSED
	case other.receiveShut:
		return 0, unix.EPIPE
	case other != s && other.peer != s && other.full():
		s.waitFor(other)
		return 0, unix.EAGAIN
	}
	c := newMessage(size)
	if !fill(c.data, src) {
		c.free()
		return 0, unix.EFAULT
	}
	if other.filter.Attached() {
		n := other.filter.Keep(c.data, 0)
		if n == 0 { // the sender does not learn of it
			c.free()
			return size, 0
		}
		c.data = c.data[:n]
	}
	s.put(other, c, datagramCharge(size), m, m.Files, explicit)
	other.queue.Notify(canRead)
	return size, 0
}

func (s *Socket) receiveDatagram(dst socket.Sink, m *socket.Message, flags int) (int, unix.Errno) {
	if s.kind == unix.SOCK_SEQPACKET && s.state != established {
		return 0, unix.ENOTCONN
	}
	if flags&unix.MSG_OOB != 0 {
		return 0, unix.EOPNOTSUPP
	}
	c := s.received.first
	switch {
	case s.pending != 0:
		return 0, s.takeError()
	case c == nil && s.receiveShut && (s.kind == unix.SOCK_SEQPACKET || flags&unix.MSG_DONTWAIT == 0):
		return 0, 0
	case c == nil:
		return 0, unix.EAGAIN
	}
	if flags&unix.MSG_PEEK == 0 {
		s.received.take()
		defer s.discard(c)
	}
	s.senders.Notify(canWrite)
	m.Address, m.Credentials = c.sender.name, c.credentials
	count := min(dst.Len(), len(c.data))
	if written, _ := dst.Write(c.data[:count]); written < count {
		return 0, unix.EFAULT
	}
	if count < len(c.data) {
		m.Flags |= unix.MSG_TRUNC
		if flags&unix.MSG_TRUNC != 0 {
			count = len(c.data)
		}
	}
	if s.passCredentials {
		m.Control = appendCredentials(m.Control, c.credentials)
	}
	if flags&unix.MSG_PEEK == 0 {
		s.takeFiles(c, m)
	} else {
		s.holdFiles(c, m)
	}
	return count, 0
}

// Ioctl implements socket.Ioctler: SIOCINQ (FIONREAD), the bytes of a stream or
// of the first datagram that can be read, and SIOCOUTQ, what counts against the
// send buffer.
func (s *Socket) Ioctl(request uint32) (value int, errno unix.Errno, ok bool) {
	switch request {
	case unix.SIOCOUTQ:
		return s.sendCharge, 0, true
	case unix.SIOCINQ:
		if s.state == listening {
			return 0, unix.EINVAL, true
		}
		return s.readable(), 0, true
	}
	return 0, 0, false
}

// readable are the bytes of a stream or of the first datagram.
func (s *Socket) readable() int {
	switch {
	case s.connected():
		return s.received.bytes
	case s.received.empty():
		return 0
	}
	return len(s.received.first.data)
}
