package network

import (
	"math"

	"github.com/simterpose/simterpose/fluid"
	"github.com/simterpose/simterpose/platform"
)

const (
	// mss is what a TCP segment carries over Ethernet with time stamps.
	mss = 1448
	// initialWindow is in segments (RFC 6928).
	initialWindow = 10 * mss
	// minimalRTO is Linux's lower limit of the retransmission timeout beyond
	// the round trip, in seconds.
	minimalRTO = 0.2
)

// Direction is one direction of a connection, a sequence of bytes.
//
// Bytes written while nothing is under way start a communication, with the
// model's factors for their number. Bytes written while it is busy join it. It
// is one activity of the engine for as long as bytes flow: each time that a
// part of them has flowed, the part is reported and the activity is given the
// next one.
type Direction struct {
	transfer
	network *Network
	path    *path
	arrived func(n int)
	wake    func() // d.woken and d.arrive, made once
	arrival func()

	pending int // written, not yet given to the activity
	flowing int // given to the activity, not yet flowed
	behind  int // flowed, not yet arrived
	closed  bool
	busy    bool // the activity is under way
	waiting bool // for the window or for the way to be repaired
	down    bool
	downAt  float64 // when the way failed

	late     marks // latency ahead: where joined bytes begin, their earliest arrival
	trailing marks // where bytes end that have flowed and arrive later
	end      int64 // of all bytes written, as a position in the stream
	flowed   int64
	began    int64 // flowed when the communication under way began

	window window
}

// mark is a position in the stream and a date that belongs to it.
type mark struct {
	position int64
	date     float64
}

// marks is a queue of marks; positions and dates do not decrease.
type marks struct {
	list []mark
	head int
}

func (m *marks) empty() bool { return m.head == len(m.list) }

func (m *marks) first() mark { return m.list[m.head] }

func (m *marks) push(x mark) {
	if m.head > 16 && m.head > len(m.list)/2 {
		m.list = m.list[:copy(m.list, m.list[m.head:])]
		m.head = 0
	}
	m.list = append(m.list, x)
}

func (m *marks) pop() {
	if m.head++; m.head == len(m.list) {
		m.list, m.head = m.list[:0], 0
	}
}

// Direction opens one direction of a connection from a host to another; both
// nil for the loopback interface of a host. arrived is called with the number
// of bytes that have arrived since the last call.
func (n *Network) Direction(src, dst *platform.Host, arrived func(n int)) (*Direction, error) {
	p, err := n.path(src, dst)
	if err != nil {
		return nil, err
	}
	d := &Direction{network: n, path: p, arrived: arrived}
	d.action.Owner, d.action.Ended = d, d.ended
	d.wake, d.arrival = d.woken, d.arrive
	d.window.open(d)
	return d, nil
}

// InFlight is the number of bytes written that have not arrived.
func (d *Direction) InFlight() int { return d.pending + d.flowing + d.behind }

// Window is the number of bytes that a sender would keep in flight now.
func (d *Direction) Window() int {
	if d.network.Model.tcp {
		return int(d.window.size)
	}
	n := d.network
	product := 2 * n.bandwidth(d.path) * d.path.latency
	return int(math.Max(initialWindow, math.Min(product, math.Max(n.Model.Gamma, initialWindow))))
}

// Close gives up what is in flight: nothing arrives any more.
func (d *Direction) Close() {
	if d.closed {
		return
	}
	d.closed = true
	d.network.sync()
	d.action.Cancel()
	d.pending, d.flowing, d.behind = 0, 0, 0
	d.late, d.trailing = marks{}, marks{}
}

// Write hands n more bytes to the network.
func (d *Direction) Write(n int) {
	if n <= 0 || d.closed {
		return
	}
	d.network.sync()
	d.end += int64(n)
	if duration := d.network.Model.duration; duration > 0 {
		d.flowed += int64(n)
		d.network.count(d.path.src, d.path.dst, d.path.forward, int64(n), 1)
		d.trail(n, d.network.engine.Now()+duration)
		return
	}
	d.pending += n
	if d.busy {
		d.join(n)
	} else if !d.waiting {
		d.begin(true)
	}
}

// join adds n written bytes to those under way.
func (d *Direction) join(n int) {
	if d.network.leads() {
		d.noteLate(n)
	}
	// Bytes that fit into the segment under way leave with it.
	if d.pending == n && d.flowing+n <= mss && d.action.Active() && d.window.allows(n) {
		d.pending -= n
		d.flowing += n
		d.window.used += float64(n)
		d.action.Extend(float64(n))
	}
}

// noteLate remembers that the last n bytes, which join, cannot arrive before
// the route's latency has passed. What begins less than a segment apart becomes
// one mark.
func (d *Direction) noteLate(n int) {
	m := mark{d.end - int64(n), d.network.engine.Now() + d.path.latency}
	if k := len(d.late.list) - 1; k >= d.late.head && m.position-d.late.list[k].position < mss {
		d.late.list[k].date = m.date
		return
	}
	d.late.push(m)
}

