package emulator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/kernel"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// scheduleEvents schedules what the experiment lets happen to the platform.
func (w *world) scheduleEvents() {
	w.network.HostChanged = w.hostChanged
	for i := range w.experiment.Events {
		e := &w.experiment.Events[i]
		w.scheduleEvent(e, e.At, rand.New(w.source.Stream(fmt.Sprintf("event %d", i))), w.queue.ScheduleFirst)
	}
}

// scheduleEvent schedules an event for an instant at, and what follows it. The first
// of each comes first at its instant, as do those by hand (Steering), so that both
// come in the same order.
func (w *world) scheduleEvent(e *experiment.Event, at sim.Time, random *rand.Rand, schedule func(*sim.Event, sim.Time)) {
	if at > e.Until && e.Every > 0 {
		return
	}
	when := at
	if e.Jitter > 0 {
		when += sim.Time(random.Int64N(int64(e.Jitter) + 1))
	}
	schedule(&sim.Event{Fire: func() {
		w.happen(e, random)
		if e.Every > 0 {
			w.scheduleEvent(e, at+e.Every, random, w.queue.Schedule)
		}
	}}, when)
}

// happen carries an event out, and schedules its end.
func (w *world) happen(e *experiment.Event, random *rand.Rand) {
	var undo []func()
	switch {
	case e.Links != nil:
		for _, l := range e.Links {
			undo = append(undo, w.changeLink(l, e.Link, e.For == 0)...)
		}
	case e.Hosts != nil:
		for _, h := range pick(e.Hosts, e.Pick, random) {
			undo = append(undo, w.changeHost(h, &e.Host, e.For == 0)...)
		}
	case e.Ways != nil:
		for _, way := range e.Ways {
			w.network.Block(way[0], way[1])
			undo = append(undo, func() { w.network.Unblock(way[0], way[1]) })
		}
	case e.Process >= 0:
		p := w.processes[e.Process]
		w.signalProcess(p, e.Signal)
		undo = append(undo, func() { w.signalProcess(p, unix.SIGCONT) })
	}
	if e.For > 0 {
		w.queue.After(w.queue.Now()+e.For, func() {
			for _, f := range undo {
				f()
			}
		})
	}
}

// disksFail tells whether an event is about a disk.
func (w *world) disksFail() bool {
	return slices.ContainsFunc(w.experiment.Events, func(e experiment.Event) bool { return e.Host.Disk != "" })
}

// losesUnsynced tells whether an event loses what a host has not synchronized.
func (w *world) losesUnsynced() bool {
	return slices.ContainsFunc(w.experiment.Events, losesUnsynced)
}

func losesUnsynced(e experiment.Event) bool { return e.Host.Unsynced == experiment.UnsyncedLost }

var diskStates = map[string]kernel.DiskState{
	experiment.DiskFull: kernel.DiskFull, experiment.DiskIOError: kernel.DiskFails, experiment.DiskSlow: kernel.DiskSlow,
	experiment.Fine: kernel.DiskFine,
}

// pick chooses some of the hosts, in their order; all of them if number is 0.
func pick(hosts []*platform.Host, number int, random *rand.Rand) []*platform.Host {
	if number == 0 {
		return hosts
	}
	chosen := make([]bool, len(hosts))
	for _, i := range random.Perm(len(hosts))[:number] {
		chosen[i] = true
	}
	var list []*platform.Host
	for i, h := range hosts {
		if chosen[i] {
			list = append(list, h)
		}
	}
	return list
}

func (w *world) signalProcess(p *process, s unix.Signal) {
	if p.process != nil && !p.ended {
		p.process.Signal(s)
	}
}

