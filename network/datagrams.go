package network

import (
	"math"

	"github.com/simterpose/simterpose/fluid"
	"github.com/simterpose/simterpose/platform"
)

const (
	// queueTime and queueLeast bound what waits to be sent from a host to
	// another: so many seconds of the path's bandwidth, at least so many
	// bytes. 100 ms is the usual size of a router's buffer.
	queueTime  = 0.1
	queueLeast = 128 << 10
	// datagramShare is the share of a path's datagrams where a TCP flow over
	// the same path gets 1: datagrams do not back off.
	datagramShare = 16
	// firstTimeout is the retransmission timeout of a connection that has not
	// measured its round trip (RFC 6298), in seconds.
	firstTimeout = 1.0
)

// datagrams is what is sent from a host to another besides streams. It is one
// activity of the engine as long as something waits: when a datagram has
// flowed, the activity is given the next one. What does not find room in the
// bounded queue is lost.
type datagrams struct {
	transfer
	network *Network
	path    *path
	busy    bool
	flowing datagram
	waiting []datagram // a ring
	head    int
	count   int
	bytes   int // of waiting
}

type datagram struct {
	size     int
	reliable bool
	arrive   func()
}

// Packet carries one datagram or control segment of size bytes from a host to
// another, both nil for a host's loopback interface. arrive is called when it
// arrives: not when it is lost, and twice when it is duplicated. Reliable ones
// are delayed by losses instead; they too are lost when the way is cut or a
// host is off.
func (n *Network) Packet(src, dst *platform.Host, size int, reliable bool, arrive func()) error {
	p, err := n.path(src, dst)
	if err != nil {
		return err
	}
	n.sync()
	if !n.passes(p) {
		return nil
	}
	g := datagram{size, reliable, arrive}
	if size <= 0 || n.Model.duration > 0 {
		n.count(p.src, p.dst, p.forward, int64(size), 1)
		n.release(p, g)
		return nil
	}
	if p.datagrams == nil {
		p.datagrams = &datagrams{network: n, path: p}
		p.datagrams.action.Owner, p.datagrams.action.Ended = p.datagrams, p.datagrams.ended
	}
	p.datagrams.send(g)
	return nil
}

func (q *datagrams) send(g datagram) {
	n := q.network
	if q.busy {
		limit := max(queueLeast, int(math.Min(queueTime*n.bandwidth(q.path), math.MaxInt32)))
		if !g.reliable && q.bytes+g.size > limit {
			return
		}
		q.push(g)
		return
	}
	q.begin(g)
}

func (q *datagrams) begin(g datagram) {
	n := q.network
	q.busy = true
	q.flowing = g
	s := n.onPath(q.path, float64(g.size), float64(g.size), 0, 0)
	s.penalty /= datagramShare
	n.begin(&q.transfer, s)
}

// ended is called when a datagram has flowed, or when the way failed and with
// it all that waited.
func (q *datagrams) ended(_ *fluid.Action, how fluid.State) {
	n := q.network
	if how == fluid.Failed {
		q.busy = false
		clear(q.waiting)
		q.head, q.count, q.bytes = 0, 0, 0
		return
	}
	g := q.flowing
	n.count(q.path.src, q.path.dst, q.path.forward, int64(g.size), 1)
	n.release(q.path, g)
	if q.count == 0 {
		q.busy = false
		q.flowing = datagram{}
		return
	}
	q.flowing = q.pop()
	q.action.Extend(float64(q.flowing.size))
}

// release lets a datagram that has left arrive, if nothing happens to it.
func (n *Network) release(p *path, g datagram) {
	delay := p.latency * n.Model.latency.of(float64(g.size))
	if n.Model.duration > 0 {
		delay = n.Model.duration
	}
	if loss := p.lost(); loss > 0 {
		if g.reliable {
			for timeout := firstTimeout; timeout < 120 && n.draw(p) < loss; timeout *= 2 {
				delay += timeout
			}
		} else if n.draw(p) < loss {
			return
		}
	}
	now := n.engine.Now()
	if p.faults.Duplicate > 0 && !g.reliable && n.draw(p) < p.faults.Duplicate {
		n.engine.Wake(now+n.jittered(p, delay), g.arrive)
	}
	n.engine.Wake(now+n.jittered(p, delay), g.arrive)
}

// jittered varies a delay by the path's jitter, evenly to both sides, and lets
// a reordered datagram be overtaken: it is later by up to the latency again.
func (n *Network) jittered(p *path, delay float64) float64 {
	if j := p.faults.Jitter; j > 0 {
		delay += j * (2*n.draw(p) - 1)
	}
	if r := p.faults.Reorder; r > 0 && n.draw(p) < r {
		delay += p.latency * n.draw(p)
	}
	return math.Max(delay, 0)
}

func (q *datagrams) push(g datagram) {
	if q.count == len(q.waiting) {
		larger := make([]datagram, max(8, 2*q.count))
		k := copy(larger, q.waiting[q.head:])
		copy(larger[k:], q.waiting[:q.head])
		q.waiting, q.head = larger, 0
	}
	q.waiting[(q.head+q.count)%len(q.waiting)] = g
	q.count++
	q.bytes += g.size
}

func (q *datagrams) pop() datagram {
	g := q.waiting[q.head]
	q.waiting[q.head] = datagram{}
	q.head = (q.head + 1) % len(q.waiting)
	q.count--
	q.bytes -= g.size
	return g
}
