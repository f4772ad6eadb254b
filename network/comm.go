package network

import (
	"fmt"

	"github.com/simterpose/simterpose/fluid"
	"github.com/simterpose/simterpose/platform"
)

// Comm is one communication: a message of a known size from a host to another,
// with SimGrid's rules. The zero value with Ended set is ready to start. It is two
// cache lines.
type Comm struct {
	// Ended is called when the message has arrived or the way has failed.
	Ended func(c *Comm, how fluid.State)

	transfer
}

// transfer is what all that crosses links is made of.
type transfer struct {
	// action's Limit is the user's rate; negative: none. As SimGrid it is also the
	// lowest of the links' bandwidths when it started, and stays so when a link
	// becomes faster.
	action   fluid.Action
	src, dst *platform.Host
	// latency is the route's at present.
	latency float64
}

// crosser is what crosses links. It owns the action of its transfer.
type crosser interface{ crossing() *transfer }

func (t *transfer) crossing() *transfer { return t }

// Communicate starts c: size bytes at most rate bytes per second (no limit if
// rate <= 0). It fails at once, with the clock unchanged, when a link of the
// route or of the way back is off.
func (n *Network) Communicate(c *Comm, src, dst *platform.Host, size, rate float64) error {
	forward, latency, err := n.Router.AppendRoute(n.forward[:0], src, dst)
	n.forward = forward
	if n.Model.duration > 0 && err != nil {
		// SimGrid's constant model is for platforms without links and routes.
		forward, latency, err = nil, 0, nil
	}
	if err != nil {
		return err
	}
	if len(forward) == 0 && latency <= 0 && n.Model.duration <= 0 {
		return platform.ErrNoRoute
	}
	backward := n.backward[:0]
	if n.Model.CrossTraffic {
		backward, _, err = n.Router.AppendRoute(backward, dst, src)
		n.backward = backward
		if err != nil {
			return fmt.Errorf("way back: %w", err)
		}
	}
	latency = n.currentLatency(forward, latency)
	if c.action.Ended == nil {
		c.action.Owner, c.action.Ended = c, endComm
	}
	n.count(src, dst, forward, int64(size), 1)
	n.begin(&c.transfer, start{
		src: src, dst: dst, forward: forward, backward: backward, latency: latency,
		head: latency * n.Model.latency.of(size), size: size, amount: size, rate: rate,
		penalty: n.penalty(forward, latency),
	})
	return nil
}

// endComm is the same for all, so that it does not lie elsewhere for each.
func endComm(a *fluid.Action, how fluid.State) {
	c := a.Owner.(*Comm)
	c.Ended(c, how)
}

// Active tells whether c was started and has not ended.
func (c *Comm) Active() bool { return c.action.Active() }

// Cancel ends c without telling.
func (c *Comm) Cancel() { c.action.Cancel() }

// Fail ends c as failed.
func (c *Comm) Fail() { c.action.Fail() }

// start says how a transfer begins.
type start struct {
	src, dst          *platform.Host
	forward, backward []*platform.Link
	latency           float64 // of the route
	head              float64 // to wait before bytes flow
	size              float64 // that the model's factors are for
	amount            float64 // of bytes to do first
	rate              float64 // limit; <= 0: none
	penalty           float64
}

// penalty divides the share of a communication over a route: latency, as TCP
// shares by round-trip time, and for some models the time that the links take
// for a window's worth of bytes.
func (n *Network) penalty(route []*platform.Link, latency float64) float64 {
	penalty := latency
	if n.Model.weightS > 0 {
		for _, l := range route {
			penalty += n.Model.weightS / n.links[l.Index].bandwidth
		}
	}
	return penalty
}

