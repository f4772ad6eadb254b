package emulator

import (
	"math"
	"time"

	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/fluid"
	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/kernel"
	"github.com/simterpose/simterpose/network"
	"github.com/simterpose/simterpose/sim"
)

// processor is how the guests' computations become simulated time.
type processor struct {
	measured bool
	// rounded is the simulated seconds that a computation takes for each
	// second of processor time, once that is rounded; 0 when computations
	// are free, or measured.
	rounded float64
	costs   *costs // nil unless rounded
	// callCost is the simulated time that an emulated call takes by itself.
	callCost time.Duration
	// userOnly leaves out what the machine's kernel does for guests.
	userOnly bool
	// reference is what one core of this machine does, in flop/s.
	reference float64
	// interception is the processor time that a stop costs a guest, which it
	// would not need without.
	interception time.Duration
	stops        int // computations measured so far
	network      *network.Network
}

// leastComputation is the processor time that each stop stands for at least:
// without it a loop of calls that waits for simulated time would never end. Some
// work between two calls is always there.
const leastComputation = 50 * time.Nanosecond

// newProcessor takes the experiment's choice.
func newProcessor(o experiment.CPUOptions, n *network.Network) processor {
	p := processor{
		measured: o.Model == "measured", callCost: callCost, userOnly: o.NativeIOFree, reference: o.ReferenceSpeed, network: n,
	}
	if p.measured {
		p.callCost = 0 // what it costs is measured, and follows the host's speed
	}
	p.rounded = o.PerCPUSecond.Seconds()
	if o.PerCall > 0 {
		p.callCost = time.Duration(o.PerCall)
	}
	return p
}

// calibrateProcessor measures what a stop costs a guest.
func (w *world) calibrateProcessor() error {
	p := &w.processor
	if !p.measured {
		return nil
	}
	if !p.userOnly && len(w.hosts) > 0 {
		cost, err := w.hosts[0].container.InterceptionCost()
		if err != nil {
			return err
		}
		p.interception = cost
	}
	return nil
}

// consumed is the processor time that a process's running thread has used since
// the process was last asked.
func (p *processor) consumed(th *thread) time.Duration {
	process := th.task.Process()
	total, ok := guest.ProcessTime(process.TID, p.userOnly)
	if !ok {
		return 0
	}
	used := total - process.Used
	process.Used = total
	return used
}

// timed tells whether computations take simulated time: the emulator then has to
// know of each one before a guest reads the clock.
func (p *processor) timed() bool { return p.measured || p.rounded > 0 }

// measure is the processor time that a thread's computation counts as.
func (p *processor) measure(th *thread) time.Duration {
	p.stops++
	left := p.consumed(th) - p.interception + th.carried
	used := max(left, leastComputation)
	// A stop may cost less than usual, and more the next time: what is too
	// little is taken off later, but not for long.
	th.carried = max(left-used, -10*p.interception)
	if q, ok := th.task.Process().Data.(*process); ok {
		q.result.Processor += used
	}
	return used
}

// leastRounded is the shortest computation that the model fixed charges for.
const leastRounded = 10 * time.Millisecond

// roundComputation gives a computation's processor time the nearest, by ratio, of
// 10, 20, 40, 80 ms and so on, or nothing below 7: so that another run, which
// measures a few per cent more or less, mostly charges the same.
func roundComputation(used time.Duration) time.Duration {
	steps := math.Round(math.Log2(float64(used) / float64(leastRounded)))
	if used <= 0 || steps < 0 {
		return 0
	}
	return leastRounded << int(steps)
}

