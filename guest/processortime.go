package guest

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// ProcessTime is the processor time that all threads of a process have used so
// far; with userOnly, without what the kernel did for them. The latter is counted
// by the kernel's ticks and right only in the long run. ok is false when the
// process is gone.
func ProcessTime(pid int, userOnly bool) (used time.Duration, ok bool) {
	// The clocks of other processes, as clock_getcpuclockid(3) makes them.
	const virtual, scheduled = 1, 2
	kind := scheduled
	if userOnly {
		kind = virtual
	}
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|kind), &t); err != nil {
		return 0, false
	}
	return time.Duration(t.Nano()), true
}

// InterceptionCost is the processor time that a call of a guest costs it because
// it stops at the emulator. It is measured on the host's agent.
func (c *Container) InterceptionCost() (time.Duration, error) {
	const batches, calls = 9, 200
	const none = 100003 // a call that does not exist, and costs nothing by itself
	var costs []time.Duration
	for range batches {
		var l list
		for range calls {
			l.add(goOn, "nothing", none)
		}
		before, _ := ProcessTime(c.agent.tid, false)
		if _, err := c.realm.perform(&c.agent, &l); err != nil {
			return 0, err
		}
		after, _ := ProcessTime(c.agent.tid, false)
		costs = append(costs, (after-before)/calls)
	}
	slices.Sort(costs)
	return costs[len(costs)/2], nil
}
