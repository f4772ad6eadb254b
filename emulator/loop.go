package emulator

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/kernel"
	"github.com/simterpose/simterpose/sim"
)

const (
	// callCost is the simulated time that an emulated call takes, and
	// readCost that of reading the clock without one: without them a program
	// that only watches the clock, or polls, would never end.
	callCost = 200 * time.Nanosecond
	readCost = 20 * time.Nanosecond

	// look is how long a guest may run before the emulator looks at it, and
	// slice how long it may sleep in the machine's kernel.
	look  = 10 * time.Millisecond
	slice = 50 * time.Millisecond
	// doubtful is how long it may seem to sleep when the kernel does not say where:
	// it may be one that others keep from the processor.
	doubtful = 10 * time.Second
	// mostOfLook is the most that a thread is believed to have computed between
	// two looks. A virtual machine that is held up for a second adds that to the
	// thread that was running, as if it had computed.
	mostOfLook = 2 * look
)

// loop runs guests and events.
type loop struct {
	queue  *sim.Queue
	realm  *guest.Realm
	kernel *kernel.Kernel
	event  guest.Event
	processor
	// interrupted ends the run between two events.
	interrupted atomic.Bool
	stop        sim.Time // when the run ends; sim.Never if it has no end
	preemptions int
	outside     int // threads asleep in the machine's kernel
	fatal       error
	// processEnded is called when a process is dead.
	processEnded func(p *kernel.Process, status unix.WaitStatus)
	// programFailed is called when a thread's execve has failed.
	programFailed func(th *thread)
	outsideNoted  map[string]bool
	record        *recorder // nil if nothing is recorded
	// between, if not nil, is called between two events.
	between func()
	log     func(message string, arguments ...any)
}

// threadOf is the emulator's side of a task, made when it is first needed.
func (l *loop) threadOf(t *kernel.Task) *thread {
	if th, ok := t.Data.(*thread); ok {
		return th
	}
	th := &thread{task: t, host: hostOf(t.Process())}
	th.number = th.host.threads
	th.host.threads++
	th.turn.Fire = func() {
		l.record.turn(th)
		l.turn(th)
		l.record.turn(nil)
	}
	t.Data = th
	return th
}

// due gives a thread a turn at an instant, in a state.
func (l *loop) due(th *thread, s state, when sim.Time) {
	th.state = s
	l.queue.Schedule(&th.turn, when)
}

// ready is the kernel's Config.Ready.
func (l *loop) ready(t *kernel.Task) {
	th := l.threadOf(t)
	l.record.woken(th)
	l.due(th, woken, l.queue.Now())
}

// turn lets a thread go on until it waits, dies, or another event comes first.
func (l *loop) turn(th *thread) {
	if th.task.Dead() || th.lent && !l.takeBack(th) {
		return
	}
	var o kernel.Outcome
	switch th.state {
	case held:
		l.showClock(th)
		if l.realm.Release(th.task.TID) != 0 {
			l.deathOf(th)
			return
		}
		th.state = running
		if !l.untilCall(th) || l.compute(th, called) {
			return
		}
		o = l.enter(th)
	case answered:
		o = th.outcome
	case woken:
		o = th.task.Resume()
	case continued:
		th.state = running
		if !l.untilCall(th) || l.compute(th, called) {
			return
		}
		o = l.enter(th)
	case called:
		l.event = th.late
		o = l.enter(th)
	default:
		panic("emulator: turn of a thread that is " + th.state.String())
	}
	first := th.state == answered || th.state == woken
	for {
		if o.Kind == kernel.Parked {
			if !th.turn.Scheduled() { // a pending signal may have woken it already
				th.state = waiting
				l.record.parks(th)
			}
			return
		}
		if !first && !kernel.Free(th.task.Number()) {
			// The cost of the call; whatever comes before it is over goes first.
			when := l.queue.Now().Add(l.callCost)
			if l.comesFirst(when) {
				if o.Kind == kernel.Through {
					th.task.Keep()
				}
				th.outcome = o
				l.due(th, answered, when)
				return
			}
			l.queue.Advance(when)
		}
		first = false
		if !l.deliver(th, o) || !l.untilCall(th) || l.compute(th, called) {
			return
		}
		o = l.enter(th)
	}
}

// enter hands the call at which a thread has stopped to the kernel.
func (l *loop) enter(th *thread) kernel.Outcome {
	e := &l.event
	th.call = e.ID
	th.host.computedWithoutCall = 0
	number := e.Number
	if e.Foreign {
		number = kernel.Foreign
	}
	if !kernel.Free(number) {
		th.task.Charge(l.callCost)
	}
	o := th.task.Enter(number, e.Arguments)
	if l.record != nil && th.task.Polls() >= busyPolls {
		l.record.polled(th)
	}
	return o
}

