package guest

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// noCall is the number that makes the kernel carry no call out.
const noCall = ^uint64(0)

// Errnos that make an interrupted call start again (linux/errno.h).
const (
	firstRestart unix.Errno = 512
	lastRestart  unix.Errno = 516
)

func (p *ptracer) answer(_ *Container, id uint64, value int64, errno unix.Errno) unix.Errno {
	t := p.caller(id)
	if t == nil {
		return unix.ENOENT
	}
	if errno != 0 {
		value = int64(negative(errno))
	}
	// To start a call again the kernel has to know its number, behind the call.
	again := errno >= firstRestart && errno <= lastRestart
	if again && t.place == atCall && !p.skip(t) {
		return unix.ENOENT
	}
	if t.place == atCall {
		ptracePoke(t.tid, userRax, uint64(value))
		ptracePoke(t.tid, userOrigRax, noCall)
		return gone(p.resume(t, 0))
	}
	t.registers.Rax, t.registers.Orig_rax = uint64(value), uint64(t.call.number)
	ptraceSetRegisters(t.tid, &t.registers)
	return gone(p.leave(t))
}

// gone is the errno of an answer whose last request has told errno.
func gone(errno unix.Errno) unix.Errno {
	if errno == unix.ESRCH {
		return unix.ENOENT
	}
	return errno
}

func (p *ptracer) proceed(_ *Container, id uint64) unix.Errno {
	t := p.toNative(id)
	if t == nil {
		return unix.ENOENT
	}
	switch t.call.number {
	case unix.SYS_PRCTL:
		if p.installFilter(t) {
			return 0
		}
	case unix.SYS_KILL, unix.SYS_TKILL, unix.SYS_TGKILL, unix.SYS_RT_SIGQUEUEINFO, unix.SYS_RT_TGSIGQUEUEINFO, unix.SYS_PIDFD_SEND_SIGNAL:
		t.container.sent++
	}
	return gone(p.resume(t, 0))
}

// toNative prepares a thread to have its call carried out. It returns nil when
// the thread has gone.
func (p *ptracer) toNative(id uint64) *tracee {
	t := p.caller(id)
	if t == nil || t.place == injected && !p.rewind(t) || !p.settle(t) {
		return nil
	}
	return t
}

// toCallEnd lets a thread that has stopped before a call run until it is behind
// that. It returns false when the thread has died.
func (p *ptracer) toCallEnd(t *tracee) bool {
	if ptraceSyscall(t.tid) != 0 {
		return false
	}
	status, errno := waitFor(t.tid)
	if errno != 0 || !isCallStop(status) {
		p.take(t.tid, status)
		return false
	}
	return true
}

// skip carries a thread past its call, which is not carried out.
func (p *ptracer) skip(t *tracee) bool {
	if ptraceGetRegisters(t.tid, &t.registers) != 0 {
		return false
	}
	ptracePoke(t.tid, userOrigRax, noCall)
	if !p.toCallEnd(t) {
		return false
	}
	t.mask, _ = ptraceGetSignalMask(t.tid)
	t.place = injected
	return true
}

func (p *ptracer) carry(_ *Container, id uint64, tid int, after func(result int64)) (ok bool, err error) {
	t := p.toNative(id)
	if t == nil || !p.toCallEnd(t) {
		return false, nil
	}
	var registers unix.PtraceRegs
	if ptraceGetRegisters(tid, &registers) != 0 {
		return false, nil
	}
	after(int64(registers.Rax))
	return p.resume(t, 0) == 0, nil
}

// interrupt needs no more than an answer: a thread that has been stopped looks
// for all signals that it may take.
func (p *ptracer) interrupt(c *Container, id uint64, _ int, errno unix.Errno) error {
	p.answer(c, id, 0, errno)
	return nil
}

