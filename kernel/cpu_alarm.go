package kernel

import "slices"

// cpuAccount is the simulated processor time of a thread or a process, and what
// happens when it reaches some value.
type cpuAccount struct {
	used   int64 // nanoseconds
	next   int64 // the first alarm's value; 0: none
	alarms []*cpuAlarm
}

// cpuAlarm is something that happens when an account reaches a value.
type cpuAlarm struct {
	at   int64
	fire func()
	on   *cpuAccount // nil: not set
}

// set makes an alarm fire when the account reaches a value, or at once.
func (a *cpuAccount) set(alarm *cpuAlarm, at int64) {
	alarm.clear()
	alarm.at, alarm.on = max(1, at), a
	a.alarms = append(a.alarms, alarm)
	a.look()
}

func (c *cpuAlarm) clear() {
	if a := c.on; a != nil {
		c.on = nil
		a.alarms = slices.DeleteFunc(a.alarms, func(o *cpuAlarm) bool { return o == c })
		a.look()
	}
}

// left is the processor time until the alarm; 0 if it is not set.
func (c *cpuAlarm) left() int64 {
	if c.on == nil {
		return 0
	}
	return max(1, c.at-c.on.used)
}

func (a *cpuAccount) look() {
	a.next = 0
	for _, c := range a.alarms {
		if a.next == 0 || c.at < a.next {
			a.next = c.at
		}
	}
}

// ring lets the alarms that are due happen, in order of their setting, as
// events of this instant: whoever is charged is in the middle of a call.
func (k *Kernel) ring(a *cpuAccount) {
	for _, c := range slices.Clone(a.alarms) {
		if c.at <= a.used {
			c.clear()
			k.Queue.After(k.Now(), c.fire)
		}
	}
}

// cpuTimer is ITIMER_VIRTUAL or ITIMER_PROF.
type cpuTimer struct {
	alarm    cpuAlarm
	interval int64
}
