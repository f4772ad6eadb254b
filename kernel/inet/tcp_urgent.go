package inet

import (
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// Urgent data (RFC 6093): a position in the stream at which a byte is urgent.
// The receiver remembers one such mark, as Linux does; the byte is read apart
// by MSG_OOB, or in its place with SO_OOBINLINE, and is skipped otherwise.

type urgentState uint8

const (
	notUrgent  urgentState = iota
	urgentHere             // the byte has arrived
	urgentSeen             // and was read by MSG_OOB
)

type urgent struct {
	coming []int64 // marks on the way
	state  urgentState
	mark   int64
	value  byte
}

// sendUrgent marks the last byte that was written.
func (f *flow) sendUrgent() { f.urgent.coming = append(f.urgent.coming, f.written-1) }

// receiveUrgent takes notice of the marks that have arrived (tcp_check_urg) and
// returns the events for poll(2).
func (f *flow) receiveUrgent() (events waiter.Mask) {
	u := &f.urgent
	for len(u.coming) > 0 && u.coming[0] < f.arrived {
		mark := u.coming[0]
		u.coming = u.coming[1:]
		if u.state != notUrgent && u.mark == f.read && !f.to.urgentInline() {
			// The byte of the mark before was not skipped yet.
			f.consume(1)
		}
		u.state, u.mark, u.value = urgentHere, mark, f.buffer.at(int(mark-f.read))
		events = waiter.Pri
	}
	return events
}

func (c *connection) urgentInline() bool {
	return c.opts().value(unix.SOL_SOCKET, unix.SO_OOBINLINE) != 0
}

// atMark tells whether the next byte to read is the urgent one.
func (f *flow) atMark() bool { return f.urgent.state != notUrgent && f.urgent.mark == f.read }

// consume removes bytes that were read or skipped.
func (f *flow) consume(n int) {
	f.buffer.drop(n)
	f.read += int64(n)
}

// passMark forgets a mark that was read over.
func (f *flow) passMark() {
	if f.urgent.state != notUrgent && f.read > f.urgent.mark {
		f.urgent.state = notUrgent
	}
}

// countable is what FIONREAD tells: what a read can get up to the mark.
func (f *flow) countable() int {
	u := &f.urgent
	if u.state == notUrgent || u.mark < f.read || f.to.urgentInline() {
		return f.readable()
	}
	return int(u.mark - f.read)
}

// receiveOOB is recv(2) with MSG_OOB (tcp_recv_urg).
func (t *tcpSocket) receiveOOB(dst socket.Sink, m *socket.Message, flags int) (int, unix.Errno) {
	c := t.connection
	if c == nil || c.in == nil {
		return 0, unix.EINVAL
	}
	u := &c.in.urgent
	if c.urgentInline() || u.state != urgentHere {
		return 0, unix.EINVAL
	}
	if c.state == stateClosed && !c.finReceived {
		return 0, unix.ENOTCONN
	}
	if flags&unix.MSG_PEEK == 0 {
		u.state = urgentSeen
	}
	m.Flags |= unix.MSG_OOB
	if dst.Len() == 0 {
		m.Flags |= unix.MSG_TRUNC
		return 0, 0
	}
	if flags&unix.MSG_TRUNC == 0 {
		if n, _ := dst.Write([]byte{u.value}); n == 0 {
			return 0, unix.EFAULT
		}
	}
	return 1, 0
}