func (p *ptracer) interruptUnder(c *Container, id uint64, tid int, mask uint64) error {
	t := p.caller(id)
	if t == nil {
		return nil
	}
	if t.place == atCall && !p.skip(t) {
		return nil
	}
	// The thread runs with the mask to its next stop, which is before a signal.
	own := t.mask
	t.mask = mask
	t.registers.Rax, t.registers.Orig_rax = negative(unix.EINTR), noCall
	ptraceSetRegisters(tid, &t.registers)
	if p.leave(t) != 0 {
		return nil
	}
	status, errno := waitFor(tid)
	if errno != 0 {
		return nil
	}
	if !status.Stopped() || stopEvent(status) != 0 {
		ptraceSetSignalMask(tid, own)
		p.take(tid, status)
		return nil
	}
	status, err := deliverUnder(tid, status.StopSignal(), own)
	if err != nil {
		return err
	}
	if status.Stopped() {
		p.resume(t, passedOn2(status))
	} else {
		p.take(tid, status)
	}
	return nil
}

func (p *ptracer) stop(tid int) bool {
	t := p.tracees[tid]
	if t == nil || t.place != running || ptraceInterrupt(tid) != 0 {
		return false
	}
	status, errno := waitFor(tid)
	if errno == 0 && stopEvent(status) == ptraceEventStop && status.StopSignal() == unix.SIGTRAP {
		t.place = held
		return true
	}
	p.take(tid, status)
	return false
}

func (p *ptracer) spin(tid, steps int) bool {
	if !p.stop(tid) {
		return false
	}
	t := p.tracees[tid]
	s := stepper{tid: tid, steps: steps, harmless: map[uint64]bool{}}
	if s.circle() {
		return true
	}
	if s.ended != nil {
		p.take(tid, *s.ended)
	} else {
		p.resume(t, s.signal)
	}
	return false
}

func (p *ptracer) release(tid int) unix.Errno {
	t := p.tracees[tid]
	if t == nil {
		return unix.ESRCH
	}
	return p.resume(t, 0)
}

func (p *ptracer) exec(_ *Container, id uint64, tid, leader int, rewrite func() error) (done bool, err error) {
	t := p.toNative(id)
	if t == nil || ptraceSyscall(tid) != 0 {
		return false, nil
	}
	t.place = running
	for p.tracees[tid] == t {
		// The other threads die first, and have to be waited for.
		got, status, errno := waitAny(true)
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			return false, fmt.Errorf("wait4: %w", errno)
		case got == leader && stopEvent(status) == unix.PTRACE_EVENT_EXEC:
			if old := p.tracees[leader]; old != nil {
				t.watched = old.watched
			}
			delete(p.tracees, tid)
			t.tid, t.image, t.place = leader, imageFresh, held
			p.tracees[leader] = t
			err := rewrite()
			p.resume(t, 0)
			return err == nil, err
		case got == tid && isCallStop(status): // it has failed
			p.resume(t, 0)
			return false, nil
		default:
			p.take(got, status)
		}
	}
	return false, nil
}

func (p *ptracer) clone(_ *Container, id uint64, tid int) (child Child, ok bool, err error) {
	t := p.toNative(id)
	if t == nil || ptraceSyscall(tid) != 0 {
		return child, false, nil
	}
	t.place = running
	status, errno := waitFor(tid)
	event := stopEvent(status)
	switch {
	case errno != 0:
		return child, false, nil
	case isBirth(event):
		message, _ := ptraceEventMessage(tid)
		t.place = held
		p.born(t, event)
		return Child{TID: int(message), Vfork: event == unix.PTRACE_EVENT_VFORK}, true, nil
	case isCallStop(status): // it has failed
		p.resume(t, 0)
	default:
		p.take(tid, status)
	}
	return child, false, nil
}

func (p *ptracer) releaseParent(tid int, _ Child) { p.release(tid) }

func (p *ptracer) parentReleased(tid int) bool {
	for t := p.tracees[tid]; t != nil && p.tracees[tid] == t; {
		if t.place == held {
			return true
		}
		status, errno := waitFor(tid)
		if errno != 0 {
			return false
		}
		p.take(tid, status)
	}
	return false
}

// negative is how a call's result tells an errno.
func negative(errno unix.Errno) uint64 { return -uint64(errno) }
