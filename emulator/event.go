package emulator

import (
	"fmt"
	"math/rand/v2"
	"slices"

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
		w.scheduleEvent(e, e.At, rand.New(w.source.Stream(fmt.Sprintf("event %d", i))))
	}
}

func (w *world) scheduleEvent(e *experiment.Event, at sim.Time, random *rand.Rand) {
	if at > e.Until && e.Every > 0 {
		return
	}
	when := at
	if e.Jitter > 0 {
		when += sim.Time(random.Int64N(int64(e.Jitter) + 1))
	}
	w.queue.After(max(when, w.queue.Now()), func() {
		w.happen(e, random)
		if e.Every > 0 {
			w.scheduleEvent(e, at+e.Every, random)
		}
	})
}

// happen carries an event out, and schedules its end.
func (w *world) happen(e *experiment.Event, random *rand.Rand) {
	var undo []func()
	switch {
	case e.Links != nil:
		for _, l := range e.Links {
			undo = append(undo, w.changeLink(l, e.Link))
		}
	case e.Hosts != nil:
		for _, h := range pick(e.Hosts, e.Pick, random) {
			undo = append(undo, w.changeHost(h, &e.Host))
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
func (w *world) changeLink(l *platform.Link, c experiment.LinkChange) (undo func()) {
	n := w.network
	var steps []func()
	set := func(value *float64, old float64, set func(*platform.Link, float64)) {
		if value != nil {
			set(l, *value)
			steps = append(steps, func() { set(l, old) })
		}
	}
	set(c.Bandwidth, n.Bandwidth(l), n.SetBandwidth)
	set(c.Latency, n.Latency(l), n.SetLatency)
	faults := n.Faults(l)
	changed := faults
	for _, f := range []struct {
		value *float64
		into  *float64
	}{
		{c.Loss, &changed.Loss},
		{c.Duplicate, &changed.Duplicate},
		{c.Reorder, &changed.Reorder},
		{c.Corrupt, &changed.Corrupt},
		{c.Jitter, &changed.Jitter},
	} {
		if f.value != nil {
			*f.into = *f.value
		}
	}
	if changed != faults {
		n.SetFaults(l, changed)
		steps = append(steps, func() { n.SetFaults(l, faults) })
	}
	if c.On != nil {
		old := n.LinkOn(l)
		n.SetLinkState(l, *c.On)
		steps = append(steps, func() { n.SetLinkState(l, old) })
	}
	return func() {
		for _, f := range steps {
			f()
		}
	}
}

// changeHost changes what a host is, and returns how to change it back.
func (w *world) changeHost(p *platform.Host, c *experiment.HostChange) (undo func()) {
	var steps []func()
	if c.PState != nil {
		old := w.network.PState(p)
		w.network.SetPState(p, *c.PState) // the experiment has checked it
		steps = append(steps, func() { w.network.SetPState(p, old) })
	}
	if c.Speed != nil {
		full := p.Speeds[w.network.PState(p)]
		w.network.SetSpeedScale(p, *c.Speed/full)
		steps = append(steps, func() { w.network.SetSpeedScale(p, 1) })
	}
	h := w.byName[p.Name]
	if h != nil {
		steps = append(steps, w.changeGuestHost(h, c)...)
	}
	switch c.State {
	case experiment.StateCrash:
		w.network.SetHostState(p, false)
		steps = append(steps, func() { w.network.SetHostState(p, true) })
	case experiment.StateBoot:
		w.network.SetHostState(p, true)
	}
	return func() {
		for _, f := range steps {
			f()
		}
	}
}

// changeGuestHost changes what only a host with guests has.
func (w *world) changeGuestHost(h *host, c *experiment.HostChange) (undo []func()) {
	if c.Names != "" {
		old := h.nameService
		h.nameService = c.Names
		undo = append(undo, func() { h.nameService = old })
	}
	if c.Disk != "" {
		old := h.kernel.Disk
		h.kernel.Disk = diskStates[c.Disk]
		undo = append(undo, func() { h.kernel.Disk = old })
	}
	if c.Clock != nil {
		undo = append(undo, setClock(h, c.Clock))
	}
	if c.Run != nil {
		w.runCommand(h, c.Run)
	}
	return undo
}