// showClock lets a thread read the time until the next event.
func (l *loop) showClock(th *thread) {
	limit := l.queue.Next()
	if l.timed() {
		limit = 0 // what was computed until then has to be known
	} else if limit != sim.Never {
		limit--
	}
	th.host.clock.Set(int64(l.queue.Now()), int64(limit))
}

// takeClock moves simulated time to what a guest was told by its clock page.
func (l *loop) takeClock(th *thread) {
	if now := sim.Time(th.host.clock.Now()); now > l.queue.Now() && now <= l.queue.Next() {
		l.queue.Advance(now)
	}
}

// deliver carries out an outcome. It returns whether the thread runs now.
func (l *loop) deliver(th *thread, o kernel.Outcome) bool {
	t := th.task
	if o.Kind == kernel.Deferred {
		o = t.Act()
	}
	l.showClock(th)
	th.state = running
	switch o.Kind {
	case kernel.Answer:
		return l.answered(th, th.host.container.Answer(th.call, o.Value, o.Errno))
	case kernel.Through:
		if !t.Pass() {
			return l.answered(th, th.host.container.Answer(th.call, o.Value, 0))
		}
		return l.answered(th, th.host.container.Continue(th.call))
	case kernel.Native:
		return l.answered(th, th.host.container.Continue(th.call))
	case kernel.Carry:
		ok := false
		if !l.untilAlone(th, func() (err error) {
			ok, err = th.host.container.Carry(th.call, t.TID, t.Carried)
			return err
		}) {
			return false
		}
		if !ok {
			l.deathOf(th)
		}
		return ok
	case kernel.Boot:
		_, errno := th.host.container.AnswerDescriptor(th.call, th.host.clock.Descriptor(), true)
		return l.answered(th, errno)
	case kernel.Interrupted:
		if err := th.host.container.Interrupt(th.call, t.TID, o.Errno); err != nil {
			l.fail(err)
			return false
		}
		return true
	case kernel.InterruptUnder:
		return l.untilAlone(th, func() error {
			return th.host.container.InterruptUnder(th.call, t.TID, uint64(o.Value))
		})
	case kernel.Clone:
		return l.clone(th)
	case kernel.Exec:
		return l.exec(th)
	case kernel.ExitThread:
		th.host.container.Continue(th.call)
		l.realm.AwaitThreadDeath(t.Process().TID, t.TID)
		l.takeClock(th)
		t.Stopped()
		t.Exited()
		l.record.died([]*thread{th}, nil)
		return false
	case kernel.ExitProcess:
		th.host.container.Continue(th.call)
		l.processDeath(t.Process())
		return false
	}
	panic(fmt.Sprintf("emulator: outcome of kind %d", o.Kind))
}

// answered deals with the result of answering a call.
func (l *loop) answered(th *thread, errno unix.Errno) bool {
	switch errno {
	case 0:
		return true
	case unix.ENOENT: // a fatal signal came first
		l.deathOf(th)
	default:
		l.fail(fmt.Errorf("answer to %s of %s: %w", th.task.Call(), th.task.Process().Name, errno))
	}
	return false
}

func (l *loop) fail(err error) {
	if l.fatal == nil {
		l.fatal = err
	}
	l.interrupted.Store(true)
}

func (l *loop) clone(th *thread) bool {
	var child guest.Child
	var ok bool
	if !l.untilAlone(th, func() (err error) {
		child, ok, err = th.host.container.Clone(th.call, th.task.TID)
		return err
	}) {
		return false
	}
	if !ok {
		return true // it failed, as the thread's next stop will show
	}
	id, err := guest.NamespacePID(child.TID)
	if err != nil {
		l.fail(fmt.Errorf("a new thread: %w", err))
		return false
	}
	t := th.task.Cloned(child.TID, id)
	if t.Process() != th.task.Process() {
		if err := l.realm.Watch(child.TID); err != nil {
			l.fail(err)
			return false
		}
	}
	l.record.cloned(th, l.threadOf(t))
	l.due(l.threadOf(t), held, l.queue.Now())
	l.showClock(th) // only until the child's turn, or its clock would go back then
	l.realm.ReleaseParent(th.task.TID, child)
	if child.Vfork {
		th.state = waiting
		l.record.parks(th)
		return false
	}
	return true
}

