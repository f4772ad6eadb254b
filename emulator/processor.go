package emulator

import (
	"time"

	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/fluid"
	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/kernel"
	"github.com/simterpose/simterpose/network"
)

// processor is how the guests' computations become simulated time.
type processor struct {
	measured bool
	// callCost is the simulated time that an emulated call takes by itself.
	callCost time.Duration
	// userOnly leaves out what the machine's kernel does for guests.
	userOnly bool
	// reference is what one core of this machine does, in flop/s.
	reference float64
	// interception is the processor time that a stop costs a guest, which it
	// would not need without.
	interception time.Duration
	network      *network.Network
}

// leastComputation is what is worth an event. Less is carried over to the
// thread's next computation.
const leastComputation = 100 * time.Nanosecond

// newProcessor takes the experiment's choice.
func newProcessor(o experiment.CPUOptions, n *network.Network) processor {
	p := processor{
		measured: o.Model == "measured", callCost: callCost, userOnly: o.NativeIOFree, reference: o.ReferenceSpeed, network: n,
	}
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

// compute makes what a thread has computed since it was let run an activity of
// its host. then is the thread's state when that has ended: called, with the call
// at which it has stopped, or held. It returns false when there is nothing to
// wait for.
func (l *loop) compute(th *thread, then state) bool {
	p := &l.processor
	if !p.measured {
		return false
	}
	used := p.consumed(th) + th.carried
	if then == called {
		used -= p.interception
		th.late = l.event
	}
	if used < leastComputation {
		th.carried = max(used, 0)
		return false
	}
	th.carried = 0
	if q, ok := th.task.Process().Data.(*process); ok {
		q.result.Processor += used
	}
	flops := used.Seconds() * p.reference
	cpu := p.network.CPU(th.host.simulated)
	th.task.Charge(time.Duration(flops / cpu.Speed() * 1e9))
	th.state, th.next = computing, then
	if th.activity.Ended == nil {
		th.activity.Ended = func(_ *fluid.Action, how fluid.State) { l.computed(th) }
	}
	if err := p.network.Compute(th.host.simulated, &th.activity, flops); err != nil {
		return false // the host is off, and the thread about to go
	}
	return true
}

// computed gives a thread its turn when its computation has ended.
func (l *loop) computed(th *thread) {
	if th.state == computing && !th.task.Dead() {
		l.due(th, th.next, l.queue.Now())
	}
}

// InterceptionCost is the processor time that it costs a guest on this machine to
// stop at the emulator. The error is a *guest.MissingError when the machine lacks
// something.
func InterceptionCost() (time.Duration, error) {
	processor, err := chooseProcessor()
	if err != nil {
		return 0, err
	}
	realm, err := guest.Start(guest.Native{Calls: kernel.NativeCalls(), Commands: kernel.NativeCommands()}, processor)
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
