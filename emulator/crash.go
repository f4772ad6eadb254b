package emulator

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// hostChanged is the network's HostChanged: a host was turned off or on, by an
// event or by a profile of the platform.
func (w *world) hostChanged(p *platform.Host, on bool) {
	h := w.byName[p.Name]
	if h == nil || h.down == !on {
		return
	}
	var err error
	if on {
		err = w.boot(h)
	} else {
		err = w.crash(h)
	}
	if err != nil {
		w.fail(fmt.Errorf("host %s: %w", h.name, err))
	}
}

// crash lets a host go as if its power failed: its processes are gone, and
// nobody hears of it.
func (w *world) crash(h *host) error {
	w.options.Log.Info("host crashes", "host", h.name, "at", w.queue.Now())
	h.down = true
	h.stack.Crash()
	var pids []int
	for _, p := range h.kernel.Processes() {
		if p.Zombie() {
			continue
		}
		pids = append(pids, p.TID)
		for _, t := range p.Tasks() {
			w.forget(w.threadOf(t))
		}
	}
	h.kernel.Crash()
	h.settings.close()
	// The interface would go with its namespace, but later.
	if err := w.realm.OuterNetlink([][]byte{deleteRequest(h.index)}); err != nil {
		return err
	}
	if err := h.container.Kill(pids); err != nil {
		return err
	}
	if h.loses {
		if err := h.kernel.LoseUnsynced(); err != nil {
			return err
		}
	}
	h.kernel.KeepUnsynced() // what is left of it
	returns := w.returns(h)
	for _, p := range w.processes {
		if p.host != h || p.process == nil || p.ended {
			continue
		}
		p.crashed, p.crashedAt = true, w.queue.Now()
		p.process = nil
		if !p.Restart || !returns {
			p.status = unix.WaitStatus(unix.SIGKILL)
			w.finish(p)
		}
	}
	return nil
}

// returns tells whether a host that crashes now will boot again. Who crashes one
// by hand may boot it so.
func (w *world) returns(h *host) bool {
	return w.options.Steering != nil && w.options.Steering.happening || w.planned(h)
}

// planned tells whether the experiment lets a host that is down boot again.
func (w *world) planned(h *host) bool {
	if h.simulated.StateProfile() != nil {
		return true
	}
	for i := range w.experiment.Events {
		e := &w.experiment.Events[i]
		boots := e.Host.State == experiment.StateBoot && (e.At >= w.queue.Now() || e.Every > 0) ||
			e.Host.State == experiment.StateCrash && e.For > 0
		for _, p := range e.Hosts {
			if boots && p == h.simulated {
				return true
			}
		}
	}
	return false
}

// boot brings a host that has crashed up again, with what its layer holds, and
// starts its processes: those that ran when it crashed, and those that should
// have started since.
func (w *world) boot(h *host) error {
	w.options.Log.Info("host boots", "host", h.name, "at", w.queue.Now())
	h.down = false
	if err := w.bringUp(h, false); err != nil {
		return err
	}
	for _, p := range w.processes {
		if p.host != h || !(p.missed && !p.ended) && !(p.crashed && p.Restart) {
			continue
		}
		p.missed, p.crashed = false, false
		if p.ended { // as nothing told that the host would boot
			p.ended = false
			if !p.Daemon {
				w.waiting++
			}
		}
		w.start(p)
	}
	return nil
}

// runCommand starts a command of an event. Its output goes into the host's
// folder.
func (w *world) runCommand(h *host, argv []string, expect experiment.Expectation) {
	h.commands++
	w.options.Log.Info("command of an event", "host", h.name, "command", argv, "at", w.queue.Now())
	p := &process{host: h, Process: &experiment.Process{
		Host: h.simulated, Name: fmt.Sprintf("event-%d", h.commands), Argv: argv, Stop: sim.Never, Start: w.queue.Now(), Expect: expect,
	}}
	p.result = ProcessResult{Host: h.name, Name: p.Name, Start: sim.Never}
	w.processes = append(w.processes, p)
	w.waiting++
	w.start(p)
}