// compute makes what a thread has computed since it was let run an activity of
// its host. then is the thread's state when that has ended: called, with the call
// at which it has stopped, or held. It returns false when there is nothing to
// wait for: simulated time has passed already.
func (l *loop) compute(th *thread, then state) bool {
	p := &l.processor
	if !p.timed() {
		return false
	}
	cpu := p.network.CPU(th.host.simulated)
	var flops float64
	if p.measured {
		flops = p.measure(th).Seconds() * p.reference
	} else if flops = p.costs.of(th, p.consumed(th)).Seconds() * p.rounded * cpu.Speed(); flops == 0 {
		return false
	}
	l.record.computes(th, flops)
	if speed := cpu.Speed(); speed > 0 {
		alone := sim.FromSeconds(flops / speed)
		th.task.Charge(time.Duration(alone))
		when := l.queue.Now() + alone
		if th.host.computing == 0 && cpu.On() && !l.comesFirst(when) {
			th.host.kernel.Computing(1)
			l.queue.Advance(when)
			th.host.kernel.Computing(0)
			l.record.computed(th)
			return false
		}
	}
	th.late = l.event
	th.state, th.next = computing, then
	if th.activity.Ended == nil {
		th.activity.Ended = func(_ *fluid.Action, how fluid.State) {
			th.host.compute(-1)
			l.computed(th)
		}
	}
	th.host.compute(1)
	if err := p.network.Compute(th.host.simulated, &th.activity, flops); err != nil {
		th.host.compute(-1)
		return false // the host is off, and the thread about to go
	}
	return true
}

// compute notes that a thread more, or less, has something to compute.
func (h *host) compute(more int) {
	h.computing += more
	h.kernel.Computing(h.computing)
}

// computed gives a thread its turn when its computation has ended.
func (l *loop) computed(th *thread) {
	if th.state == computing && !th.task.Dead() {
		l.record.computed(th)
		l.due(th, th.next, l.queue.Now())
	}
}

// comesFirst tells whether something happens before an instant, or the run
// ends.
func (l *loop) comesFirst(when sim.Time) bool {
	return l.queue.Next() <= when || when > l.stop || l.interrupted.Load()
}

// forget takes a thread that is gone out of everything that would give it a
// turn.
func (l *loop) forget(th *thread) {
	l.queue.Cancel(&th.turn)
	if th.activity.Active() {
		th.activity.Cancel()
		th.host.compute(-1)
	}
}

// How long a thread may compute, in real time, before it is cut off when an
// event is near. A cut costs some 50 microseconds.
const shortestSlice = 2 * time.Millisecond

// untilEvent is how long a thread with the model measured may compute before the
// next event, which may be for it: a timer's signal, for example.
func (l *loop) untilEvent(th *thread) time.Duration {
	next, now := l.queue.Next(), l.queue.Now()
	if next == sim.Never {
		return slice
	}
	if next <= now { // the network is about to say when the next one is
		return look
	}
	speed := l.network.CPU(th.host.simulated).Speed()
	real := next.Sub(now).Seconds() * speed / l.reference
	return max(shortestSlice, min(slice, time.Duration(min(real, 1)*float64(time.Second))))
}

// cut stops a thread that computes, so that what it has computed takes its time.
// It returns whether the thread's turn is over.
func (l *loop) cut(th *thread) bool {
	if !l.realm.Stop(th.task.TID) {
		return false
	}
	th.task.Stopped()
	if l.compute(th, held) {
		return true
	}
	l.showClock(th)
	if l.realm.Release(th.task.TID) != 0 {
		l.deathOf(th)
		return true
	}
	return l.interrupted.Load() || l.queue.Now() >= l.stop
}

// InterceptionCost is the processor time that it costs a guest on this machine to
// stop at the emulator. The error is a *guest.MissingError when the machine lacks
// something.
func InterceptionCost() (time.Duration, error) {
	own, err := claimProcessor()
	if err != nil {
		return 0, err
	}
	defer own.release()
	realm, err := guest.Start(guest.Native{Calls: kernel.NativeCalls(), Commands: kernel.NativeCommands()}, guest.Automatic, own.processor)
	if err != nil {
		return 0, err
	}
	defer realm.Close()
	clock, err := guest.NewClock(int64(readCost), 0)
	if err != nil {
		return 0, err
	}
	defer clock.Close()
	c, err := realm.NewContainer(guest.ContainerConfig{Hostname: "calibration", Clock: clock, Directory: "/"})
	if err != nil {
		return 0, err
	}
	return c.InterceptionCost()
}
