package emulator

import (
	"fmt"
	"time"

	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/kernel"
	"github.com/simterpose/simterpose/sim"
)

const (
	// spinAfter is the processor time after which a thread that makes no call
	// is looked at: it may spin until another thread of its process changes
	// memory, and only one thread of a host runs at a time.
	spinAfter = 10 * time.Millisecond
	// spinAloneAfter is spinAfter for the only thread of a process, which may
	// share memory with others (PostgreSQL's do) or wait for a signal.
	spinAloneAfter = 40 * time.Millisecond
	// spinStepsAtFirst is how many instructions a loop may have that is found
	// when the thread has computed for spinAfter.
	spinStepsAtFirst = 256
	// preemptAfter is the processor time after which it gives way to others
	// even if it does not spin.
	preemptAfter = 2 * time.Second
	// preemptAloneAfter is preemptAfter for the only thread of a process: nobody
	// waits for its turn, but a loop without end must not stop the clock for all.
	preemptAloneAfter = time.Minute
	// preemptTogetherAfter is the processor time after which the clock goes on
	// although all threads of a host that are ready only compute or spin.
	preemptTogetherAfter = 10 * time.Second
	// spinFor is the simulated time that a thread spins when no other of its
	// host is about to do anything.
	spinFor = 100 * time.Millisecond
)

// preempt stops a thread that has computed for so long, if others of its process
// should run. It returns whether the thread's turn is over.
func (l *loop) preempt(th *thread, computed time.Duration) bool {
	alone := len(th.task.Process().Tasks()) == 1
	if computed < th.lookAt || alone && computed < spinAloneAfter {
		return false
	}
	// The longer it computes the longer a loop is looked for, so that looking
	// takes a small part of the time.
	steps := min(spinStepsAtFirst*int(computed/spinAfter), guest.SpinSteps)
	spins := l.realm.Spin(th.task.TID, steps)
	if !spins {
		patience := preemptAfter
		if alone {
			patience = preemptAloneAfter
		}
		th.lookAt = min(4*computed, max(patience, computed+look))
		if computed < patience || !l.realm.Stop(th.task.TID) {
			return false
		}
		l.preempted(th)
	}
	l.takeClock(th)
	th.task.Stopped()
	when := l.afterOthers(th)
	if !spins && alone {
		when = l.queue.Now().Add(computed)
	}
	if soon := l.queue.Now().Add(spinFor); when < soon {
		// Others go on at once. If those only compute as well, time has to pass all
		// the same.
		if th.host.computedWithoutCall += computed; th.host.computedWithoutCall > preemptTogetherAfter {
			when = max(soon, l.queue.Now().Add(computed))
		}
	}
	th.task.Charge(time.Duration(when - l.queue.Now()))
	l.due(th, held, when)
	return true
}

// preempted notes that a thread was stopped where the machine had got it to.
func (l *loop) preempted(th *thread) {
	l.preemptions++
	where := fmt.Sprintf("%s of %s on %s", guest.ThreadName(th.task.TID), th.task.Process().Name, th.host.name)
	if !l.outsideNoted[where] {
		l.outsideNoted[where] = true
		l.log("a thread computes for long and is stopped for others: another run may differ", "thread", where)
	}
}

// afterOthers is when a thread that spins goes on: just after the next time that
// another thread runs, or its wait ends, that may share memory with it: one of its
// process or, if it has no other, of its host.
func (l *loop) afterOthers(th *thread) sim.Time {
	when := l.queue.Now().Add(spinFor)
	process := th.task.Process()
	if len(process.Tasks()) > 1 {
		return l.afterThreads(th, process, when)
	}
	for _, p := range process.Host().Processes() {
		when = l.afterThreads(th, p, when)
	}
	return when
}

// afterThreads is afterOthers for the threads of one process, at most when.
func (l *loop) afterThreads(th *thread, p *kernel.Process, when sim.Time) sim.Time {
	for _, t := range p.Tasks() {
		other, ok := t.Data.(*thread)
		if !ok || other == th {
			continue
		}
		if other.turn.Scheduled() {
			when = min(when, other.turn.When().Add(callCost))
		}
		when = min(when, max(t.Deadline(), l.queue.Now()).Add(callCost))
	}
	return when
}