// begin starts the action of t.
func (n *Network) begin(t *transfer, s start) {
	t.src, t.dst = s.src, s.dst
	if n.Model.duration > 0 {
		n.flows.Start(&t.action, fluid.Work{Latency: n.Model.duration, Instant: true})
		n.engine.Touch()
		return
	}
	factor := n.Model.bandwidth.of(s.size)
	limit := float64(none)
	for _, l := range s.forward {
		if b := n.links[l.Index].bandwidth; n.AsSimGrid && l.Policy != platform.Wifi && (limit < 0 || b < limit) {
			limit = b
		}
	}
	// SimGrid 3.32 forgets the rate when there are only Wifi links.
	if rate := s.rate / factor; s.rate > 0 && (rate < limit || limit < 0 && !n.AsSimGrid) {
		limit = rate
	}
	t.action.Limit = limit
	t.latency = s.latency
	work := fluid.Work{
		Amount: s.amount, Latency: s.head, Penalty: s.penalty, Bound: n.bound(t), Factor: factor,
		Uses: len(s.forward) + len(s.backward),
	}
	if len(s.forward) == 0 {
		// In SimGrid what crosses no link is there after its latency. For guests
		// it is a way without limit, over which a window per round trip flows.
		work.Instant, work.Uses = n.AsSimGrid, 1
	}
	if s.latency <= 0 {
		work.First = 1 // as SimGrid has it, even with weightS
	}
	n.flows.Start(&t.action, work)
	if len(s.forward) == 0 && !work.Instant {
		t.action.Use(n.unlimited(), 1)
	}
	blocked := n.use(t, s.forward, s.backward, s.src, s.dst)
	for _, l := range s.forward {
		blocked = blocked || n.links[l.Index].off
	}
	for _, l := range s.backward {
		blocked = blocked || n.links[l.Index].off
	}
	if blocked {
		t.action.Fail()
	}
	n.engine.Touch()
}

// unlimited is what ways without links consist of: Vivaldi zones may have
// coordinates alone.
func (n *Network) unlimited() fluid.Constraint {
	if n.void == none {
		n.void = n.flows.System().AddConstraint(voidBandwidth, fluid.FatPipe)
	}
	return n.void
}

// voidBandwidth is more than any host could use, in bytes per second.
const voidBandwidth = 1e15

// bound is the limit of t's allocated rate: its own, and a full window for
// each round trip.
func (n *Network) bound(t *transfer) float64 {
	bound := t.action.Limit
	if t.latency > 0 && n.Model.Gamma > 0 {
		if window := n.Model.Gamma / (2 * t.latency); bound < 0 || window < bound {
			bound = window
		}
	}
	return bound
}

// use takes the links of the way there and, for acknowledgements, back. A Wifi
// link can only be at the ends, where it takes the station's time on the air.
// It returns true when a station is out of reach.
func (n *Network) use(t *transfer, forward, backward []*platform.Link, src, dst *platform.Host) (blocked bool) {
	var first, last *platform.Link
	if len(forward) > 0 && forward[0].Policy == platform.Wifi {
		first = forward[0]
	}
	if k := len(forward); k > 1 && forward[k-1].Policy == platform.Wifi {
		last = forward[k-1]
	}
	air := func(l *platform.Link, h *platform.Host, weight float64) {
		if l == nil {
			return
		}
		rate := n.wifiRate(l, h)
		if rate <= 0 {
			blocked = true
			return
		}
		t.action.Use(n.constraint(l), weight/rate)
	}
	air(first, src, 1)
	air(last, dst, 1)
	for _, l := range forward {
		if l.Policy != platform.Wifi {
			t.action.Use(n.constraint(l), 1)
		}
	}
	if len(backward) == 0 {
		return blocked
	}
	air(last, dst, crossWeight)
	air(first, src, crossWeight)
	for _, l := range backward {
		if l.Policy != platform.Wifi {
			t.action.Use(n.constraint(l), crossWeight)
		}
	}
	return blocked
}

// wifiRate is the bandwidth of a station of a Wifi link.
func (n *Network) wifiRate(l *platform.Link, h *platform.Host) float64 {
	levels := l.Levels()
	level := n.wifiLevels[station{l.Index, h.Index}]
	if level >= len(levels) {
		return 0
	}
	return levels[level]
}
