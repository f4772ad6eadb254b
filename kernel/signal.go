package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/waiter"
)

// Signals are the machine's kernel's own work: it queues them, runs handlers
// and knows masks and dispositions. What it cannot do is to end the wait of a
// thread that waits here instead of there. So whoever sends a signal tells
// signalled, which asks the kernel which parked tasks would be interrupted.

// signalSent is a signal that a guest's call sends.
type signalSent struct {
	process *Process
	thread  *Task // nil: to the process
	signal  unix.Signal
}

func bit(s unix.Signal) uint64 { return 1 << (s - 1) }

// Sets of signals by what they do without a handler (signal(7)).
var (
	ignoredByDefault = bit(unix.SIGCHLD) | bit(unix.SIGCONT) | bit(unix.SIGURG) | bit(unix.SIGWINCH)
	dumpsCore        = bit(unix.SIGQUIT) | bit(unix.SIGILL) | bit(unix.SIGABRT) | bit(unix.SIGFPE) | bit(unix.SIGSEGV) |
		bit(unix.SIGBUS) | bit(unix.SIGSYS) | bit(unix.SIGTRAP) | bit(unix.SIGXCPU) | bit(unix.SIGXFSZ)
	stopsByDefault = bit(unix.SIGSTOP) | bit(unix.SIGTSTP) | bit(unix.SIGTTIN) | bit(unix.SIGTTOU)
)

// deliverable are the pending signals that would end a wait under a mask.
func deliverable(s SignalState, blocked uint64) uint64 {
	return s.Pending &^ blocked &^ (s.Ignored | ignoredByDefault&^s.Caught)
}

// hasSignal tells whether a signal waits for the task to leave its call.
func (t *Task) hasSignal() bool {
	if !t.process.signalled {
		return false
	}
	s, ok := t.machine().SignalState(t.TID)
	t.process.signalled = ok && !s.Dead && deliverable(s, s.Blocked) != 0
	return t.process.signalled
}

// signalled looks at a process, or at one thread of it, that a signal was sent
// to, and interrupts what it must.
func (k *Kernel) signalled(p *Process, thread *Task, signal unix.Signal) {
	if p.zombie {
		return
	}
	p.signalled = true
	candidates := p.tasks
	if thread != nil {
		candidates = []*Task{thread}
	}
	if k.kills(candidates, signal) {
		k.Doomed(p)
		return
	}
	if signal == unix.SIGCONT {
		p.continued()
	} else if stopsByDefault&bit(signal) != 0 && k.stops(candidates, signal) {
		p.stop()
		return
	}
	if t, state := k.taker(candidates, signal); t != nil && !t.parking.parked {
		t.signalDue = true
	} else if t != nil {
		if w, ok := t.call.state.(*signalWait); ok && state.Pending&w.set != 0 {
			t.wake() // sigtimedwait takes it
			return
		}
		if deliverable(state, t.blocked(state))&bit(signal) != 0 {
			t.interrupt()
			return
		}
	}
	p.wakeSignalDescriptors()
}

// taker finds the thread that is to handle a process's signal: the leader unless
// it blocks it, or else the first of the others that do not (complete_signal). The
// machine's kernel may have chosen another, as it looks at what no file of /proc
// shows; it hands the signal to the thread that leaves its call first.
func (k *Kernel) taker(candidates []*Task, signal unix.Signal) (taker *Task, state SignalState) {
	for _, t := range candidates {
		s, ok := k.Machine.SignalState(t.TID)
		if !ok || s.Dead || t.blocked(s)&bit(signal) != 0 {
			continue
		}
		if t.TID == t.process.TID {
			return t, s
		}
		if taker == nil {
			taker, state = t, s
		}
	}
	return taker, state
}

// blocked are the signals that do not end the task's call.
func (t *Task) blocked(s SignalState) uint64 {
	if t.parking.parked {
		if t.parking.masked {
			return t.parking.mask
		}
		if w, ok := t.call.state.(*signalWait); ok {
			return s.Blocked &^ w.set
		}
	}
	return s.Blocked
}

