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
	buffer   cargo // the bytes from read to written

	// Positions in the stream: read <= arrived <= sent <= written.
	read, arrived, sent, written int64

	// What the sender knows: how much has arrived, and the end of the
	// receiver's window. Both lag behind by the latency of the way back.
	acked, edge int64
	announced   int64 // the end of the window, as the receiver last told it
	marks       []acknowledgement
	ackTimer    sim.Event

	direction Direction // nil until the first byte
	dead      bool      // nothing arrives any more
	// resetBehind tells that a RST follows what is on the way.
	resetBehind bool

	finArrived bool
	retries    int      // of a FIN that was lost, or of what nobody answers
	knocking   sim.Time // since when nobody answers
	retry      sim.Event

	urgent urgent
	corked bool      // the last bytes wait for more (TCP_CORK, MSG_MORE)
	uncork sim.Event // the end of that wait
	stamp  int64     // CLOCK_REALTIME of the last arrival, in nanoseconds

	dropped int       // bytes that a filter did not let pass yet
	drops   int       // times that it did not, in a row
	again   sim.Event // when they are sent again

	lastSent sim.Time
	progress sim.Time  // when bytes were last sent into silence, or arrived
	timer    sim.Event // the end of the patience for what is on the way
}

const (
	segment = 1448 // of a 1500-byte MTU with timestamps

	sendBufferLeast = 87040   // net.ipv4.tcp_wmem's default, doubled as the kernel grows it at once
	sendBufferMost  = 4 << 20 // net.ipv4.tcp_wmem's maximum

	receiveBufferLeast = 131072  // net.ipv4.tcp_rmem's default; half of it is window (tcp_adv_win_scale)
	receiveBufferMost  = 6 << 20 // net.ipv4.tcp_rmem's maximum
)

// newFlow is a flow whose receiver's first window is known from the handshake.
func newFlow(from, to *connection) *flow {
	f := &flow{from: from, to: to}
	network := from.stack.network
	f.buffer.memory.pool = &network.chunks
	if network.translate != nil {
		f.buffer.hold = network.translate(from.stack.name, to.stack.name)
	}
	f.ackTimer.Fire = f.heed
	f.timer.Fire = f.timeout
	f.uncork.Fire = f.push
	return f
}

// readable is the number of bytes that have arrived and were not read.
func (f *flow) readable() int { return int(f.arrived - f.read) }

// flying is the number of bytes on the way.
func (f *flow) flying() int { return int(f.sent - f.arrived) }

// unsent is the number of bytes that were not given to the carrier.
func (f *flow) unsent() int { return int(f.written - f.sent) }

// queued is what the sender has written and does not know to have arrived: what
// occupies the send buffer.
func (f *flow) queued() int {
	f.settle()
	return int(f.written - f.acked)
}

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

// receiveLimit is the size of the receiver's window, in bytes. What SO_RCVBUF
// sets is twice what was asked for, half of which is the kernel's overhead
// (tcp(7)); otherwise the kernel grows the buffer to twice what the sender
// would keep in flight.
func (c *connection) receiveLimit() int {
	if set := c.opts().receiveBuffer; set != 0 {
		return set / 2
	}
	if c.in == nil || c.in.direction == nil {
		return receiveBufferLeast / 2
	}
	return min(max(receiveBufferLeast/2, 2*c.in.direction.Window()), receiveBufferMost)
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
	return c.sendLimit()-queued >= queued/2 && queued < c.sendLimit() && c.unsentFew()
}

// push gives the carrier what the receiver's window allows.
func (f *flow) push() {
	unsent := f.unsent()
	if f.dead || unsent == 0 {
		return
	}
	if f.direction == nil && !f.open() {
		return
	}
	n := min(unsent, int(f.edge-f.sent))
	if n <= 0 {
		f.await()
		return
	}
	if f.corked && f.uncork.Scheduled() { // full segments only
		if n -= n % segment; n == 0 {
			return
		}
	}
	f.sent += int64(n)
	f.lastSent = f.from.stack.now()
	f.from.stack.counters.segmentsSent(n, segments(n))
	f.direction.Write(n)
	f.watch()
	if f.unsent() > 0 {
		f.await()
	}
}

// open asks the carrier for its side of this flow. A route that has gone since
// the handshake ends the connection.
func (f *flow) open() bool {
	c := f.from
	from, to := c.stack.ends(c.local.Addr(), c.remote.Addr())
	d, err := c.stack.network.carrier.Direction(from, to, f.arrive)
	if err != nil {
		c.breakOff(errnoOf(err))
		return false
	}
	f.direction = d
	f.edge = max(f.edge, f.arrived+int64(f.to.receiveLimit()))
	f.announced = f.edge
	return true
}

