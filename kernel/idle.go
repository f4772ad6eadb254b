package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/sim"
)

// Programs that poll without waiting (MPI ranks do until their message is there)
// make millions of calls in a second. From the idleCalls-th such call in a row
// that finds nothing, each takes idleStep more simulated time than the one
// before, up to idleMost; it ends as soon as something is ready, so that a
// message is seen no later than by a loop without pauses. A loop that computes
// between two polls is slowed to what such loops take on real machines.
const (
	idleCalls = 64
	idleStep  = sim.Time(100)    // nanoseconds
	idleMost  = sim.Time(10_000) // nanoseconds
)

// idlePause is how long the current call, one of a row that found nothing, may
// wait for something to happen. It is asked once a call.
func (t *Task) idlePause() sim.Time {
	t.idle++
	if t.idle <= idleCalls {
		return 0
	}
	t.call.idling = true
	return min(idleMost, sim.Time(t.idle-idleCalls)*idleStep)
}

// Polls is the number of polls in a row, up to the task's last call, that found
// nothing.
func (t *Task) Polls() int { return t.idle }

// countIdle ends the row when a call achieved something.
func (t *Task) countIdle(o Outcome) {
	switch t.call.number {
	case unix.SYS_POLL, unix.SYS_PPOLL, unix.SYS_SELECT, unix.SYS_PSELECT6,
		unix.SYS_EPOLL_WAIT, unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_PWAIT2, unix.SYS_SCHED_YIELD:
		if o.Kind == Answer && o.Value == 0 && o.Errno == 0 {
			return
		}
	case unix.SYS_CLOCK_GETTIME, unix.SYS_GETTIMEOFDAY, unix.SYS_TIME: // is it late already?
		return
	default:
		if o.Errno == unix.EAGAIN {
			return
		}
	}
	t.idle = 0
}

// sysSchedYield lets others run: they do whenever simulated time moves.
func sysSchedYield(t *Task) Outcome {
	if t.first() {
		if pause := t.idlePause(); pause > 0 {
			t.call.deadline = t.now() + pause
			t.parking.waitsFor = "its next turn"
			return t.park(0)
		}
	}
	return ret(0)
}
