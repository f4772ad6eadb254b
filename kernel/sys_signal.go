package kernel

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/waiter"
)

// Calls that wait for signals.

// sysSigsuspend waits for a signal that the mask does not block; the kernel
// then carries the call out.
func sysSigsuspend(t *Task) Outcome {
	if t.call.number == unix.SYS_RT_SIGSUSPEND {
		if errno := t.setMask(t.arg(0), t.arg(1)); errno != 0 {
			return fail(errno)
		}
		if s, ok := t.machine().SignalState(t.TID); ok && deliverable(s, t.parking.mask) != 0 {
			return native()
		}
	}
	t.parking.waitsFor = "a signal"
	return t.park(erestartnohand)
}

// signalWait marks a task in sigtimedwait.
type signalWait struct{ set uint64 }

func sysSigtimedwait(t *Task) Outcome {
	if t.arg(3) != 8 {
		return fail(unix.EINVAL)
	}
	set, errno := t.readWord(t.arg(0))
	if errno != 0 {
		return fail(errno)
	}
	if t.first() && t.arg(2) != 0 {
		d, errno := t.readTimespec(t.arg(2))
		if errno != 0 {
			return fail(errno)
		}
		t.waitTimeout(d)
	}
	if s, ok := t.machine().SignalState(t.TID); ok && s.Pending&set != 0 {
		return native()
	}
	if t.expired() {
		return fail(unix.EAGAIN)
	}
	t.call.state = &signalWait{set}
	t.parking.waitsFor = "a signal"
	return t.park(unix.EINTR)
}

// signalDescriptor is a signalfd: what it holds is what is pending for the task
// that reads it, so the kernel reads it natively.
type signalDescriptor struct {
	set   uint64
	owner *Process
	queue waiter.Queue
}

func (f *signalDescriptor) Queue() *waiter.Queue { return &f.queue }

func (f *signalDescriptor) Release() {
	f.owner.signalDescriptors = slices.DeleteFunc(f.owner.signalDescriptors, func(o *signalDescriptor) bool { return o == f })
}

func (f *signalDescriptor) Readiness() waiter.Mask {
	for _, t := range f.owner.tasks {
		if s, ok := t.machine().SignalState(t.TID); ok && s.Pending&f.set != 0 {
			return waiter.In | waiter.RdNorm
		}
	}
	return 0
}

func (p *Process) wakeSignalDescriptors() {
	for _, f := range p.signalDescriptors {
		f.queue.Notify(waiter.In | waiter.RdNorm)
	}
}

func sysSignalfd(t *Task) Outcome {
	flags := 0
	if t.call.number == unix.SYS_SIGNALFD4 {
		flags = t.flags(3)
	}
	if t.arg(2) != 8 || flags&^(unix.SFD_CLOEXEC|unix.SFD_NONBLOCK) != 0 {
		return fail(unix.EINVAL)
	}
	set, errno := t.readWord(t.arg(1))
	if errno != 0 {
		return fail(errno)
	}
	if number := t.int(0); number != -1 {
		d := t.description(number)
		if d == nil {
			return native()
		}
		f, ok := d.file.(*signalDescriptor)
		if !ok {
			return fail(unix.EINVAL)
		}
		f.set = set
		return native() // the placeholder has to know too
	}
	placeholder, errno := signalfdPlaceholder(set, flags)
	if errno != 0 {
		return fail(errno)
	}
	p := t.process
	f := &signalDescriptor{set: set, owner: p}
	p.signalDescriptors = append(p.signalDescriptors, f)
	return t.installAnswer(f, placeholder, flags)
}

// readSignals reads a signalfd: natively as soon as there is something.
func (t *Task) readSignals(d *description, f *signalDescriptor) Outcome {
	if s, ok := t.machine().SignalState(t.TID); ok && s.Pending&f.set != 0 {
		return native()
	}
	if d.nonblock {
		return fail(unix.EAGAIN)
	}
	return t.waitFor(f, waiter.In, erestartsys)
}
