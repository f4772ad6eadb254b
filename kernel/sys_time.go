package kernel

import (
	"encoding/binary"
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
		return int64(t.now()), 0
	case unix.CLOCK_REALTIME, unix.CLOCK_REALTIME_ALARM, unix.CLOCK_TAI:
		return t.host().Realtime(), 0
	case unix.CLOCK_MONOTONIC_COARSE:
		return int64(t.now()) / clockCoarse * clockCoarse, 0
	case unix.CLOCK_REALTIME_COARSE:
		return t.host().Realtime() / clockCoarse * clockCoarse, 0
	case unix.CLOCK_PROCESS_CPUTIME_ID:
		return t.process.cpu, 0
	case unix.CLOCK_THREAD_CPUTIME_ID:
		return t.cpu, 0
	}
	if id < 0 {
		// The clock of another process or thread (clock_getcpuclockid(3)):
		// the number is inverted above three bits of kind.
		number, thread := ^(id >> 3), id&4 != 0
		if thread {
			if number == 0 {
				return t.cpu, 0
			}
			if other := t.host().threads[number]; other != nil {
				return other.cpu, 0
			}
		} else if number == 0 {
			return t.process.cpu, 0
		} else if p := t.host().processes[number]; p != nil {
			return p.cpu, 0
		}
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

// sysClockSet is settimeofday, clock_settime, adjtimex and clock_adjtime: a
// host's clock is the experiment's, and only reading is allowed.
func sysClockSet(t *Task) Outcome {
	switch t.call.number {
	case unix.SYS_CLOCK_SETTIME:
		if t.int(0) != unix.CLOCK_REALTIME {
			return fail(unix.EINVAL) // so does Linux
		}
	case unix.SYS_ADJTIMEX, unix.SYS_CLOCK_ADJTIME:
		address := t.arg(0)
		if t.call.number == unix.SYS_CLOCK_ADJTIME {
			address = t.arg(1)
		}
		var timex [208]byte // struct timex
		if errno := t.read(address, timex[:]); errno != 0 {
			return fail(errno)
		}
		if binary.LittleEndian.Uint32(timex[:]) == 0 { // no modes: read
			clear(timex[:])
			const precision, tolerance, calendar, tick = 48, 56, 72, 88
			binary.LittleEndian.PutUint64(timex[tick:], 10_000)
			binary.LittleEndian.PutUint64(timex[tolerance:], 500<<16)
			binary.LittleEndian.PutUint64(timex[precision:], 1)
			copy(timex[calendar:], appendTimeval(nil, t.host().Realtime()))
			return fail(t.write(address, timex[:]))
		}
	}
	return t.kernel().refuse(t, "setting the clock ("+t.Call()+")", unix.EPERM)
}

func sysNanosleep(t *Task) Outcome {
	if t.first() {
		d, errno := t.readTimespec(t.arg(0))
		if errno != 0 {
			return fail(errno)
		}
		t.pollTimeout(d)
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
		v, errno := t.clock(t.int(0))
		if errno != 0 {
			return fail(errno)
		}
		if id := t.int(0); id == unix.CLOCK_THREAD_CPUTIME_ID {
			return fail(unix.EINVAL)
		} else if id < 0 || id == unix.CLOCK_PROCESS_CPUTIME_ID {
			return t.kernel().refuse(t, "sleeping by a processor clock", unix.EOPNOTSUPP)
		}
		d, errno := t.readTimespec(t.arg(2))
		if errno != 0 {
			return fail(errno)
		}
		if t.flags(1)&timerAbstime != 0 {
			d = max(0, d-v)
		}
		t.pollTimeout(d)
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
			p.raise(nil, unix.SIGALRM, -1, 0)
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

func sysSetitimer(t *Task) Outcome {
	if t.int(0) != unix.ITIMER_REAL {
		return native() // of the processor time really used
	}
	var interval, value int64
	if t.arg(1) != 0 { // without a pointer Linux stops the timer
		var errno unix.Errno
		if interval, value, errno = t.readTimer(t.arg(1), 1000); errno != 0 {
			return fail(errno)
		}
	}
	left, old := t.process.armInterval(time.Duration(value), time.Duration(interval))
	if t.arg(2) != 0 {
		return fail(t.write(t.arg(2), appendTimeval(appendTimeval(nil, int64(old)), int64(left))))
	}
	return ret(0)
}

func sysGetitimer(t *Task) Outcome {
	if t.int(0) != unix.ITIMER_REAL {
		return native()
	}
	r := &t.process.intervals
	var left, interval time.Duration
	if r.event.Scheduled() {
		left, interval = r.event.When().Sub(t.now()), r.interval
	}
	return fail(t.write(t.arg(1), appendTimeval(appendTimeval(nil, int64(interval)), int64(left))))
}

// posixTimer is a timer of timer_create(2).
type posixTimer struct {
	id       int
	clock    int
	signal   unix.Signal // 0: none
	value    uint64      // sigev_value
	thread   *Task       // SIGEV_THREAD_ID
	event    sim.Event
	interval time.Duration
}

func sysTimerCreate(t *Task) Outcome {
	const sigevSignal, sigevNone, sigevThreadID = 0, 1, 4
	if _, errno := t.clock(t.int(0)); errno != 0 {
		return fail(errno)
	}
	if id := t.int(0); id < 0 || id == unix.CLOCK_PROCESS_CPUTIME_ID || id == unix.CLOCK_THREAD_CPUTIME_ID {
		return t.kernel().refuse(t, "a timer of a processor clock", unix.EOPNOTSUPP)
	}
	p := t.process
	timer := &posixTimer{id: p.nextTimer, clock: t.int(0), signal: unix.SIGALRM, value: uint64(p.nextTimer)}
	if t.arg(1) != 0 {
		var b [24]byte // struct sigevent up to the thread's number
		if errno := t.read(t.arg(1), b[:]); errno != 0 {
			return fail(errno)
		}
		timer.value = binary.LittleEndian.Uint64(b[:])
		timer.signal = unix.Signal(binary.LittleEndian.Uint32(b[8:]))
		switch binary.LittleEndian.Uint32(b[12:]) {
		case sigevSignal:
		case sigevNone:
			timer.signal = 0
		case sigevThreadID | sigevSignal:
			thread := t.host().threads[int(binary.LittleEndian.Uint32(b[16:]))]
			if thread == nil || thread.process != p {
				return fail(unix.EINVAL)
			}
			timer.thread = thread
		default:
			return fail(unix.EINVAL)
		}
		if timer.signal > 64 {
			return fail(unix.EINVAL)
		}
	}
	if errno := t.writeInt(t.arg(2), uint32(timer.id)); errno != 0 {
		return fail(errno)
	}
	if p.timers == nil {
		p.timers = map[int]*posixTimer{}
	}
	p.nextTimer++
	p.timers[timer.id] = timer
	timer.event.Fire = func() {
		if timer.interval > 0 {
			t.queue().Schedule(&timer.event, t.now().Add(timer.interval))
		}
		if timer.signal != 0 && (timer.thread == nil || !timer.thread.dead) {
			p.raise(timer.thread, timer.signal, timer.id, timer.value)
		}
	}
	return ret(0)
}

func (t *Task) posixTimer() *posixTimer { return t.process.timers[t.int(0)] }

func sysTimerSettime(t *Task) Outcome {
	timer := t.posixTimer()
	if timer == nil || t.arg(2) == 0 {
		return fail(unix.EINVAL)
	}
	interval, value, errno := t.readTimer(t.arg(2), 1)
	if errno != 0 {
		return fail(errno)
	}
	old := timer.setting(t.now())
	timer.interval = time.Duration(interval)
	t.queue().Cancel(&timer.event)
	if value > 0 {
		const timerAbstime = 1
		if t.flags(1)&timerAbstime != 0 {
			now, _ := t.clock(timer.clock)
			value = max(0, value-now)
		}
		t.queue().Schedule(&timer.event, t.now().Add(time.Duration(value)))
	}
	if t.arg(3) != 0 {
		return fail(t.write(t.arg(3), old))
	}
	return ret(0)
}

// setting is a struct itimerspec.
func (p *posixTimer) setting(now sim.Time) []byte {
	if !p.event.Scheduled() {
		return make([]byte, 32)
	}
	return appendTimespec(appendTimespec(nil, int64(p.interval)), int64(p.event.When()-now))
}

func sysTimerGettime(t *Task) Outcome {
	timer := t.posixTimer()
	if timer == nil {
		return fail(unix.EINVAL)
	}
	return fail(t.write(t.arg(1), timer.setting(t.now())))
}

// sysTimerGetoverrun: a signal is never late here.
func sysTimerGetoverrun(t *Task) Outcome {
	if t.posixTimer() == nil {
		return fail(unix.EINVAL)
	}
	return ret(0)
}

func sysTimerDelete(t *Task) Outcome {
	timer := t.posixTimer()
	if timer == nil {
		return fail(unix.EINVAL)
	}
	t.queue().Cancel(&timer.event)
	delete(t.process.timers, timer.id)
	return ret(0)
}

// ticks are clock_t's hundredths of a second.
func ticks(nanoseconds int64) uint64 { return uint64(nanoseconds / 10_000_000) }

func sysTimes(t *Task) Outcome {
	if t.arg(0) != 0 {
		p := t.process
		b := binary.LittleEndian.AppendUint64(nil, ticks(p.cpu))
		b = binary.LittleEndian.AppendUint64(b, 0)
		b = binary.LittleEndian.AppendUint64(b, ticks(p.childrenCPU))
		b = binary.LittleEndian.AppendUint64(b, 0)
		if errno := t.write(t.arg(0), b); errno != 0 {
			return fail(errno)
		}
	}
	// The kernel counts from shortly before it wraps at boot; from 0 here.
	return ret(int(ticks(int64(t.now()))))
}

func sysGetrusage(t *Task) Outcome {
	var cpu int64
	switch t.int(0) {
	case unix.RUSAGE_SELF:
		cpu = t.process.cpu
	case unix.RUSAGE_CHILDREN:
		cpu = t.process.childrenCPU
	case unix.RUSAGE_THREAD:
		cpu = t.cpu
	default:
		return fail(unix.EINVAL)
	}
	var b [144]byte // struct rusage
	copy(b[:], appendTimeval(nil, cpu))
	const maxResident = 4 << 10 // kB; what is really used is not repeatable
	binary.LittleEndian.PutUint64(b[32:], maxResident)
	return fail(t.write(t.arg(1), b[:]))
}
