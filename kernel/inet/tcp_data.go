package inet

import (
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
)

// Read implements socket.Reader.
func (t *tcpSocket) Read(dst socket.Sink) (int, unix.Errno) {
	if dst.Len() == 0 && t.listener == nil && t.connection != nil {
		return 0, 0 // read(2) of nothing, unlike recv(2), never waits
	}
	return t.Receive(dst, &socket.Message{})
}

// Write implements socket.Writer.
func (t *tcpSocket) Write(src socket.Source) (int, unix.Errno) {
	return t.Send(src, &socket.Message{})
}

// Send implements socket.Socket. The errors and their order are those of
// tcp_sendmsg_locked and sk_stream_wait_connect.
func (t *tcpSocket) Send(src socket.Source, m *socket.Message) (int, unix.Errno) {
	if m.Flags&unix.MSG_FASTOPEN != 0 {
		return 0, unix.EOPNOTSUPP // as with net.ipv4.tcp_fastopen=0
	}
	if m.Flags&unix.MSG_OOB != 0 {
		return 0, unix.EOPNOTSUPP // there is no urgent data
	}
	c := t.connection
	if c != nil && c.state == stateSynSent {
		return 0, unix.EAGAIN
	}
	if e := t.takeError(); e != 0 {
		return 0, e
	}
	if c == nil || c.state == stateClosed || c.sendShut {
		return 0, unix.EPIPE
	}
	want := src.Len()
	if want == 0 {
		return 0, 0
	}
	room := c.sendLimit() - c.out.queued()
	if room <= 0 {
		return 0, unix.EAGAIN
	}
	n, errno := c.out.buffer.fill(src, min(want, room))
	if errno != 0 {
		return 0, errno
	}
	c.out.unsent += n
	c.out.push()
	if c.state == stateClosed { // no way any more
		return 0, t.takeError()
	}
	return n, 0
}

// Receive implements socket.Socket.
func (t *tcpSocket) Receive(dst socket.Sink, m *socket.Message) (int, unix.Errno) {
	flags := m.Flags
	m.Flags = 0
	if flags&unix.MSG_ERRQUEUE != 0 {
		return 0, unix.EAGAIN
	}
	if flags&unix.MSG_OOB != 0 {
		return 0, unix.EINVAL
	}
	c := t.connection
	if c == nil {
		if e := t.takeError(); e != 0 && t.listener == nil {
			return 0, e
		}
		if t.failed {
			return 0, 0
		}
		return 0, unix.ENOTCONN
	}
	if c.state == stateSynSent {
		return 0, unix.EAGAIN
	}
	if c.in.readable > 0 {
		return c.take(dst, flags)
	}
	if c.finReceived {
		return 0, 0
	}
	if e := t.takeError(); e != 0 {
		return 0, e
	}
	if c.receiveShut || c.state == stateClosed {
		return 0, 0
	}
	return 0, unix.EAGAIN
}

// take moves what has arrived to dst; MSG_PEEK leaves it, MSG_TRUNC throws it
// away.
func (c *connection) take(dst socket.Sink, flags int) (int, unix.Errno) {
	f := c.in
	n := min(dst.Len(), f.readable)
	if flags&unix.MSG_TRUNC == 0 {
		var errno unix.Errno
		if n, errno = f.buffer.copyTo(dst, 0, n); errno != 0 {
			return 0, errno
		}
	}
	if flags&unix.MSG_PEEK == 0 {
		f.buffer.drop(n)
		f.readable -= n
		f.push()
	}
	return n, 0
}

// Ioctl implements socket.Ioctler.
func (t *tcpSocket) Ioctl(request uint32) (int, unix.Errno, bool) {
	c := t.connection
	switch request {
	case fionread:
		if t.listener != nil {
			return 0, unix.EINVAL, true
		}
		if c == nil || c.in == nil {
			return 0, 0, true
		}
		return c.in.readable, 0, true
	case siocoutq:
		if t.listener != nil {
			return 0, unix.EINVAL, true
		}
		if c == nil || c.out == nil {
			return 0, 0, true
		}
		return c.out.queued(), 0, true
	case siocoutqnsd:
		if c == nil || c.out == nil {
			return 0, 0, true
		}
		return c.out.unsent, 0, true
	case siocatmark:
		return 0, 0, true
	}
	return 0, 0, false
}

// ioctl requests (asm-generic/ioctls.h, linux/sockios.h).
const (
	fionread    = 0x541b
	siocoutq    = 0x5411
	siocoutqnsd = 0x894b
	siocatmark  = 0x8905
)