// changeLink changes what a link is, and returns how to change it back.
func (w *world) changeLink(l *platform.Link, c experiment.LinkChange, forGood bool) (undo []func()) {
	n := w.network
	number := func(what string, value *float64, old float64, set func(float64)) {
		if value != nil {
			undo = append(undo, change(w, "link "+l.Name()+" "+what, forGood, old, *value, set))
		}
	}
	number("bandwidth", c.Bandwidth, n.Bandwidth(l), func(v float64) { n.SetBandwidth(l, v) })
	number("latency", c.Latency, n.Latency(l), func(v float64) { n.SetLatency(l, v) })
	for _, f := range []struct {
		what  string
		value *float64
		of    func(*platform.DatagramFaults) *float64
	}{
		{"loss", c.Loss, func(f *platform.DatagramFaults) *float64 { return &f.Loss }},
		{"duplicate", c.Duplicate, func(f *platform.DatagramFaults) *float64 { return &f.Duplicate }},
		{"reorder", c.Reorder, func(f *platform.DatagramFaults) *float64 { return &f.Reorder }},
		{"corrupt", c.Corrupt, func(f *platform.DatagramFaults) *float64 { return &f.Corrupt }},
		{"jitter", c.Jitter, func(f *platform.DatagramFaults) *float64 { return &f.Jitter }},
	} {
		faults := n.Faults(l)
		number(f.what, f.value, *f.of(&faults), func(v float64) {
			faults := n.Faults(l)
			*f.of(&faults) = v
			n.SetFaults(l, faults)
		})
	}
	if c.On != nil {
		undo = append(undo, change(w, "link "+l.Name()+" state", forGood, n.LinkOn(l), *c.On, func(on bool) { n.SetLinkState(l, on) }))
	}
	return undo
}

// changeHost changes what a host is, and returns how to change it back.
func (w *world) changeHost(p *platform.Host, c *experiment.HostChange, forGood bool) (undo []func()) {
	n, name := w.network, "host "+p.Name+" "
	if c.PState != nil {
		// The experiment has checked it.
		undo = append(undo, change(w, name+"pstate", forGood, n.PState(p), *c.PState, func(v int) { n.SetPState(p, v) }))
	}
	if c.Speed != nil {
		full := p.Speeds[n.PState(p)]
		undo = append(undo, change(w, name+"speed", forGood, n.SpeedScale(p), *c.Speed/full, func(v float64) { n.SetSpeedScale(p, v) }))
	}
	if h := w.byName[p.Name]; h != nil {
		undo = append(undo, w.changeGuestHost(h, c, forGood)...)
	}
	if c.State != "" {
		undo = append(undo, change(w, name+"state", forGood, n.HostOn(p), c.State == experiment.StateBoot, func(on bool) {
			h := w.byName[p.Name]
			if h != nil {
				h.loses = c.Unsynced == experiment.UnsyncedLost
			}
			n.SetHostState(p, on)
			if h != nil {
				h.loses = false
			}
		}))
	}
	return undo
}

// changeGuestHost changes what only a host with guests has.
func (w *world) changeGuestHost(h *host, c *experiment.HostChange, forGood bool) (undo []func()) {
	name := "host " + h.name + " "
	if c.Names != "" {
		undo = append(undo, change(w, name+"dns", forGood, h.nameService, c.Names, func(v string) { h.nameService = v }))
	}
	if c.Disk != "" {
		undo = append(undo, change(w, name+"disk", forGood, h.kernel.Disk, diskStates[c.Disk], func(v kernel.DiskState) { h.kernel.Disk = v }))
	}
	if c.Clock != nil {
		if c.Clock.Drift != nil {
			undo = append(undo, change(w, name+"drift", forGood, h.kernel.Drift(), *c.Clock.Drift, func(v int64) { h.kernel.SetDrift(v) }))
		}
		if c.Clock.Offset != nil {
			undo = append(undo, change(w, name+"offset", forGood, h.kernel.Offset(), time.Duration(*c.Clock.Offset), func(v time.Duration) { h.kernel.SetOffset(v) }))
		}
	}
	if c.Run != nil {
		w.runCommand(h, c.Run, c.Expect)
	}
	return undo
}
