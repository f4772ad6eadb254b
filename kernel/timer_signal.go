package kernel

import (
	"slices"

	"golang.org/x/sys/unix"
)

// A timer's signal carries the number of expirations that came while it was
// pending. What is queued in the machine's kernel cannot be changed any more:
// so the signal of a timer that is blocked is held back here, until a thread
// would take it.

// tell sends the timer's signal, or counts an overrun when it is pending.
func (p *posixTimer) tell() {
	if p.signal == 0 || p.thread != nil && p.thread.dead || p.process.zombie {
		return
	}
	if p.held {
		p.missed = min(p.missed+1, maxOverrun)
		return
	}
	pending, takers := p.process.takes(p.thread, p.signal)
	switch {
	case p.sent && pending:
		p.missed = min(p.missed+1, maxOverrun)
	case takers:
		p.send()
	default:
		p.held = true
		p.process.held = append(p.process.held, p)
	}
}

// takes tells whether a signal is pending for a process, or its thread, and
// whether a thread would take it.
func (p *Process) takes(thread *Task, signal unix.Signal) (pending, takers bool) {
	candidates := p.tasks
	if thread != nil {
		candidates = []*Task{thread}
	}
	for _, f := range p.signalDescriptors {
		takers = takers || f.set&bit(signal) != 0
	}
	for _, t := range candidates {
		s, ok := p.host.kernel.Machine.SignalState(t.TID)
		if !ok {
			continue
		}
		pending = pending || s.Pending&bit(signal) != 0
		takers = takers || t.blocked(s)&bit(signal) == 0
	}
	return pending, takers
}

func (p *posixTimer) send() {
	k := p.process.host.kernel
	p.overrun, p.missed, p.sent = p.missed, 0, true
	if k.Machine.SendTimerSignal(p.process, p.thread, p.signal, TimerSignal{p.id, p.overrun, p.value}) == 0 {
		k.signalled(p.process, p.thread, p.signal)
	}
}

func (p *posixTimer) unhold() {
	if p.held {
		p.held = false
		p.process.held = slices.DeleteFunc(p.process.held, func(o *posixTimer) bool { return o == p })
	}
}

// releaseHeld sends the held signals that are in a set.
func (p *Process) releaseHeld(set uint64) {
	for _, timer := range slices.Clone(p.held) {
		if set&bit(timer.signal) != 0 {
			timer.unhold()
			timer.send()
		}
	}
}

// takeHeld is called at each call of a process that has held signals: it sends
// those that a thread would take now, and all before a call that looks at what
// is pending.
func (t *Task) takeHeld() {
	p := t.process
	switch t.call.number {
	case unix.SYS_RT_SIGSUSPEND, unix.SYS_RT_SIGTIMEDWAIT, unix.SYS_RT_SIGPENDING, unix.SYS_SIGNALFD, unix.SYS_SIGNALFD4,
		unix.SYS_PPOLL, unix.SYS_PSELECT6, unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_PWAIT2:
		p.releaseHeld(^uint64(0))
		return
	case unix.SYS_RT_SIGPROCMASK: // SIG_UNBLOCK: the filter lets the others through
		if set, errno := t.readWord(t.arg(1)); errno == 0 {
			p.releaseHeld(set)
		}
		return
	}
	for _, timer := range slices.Clone(p.held) {
		if _, takers := p.takes(timer.thread, timer.signal); takers {
			timer.unhold()
			timer.send()
		}
	}
}

// sysNativeAfterSignals lets the kernel carry a call out before which takeHeld
// has sent what it has to see.
func sysNativeAfterSignals(*Task) Outcome { return native() }
