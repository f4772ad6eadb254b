package kernel

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/sim"
)

// Clocks, sleeps, and timers that send signals.

// clockCoarse is the step of the coarse clocks in nanoseconds, also in
// guest/vdso_amd64.s: one tick of a kernel with 250 of them a second.
const clockCoarse = 4_000_000

// clock reads a clock in nanoseconds.
func (t *Task) clock(id int) (int64, unix.Errno) {
	switch id {
	case unix.CLOCK_MONOTONIC, unix.CLOCK_MONOTONIC_RAW, unix.CLOCK_BOOTTIME, unix.CLOCK_BOOTTIME_ALARM:
		return t.host().uptime(), 0
	case unix.CLOCK_REALTIME, unix.CLOCK_REALTIME_ALARM:
		return t.host().Realtime(), 0
	case unix.CLOCK_TAI:
		return t.host().Realtime() + int64(t.host().clock.tai)*1_000_000_000, 0
	case unix.CLOCK_MONOTONIC_COARSE:
		return t.host().uptime() / clockCoarse * clockCoarse, 0
	case unix.CLOCK_REALTIME_COARSE:
		return t.host().Realtime() / clockCoarse * clockCoarse, 0
	}
	if a := t.cpuAccount(id); a != nil {
		return a.used, 0
	}
	return 0, unix.EINVAL
}

func sysClockGettime(t *Task) Outcome {
	v, errno := t.clock(t.int(0))
	if errno != 0 {
		return fail(errno)
	}
	return fail(t.writeTimespec(t.arg(1), v))
}

func sysClockGetres(t *Task) Outcome {
	if _, errno := t.clock(t.int(0)); errno != 0 {
		return fail(errno)
	}
	resolution := int64(1)
	if id := t.int(0); id == unix.CLOCK_MONOTONIC_COARSE || id == unix.CLOCK_REALTIME_COARSE {
		resolution = clockCoarse
	}
	if t.arg(1) == 0 {
		return ret(0)
	}
	return fail(t.writeTimespec(t.arg(1), resolution))
}

func sysGettimeofday(t *Task) Outcome {
	if t.arg(0) != 0 {
		if errno := t.write(t.arg(0), appendTimeval(nil, t.host().Realtime())); errno != 0 {
			return fail(errno)
		}
	}
	if t.arg(1) != 0 {
		return fail(t.writeWord(t.arg(1), 0)) // struct timezone: Greenwich
	}
	return ret(0)
}

func sysTime(t *Task) Outcome {
	seconds := t.host().Realtime() / 1_000_000_000
	if t.arg(0) != 0 {
		if errno := t.writeWord(t.arg(0), uint64(seconds)); errno != 0 {
			return fail(errno)
		}
	}
	return ret(int(seconds))
}

func sysNanosleep(t *Task) Outcome {
	if t.first() {
		d, errno := t.readTimespec(t.arg(0))
		if errno != 0 {
			return fail(errno)
		}
		t.waitTimeout(d)
	}
	return t.sleep(t.arg(1))
}

func sysClockNanosleep(t *Task) Outcome {
	const timerAbstime = 1
	remaining := t.arg(3)
	if t.flags(1)&timerAbstime != 0 {
		remaining = 0
	}
	if t.first() {
		if _, errno := t.clock(t.int(0)); errno != 0 {
			return fail(errno)
		}
		account := t.cpuAccount(t.int(0))
		switch t.int(0) {
		case unix.CLOCK_THREAD_CPUTIME_ID:
			return fail(unix.EINVAL)
		case unix.CLOCK_MONOTONIC_RAW, unix.CLOCK_MONOTONIC_COARSE, unix.CLOCK_REALTIME_COARSE:
			return fail(unix.EOPNOTSUPP)
		}
		if account == &t.cpu {
			return fail(unix.EINVAL)
		}
		d, errno := t.readTimespec(t.arg(2))
		if errno != 0 {
			return fail(errno)
		}
		absolute := t.flags(1)&timerAbstime != 0
		switch {
		case account != nil:
			return t.sleepByCPU(account, d, absolute)
		case absolute:
			t.waitUntil(t.int(0), d)
		default:
			t.waitTimeout(d)
		}
	} else if account := t.cpuAccount(t.int(0)); account != nil {
		return ret(0)
	}
	return t.sleep(remaining)
}

// sleep waits until the call's deadline. A signal that has a handler ends it,
// with the time left at remaining.
func (t *Task) sleep(remaining uint64) Outcome {
	if t.expired() {
		return ret(0)
	}
	t.parking.waitsFor = "sleep"
	t.parking.remaining = remaining
	return t.park(erestartnohand)
}

// sleepByCPU waits until an account of processor time has grown by, or reached, a
// value.
func (t *Task) sleepByCPU(a *cpuAccount, value int64, absolute bool) Outcome {
	if !absolute {
		value += a.used
	}
	if value <= a.used {
		return ret(0)
	}
	alarm := &cpuAlarm{fire: t.expire}
	a.set(alarm, value)
	t.parking.onUnpark = chain(t.parking.onUnpark, alarm.clear)
	t.parking.waitsFor = "processor time"
	return t.park(unix.EINTR)
}

// readTimer reads a struct itimerspec (unit 1 ns) or itimerval (unit 1000 ns).
func (t *Task) readTimer(address uint64, unit int64) (interval, value int64, errno unix.Errno) {
	var b [32]byte
	if errno = t.read(address, b[:]); errno != 0 {
		return 0, 0, errno
	}
	if interval, errno = timespec(b[:16], unit); errno != 0 {
		return 0, 0, errno
	}
	value, errno = timespec(b[16:], unit)
	return interval, value, errno
}

// realTimer is ITIMER_REAL, which alarm shares.
type realTimer struct {
	event    sim.Event
	interval time.Duration
}

func (p *Process) stopInterval() { p.host.kernel.Queue.Cancel(&p.intervals.event) }

// armInterval sets ITIMER_REAL and returns what was left of it.
func (p *Process) armInterval(value, interval time.Duration) (left, oldInterval time.Duration) {
	q := p.host.kernel.Queue
	r := &p.intervals
	if r.event.Scheduled() {
		left, oldInterval = r.event.When().Sub(q.Now()), r.interval
	}
	q.Cancel(&r.event)
	r.interval = interval
	if r.event.Fire == nil {
		r.event.Fire = func() {
			if r.interval > 0 {
				q.Schedule(&r.event, q.Now().Add(r.interval))
			}
			p.raise(nil, unix.SIGALRM)
		}
	}
	if value > 0 {
		q.Schedule(&r.event, q.Now().Add(value))
	}
	return left, oldInterval
}

func sysAlarm(t *Task) Outcome {
	left, _ := t.process.armInterval(time.Duration(uint32(t.arg(0)))*time.Second, 0)
	// Rounded as the kernel does, but never a running alarm to 0.
	seconds := int((left + 500*time.Millisecond) / time.Second)
	if left > 0 && seconds == 0 {
		seconds = 1
	}
	return ret(seconds)
}
