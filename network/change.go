package network

import (
	"fmt"

	"github.com/simterpose/simterpose/platform"
)

// leastBandwidth stands for none, in bytes per second: the solver takes a link
// of capacity 0 for one that does not limit, as SimGrid does.
const leastBandwidth = 1e-3

// SetBandwidth changes what a link carries, in bytes per second. What crosses
// it shares the new bandwidth from now on.
func (n *Network) SetBandwidth(l *platform.Link, bandwidth float64) {
	n.sync()
	if !n.AsSimGrid {
		bandwidth = max(bandwidth, leastBandwidth)
	}
	state := &n.links[l.Index]
	old := state.bandwidth
	state.bandwidth = bandwidth
	if l.Policy == platform.Wifi {
		return // the stations' levels hold
	}
	n.flows.System().SetConstraintBound(n.constraint(l), bandwidth)
	if s := n.Model.weightS; s > 0 {
		n.eachTransfer(l, func(t *transfer) {
			n.addPenalty(t, s/bandwidth-s/old)
		})
	}
	n.engine.Touch()
}

// SetLatency changes a link's latency, in seconds. What is in its latency
// phase keeps its date.
func (n *Network) SetLatency(l *platform.Link, latency float64) {
	n.sync()
	delta := latency - n.Latency(l)
	if n.latencies == nil {
		n.latencies = make(map[int32]float64)
	}
	n.latencies[l.Index] = latency
	n.forgetLatencies()
	n.eachTransfer(l, func(t *transfer) {
		t.latency += delta
		t.action.SetBound(n.bound(t))
		n.addPenalty(t, delta)
	})
	n.engine.Touch()
}

// addPenalty changes the penalty of t. SimGrid 3.32 also changes that of
// communications that have the link on their way back only, and aborts when the
// sum is negative; at 0 it lets them stop.
func (n *Network) addPenalty(t *transfer, delta float64) {
	penalty := t.action.Penalty() + delta
	if penalty <= 0 {
		penalty = 0
		if !n.AsSimGrid {
			penalty = 1
		}
	}
	t.action.SetPenalty(penalty)
}

// Bandwidth is what l carries now, in bytes per second.
func (n *Network) Bandwidth(l *platform.Link) float64 { return n.links[l.Index].bandwidth }

// Latency is l's latency now, in seconds.
func (n *Network) Latency(l *platform.Link) float64 {
	if latency, changed := n.latencies[l.Index]; changed {
		return latency
	}
	return l.Latency
}

// eachTransfer calls f with everything that uses l.
func (n *Network) eachTransfer(l *platform.Link, f func(*transfer)) {
	c := n.links[l.Index].constraint
	if c == none {
		return
	}
	for _, v := range n.flows.System().AppendUsers(nil, c) {
		f(n.flows.Action(v).Owner.(crosser).crossing())
	}
}

// SetLinkState turns a link on or off. What crosses it when it is turned off
// fails.
func (n *Network) SetLinkState(l *platform.Link, on bool) {
	n.sync()
	state := &n.links[l.Index]
	if state.off == !on {
		return
	}
	state.off = !on
	if !on {
		if state.constraint != none {
			n.flows.FailUsers(state.constraint)
		}
	} else {
		n.retryDown()
	}
	n.engine.Touch()
}

// LinkOn tells whether l is turned on.
func (n *Network) LinkOn(l *platform.Link) bool { return !n.links[l.Index].off }

// SetHostState turns a host on or off. Computations and disk accesses of a
// host that is turned off fail, and so does what it sends and receives.
func (n *Network) SetHostState(h *platform.Host, on bool) {
	n.sync()
	state := &n.hosts[h.Index]
	if state.off == !on {
		return
	}
	state.off = !on
	if state.cpu != nil {
		if on {
			state.cpu.TurnOn()
		} else {
			state.cpu.TurnOff()
		}
	}
	for _, d := range h.Disks() {
		switch disk := state.disks[d.Name]; {
		case disk == nil:
		case on:
			disk.TurnOn()
		default:
			disk.TurnOff()
		}
	}
	if on {
		n.retryDown()
	} else {
		n.failTransfersOf(h)
	}
	if n.HostChanged != nil {
		n.HostChanged(h, on)
	}
	n.engine.Touch()
}