// kills tells whether a signal that was sent has ended its process, whatever its
// threads do: it has no handler, one thread does not block it, and it does not
// dump core. The kernel then sends SIGKILL to all threads (complete_signal).
func (k *Kernel) kills(candidates []*Task, signal unix.Signal) bool {
	if signal != unix.SIGKILL && bit(signal)&(ignoredByDefault|stopsByDefault|dumpsCore) != 0 {
		return false
	}
	for _, t := range candidates {
		s, ok := k.Machine.SignalState(t.TID)
		if !ok {
			return true
		}
		if s.Dead || s.Pending&bit(unix.SIGKILL) != 0 {
			return true
		}
	}
	return false
}

// stops tells whether a job control signal that was sent stops its process.
func (k *Kernel) stops(candidates []*Task, signal unix.Signal) bool {
	if signal == unix.SIGSTOP {
		return true
	}
	for _, t := range candidates {
		s, ok := k.Machine.SignalState(t.TID)
		if ok && bit(signal)&(s.Ignored|s.Caught|s.Blocked) == 0 {
			return true
		}
	}
	return false
}

// stop takes the threads of a process that a signal has stopped out of their
// calls: the kernel can only stop them outside. The calls start again when the
// process continues, except epoll_wait, which ends with EINTR as on Linux.
func (p *Process) stop() {
	p.stopped = true
	for _, t := range p.tasks {
		if t.parking.parked {
			if t.parking.interrupted == unix.EINTR && t.call.number != unix.SYS_EPOLL_WAIT {
				t.parking.interrupted = erestartnohand
			}
			t.parking.masked = false
			t.interrupt()
		}
	}
}

// Stopped tells that a signal has stopped the process.
func (p *Process) Stopped() bool { return p.stopped }

// HasStopped must be called when all threads of a stopped process have stopped:
// its parent may wait for that.
func (p *Process) HasStopped() {
	if !p.stopped { // by the machine's kernel, which refuses it a terminal
		p.stop()
	}
	p.tellParent()
}

func (p *Process) continued() {
	if !p.stopped {
		return
	}
	p.stopped, p.wasContinued = false, true
	for _, t := range p.tasks {
		p.host.kernel.Continued(t)
	}
	p.tellParent()
}

// tellParent wakes a parent that waits for a change of the process's state.
func (p *Process) tellParent() {
	if p.parent != nil && !p.parent.zombie {
		p.parent.childEvents.Notify(waiter.In)
		p.host.kernel.signalled(p.parent, nil, unix.SIGCHLD)
	}
}

// Stopped must be called whenever a task that was let run has stopped again, or
// has died: signals that its last call sent have arrived by then.
func (t *Task) Stopped() {
	if len(t.touched) > 0 {
		t.settleTouched()
	}
	if h := t.host(); len(h.machineFiles) > 0 || h.hungUp {
		h.askMachineFiles()
		if h.hungUp {
			h.hangUp()
		}
	}
	if t.unlocks {
		t.unlocks = false
		t.host().locks.Notify(waiter.In)
	}
	for len(t.afterwards) > 0 {
		s := t.afterwards[0]
		t.afterwards = t.afterwards[1:]
		if s.process == t.process && s.thread == t {
			continue // it has handled it, or died of it
		}
		t.kernel().signalled(s.process, s.thread, s.signal)
	}
}

// Signal sends a signal to a process from outside, as the experiment asks.
func (p *Process) Signal(s unix.Signal) unix.Errno {
	return p.raise(nil, s)
}

func (p *Process) raise(thread *Task, s unix.Signal) unix.Errno {
	k := p.host.kernel
	if errno := k.Machine.SendSignal(p, thread, s); errno != 0 {
		return errno
	}
	k.signalled(p, thread, s)
	return 0
}