func (l *loop) exec(th *thread) bool {
	t := th.task
	p := t.Process()
	var random [16]byte
	th.host.random.Read(random[:])
	tasks := slices.Clone(p.Tasks())
	done := false
	if !l.untilAlone(th, func() (err error) {
		done, err = th.host.container.Exec(th.call, t.TID, p.TID, random, guest.Identity(t.Becoming()))
		return err
	}) {
		return false
	}
	if !done {
		l.programFailed(th)
	} else {
		t.Execed()
		if q, ok := p.Data.(*process); ok {
			q.begun = true
		}
		l.record.execed(th)
		for _, other := range tasks {
			if other.Dead() {
				l.forget(l.threadOf(other))
			}
		}
		l.releaseVforkParent(p)
	}
	return true
}

// releaseVforkParent gives the parent of a vfork its turn, now that the child
// has execed or ended.
func (l *loop) releaseVforkParent(p *kernel.Process) {
	parent := p.VforkParent()
	if parent == nil || parent.Dead() {
		return
	}
	if l.realm.ParentReleased(parent.TID) {
		l.record.woken(l.threadOf(parent))
		l.due(l.threadOf(parent), held, l.queue.Now())
	}
}

// untilCall waits until the running thread makes a call. It returns false when
// there will be none in this turn.
func (l *loop) untilCall(th *thread) bool {
	th.lookAt = spinAfter
	var used time.Duration     // the thread's processor time when it was last looked at
	var computed time.Duration // since the first look
	waited := time.Duration(0)
	for slices := 0; ; {
		patience := look
		switch {
		case th.task.Process().Stopped():
			patience = time.Millisecond // it will make no call
		case l.measured:
			patience = l.untilEvent(th)
		}
		if err := l.realm.Wait(&l.event, patience); err != nil {
			l.fail(err)
			return false
		}
		switch l.event.Kind {
		case guest.Call:
			if l.event.TID == th.task.TID {
				l.takeClock(th)
				th.task.Stopped()
				return true
			}
			l.lateCall()
		case guest.Death:
			if p := l.processByTID(l.event.TID); p != nil {
				l.takeClock(th)
				l.finishDeath(p)
			}
			if th.task.Dead() {
				return false
			}
		case guest.Nothing:
			slices++
			before := used
			used = guest.ProcessorTime(th.task.TID)
			if slices > 1 {
				computed += min(used-before, mostOfLook)
			}
			waited += patience
			if l.idle(th, waited, computed) {
				return false
			}
		}
		if l.interrupted.Load() && l.fatal == nil && slices > 0 {
			th.state = waiting
			return false
		}
	}
}

// idle looks at a thread that makes no call and has computed for some time. It
// returns true when the thread's turn is over.
func (l *loop) idle(th *thread, waited, computed time.Duration) bool {
	switch l.realm.State(th.task.TID) {
	case 'T':
		th.state = stopped
		p := th.task.Process()
		for _, t := range p.Tasks() {
			if s := l.threadOf(t).state; s != stopped && s != waiting {
				return true
			}
		}
		p.HasStopped()
		return true
	case 'D':
		// It waits for a disk, which is over soon.
		return false
	case 'Z', 'X', 0:
		if waited < slice || l.realm.Pending() || !l.othersLive(th) {
			return false // its process is about to be dead, as will be told
		}
		// A filter of its own has killed this thread alone (SECCOMP_RET_KILL_THREAD).
		l.takeClock(th)
		th.task.Stopped()
		th.task.Exited()
		l.forget(th)
		l.record.died([]*thread{th}, nil)
		return true
	case 'S':
		if waited < slice || waited < doubtful && !guest.Asleep(th.task.TID) || l.realm.Pending() {
			return false // for a moment, or in the call that it has made just now
		}
		// It waits in the machine's kernel, in a call that the filter lets
		// through or that was left to the kernel.
		th.state = waiting
		l.outside++
		where := fmt.Sprintf("%s of %s on %s", th.task.Call(), th.task.Process().Name, th.host.name)
		if !l.outsideNoted[where] {
			l.outsideNoted[where] = true
			l.log("a guest waits for the machine, outside simulated time", "after", where)
		}
		return true
	case 'R':
		if l.measured {
			return l.cut(th)
		}
		return l.preempt(th, computed)
	}
	return false
}

// othersLive tells whether a process has a thread that lives besides one.
func (l *loop) othersLive(th *thread) bool {
	return slices.ContainsFunc(th.task.Process().Tasks(), func(t *kernel.Task) bool {
		if t == th.task {
			return false
		}
		s := l.realm.State(t.TID)
		return s != 'Z' && s != 'X' && s != 0
	})
}

// continued is the kernel's Config.Continued.
func (l *loop) continued(t *kernel.Task) {
	switch th := l.threadOf(t); {
	case th.state == stopped:
		l.due(th, continued, l.queue.Now())
	case th.state == called && th.turn.Scheduled():
		// Its call was told before SIGCONT was, as ptrace does in an order of its own.
		l.due(th, called, l.queue.Now())
	}
}

