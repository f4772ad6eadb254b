package inet

import (
	"errors"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

// lingerTime is how long TIME_WAIT, and an orphan in FIN_WAIT_2, last (the
// kernel's TCP_TIMEWAIT_LEN and tcp_fin_timeout).
const lingerTime = 60 * time.Second

const errTimedOut = unix.ETIMEDOUT

// timeWait is a connection in TIME_WAIT.
type timeWait struct {
	tuple  tuple
	domain int
	until  sim.Time
}

// waiting tells whether a connection of this name lingers in TIME_WAIT.
func (s *Stack) waiting(t tuple) bool {
	w := s.waitsOf[t]
	return w != nil && w.until > s.now()
}

// forgetWaiting ends the TIME_WAIT of a connection whose name is used again.
func (s *Stack) forgetWaiting(t tuple) {
	if w := s.waitsOf[t]; w != nil {
		delete(s.waitsOf, t)
		s.waits = slices.DeleteFunc(s.waits, func(o *timeWait) bool { return o == w })
	}
}

// lingering are the connections in TIME_WAIT, oldest first.
func (s *Stack) lingering() []*timeWait {
	now, n := s.now(), 0
	for n < len(s.waits) && s.waits[n].until <= now {
		if w := s.waits[n]; s.waitsOf[w.tuple] == w {
			delete(s.waitsOf, w.tuple)
		}
		n++
	}
	s.waits = s.waits[n:]
	return s.waits
}

func errnoOf(err error) unix.Errno {
	if errors.Is(err, ErrNoHost) {
		return errTimedOut
	}
	return unix.EHOSTUNREACH
}

// Shutdown implements socket.Socket.
func (t *tcpSocket) Shutdown(how int) unix.Errno {
	if t.listener != nil {
		if how == unix.SHUT_WR {
			return 0
		}
		return t.disconnect()
	}
	c := t.connection
	closed := c == nil || c.state == stateClosed
	if t.phase == connecting {
		t.phase = connected
		if closed {
			t.phase = disconnecting
		}
	}
	if closed {
		// It fails, and yet takes effect (inet_shutdown).
		t.receiveShut = t.receiveShut || how != unix.SHUT_WR
		t.sendShut = t.sendShut || how != unix.SHUT_RD
		t.queue.Notify(waiter.In | waiter.RdNorm | waiter.RdHup | waiter.Out | waiter.WrNorm | waiter.Hup)
		return unix.ENOTCONN
	}
	if c.state == stateSynSent {
		return t.disconnect()
	}
	if how != unix.SHUT_WR {
		c.receiveShut = true
	}
	if how != unix.SHUT_RD {
		c.shutSend()
	}
	t.queue.Notify(waiter.In | waiter.RdNorm | waiter.RdHup | waiter.Out | waiter.WrNorm | waiter.Hup)
	return 0
}

// shutSend is the end of what will be sent: a FIN follows the last byte.
func (c *connection) shutSend() {
	if c.sendShut {
		return
	}
	c.sendShut = true
	switch c.state {
	case stateEstablished, stateSynReceived:
		c.state = stateFinWait1
	case stateCloseWait:
		c.state = stateLastAck
	}
	if c.out.dead {
		c.out.knock()
		return
	}
	c.out.cork(false)
	c.out.push()
	if !c.out.dead {
		c.out.finish(false)
	}
}

// finArrives is the other end's FIN.
func (c *connection) finArrives(f *flow) {
	if f.dead || f.finArrived {
		return
	}
	if !c.opts().passes(f.from, flagFin|flagAck, f.written+1) {
		f.awaitFin()
		return
	}
	f.finArrived = true
	c.stack.network.queue.Cancel(&f.retry)
	switch c.state {
	case stateSynReceived:
		c.acknowledged()
	case stateSynSent: // it has overtaken the answer to a SYN that carried data
		c.synAckArrives()
	}
	c.finReceived, c.heard = true, c.stack.now()
	peer := f.from
	if back := c.roundTrip() / 2; back > 0 && peer != c {
		c.stack.network.queue.After(c.stack.now().Add(back), peer.finAcknowledged)
	} else {
		defer peer.finAcknowledged()
	}
	switch c.state {
	case stateEstablished:
		c.state = stateCloseWait
	case stateFinWait1:
		c.state = stateClosing
	case stateFinWait2:
		c.timeWait()
	}
	if c.socket != nil {
		m := waiter.In | waiter.RdNorm | waiter.RdHup
		if c.sendShut {
			m |= waiter.Hup
		}
		c.socket.queue.Notify(m)
	}
}

// finAcknowledged is the acknowledgement of the FIN sent from here.
func (c *connection) finAcknowledged() {
	switch c.state {
	case stateFinWait1:
		c.state = stateFinWait2
		c.orphanTimer()
	case stateClosing:
		c.timeWait()
	case stateLastAck:
		c.done(0)
	}
	c.parting()
}

// parting wakes a close(2) that waits for what was sent (SO_LINGER).
func (c *connection) parting() {
	if t := c.farewell; t != nil && !c.departing() {
		c.farewell = nil
		t.queue.Notify(waiter.Out | waiter.WrNorm | waiter.Hup)
	}
}

// departing tells that the FIN sent from here was not acknowledged
// (sk_stream_wait_close).
func (c *connection) departing() bool {
	return c.state == stateFinWait1 || c.state == stateClosing || c.state == stateLastAck
}

// Lingering implements socket.Lingerer.
func (t *tcpSocket) Lingering() (time.Duration, bool) {
	if c := t.departed; c != nil && c.farewell == t && c.departing() {
		return time.Duration(t.linger) * time.Second, true
	}
	return 0, false
}

// orphanTimer ends a connection that nobody has and whose other end never
// closes.
func (c *connection) orphanTimer() {
	if c.socket != nil || c.parent != nil || c.state != stateFinWait2 {
		return
	}
	queue := c.stack.network.queue
	if c.watch == nil {
		c.watch = &sim.Event{Fire: func() {
			if c.state == stateFinWait2 {
				c.done(0)
			}
		}}
	}
	queue.Schedule(c.watch, queue.Now().Add(lingerTime))
}

// timeWait closes the connection and keeps its name from being used again.
func (c *connection) timeWait() {
	b := c.binding
	c.binding = nil
	b.until = c.stack.now().Add(lingerTime)
	b.automatic = b.automatic && b.listener == nil
	w := &timeWait{c.tuple(), c.domain, b.until}
	c.stack.lingering()
	c.stack.waits = append(c.stack.waits, w)
	c.stack.waitsOf[w.tuple] = w
	c.done(0)
}

// abandoned tells that no socket has, or will have, this connection.
func (c *connection) abandoned() bool {
	return c.socket == nil && c.parent == nil
}

// closeByUser is close(2) of the connection's socket.
func (c *connection) closeByUser(reset bool) {
	c.socket = nil
	switch {
	case c.state == stateSynSent:
		c.state = stateClosed
		c.vanish()
	case c.state == stateClosed:
		c.vanish()
	case c.in.readable() > 0 || reset:
		// RFC 2525 2.17: data that is lost is told to the sender.
		c.abort()
	default:
		c.shutSend()
		c.orphanTimer()
	}
}

// refuse answers data that nobody will read: the connection is reset at both
// ends.
func (c *connection) refuse() {
	if c.state == stateClosed {
		return
	}
	c.out.reset()
	c.done(unix.ECONNRESET)
}

// abort resets the connection: the other end hears of it.
func (c *connection) abort() {
	if c.state == stateClosed || c.stack.crashed {
		return
	}
	if c.peer != nil && c.peer != c && c.state != stateSynSent {
		c.out.reset()
	}
	c.done(0)
}

// breakOff ends the connection with an error that the other end does not hear of.
func (c *connection) breakOff(errno unix.Errno) {
	if c.state != stateClosed {
		c.done(errno)
	}
}

// reset is the other end's RST.
func (c *connection) reset() {
	switch c.state {
	case stateClosed:
		return
	case stateSynSent:
		c.refused()
		return
	}
	c.stack.counters.resets++
	switch c.state {
	case stateCloseWait:
		c.done(unix.EPIPE)
	default:
		c.done(unix.ECONNRESET)
	}
}

// done is the end of the connection; what has arrived can still be read.
func (c *connection) done(errno unix.Errno) {
	if c.state == stateSynReceived && c.parent != nil {
		c.parent.forget(c)
	}
	c.state = stateClosed
	if c.watch != nil {
		c.stack.network.queue.Cancel(c.watch)
	}
	c.keepAlive.stop()
	c.proven()
	c.parting()
	c.giveBack()
	if c.out != nil { // the SYN has arrived
		if !c.out.resetBehind {
			c.out.kill()
		}
		c.stack.network.queue.Cancel(&c.out.retry)
		if errno != 0 || c.abandoned() {
			c.in.kill()
		}
	}
	c.vanish()
	t := c.socket
	if t == nil {
		c.failure = errno
		return
	}
	if errno != 0 {
		t.failure = errno
	}
	t.queue.Notify(waiter.In | waiter.RdNorm | waiter.Out | waiter.WrNorm | waiter.Err | waiter.Hup | waiter.RdHup)
}

// vanish gives up the connection's name, and its bytes if nobody will read
// them.
func (c *connection) vanish() {
	if c.stack.connections[c.tuple()] == c {
		delete(c.stack.connections, c.tuple())
	}
	c.stack.tcp.remove(c.binding)
	c.binding = nil
	if c.abandoned() && c.in != nil {
		c.in.kill()
		c.in.consume(c.in.readable())
	}
}
