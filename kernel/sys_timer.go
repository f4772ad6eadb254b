package kernel

import (
	"encoding/binary"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/sim"
)

// POSIX timers (timer_create(2)).

// posixTimer is a timer of timer_create(2).
type posixTimer struct {
	id       int
	clock    int
	process  *Process
	signal   unix.Signal // 0: none
	value    uint64      // sigev_value
	thread   *Task       // SIGEV_THREAD_ID
	event    sim.Event
	interval time.Duration
	calendar int64       // the reading of the calendar clock at which it expires; 0: none
	account  *cpuAccount // of a processor clock; nil of others
	alarm    cpuAlarm

	// sent tells that its signal was sent, and may be pending; held that it is
	// not sent before somebody takes it: only then is the number of overruns
	// known that goes with it.
	sent, held bool
	missed     int // expirations since the one that the signal is for
	overrun    int // that were told with the last signal
}

// cpuAccount finds the account behind a processor clock; nil if it is another
// clock.
func (t *Task) cpuAccount(id int) *cpuAccount {
	switch id {
	case unix.CLOCK_PROCESS_CPUTIME_ID:
		return &t.process.cpu
	case unix.CLOCK_THREAD_CPUTIME_ID:
		return &t.cpu
	}
	if id >= 0 {
		return nil
	}
	// The clock of another process or thread (clock_getcpuclockid(3)): the
	// number is inverted above three bits of kind, of which the lower two say
	// what is counted: CPUCLOCK_PROF, CPUCLOCK_VIRT or CPUCLOCK_SCHED.
	const thread, kind, kinds = 4, 3, 3
	if id&kind >= kinds {
		return nil
	}
	number := ^(id >> 3)
	if id&thread != 0 {
		if number == 0 {
			return &t.cpu
		}
		if other := t.host().threads[number]; other != nil && other.process == t.process {
			return &other.cpu
		}
		return nil
	}
	if number == 0 {
		return &t.process.cpu
	}
	if p := t.host().processes[number]; p != nil {
		return &p.cpu
	}
	return nil
}

func sysTimerCreate(t *Task) Outcome {
	const sigevSignal, sigevNone, sigevThreadID = 0, 1, 4
	switch id := t.int(0); id {
	case unix.CLOCK_MONOTONIC_RAW, unix.CLOCK_MONOTONIC_COARSE, unix.CLOCK_REALTIME_COARSE:
		return fail(unix.EOPNOTSUPP)
	default:
		if _, errno := t.clock(id); errno != 0 {
			return fail(errno)
		}
	}
	p := t.process
	timer := &posixTimer{
		id: p.nextTimer, clock: t.int(0), process: p, signal: unix.SIGALRM, value: uint64(p.nextTimer),
		account: t.cpuAccount(t.int(0)),
	}
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
	timer.event.Fire, timer.alarm.fire = timer.expire, timer.expireCPU
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
	timer.disarm()
	timer.interval = time.Duration(interval)
	timer.missed, timer.overrun, timer.calendar = 0, 0, 0
	const timerAbstime = 1
	absolute := t.flags(1)&timerAbstime != 0
	switch {
	case value == 0:
	case timer.account != nil:
		if !absolute {
			value += timer.account.used
		}
		timer.account.set(&timer.alarm, value)
		t.kernel().ring(timer.account)
	case absolute:
		when := t.host().instant(value)
		if followsCalendar(timer.clock) {
			timer.calendar = t.host().calendarReading(timer.clock, value)
			when = t.host().clock.Instant(timer.calendar)
		}
		if now, _ := t.clock(timer.clock); value < now && interval > 0 {
			timer.missed = int(min((now-value)/interval, maxOverrun))
			timer.calendar = 0
			if followsCalendar(timer.clock) {
				timer.calendar = t.host().calendarReading(timer.clock, value+int64(timer.missed)*interval)
			}
		}
		t.queue().Schedule(&timer.event, max(t.now(), when))
	default:
		t.queue().Schedule(&timer.event, t.now().Add(time.Duration(value)))
	}
	if t.arg(3) != 0 {
		return fail(t.write(t.arg(3), old))
	}
	return ret(0)
}

func (p *posixTimer) disarm() {
	p.process.host.kernel.Queue.Cancel(&p.event)
	p.alarm.clear()
	p.unhold()
}

// expire is the timer's event.
func (p *posixTimer) expire() {
	h := p.process.host
	q := h.kernel.Queue
	switch {
	case p.interval <= 0:
		p.calendar = 0
	case p.calendar != 0:
		p.calendar += int64(p.interval)
		q.Schedule(&p.event, max(q.Now()+1, h.clock.Instant(p.calendar)))
	default:
		q.Schedule(&p.event, q.Now().Add(p.interval))
	}
	p.tell()
}

// expireCPU is expire for a processor clock.
func (p *posixTimer) expireCPU() {
	if p.interval > 0 && p.process.timers[p.id] == p {
		// An account grows in steps: more than one interval may have passed.
		late := p.account.used - p.alarm.at
		more := late / int64(p.interval)
		p.missed += int(min(more, maxOverrun))
		p.account.set(&p.alarm, p.alarm.at+(more+1)*int64(p.interval))
	}
	p.tell()
}

// maxOverrun is DELAYTIMER_MAX.
const maxOverrun = 1<<31 - 1

// setting is a struct itimerspec.
func (p *posixTimer) setting(now sim.Time) []byte {
	left := p.alarm.left()
	if p.event.Scheduled() {
		left = max(1, int64(p.event.When()-now))
	}
	b := appendTimespec(make([]byte, 0, 32), int64(p.interval))
	return appendTimespec(b, left)
}

func sysTimerGettime(t *Task) Outcome {
	timer := t.posixTimer()
	if timer == nil {
		return fail(unix.EINVAL)
	}
	return fail(t.write(t.arg(1), timer.setting(t.now())))
}

func sysTimerGetoverrun(t *Task) Outcome {
	timer := t.posixTimer()
	if timer == nil {
		return fail(unix.EINVAL)
	}
	return ret(timer.overrun)
}

func sysTimerDelete(t *Task) Outcome {
	timer := t.posixTimer()
	if timer == nil {
		return fail(unix.EINVAL)
	}
	timer.disarm()
	delete(t.process.timers, timer.id)
	return ret(0)
}

func (p *Process) deleteTimers() {
	for _, t := range p.timers {
		t.disarm()
	}
	p.timers = nil
}
