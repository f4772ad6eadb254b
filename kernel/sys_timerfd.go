package kernel

import (
	"encoding/binary"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

// timerFile is a timerfd (timerfd_create(2)).
type timerFile struct {
	kernel   *Kernel
	host     *Host
	clock    int
	event    sim.Event
	interval time.Duration
	calendar int64  // the reading of the calendar clock at which it expires; 0: none
	expired  uint64 // since the last read
	canceled bool   // the clock was set, and nobody has been told (TFD_TIMER_CANCEL_ON_SET)
	queue    waiter.Queue
}

func (f *timerFile) Queue() *waiter.Queue { return &f.queue }

func (f *timerFile) Release() {
	f.kernel.Queue.Cancel(&f.event)
	f.cancelOnSet(false)
	c := &f.host.clock
	c.files = slices.DeleteFunc(c.files, func(o *timerFile) bool { return o == f })
}

// cancelOnSet makes the file tell when the calendar clock is set, or not.
func (f *timerFile) cancelOnSet(on bool) {
	c := &f.host.clock
	if on {
		c.cancels = append(c.cancels, f)
		return
	}
	c.cancels = slices.DeleteFunc(c.cancels, func(o *timerFile) bool { return o == f })
}

// cancel tells that the calendar clock was set. The timer runs on.
func (f *timerFile) cancel() {
	f.canceled = true
	f.queue.Notify(waiter.In | waiter.RdNorm)
}

func (f *timerFile) Readiness() waiter.Mask {
	if f.expired > 0 || f.canceled {
		return waiter.In | waiter.RdNorm
	}
	return 0
}

// Read gives the number of expirations, and forgets them.
func (f *timerFile) Read(dst socket.Sink) (int, unix.Errno) {
	if dst.Len() < 8 {
		return 0, unix.EINVAL
	}
	if f.canceled {
		f.canceled, f.expired = false, 0
		return 0, unix.ECANCELED
	}
	if f.expired == 0 {
		return 0, unix.EAGAIN
	}
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], f.expired)
	f.expired = 0
	if _, err := dst.Write(b[:]); err != nil {
		return 0, unix.EFAULT
	}
	return 8, 0
}

func (f *timerFile) expire() {
	f.expired++
	q := f.kernel.Queue
	switch {
	case f.interval <= 0:
		f.calendar = 0
	case f.calendar != 0:
		f.calendar += int64(f.interval)
		q.Schedule(&f.event, max(q.Now()+1, f.host.clock.Instant(f.calendar)))
	default:
		q.Schedule(&f.event, q.Now().Add(f.interval))
	}
	f.queue.Notify(waiter.In | waiter.RdNorm)
}

// setting is a struct itimerspec.
func (f *timerFile) setting() []byte {
	if !f.event.Scheduled() {
		return appendTimespec(appendTimespec(nil, int64(f.interval)), 0)
	}
	return appendTimespec(appendTimespec(nil, int64(f.interval)), int64(f.event.When()-f.kernel.Now()))
}

func sysTimerfdCreate(t *Task) Outcome {
	clock, flags := t.int(0), t.flags(1)
	switch clock {
	case unix.CLOCK_REALTIME, unix.CLOCK_MONOTONIC, unix.CLOCK_BOOTTIME, unix.CLOCK_REALTIME_ALARM, unix.CLOCK_BOOTTIME_ALARM:
	default:
		return fail(unix.EINVAL)
	}
	if flags&^(unix.TFD_CLOEXEC|unix.TFD_NONBLOCK) != 0 {
		return fail(unix.EINVAL)
	}
	placeholder, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|flags&unix.TFD_NONBLOCK)
	if err != nil {
		return fail(unix.ENFILE)
	}
	f := &timerFile{kernel: t.kernel(), host: t.host(), clock: clock}
	f.event.Fire = f.expire
	if followsCalendar(clock) {
		t.host().clock.files = append(t.host().clock.files, f)
	}
	return t.installAnswer(f, placeholder, flags)
}

// timerFile finds the timerfd behind a number.
func (t *Task) timerFile(number int) (*timerFile, unix.Errno) {
	d := t.description(number)
	if d == nil {
		fd, errno := t.machine().TakeDescriptor(t, number)
		if errno != 0 {
			return nil, unix.EBADF
		}
		unix.Close(fd)
		return nil, unix.EINVAL
	}
	f, ok := d.file.(*timerFile)
	if !ok {
		return nil, unix.EINVAL
	}
	return f, 0
}

func sysTimerfdSettime(t *Task) Outcome {
	const absolute, cancelOnSet = 1, 2 // TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET
	interval, value, errno := t.readTimer(t.arg(2), 1)
	if errno != 0 {
		return fail(errno)
	}
	if t.flags(1)&^(absolute|cancelOnSet) != 0 {
		return fail(unix.EINVAL)
	}
	f, errno := t.timerFile(t.int(0))
	if errno != 0 {
		return fail(errno)
	}
	old := f.setting()
	f.cancelOnSet(false)
	f.expired, f.interval, f.calendar, f.canceled = 0, time.Duration(interval), 0, false
	t.queue().Cancel(&f.event)
	follows := t.flags(1)&absolute != 0 && followsCalendar(f.clock)
	if follows && t.flags(1)&cancelOnSet != 0 {
		f.cancelOnSet(true)
	}
	switch {
	case value == 0:
	case t.flags(1)&absolute == 0:
		t.queue().Schedule(&f.event, t.now().Add(time.Duration(value)))
	default:
		if now, _ := t.clock(f.clock); value < now && interval > 0 {
			missed := (now - value) / interval
			f.expired, value = uint64(missed), value+missed*interval
		}
		when := t.host().instant(value)
		if follows {
			f.calendar = t.host().calendarReading(f.clock, value)
			when = t.host().clock.Instant(f.calendar)
		}
		t.queue().Schedule(&f.event, max(t.now(), when))
	}
	if t.arg(3) != 0 {
		return fail(t.write(t.arg(3), old))
	}
	return ret(0)
}

func sysTimerfdGettime(t *Task) Outcome {
	f, errno := t.timerFile(t.int(0))
	if errno != 0 {
		return fail(errno)
	}
	return fail(t.write(t.arg(1), f.setting()))
}
