package inet

import (
	"time"

	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

// flow is one direction of a connection: one queue of bytes, of which the first
// have arrived and wait for the receiver, the next are on the way, and the last
// wait for room in the receiver's window.
type flow struct {
	from, to *connection
	buffer   fifo
	readable int // have arrived
	flying   int // are on the way
	unsent   int // have not been given to the carrier

	direction Direction // nil until the first byte
	dead      bool      // nothing arrives any more
	// resetBehind tells that a RST follows what is on the way.
	resetBehind bool

	finArrived bool
	retries    int // of a FIN that was lost
	retry      sim.Event

	progress sim.Time  // when bytes were last sent into silence, or arrived
	timer    sim.Event // the end of the patience for what is on the way
}

const (
	segment = 1448 // of a 1500-byte MTU with timestamps

	sendBufferLeast = 87040   // net.ipv4.tcp_wmem's default, doubled as the kernel grows it at once
	sendBufferMost  = 4 << 20 // net.ipv4.tcp_wmem's maximum
	receiveBuffer   = 6 << 20 // net.ipv4.tcp_rmem's maximum
)

// queued is what the sender has written and the receiver not received.
func (f *flow) queued() int { return f.flying + f.unsent }

// sendLimit is the size of the send buffer in bytes.
func (c *connection) sendLimit() int {
	if set := c.opts().sendBuffer; set != 0 {
		return set
	}
	if c.out == nil || c.out.direction == nil {
		return sendBufferLeast
	}
	return min(max(sendBufferLeast, 2*c.out.direction.Window()), sendBufferMost)
}

// receiveLimit is the largest window, in bytes. What SO_RCVBUF sets is twice
// what was asked for, half of which is the kernel's overhead (tcp(7)).
func (c *connection) receiveLimit() int {
	if set := c.opts().receiveBuffer; set != 0 {
		return set / 2
	}
	return receiveBuffer
}

// opts are the options of the socket that the connection has, or will have.
func (c *connection) opts() *base {
	if c.socket != nil {
		return &c.socket.base
	}
	return &c.options
}

// writable tells whether poll(2) reports POLLOUT: a third of the buffer is free
// (the kernel's sk_stream_is_writeable).
func (c *connection) writable() bool {
	queued := c.out.queued()
	return c.sendLimit()-queued >= queued/2 && queued < c.sendLimit()
}

// push gives the carrier what the receiver's window allows.
func (f *flow) push() {
	if f.dead || f.unsent == 0 {
		return
	}
	limit := f.to.receiveLimit()
	room := limit - f.readable - f.flying
	n := min(f.unsent, room)
	// A receiver announces a window that is worth a segment (RFC 9293 3.8.6.2.2).
	if n <= 0 || n < f.unsent && n < min(limit/2, 2*segment) {
		return
	}
	if f.direction == nil && !f.open() {
		return
	}
	f.unsent -= n
	f.flying += n
	f.from.bytesOut += int64(n)
	f.direction.Write(n)
	f.watch()
}

// open asks the carrier for its side of this flow. A route that has gone since
// the handshake ends the connection.
func (f *flow) open() bool {
	c := f.from
	from, to := c.stack.ends(c.local.Addr(), c.remote.Addr())
	d, err := c.stack.network.carrier.Direction(from, to, f.arrived)
	if err != nil {
		c.breakOff(errnoOf(err))
		return false
	}
	f.direction = d
	return true
}

// arrived is n more bytes at the receiver.
func (f *flow) arrived(n int) {
	if f.dead {
		return
	}
	n = min(n, f.flying)
	to, from := f.to, f.from
	if to.state == stateSynReceived {
		to.established()
	}
	f.flying -= n
	f.readable += n
	f.progress = to.stack.now()
	if f.flying == 0 {
		to.stack.network.queue.Cancel(&f.timer)
	}
	to.bytesIn += int64(n)
	if to.abandoned() {
		// Nobody will read it: the kernel answers with a RST.
		to.abort()
		return
	}
	if to.receiveShut {
		f.buffer.drop(f.readable)
		f.readable = 0
	}
	if f.resetBehind && f.flying == 0 {
		f.kill()
		to.reset()
		return
	}
	f.finish(true)
	f.push()
	if to.socket != nil {
		to.socket.queue.Notify(waiter.In | waiter.RdNorm)
	}
	if from.socket != nil && !from.sendShut && from.writable() {
		from.socket.queue.Notify(waiter.Out | waiter.WrNorm)
	}
}

// finish sends the FIN once everything before it is on its way. now tells that
// the last bytes arrive at this instant, and the FIN with them.
func (f *flow) finish(now bool) {
	c := f.from
	if f.dead || !c.sendShut || c.finSent || f.queued() > 0 {
		return
	}
	c.finSent = true
	if now {
		f.to.finArrives(f)
		return
	}
	f.retry.Fire = f.sendFin
	f.sendFin()
}

// finRetries is net.ipv4.tcp_orphan_retries' default.
const finRetries = 8

func (f *flow) sendFin() {
	if f.dead || f.finArrived {
		return
	}
	if f.retries > finRetries {
		f.from.breakOff(errTimedOut)
		return
	}
	c := f.from
	_ = c.control(func() { f.to.finArrives(f) })
	queue := c.stack.network.queue
	from, to := c.stack.ends(c.local.Addr(), c.remote.Addr())
	wait := c.stack.network.carrier.RoundTrip(from, to) + 200*time.Millisecond
	queue.Schedule(&f.retry, queue.Now().Add(wait<<f.retries))
	f.retries++
}

// reset sends a RST behind what is on the way and gives up the rest.
func (f *flow) reset() {
	if f.dead || f.flying == 0 {
		_ = f.from.control(f.to.reset)
		return
	}
	f.unsent = 0
	f.buffer.cut(f.readable + f.flying)
	f.resetBehind = true
}

// kill ends the flow: what has arrived can still be read.
func (f *flow) kill() {
	if f == nil || f.dead {
		return
	}
	f.dead = true
	if f.direction != nil {
		f.direction.Close()
	}
	f.from.stack.network.queue.Cancel(&f.retry)
	f.from.stack.network.queue.Cancel(&f.timer)
	f.flying, f.unsent = 0, 0
	f.buffer.cut(f.readable)
}
