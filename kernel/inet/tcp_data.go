package inet

import (
	"encoding/binary"
	"time"

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
	if m.Flags&unix.MSG_FASTOPEN != 0 || t.attempt != nil && t.connection.opening.deferred {
		if n, errno := t.fastOpenSend(src, m); errno != 0 {
			return n, errno
		}
	}
	c := t.connection
	if c != nil && (c.state == stateSynSent || c.state == stateSynReceived) {
		return 0, unix.EAGAIN
	}
	if e := t.takeError(); e != 0 {
		return 0, e
	}
	if c == nil || c.state == stateClosed || c.sendShut || t.sendShut {
		return 0, unix.EPIPE
	}
	want := src.Len()
	if want == 0 {
		return 0, 0
	}
	f := c.out
	c.keepAlive.wake()
	if f.dead {
		return f.sendToNobody(src, want)
	}
	if f.direction == nil && !f.open() {
		return 0, t.takeError()
	}
	room := c.sendLimit() - f.queued()
	if room <= 0 || !c.unsentFew() {
		c.wantSpace()
		return 0, unix.EAGAIN
	}
	n, errno := f.buffer.fill(src, min(want, room))
	if errno != 0 {
		return 0, errno
	}
	f.written += int64(n)
	if m.Flags&unix.MSG_OOB != 0 && n == want {
		f.sendUrgent()
	}
	if m.Flags&unix.MSG_ZEROCOPY != 0 && t.on(unix.SOL_SOCKET, unix.SO_ZEROCOPY) {
		t.copied()
	}
	f.cork(m.Flags&unix.MSG_MORE != 0 || t.on(unix.IPPROTO_TCP, unix.TCP_CORK))
	f.push()
	if n < want {
		c.wantSpace()
	}
	return n, 0
}

// sendToNobody takes bytes for an end that is gone and has not said so. They
// are answered by a RST.
func (f *flow) sendToNobody(src socket.Source, want int) (int, unix.Errno) {
	n, errno := f.buffer.swallow(src, min(want, f.from.sendLimit()))
	if !f.retry.Scheduled() {
		f.retries = 0
	}
	f.knock()
	return n, errno
}

// corkTime is how long TCP_CORK and MSG_MORE hold back less than a segment.
const corkTime = 200 * time.Millisecond

// cork begins or ends the wait for more bytes before the last ones are sent.
func (f *flow) cork(on bool) {
	queue := f.from.stack.network.queue
	f.corked = on
	switch {
	case !on:
		queue.Cancel(&f.uncork)
	case !f.uncork.Scheduled() && f.unsent() > 0:
		queue.Schedule(&f.uncork, queue.Now().Add(corkTime))
	}
}

// Receive implements socket.Socket.
func (t *tcpSocket) Receive(dst socket.Sink, m *socket.Message) (int, unix.Errno) {
	flags := m.Flags
	m.Flags = 0
	c := t.connection
	switch {
	case flags&unix.MSG_ERRQUEUE != 0:
		return t.receiveError(dst, m)
	case t.listener != nil:
		return 0, unix.ENOTCONN
	case flags&unix.MSG_OOB != 0:
		return t.receiveOOB(dst, m, flags)
	case c == nil && t.failure == 0 && !t.receiveShut:
		return 0, unix.ENOTCONN
	case c == nil:
		return 0, t.takeError()
	case c.state == stateSynSent || c.state == stateSynReceived:
		return 0, unix.EAGAIN
	}
	n, errno, moved := c.take(dst, flags)
	if moved {
		t.receiveControlTo(m)
		return n, errno
	}
	if c.finReceived {
		t.receiveControlTo(m)
		return 0, 0
	}
	if e := t.takeError(); e != 0 {
		return 0, e
	}
	if c.receiveShut || t.receiveShut || c.state == stateClosed {
		return 0, 0
	}
	return 0, unix.EAGAIN
}

// take moves what has arrived to dst; MSG_PEEK leaves it, MSG_TRUNC throws it
// away. It stops before and after an urgent byte as tcp_recvmsg_locked does.
// moved is false when there was nothing to give.
func (c *connection) take(dst socket.Sink, flags int) (total int, errno unix.Errno, moved bool) {
	f := c.in
	peek := flags&unix.MSG_PEEK != 0
	want := dst.Len()
	at := f.read
	offset := -1
	if peek {
		if offset = c.opts().value(unix.SOL_SOCKET, unix.SO_PEEK_OFF); offset >= 0 {
			at += int64(offset)
		}
	}
	for total < want && at < f.arrived {
		n := min(want-total, int(f.arrived-at))
		if u := &f.urgent; u.state != notUrgent && u.mark >= at {
			if u.mark == at && total > 0 {
				break
			}
			if u.mark == at && !c.urgentInline() {
				at++
				continue
			}
			if u.mark > at {
				n = min(n, int(u.mark-at))
			}
		}
		if flags&unix.MSG_TRUNC == 0 {
			if n, errno = f.buffer.copyTo(dst, int(at-f.read), n, peek); errno != 0 {
				break
			}
		}
		total += n
		at += int64(n)
	}
	if peek {
		if offset >= 0 && total > 0 {
			c.opts().set(unix.SOL_SOCKET, unix.SO_PEEK_OFF, int(at-f.read))
		}
	} else if at > f.read {
		f.consume(int(at - f.read))
		f.passMark()
		if offset := c.opts().value(unix.SOL_SOCKET, unix.SO_PEEK_OFF); offset > 0 {
			c.opts().set(unix.SOL_SOCKET, unix.SO_PEEK_OFF, max(0, offset-total))
		}
		f.consumed()
	}
	if total > 0 {
		return total, 0, true
	}
	return 0, errno, errno != 0 || want == 0 && at < f.arrived
}

// receiveControlTo tells what options ask to be told of a read.
func (t *tcpSocket) receiveControlTo(m *socket.Message) {
	f := t.connection.in
	m.Control = t.timestamps(nil, f.stamp)
	if t.on(unix.IPPROTO_TCP, unix.TCP_INQ) {
		n := f.readable()
		if n == 0 && t.connection.finReceived {
			n = 1 // the end of the stream
		}
		m.Control = appendControl(m.Control, unix.IPPROTO_TCP, unix.TCP_CM_INQ, binary.LittleEndian.AppendUint32(nil, uint32(n)))
	}
}

// Ioctl implements socket.Ioctler.
func (t *tcpSocket) Ioctl(request uint32) (int, unix.Errno, bool) {
	c := t.connection
	open := c != nil && c.in != nil
	switch request {
	case fionread, siocoutq, siocoutqnsd, siocatmark:
	default:
		return 0, 0, false
	}
	switch {
	case t.listener != nil && request != siocatmark:
		return 0, unix.EINVAL, true
	case !open:
		return 0, 0, true
	case request == fionread:
		return c.in.countable(), 0, true
	case request == siocoutq:
		return c.out.queued(), 0, true
	case request == siocoutqnsd:
		return c.out.unsent(), 0, true
	case c.in.atMark(): // SIOCATMARK
		return 1, 0, true
	}
	return 0, 0, true
}

// ioctl requests (asm-generic/ioctls.h, linux/sockios.h).
const (
	fionread    = 0x541b
	siocoutq    = 0x5411
	siocoutqnsd = 0x894b
	siocatmark  = 0x8905
)
