package emulator

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/guest"
)

// debuggerPatience is how often a paused run looks whether a debugger wants to stop
// a thread.
const debuggerPatience = 20 * time.Millisecond

// notification is where the number of the call that waits for an answer is kept, nil
// if the thread does not wait for one.
func (th *thread) notification() *uint64 {
	switch {
	case th.state == answered, th.state == woken, th.state == waiting && th.task.IsParked():
		return &th.call
	case th.state == called, th.state == computing && th.next == called:
		return &th.late.ID
	}
	return nil
}

// lendAll looks for debuggers of all threads.
func (l *loop) lendAll() {
	for _, p := range l.kernel.Processes() {
		for _, t := range p.Tasks() {
			l.lend(l.threadOf(t))
		}
	}
}

// lend lets a debugger stop a thread that waits for an answer: it gets one, upon which
// the kernel stops it, and makes its call again when the debugger lets go.
func (l *loop) lend(th *thread) {
	id := th.notification()
	if th.lent || id == nil {
		return
	}
	tid := th.task.TID
	debugger := guest.Debugger(tid)
	if debugger == 0 {
		th.undebugged = *id
		return
	}
	if number, ok := guest.DebuggerStops(tid, debugger, th.undebugged == *id); ok && th.host.container.Answer(*id, 0, guest.Restart) == 0 {
		th.lent, th.lentNumber = true, number
	}
}

// untilAlone carries out what needs a thread to be attached for a moment. A debugger
// that holds the thread has to let go first: the run waits for that. It returns false
// when the thread's turn is over.
func (l *loop) untilAlone(th *thread, carryOut func() error) bool {
	for {
		err := carryOut()
		switch {
		case err == nil:
			return true
		case !errors.As(err, new(*guest.MissingError)) || guest.Debugger(th.task.TID) == 0:
			l.fail(err)
			return false
		}
		l.log("the run stands still until a debugger lets go of a thread that makes a process, a thread or a program, or gets a signal",
			"process", th.task.Process().Name, "host", th.host.name, "machine PID", th.task.TID)
		state := th.state
		th.state = answered // it waits in th.call
		for guest.Debugger(th.task.TID) != 0 || th.lent {
			l.lend(th)
			if err := l.realm.Wait(&l.event, debuggerPatience); err != nil {
				l.fail(err)
				return false
			}
			l.hear()
			if th.task.Dead() || l.interrupted.Load() {
				th.state = waiting
				return false
			}
		}
		th.state = state
	}
}

// returned takes a lent thread back, which has made a call: that at which it was
// lent, so that nothing has happened. What a debugger lets it call meanwhile is no
// business of the run.
func (l *loop) returned(th *thread, e *guest.Event) {
	if e.Number != th.lentNumber {
		l.log("a debugger made a call, which is refused", "process", th.task.Process().Name, "number", e.Number)
		th.host.container.Answer(e.ID, 0, unix.ENOSYS)
		return
	}
	*th.notification() = e.ID
	th.lent = false
}

// takeBack waits until a debugger has let go of a lent thread. It returns whether
// the thread can go on.
func (l *loop) takeBack(th *thread) bool {
	for th.lent {
		if err := l.realm.Wait(&l.event, slice); err != nil {
			l.fail(err)
			return false
		}
		l.hear()
		if th.task.Dead() || l.interrupted.Load() {
			return false
		}
	}
	return true
}
