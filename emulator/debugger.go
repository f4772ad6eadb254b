package emulator

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/kernel"
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

// lend lets a debugger stop those threads of a process that wait for an answer:
// they get one, upon which the kernel stops them, and lets them make their call
// again when the debugger lets go.
func (l *loop) lend(p *kernel.Process) {
	for _, t := range p.Tasks() {
		th := l.threadOf(t)
		id := th.notification()
		if th.lent || id == nil {
			continue
		}
		if number, ok := guest.DebuggerStops(t.TID); ok && th.host.container.Answer(*id, 0, guest.Restart) == 0 {
			th.lent, th.lentNumber = true, number
		}
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
