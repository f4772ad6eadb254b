package network

import (
	"errors"
	"math"
	"net/netip"
	"time"

	"github.com/simterpose/simterpose/fluid"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// Attach puts the network under the clock of q: one event of q stands for the
// engine's earliest date and moves with it. What is started from then on
// starts at q's now. The engine works with float64 dates; guests hear of what
// happened at a date at the first nanosecond that is not before it.
func (n *Network) Attach(q *sim.Queue) {
	n.queue = q
	n.event.Fire = n.fire
	n.engine.Changed = n.changed
	n.changed()
}

// changed has the earliest date computed once the guests have done all that
// they do at this instant: many activities may start before the next one ends.
func (n *Network) changed() {
	if n.firing || n.event.Scheduled() && n.event.When() == n.queue.Now() {
		return
	}
	n.queue.Schedule(&n.event, n.queue.Now())
}

// fire lets happen what is due and schedules the event anew.
func (n *Network) fire() {
	n.firing = true
	next := n.engine.Next()
	for sim.FromSeconds(next) <= n.queue.Now() {
		n.engine.AdvanceTo(next)
		next = n.engine.Next()
	}
	n.firing = false
	if !math.IsInf(next, 1) {
		n.queue.Schedule(&n.event, sim.FromSeconds(next))
	}
}

// sync brings the engine's clock to the queue's before something starts.
func (n *Network) sync() {
	if n.queue != nil && !n.firing {
		n.engine.Follow(n.queue.Now().Seconds())
	}
}

// Busy tells whether anything is under way: bytes, computations, disk accesses.
// If not, all that the network has scheduled are changes of the platform.
func (n *Network) Busy() bool { return n.engine.Busy() }

// leads tells whether latency is paid before bytes flow, as in SimGrid, rather
// than after.
func (n *Network) leads() bool { return !n.Model.tcp && n.Model.duration == 0 }

// HandshakeIsFree tells that connections are to cost no round trip.
func (n *Network) HandshakeIsFree() bool { return n.HandshakeFree }

// RoundTrip is the latency of the route there and back. Both hosts nil means a
// host's loopback interface.
func (n *Network) RoundTrip(src, dst *platform.Host) time.Duration {
	p, err := n.path(src, dst)
	if err != nil {
		return 0
	}
	return time.Duration(sim.FromSeconds(p.roundTrip))
}

// Execute starts a computation of flops on each of a number of threads on h, at
// most bound flop/s if above 0. done is called when it has ended; failed tells
// that the host was turned off. Cancel of the action gives it up.
func (n *Network) Execute(h *platform.Host, flops float64, threads int, bound float64, done func(failed bool)) (*fluid.Action, error) {
	n.sync()
	a := &fluid.Action{Ended: func(_ *fluid.Action, how fluid.State) { done(how == fluid.Failed) }}
	return a, n.CPU(h).Execute(a, flops, threads, bound)
}

// Compute starts a computation of flops by one thread on h, as a, whose Ended is
// called when it is over.
func (n *Network) Compute(h *platform.Host, a *fluid.Action, flops float64) error {
	n.sync()
	return n.CPU(h).Execute(a, flops, 1, 0)
}

// ErrNoDisk tells that a host has no disk of the given name.
var ErrNoDisk = errors.New("no such disk")

// IO starts reading or writing so many bytes on a disk of h.
func (n *Network) IO(h *platform.Host, disk string, write bool, bytes float64, done func(failed bool)) (*fluid.Action, error) {
	n.sync()
	d := n.Disk(h, disk)
	if d == nil {
		return nil, ErrNoDisk
	}
	a := &fluid.Action{Ended: func(_ *fluid.Action, how fluid.State) { done(how == fluid.Failed) }}
	if write {
		return a, d.Write(a, bytes)
	}
	return a, d.Read(a, bytes)
}

// ErrNoHost tells that no host has an address.
var ErrNoHost = errors.New("no host with this address")

// Addressed is a Network that is asked by address.
type Addressed struct {
	*Network
	// HostAt returns the host that has an address, or nil.
	HostAt func(netip.Addr) *platform.Host
}

// ends finds the hosts; both are nil for a loopback address.
func (a Addressed) ends(src, dst netip.Addr) (from, to *platform.Host, err error) {
	if dst.IsLoopback() || src.IsLoopback() {
		return nil, nil, nil
	}
	if from, to = a.HostAt(src.Unmap()), a.HostAt(dst.Unmap()); from == nil || to == nil {
		return nil, nil, ErrNoHost
	}
	return from, to, nil
}

// Packet is Network.Packet between addresses.
func (a Addressed) Packet(src, dst netip.Addr, size int, reliable bool, arrive func()) error {
	from, to, err := a.ends(src, dst)
	if err != nil {
		return err
	}
	return a.Network.Packet(from, to, size, reliable, arrive)
}

// Open is Network.Direction between addresses.
func (a Addressed) Open(src, dst netip.Addr, arrived func(n int)) (*Direction, error) {
	from, to, err := a.ends(src, dst)
	if err != nil {
		return nil, err
	}
	return a.Network.Direction(from, to, arrived)
}

// RoundTrip is Network.RoundTrip between addresses; 0 when there is no way.
func (a Addressed) RoundTrip(src, dst netip.Addr) time.Duration {
	from, to, err := a.ends(src, dst)
	if err != nil {
		return 0
	}
	return a.Network.RoundTrip(from, to)
}
