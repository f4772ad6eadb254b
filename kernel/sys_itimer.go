package kernel

import (
	"encoding/binary"
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// setitimer(2), and limits of processor time.

func sysSetitimer(t *Task) Outcome {
	var interval, value int64
	if t.arg(1) != 0 { // without a pointer Linux stops the timer
		var errno unix.Errno
		if interval, value, errno = t.readTimer(t.arg(1), 1000); errno != 0 {
			return fail(errno)
		}
	}
	p := t.process
	var old, left int64
	switch t.int(0) {
	case unix.ITIMER_REAL:
		l, o := p.armInterval(time.Duration(value), time.Duration(interval))
		left, old = int64(l), int64(o)
	case unix.ITIMER_VIRTUAL:
		left, old = p.armCPU(&p.virtual, unix.SIGVTALRM, value, interval)
	case unix.ITIMER_PROF:
		left, old = p.armCPU(&p.profiling, unix.SIGPROF, value, interval)
	default:
		return fail(unix.EINVAL)
	}
	if t.arg(2) != 0 {
		return fail(t.writeTimer(t.arg(2), old, left))
	}
	return ret(0)
}

func sysGetitimer(t *Task) Outcome {
	p := t.process
	switch t.int(0) {
	case unix.ITIMER_REAL:
		if r := &p.intervals; r.event.Scheduled() {
			return fail(t.writeTimer(t.arg(1), int64(r.interval), int64(r.event.When()-t.now())))
		}
		return fail(t.writeTimer(t.arg(1), 0, 0))
	case unix.ITIMER_VIRTUAL:
		return fail(t.writeTimer(t.arg(1), p.virtual.interval, p.virtual.alarm.left()))
	case unix.ITIMER_PROF:
		return fail(t.writeTimer(t.arg(1), p.profiling.interval, p.profiling.alarm.left()))
	}
	return fail(unix.EINVAL)
}

// writeTimer writes a struct itimerval.
func (t *Task) writeTimer(address uint64, interval, left int64) unix.Errno {
	var b [32]byte
	return t.write(address, appendTimeval(appendTimeval(b[:0], interval), left))
}

// armCPU sets a timer of the process's processor time, all of which counts as
// user time. It returns what was left of it, and its interval.
func (p *Process) armCPU(c *cpuTimer, signal unix.Signal, value, interval int64) (left, oldInterval int64) {
	left, oldInterval = c.alarm.left(), c.interval
	c.alarm.clear()
	c.interval = interval
	c.alarm.fire = func() {
		if p.zombie {
			return
		}
		if c.interval > 0 {
			// One signal for all that has passed: an account grows in steps.
			more := (p.cpu.used-c.alarm.at)/c.interval + 1
			p.cpu.set(&c.alarm, c.alarm.at+more*c.interval)
		}
		p.raise(nil, signal)
	}
	if value > 0 {
		p.cpu.set(&c.alarm, p.cpu.used+value)
	}
	return left, oldInterval
}

// cpuLimit is RLIMIT_CPU, of simulated processor time.
type cpuLimit struct {
	set        bool // else the machine's
	soft, hard uint64
	alarm      cpuAlarm
}

// sysLimit is setrlimit, getrlimit and prlimit64. Limits other than that of
// processor time are the machine's own work.
func sysLimit(t *Task) Outcome {
	resource, target := t.int(0), t.process
	given, asked := t.arg(1), uint64(0)
	switch t.call.number {
	case unix.SYS_GETRLIMIT:
		given, asked = 0, t.arg(1)
	case unix.SYS_PRLIMIT64:
		resource, given, asked = t.int(1), t.arg(2), t.arg(3)
		id := t.int(0)
		if id == firstPID {
			return fail(unix.EPERM)
		}
		if id != 0 {
			target = t.host().processes[id]
		}
	}
	if resource != unix.RLIMIT_CPU || target == nil {
		return native()
	}
	l := &target.limit
	old := *l
	if !old.set {
		old.soft, old.hard = math.MaxUint64, math.MaxUint64
	}
	if given != 0 {
		var b [16]byte
		if errno := t.read(given, b[:]); errno != 0 {
			return fail(errno)
		}
		soft, hard := binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])
		switch {
		case soft > hard:
			return fail(unix.EINVAL)
		case hard > old.hard && !t.cred.capable(capSysResource):
			return fail(unix.EPERM)
		}
		l.set, l.soft, l.hard = true, soft, hard
		target.watchLimit()
	}
	if asked != 0 {
		var b [16]byte
		binary.LittleEndian.PutUint64(b[:], old.soft)
		binary.LittleEndian.PutUint64(b[8:], old.hard)
		return fail(t.write(asked, b[:]))
	}
	return ret(0)
}

// watchLimit sends SIGXCPU at the soft limit and each second after it, and
// SIGKILL at the hard one.
func (p *Process) watchLimit() {
	l := &p.limit
	l.alarm.clear()
	const most = math.MaxInt64 / 1_000_000_000
	first := max(1, min(l.soft, l.hard))
	if first > most {
		return
	}
	l.alarm.fire = func() {
		if p.zombie {
			return
		}
		seconds := uint64(p.cpu.used) / 1_000_000_000
		if seconds >= l.hard {
			p.raise(nil, unix.SIGKILL)
			return
		}
		p.cpu.set(&l.alarm, int64(min(seconds+1, l.hard))*1_000_000_000)
		p.raise(nil, unix.SIGXCPU)
	}
	p.cpu.set(&l.alarm, int64(first)*1_000_000_000)
	p.host.kernel.ring(&p.cpu)
}

// inheritLimit gives a new process its parent's limit.
func (p *Process) inheritLimit(parent *Process) {
	if parent != nil && parent.limit.set {
		p.limit = cpuLimit{set: true, soft: parent.limit.soft, hard: parent.limit.hard}
		p.watchLimit()
	}
}