// lateCall gives a turn to a thread that was outside and has come back.
func (l *loop) lateCall() {
	t := l.kernel.Task(l.event.TID)
	if t == nil {
		l.fail(fmt.Errorf("an unknown thread %d makes system call %d", l.event.TID, l.event.Number))
		return
	}
	th := l.threadOf(t)
	if th.lent {
		l.returned(th, &l.event)
		return
	}
	if th.state == continued && !t.IsParked() {
		// SIGCONT wakes all threads of a process at once, and this one came first.
		// It keeps its turn, so that what follows is the same in each run.
		th.late, th.state = l.event, called
		return
	}
	// A stopped thread has got SIGCONT from a call that is still under way.
	if th.state != stopped && th.state != waiting || t.IsParked() {
		l.fail(fmt.Errorf("thread %d of %s makes system call %d while it is %v", t.TID, t.Process().Name, l.event.Number, th.state))
		return
	}
	if th.state == waiting && l.outside > 0 {
		l.outside--
	}
	th.late = l.event
	l.due(th, called, l.queue.Now())
}

// deathOf deals with a thread that turned out to be dead.
func (l *loop) deathOf(th *thread) { l.processDeath(th.task.Process()) }

// processDeath waits for the death of a process that is about to die.
func (l *loop) processDeath(p *kernel.Process) {
	if p.Zombie() {
		return
	}
	if !l.realm.AwaitDeath(p.TID, 10*time.Second) {
		l.fail(fmt.Errorf("process %s (%d, in state %c) does not end", p.Name, p.TID, l.realm.State(p.TID)))
		return
	}
	l.finishDeath(p)
}

// finishDeath tells the kernel of a dead process.
func (l *loop) finishDeath(p *kernel.Process) {
	if p.Zombie() {
		return
	}
	tasks := slices.Clone(p.Tasks())
	for _, t := range tasks {
		l.realm.Dead(t.TID)
	}
	h := hostOf(p)
	status := unix.WaitStatus(0)
	known := false
	if p.Parent() == nil {
		s, err := h.container.Reap(p.PID)
		if err == nil {
			status, known = s, true
		}
	}
	turn := l.record.dies(l.threadsOf(tasks))
	children := p.Children()
	p.Ended(status, known)
	for _, c := range children {
		if c.Zombie() && c.Parent() == nil { // the host's first process takes them, as init does
			h.container.Reap(c.PID)
		}
	}
	for _, t := range tasks {
		t.Stopped()
		l.forget(l.threadOf(t))
	}
	l.releaseVforkParent(p)
	l.record.died(l.threadsOf(tasks), turn)
	l.processEnded(p, status)
}

func (l *loop) processByTID(tid int) *kernel.Process {
	if t := l.kernel.Task(tid); t != nil {
		return t.Process()
	}
	for _, p := range l.kernel.Processes() {
		if p.TID == tid && !p.Zombie() {
			return p
		}
	}
	return nil
}

// errDeadlock means that guests wait and nothing will ever happen.
var errDeadlock = errors.New("nothing is scheduled and guests still wait")

// run fires events until done says so, the clock would pass stop, or nothing is
// left to happen.
func (l *loop) run(stop sim.Time, done func() bool, tick func()) error {
	l.stop = stop
	for !done() {
		if l.between != nil {
			l.between()
		}
		if l.interrupted.Load() {
			return l.fatal
		}
		if l.queue.Next() > stop {
			l.queue.Advance(max(l.queue.Now(), min(stop, l.queue.Next())))
			return nil
		}
		if l.kernel.WatchesOutside() && l.queue.Next() > l.queue.Now() {
			l.kernel.AskOutside(false)
		}
		if l.queue.Step() {
			tick()
			continue
		}
		if !l.waitOutside() {
			return errDeadlock
		}
		tick()
	}
	return l.fatal
}

// waitOutside waits for guests that sleep in the machine's kernel, when nothing
// else is left. It returns false when there is none.
func (l *loop) waitOutside() bool {
	if l.kernel.AskOutside(true); l.queue.Len() > 0 {
		return true
	}
	if l.outside == 0 {
		return false
	}
	if err := l.realm.Wait(&l.event, slice); err != nil {
		l.fail(err)
		return true
	}
	if l.event.Kind == guest.Death {
		l.outside--
	}
	l.hear()
	return true
}

// hear deals with news of guests while none has its turn.
func (l *loop) hear() {
	switch l.event.Kind {
	case guest.Call:
		l.lateCall()
	case guest.Death:
		if p := l.processByTID(l.event.TID); p != nil {
			l.finishDeath(p)
		}
	}
}