// arrive is n more bytes at the receiver.
func (f *flow) arrive(n int) {
	if f.dead {
		return
	}
	if f.from.peerCrashed() {
		f.from.unheard()
		return
	}
	if f.dropped > 0 || f.to.opts().filter.Attached() {
		f.arriveSifted(n)
		return
	}
	f.deliver(n)
}

// deliver gives the receiver n bytes.
func (f *flow) deliver(n int) {
	n = min(n, f.flying())
	to := f.to
	f.arrived += int64(n)
	to.stack.counters.segmentsReceived(n, segments(n))
	f.progress = to.stack.now()
	to.heard = f.progress
	if f.flying() == 0 {
		to.stack.network.queue.Cancel(&f.timer)
	}
	to.keepAlive.wake()
	if to.stack.realtime != nil {
		f.stamp = to.stack.realtime()
	}
	switch {
	case to.state == stateSynSent: // it has overtaken the answer to a SYN that carried data
		to.synAckArrives()
	case to.unproven != nil:
		to.proven()
	case to.state == stateSynReceived:
		if to.acknowledged(); to.state == stateSynReceived {
			f.finish(true)
			return // the kernel drops it, and it is sent again
		}
	}
	if to.abandoned() || to.receiveShut && to.sendShut {
		// Nobody will read it: the kernel answers with a RST. (With a socket,
		// that is what happens after shutdown(SHUT_RDWR).)
		f.arrived -= int64(n)
		to.refuse()
		return
	}
	events := waiter.In | waiter.RdNorm | f.receiveUrgent()
	f.acknowledge()
	if f.resetBehind && f.flying() == 0 {
		f.kill()
		to.reset()
		return
	}
	f.finish(true)
	f.push()
	if to.socket != nil {
		to.socket.queue.Notify(events)
	}
}

// finish sends the FIN once everything before it is on its way. now tells that
// the last bytes arrive at this instant, and the FIN with them.
func (f *flow) finish(now bool) {
	c := f.from
	if f.dead || !c.sendShut || c.finSent || f.arrived < f.written {
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

// knock sends what is for an end that is gone, until its RST comes back.
func (f *flow) knock() {
	c := f.from
	if c.state == stateClosed || f.retry.Scheduled() {
		return
	}
	limit := 15 // net.ipv4.tcp_retries2
	if c.abandoned() {
		limit = finRetries
	}
	queue := c.stack.network.queue
	if f.retries == 0 {
		f.knocking = queue.Now()
	}
	wait := min((c.roundTrip()+200*time.Millisecond)<<f.retries, 120*time.Second)
	patient := f.retries <= limit
	if most := c.userTimeout(); most > 0 {
		left := f.knocking.Add(most).Sub(queue.Now())
		wait, patient = min(wait, left), left > 0
	}
	if !patient {
		c.breakOff(errTimedOut)
		return
	}
	_ = c.control(func() { c.answer(c.reset) })
	f.retry.Fire = f.knock
	queue.Schedule(&f.retry, queue.Now().Add(wait))
	f.retries++
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
	_ = f.from.control(func() { f.to.finArrives(f) })
	f.awaitFin()
}

// awaitFin sends the FIN again if it is not heard of.
func (f *flow) awaitFin() {
	if f.retry.Scheduled() {
		return
	}
	c := f.from
	f.retry.Fire = f.sendFin
	queue := c.stack.network.queue
	queue.Schedule(&f.retry, queue.Now().Add((c.roundTrip()+200*time.Millisecond)<<f.retries))
	f.retries++
}

// reset sends a RST behind what is on the way and gives up the rest.
func (f *flow) reset() {
	f.from.stack.counters.rstsOut++
	if f.dead || f.flying() == 0 {
		_ = f.from.control(f.to.reset)
		return
	}
	f.written = f.sent
	f.buffer.cut(int(f.written - f.read))
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
	queue := f.from.stack.network.queue
	for _, timer := range []*sim.Event{&f.retry, &f.timer, &f.ackTimer, &f.uncork, &f.again} {
		queue.Cancel(timer)
	}
	f.sent, f.written, f.acked = f.arrived, f.arrived, f.arrived
	f.marks = nil
	f.buffer.cut(f.readable())
}
