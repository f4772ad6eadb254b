package guest

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// endsAtOnce are the signals that, without a handler, end a process as soon as
// they are sent, whatever its threads do (complete_signal in kernel/signal.c):
// all that neither dump core, stop, nor do nothing. But the kernel lets a tracer
// see such a signal first, when a thread is about to take it.
var endsAtOnce = func() (set uint64) {
	set = ^uint64(0)
	for _, s := range []unix.Signal{
		unix.SIGQUIT, unix.SIGILL, unix.SIGTRAP, unix.SIGABRT, unix.SIGBUS, unix.SIGFPE, unix.SIGSEGV, unix.SIGXCPU, unix.SIGXFSZ,
		unix.SIGSYS, unix.SIGSTOP, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGCHLD, unix.SIGCONT, unix.SIGURG, unix.SIGWINCH, unix.SIGKILL,
	} {
		set &^= signalBit(s)
	}
	return set
}()

func signalBit(s unix.Signal) uint64 { return 1 << (s - 1) }

func (p *ptracer) signalled(pid, tid int, signal unix.Signal) {
	if signal == 0 {
		return
	}
	bit := signalBit(signal)
	if t := p.tracees[pid]; t != nil {
		t.container.sent++
	}
	if t := p.tracees[tid]; t != nil {
		t.meant |= bit
	}
	if endsAtOnce&bit == 0 {
		return
	}
	for _, t := range p.threads(pid) {
		if tid != 0 && t.tid != tid {
			continue
		}
		if s, ok := p.signals(t.tid); !ok || (s.Caught|s.Ignored)&bit != 0 {
			return
		}
	}
}

// signals lets a process first die of a signal that would have ended it at once,
// untraced: a thread that has stopped takes that now.
func (p *ptracer) signals(tid int) (Signals, bool) {
	s, ok := readSignals(tid)
	fatal := s.Pending & endsAtOnce &^ (s.Blocked | s.Caught | s.Ignored)
	t := p.tracees[tid]
	if !ok || fatal == 0 || t == nil || t.place != atCall && t.place != held {
		return s, ok
	}
	p.uncall(t)
	if t.place == atCall {
		ptracePoke(tid, userOrigRax, noCall)
	}
	ptraceSetSignalMask(tid, allSignals&^fatal)
	p.resume(t, 0)
	p.awaitEnd(t.pid, 10*time.Second)
	return readSignals(tid)
}

// ignoredByDefault are the signals that do nothing without a handler.
var ignoredByDefault = signalBit(unix.SIGCHLD) | signalBit(unix.SIGCONT) | signalBit(unix.SIGURG) | signalBit(unix.SIGWINCH)

// settle takes the signals out of a thread's way that it ignores: the kernel
// queues even those for a traced thread, and interrupts calls for them. It returns
// false when the thread has died.
func (p *ptracer) settle(t *tracee) bool {
	if t.settled == t.container.sent {
		return true
	}
	t.settled = t.container.sent
	s, ok := readSignals(t.tid)
	ignored := s.Pending &^ s.Blocked & (s.Ignored | ignoredByDefault&^s.Caught)
	if !ok || ignored == 0 {
		return ok
	}
	if !p.skip(t) || ptraceSetSignalMask(t.tid, allSignals&^ignored) != 0 {
		return false
	}
	return p.rewind(t)
}

// deliver passes a signal on that a thread has stopped before, unless it is
// another thread's.
func (p *ptracer) deliver(t *tracee, signal unix.Signal) {
	bit := signalBit(signal)
	if info, ok := t.redirected[signal]; ok {
		delete(t.redirected, signal)
		ptraceSetSignalInfo(t.tid, &info)
	} else if taker := p.taker(t, signal); taker != t {
		p.resume(t, 0)
		return
	}
	t.meant &^= bit
	p.resume(t, signal)
}

// taker finds the thread that the kernel would have chosen to take a signal which
// was sent to a process, did it not pass over threads that have stopped under
// ptrace: the leader or else the first that does not block it (complete_signal).
// If that is not t, which has the signal, it is sent to it.
func (p *ptracer) taker(t *tracee, signal unix.Signal) *tracee {
	if t.tid == t.pid || t.meant&signalBit(signal) != 0 {
		return t
	}
	var info siginfo
	if ptraceGetSignalInfo(t.tid, &info) != 0 || !forProcess(&info) {
		return t
	}
	for _, other := range p.threads(t.pid) {
		if other == t {
			break
		}
		s, ok := readSignals(other.tid)
		if !ok || s.Dead || s.Blocked&signalBit(signal) != 0 {
			continue
		}
		if other.redirected == nil {
			other.redirected = map[unix.Signal]siginfo{}
		}
		other.redirected[signal] = info
		unix.Tgkill(other.pid, other.tid, signal)
		return other
	}
	return t
}

// forProcess tells whether a signal was sent to a process, not to one thread.
func forProcess(info *siginfo) bool {
	const tkill = -6 // SI_TKILL
	switch unix.Signal(info.signal) {
	case unix.SIGSEGV, unix.SIGBUS, unix.SIGILL, unix.SIGFPE, unix.SIGTRAP, unix.SIGSYS:
		return info.code <= 0 && info.code != tkill // else it is of what the thread has done
	}
	return info.code != tkill
}

// threads are a process's, the leader first.
func (p *ptracer) threads(pid int) (list []*tracee) {
	for _, t := range p.tracees {
		if t.pid == pid {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b *tracee) int {
		if a.tid == pid {
			return -1
		}
		if b.tid == pid {
			return 1
		}
		return a.tid - b.tid
	})
	return list
}
