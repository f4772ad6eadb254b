package inet

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

// Acknowledgements are not packets of the carrier: they take the latency of the
// way back and nothing else. They are looked at when the sender asks for the
// room in its buffer; an event is scheduled for them only when it waits.

// acknowledgement is what a receiver tells: all before position has arrived,
// and there is room for what is before edge.
type acknowledgement struct {
	when           sim.Time
	position, edge int64
}

// roundTrip is the latency to the other end and back.
func (c *connection) roundTrip() time.Duration {
	from, to := c.stack.ends(c.local.Addr(), c.remote.Addr())
	return c.stack.network.carrier.RoundTrip(from, to)
}

// acknowledge tells the sender what has arrived, and the room there is.
func (f *flow) acknowledge() {
	now := f.to.stack.now()
	f.announced = max(f.announced, f.window())
	m := acknowledgement{now.Add(f.to.roundTrip() / 2), f.arrived, f.announced}
	f.settle()
	if n := len(f.marks); n > 0 && f.marks[n-1].when >= m.when {
		m.when = f.marks[n-1].when
		f.marks[n-1] = m
	} else {
		f.marks = append(f.marks, m)
	}
	if m.when == now {
		f.heed()
		return
	}
	f.await()
}

// window is the end of the window that the receiver would tell now. A window
// opens by what is worth a segment, or not (the kernel's __tcp_select_window).
func (f *flow) window() int64 {
	limit := f.to.receiveLimit()
	free := limit - f.readable()
	if free < limit/2 && (free < limit/16 || free < min(segment, limit/2)) {
		return f.announced
	}
	return f.arrived + int64(free)
}

// consumed is called when the receiver has read: it tells of a window that has
// become twice as large (the kernel's tcp_cleanup_rbuf).
func (f *flow) consumed() {
	left := f.announced - f.arrived
	if f.dead || 2*left > int64(f.to.receiveLimit()) {
		return
	}
	if edge := f.window(); edge > f.announced && edge-f.arrived >= 2*left {
		f.acknowledge()
	}
}

// settle takes notice of the acknowledgements that have come.
func (f *flow) settle() {
	now := f.from.stack.now()
	n := 0
	for n < len(f.marks) && f.marks[n].when <= now {
		f.acked = max(f.acked, f.marks[n].position)
		f.edge = max(f.edge, f.marks[n].edge)
		n++
	}
	if n > 0 {
		f.marks = f.marks[:copy(f.marks, f.marks[n:])]
	}
}

// await makes sure that the sender hears of the next acknowledgement, if it
// waits for one.
func (f *flow) await() {
	c := f.from
	if f.dead || f.ackTimer.Scheduled() || f.unsent() == 0 && !c.lacksSpace && c.farewell == nil {
		return
	}
	f.settle()
	if len(f.marks) > 0 {
		c.stack.network.queue.Schedule(&f.ackTimer, f.marks[0].when)
	}
}

// heed acts on an acknowledgement.
func (f *flow) heed() {
	c := f.from
	f.settle()
	f.push()
	if f.dead {
		return
	}
	if c.lacksSpace && c.writable() {
		c.lacksSpace = false
		if c.socket != nil {
			c.socket.queue.Notify(waiter.Out | waiter.WrNorm)
		}
	}
	c.parting()
	f.await()
}

// wantSpace has the writer told when there is room again.
func (c *connection) wantSpace() {
	c.lacksSpace = true
	c.out.await()
}

// unsentFew tells whether what was not sent is below TCP_NOTSENT_LOWAT.
func (c *connection) unsentFew() bool {
	lowat := uint32(c.opts().value(unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT))
	return lowat == 0 || uint32(c.out.unsent()) < lowat
}