// begin starts a communication with what is pending; fresh tells that the
// direction was idle before.
func (d *Direction) begin(fresh bool) {
	n := d.network
	if !n.up(d.path) {
		d.breakDown()
		return
	}
	if fresh {
		d.window.restart(d)
	}
	size := float64(d.pending)
	head := 0.0
	if n.leads() {
		head = d.path.latency * n.Model.latency.of(size)
	}
	if fresh && n.Model.tcp {
		head += d.recovery()
	}
	d.began = d.flowed
	d.flowing = d.next()
	d.busy = true
	rate := 0.0
	if n.Model.tcp {
		rate = d.window.rate(d)
	}
	n.count(d.path.src, d.path.dst, d.path.forward, 0, 1)
	n.begin(&d.transfer, n.onPath(d.path, size, float64(d.flowing), head, rate))
}

// next takes the next part from what is pending: an eighth of what is in
// flight, so that a long stream costs few events and its reader still gets it
// piece by piece.
func (d *Direction) next() int {
	part := min(d.pending, max(mss, d.InFlight()/8))
	part = d.window.limit(part, d)
	d.pending -= part
	return part
}

// ended is called when the part under way has flowed, or when the way failed.
func (d *Direction) ended(_ *fluid.Action, how fluid.State) {
	n := d.network
	if how == fluid.Failed {
		d.busy = false
		d.pending += d.flowing
		d.flowing = 0
		d.breakDown()
		return
	}
	part := d.flowing
	d.flowing = 0
	d.flowed += int64(part)
	n.count(d.path.src, d.path.dst, d.path.forward, int64(part), 0)
	d.deliver(part)
	if d.closed {
		return
	}
	if part := d.next(); part > 0 {
		d.flowing = part
		if f := n.Model.bandwidth; len(f) > 1 {
			// What has joined makes the message larger.
			d.action.SetFactor(f.of(float64(d.end - d.began)))
		}
		d.action.Extend(float64(part))
		return
	}
	d.busy = false
	d.window.left = n.engine.Now()
	if d.pending > 0 {
		d.waiting = true
		n.engine.Wake(d.window.opens(d), d.wake)
	}
}

// deliver reports a part that has flowed, now or when it has arrived.
func (d *Direction) deliver(part int) {
	n := d.network
	now := n.engine.Now()
	date := now
	if n.leads() {
		for !d.late.empty() && d.late.first().position < d.flowed {
			date = d.late.first().date
			d.late.pop()
		}
	} else {
		date += d.path.latency
	}
	if date <= now+fluid.TimePrecision && d.trailing.empty() {
		d.arrived(part)
		return
	}
	d.trail(part, date)
}

// trail lets bytes that have flowed arrive at the given date.
func (d *Direction) trail(part int, date float64) {
	d.behind += part
	if !d.trailing.empty() {
		date = math.Max(date, d.trailing.list[len(d.trailing.list)-1].date)
	}
	d.trailing.push(mark{d.flowed, date})
	d.network.engine.Wake(date, d.arrival)
}

// arrive reports the parts whose date has come.
func (d *Direction) arrive() {
	now := d.network.engine.Now()
	total := 0
	for !d.trailing.empty() && d.trailing.first().date <= now {
		part := int(d.trailing.first().position - (d.flowed - int64(d.behind)))
		d.trailing.pop()
		d.behind -= part
		total += part
	}
	if total > 0 {
		d.arrived(total)
	}
}

// woken goes on after a wait.
func (d *Direction) woken() {
	if d.closed || !d.waiting {
		return
	}
	d.waiting = false
	if d.down {
		d.down = false
		d.begin(true)
		return
	}
	d.window.grow()
	d.window.round(d.network.engine.Now())
	d.begin(false)
}

// breakDown waits until the way is repaired.
func (d *Direction) breakDown() {
	d.waiting = true
	if !d.down {
		d.down = true
		d.downAt = d.network.engine.Now()
	}
	d.network.down = append(d.network.down, d)
}

// retryDown lets directions whose way may have been repaired go on, at the
// date of the retransmission that would find it so: TCP doubles its timeout
// each time (RFC 6298).
func (n *Network) retryDown() {
	waiting := n.down
	n.down = nil
	for _, d := range waiting {
		if d.closed || !d.down {
			continue
		}
		if !n.up(d.path) {
			n.down = append(n.down, d)
			continue
		}
		timeout := d.timeout()
		date := d.downAt + timeout
		for date < n.engine.Now() {
			timeout = math.Min(2*timeout, 120) // Linux's TCP_RTO_MAX
			date += timeout
		}
		n.engine.Wake(date, d.wake)
	}
}