// HostOn tells whether h is turned on.
func (n *Network) HostOn(h *platform.Host) bool { return !n.hosts[h.Index].off }

// failTransfersOf fails what h sends and receives.
func (n *Network) failTransfersOf(h *platform.Host) {
	n.flows.EachAction(func(owner any) {
		if t := owner.(crosser).crossing(); t.src == h || t.dst == h {
			t.action.Fail()
		}
	})
}

// SetPState chooses the speed of a host among those of its pstates.
func (n *Network) SetPState(h *platform.Host, pstate int) error {
	if pstate < 0 || pstate >= len(h.Speeds) {
		return fmt.Errorf("host %s has no pstate %d (it has %d)", h.Name, pstate, len(h.Speeds))
	}
	n.sync()
	state := &n.hosts[h.Index]
	state.pstate = int32(pstate)
	if state.cpu != nil {
		state.cpu.SetSpeed(h.Speeds[pstate])
	}
	return nil
}

// PState is which of its speeds a host has.
func (n *Network) PState(h *platform.Host) int { return int(n.hosts[h.Index].pstate) }

// SpeedScale is the part of its speed that a host has.
func (n *Network) SpeedScale(h *platform.Host) float64 { return n.hosts[h.Index].scale }

// SetSpeedScale changes the part of its speed that a host has.
func (n *Network) SetSpeedScale(h *platform.Host, scale float64) {
	n.sync()
	state := &n.hosts[h.Index]
	state.scale = scale
	if state.cpu != nil {
		state.cpu.SetScale(scale)
	}
}

// SetWifiLevel chooses the rate of a station of a Wifi link among the link's
// levels, for what starts from now on.
func (n *Network) SetWifiLevel(l *platform.Link, h *platform.Host, level int) error {
	if l.Policy != platform.Wifi {
		return fmt.Errorf("link %s is not a Wifi link", l.Name())
	}
	if level < 0 || level >= len(l.Levels()) {
		return fmt.Errorf("link %s has no rate level %d (it has %d)", l.Name(), level, len(l.Levels()))
	}
	if n.wifiLevels == nil {
		n.wifiLevels = make(map[station]int)
	}
	n.wifiLevels[station{l.Index, h.Index}] = level
	return nil
}

// followProfiles schedules the changes that the platform's profiles ask for.
// Those dated 0 happen before anything else.
func (n *Network) followProfiles() {
	for l := range n.Links.All() {
		n.follow("link ", l.Name(), " bandwidth", l.BandwidthProfile(), func(v float64) { n.SetBandwidth(l, v) })
		n.follow("link ", l.Name(), " latency", l.LatencyProfile(), func(v float64) { n.SetLatency(l, v) })
		n.follow("link ", l.Name(), " state", l.StateProfile(), func(v float64) { n.SetLinkState(l, v > 0) })
	}
	for _, h := range n.Hosts {
		n.follow("host ", h.Name, " speed", h.SpeedProfile(), func(v float64) { n.SetSpeedScale(h, v) })
		n.follow("host ", h.Name, " state", h.StateProfile(), func(v float64) { n.SetHostState(h, v > 0) })
	}
}

// follow walks through a profile, one scheduled event ahead.
func (n *Network) follow(kind, name, what string, p *platform.Profile, apply func(value float64)) {
	if p == nil {
		return
	}
	events := p.Events(n.Seed.Stream("profile " + kind + name + what))
	var step func()
	next := func() (platform.ProfileEvent, bool) {
		for {
			event, ok := events.Next()
			if !ok || event.Value >= 0 { // a negative value changes nothing
				return event, ok
			}
		}
	}
	event, ok := next()
	step = func() {
		apply(event.Value)
		if event, ok = next(); ok {
			n.engine.Change(event.Date, step)
		}
	}
	for ok && event.Date <= 0 {
		apply(event.Value)
		event, ok = next()
	}
	if ok {
		n.engine.Change(event.Date, step)
	}
}
