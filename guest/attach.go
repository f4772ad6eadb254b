package guest

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// ptrace is used for moments only: around exec and the creation of threads and
// processes, to stop a thread that computes, and to deliver a signal under a
// temporary mask. In between nothing is attached.

// await waits until an attached thread stops. It returns the status and ok, or
// false when the thread made a system call that stops it instead, which means
// that what was waited for has failed; that notification stays unread. (Another
// thread's notification does not count: the one waited for then runs or is in
// an uninterruptible sleep, as in exec and fork.)
//
// Meanwhile is called now and then if that takes long.
func (c *Container) await(tid int, meanwhile func()) (status unix.WaitStatus, ok bool, errno unix.Errno) {
	const long = 64
	for n := 1; ; n++ {
		if n%long == 0 {
			meanwhile()
		}
		status, ok, errno := wait4(tid)
		if ok || errno != 0 && errno != unix.EINTR {
			return status, ok, errno
		}
		// Sleeping lets the thread run: it shares this processor.
		ready, errno := c.listener.poll(20 * time.Microsecond)
		if errno != 0 {
			return 0, false, errno
		}
		if ready {
			asleep := threadState(tid) == 'S'
			if status, ok, errno = wait4(tid); ok || errno != 0 {
				return status, ok, errno
			}
			if asleep {
				return 0, false, 0
			}
			unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
		}
	}
}

func (n *notifier) exec(c *Container, id uint64, tid, leader int, rewrite func() error) (done bool, err error) {
	if gone, err := seize(tid, unix.PTRACE_O_TRACEEXEC); gone || err != nil {
		return false, err
	}
	if errno := c.Continue(id); errno != 0 {
		return false, nil // killed meanwhile
	}
	// A thread that is not the leader takes the leader's number in exec.
	waited := tid
	for {
		status, ok, errno := c.await(waited, func() { n.reapThreads(leader, tid) })
		switch {
		case errno == unix.ECHILD && waited != leader:
			waited = leader
			continue
		case errno != 0:
			return false, nil
		case !ok:
			c.letGo(waited)
			return false, nil
		case status.Exited() || status.Signaled():
			return false, nil
		case stopEvent(status) == unix.PTRACE_EVENT_EXEC:
			err := rewrite()
			ptraceDetach(leader, 0)
			return err == nil, err
		}
		ptraceContinue(waited, passedOn(status))
	}
}

// passedOn is the signal to give an attached thread that stopped with status:
// the one it stopped for, or none for ptrace's own stops.
func passedOn(status unix.WaitStatus) unix.Signal {
	if stopEvent(status) != 0 {
		return 0
	}
	return status.StopSignal()
}

// letGo detaches from a thread that has made a call which nobody has received
// yet. Only a stopped thread can be detached, so it is interrupted: that takes
// it out of the call, which starts again when it goes on.
func (c *Container) letGo(tid int) {
	ptraceInterrupt(tid)
	if status, errno := stopped(tid); errno == 0 && status.Stopped() {
		ptraceDetach(tid, passedOn(status))
	}
}

// pause lets guests run: they share this processor.
func pause() { unix.Nanosleep(&unix.Timespec{Nsec: 20_000}, nil) }

// stopped waits until an attached thread that was interrupted stops, or dies.
func stopped(tid int) (unix.WaitStatus, unix.Errno) {
	for {
		status, ok, errno := wait4(tid)
		if ok || errno != 0 && errno != unix.EINTR {
			return status, errno
		}
		pause()
	}
}

func (n *notifier) clone(c *Container, id uint64, tid int) (child Child, ok bool, err error) {
	const options = unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEVFORKDONE
	if gone, err := seize(tid, options); gone || err != nil {
		return child, false, err
	}
	if errno := c.Continue(id); errno != 0 {
		return child, false, nil
	}
	for {
		status, ok, errno := c.await(tid, func() {})
		if errno != 0 {
			return child, false, nil
		}
		if !ok {
			c.letGo(tid)
			return child, false, nil
		}
		if !status.Stopped() {
			return child, false, nil
		}
		event := stopEvent(status)
		if event != unix.PTRACE_EVENT_CLONE && event != unix.PTRACE_EVENT_FORK && event != unix.PTRACE_EVENT_VFORK {
			ptraceContinue(tid, passedOn(status))
			continue
		}
		message, errno := ptraceEventMessage(tid)
		if errno != 0 {
			return child, false, nil
		}
		child.TID, child.Vfork = int(message), event == unix.PTRACE_EVENT_VFORK
		if err := catchChild(child.TID); err != nil {
			return child, false, err
		}
		return child, true, nil
	}
}

func (n *notifier) releaseParent(tid int, child Child) {
	if child.Vfork {
		ptraceContinue(tid, 0)
	} else {
		ptraceDetach(tid, 0)
	}
}

// catchChild waits for the first stop of a new thread, which is attached from
// its birth.
func catchChild(tid int) error {
	for {
		status, ok, errno := wait4(tid)
		switch {
		case ok && status.Stopped():
			return nil
		case ok:
			return nil // dead at once; its death is told like any other
		case errno != 0 && errno != unix.EINTR:
			return fmt.Errorf("wait for new thread %d: %w", tid, errno)
		}
		pause()
	}
}

func (n *notifier) release(tid int) unix.Errno { return ptraceDetach(tid, 0) }

func (n *notifier) parentReleased(tid int) bool {
	for {
		status, ok, errno := wait4(tid)
		switch {
		case ok && stopEvent(status) == unix.PTRACE_EVENT_VFORK_DONE:
			return true
		case ok && status.Stopped():
			ptraceContinue(tid, passedOn(status))
		case ok, errno != 0 && errno != unix.EINTR:
			return false
		default:
			pause()
		}
	}
}

func (n *notifier) stop(tid int) bool {
	if errno := ptraceSeize(tid, 0); errno != 0 {
		return false
	}
	ptraceInterrupt(tid)
	status, errno := stopped(tid)
	if errno != 0 || !status.Stopped() {
		return false
	}
	if signal := passedOn(status); signal != 0 {
		ptraceDetach(tid, signal)
		return false
	}
	return true
}

func (n *notifier) interrupt(c *Container, id uint64, tid int, errno unix.Errno) error {
	switch gone, err := seize(tid, 0); {
	case gone:
		return nil
	case errors.As(err, new(*MissingError)):
		// A debugger holds it, and lets it look for signals.
		c.Answer(id, 0, errno)
		return nil
	case err != nil:
		return err
	}
	ptraceInterrupt(tid)
	if errno := c.Answer(id, 0, errno); errno != 0 {
		return nil
	}
	if status, errno := stopped(tid); errno == 0 && status.Stopped() {
		ptraceDetach(tid, passedOn(status))
	}
	return nil
}

func (n *notifier) carry(c *Container, id uint64, tid int, after func(result int64)) (ok bool, err error) {
	if gone, err := seize(tid, 0); gone || err != nil {
		return false, err
	}
	ptraceInterrupt(tid)
	if errno := c.Continue(id); errno != 0 {
		return false, nil
	}
	status, errno := stopped(tid)
	if errno != 0 || !status.Stopped() {
		return false, nil
	}
	var registers unix.PtraceRegs
	if errno := ptraceGetRegisters(tid, &registers); errno != 0 {
		return false, nil
	}
	after(int64(registers.Rax))
	return ptraceDetach(tid, passedOn(status)) == 0, nil
}

func (n *notifier) interruptUnder(c *Container, id uint64, tid int, mask uint64) error {
	if gone, err := seize(tid, 0); gone || err != nil {
		return err
	}
	ptraceInterrupt(tid)
	if errno := c.Answer(id, 0, unix.EINTR); errno != 0 {
		return nil
	}
	status, errno := stopped(tid)
	if errno != 0 || !status.Stopped() {
		return nil
	}
	own, errno := ptraceGetSignalMask(tid)
	if errno != 0 {
		return nil
	}
	ptraceSetSignalMask(tid, mask)
	if stopEvent(status) != 0 {
		ptraceContinue(tid, 0)
		if status, errno = stopped(tid); errno != 0 || !status.Stopped() {
			return nil
		}
	}
	signal := passedOn(status)
	if signal == 0 {
		ptraceSetSignalMask(tid, own)
		ptraceDetach(tid, 0)
		return nil
	}
	if status, err := deliverUnder(tid, signal, own); err != nil {
		return err
	} else if status.Stopped() {
		ptraceDetach(tid, passedOn2(status))
	}
	return nil
}

// deliverUnder delivers a signal to a thread that has stopped before it and has a
// temporary mask, and sees to it that its own mask comes back behind the handler.
// It returns how the thread has stopped then, or died.
func deliverUnder(tid int, signal unix.Signal, own uint64) (unix.WaitStatus, error) {
	// One step with the signal ends at the handler's first instruction, with
	// the frame below the stack pointer: the return address, then the
	// ucontext, whose mask lies at the offset of uc_sigmask in asm/ucontext.h.
	var before, after unix.PtraceRegs
	ptraceGetRegisters(tid, &before)
	ptraceStep(tid, signal)
	status, errno := waitFor(tid)
	if errno != 0 || !status.Stopped() {
		return status, nil
	}
	const returnAddress, maskOffset = 8, 296
	ptraceGetRegisters(tid, &after)
	if after.Rip != before.Rip { // a handler runs
		word := [8]byte{}
		for i := range word {
			word[i] = byte(own >> (8 * i))
		}
		if _, errno := WriteMemory(tid, after.Rsp+returnAddress+maskOffset, word[:]); errno != 0 {
			return status, fmt.Errorf("write the signal frame of thread %d: %w", tid, errno)
		}
	} else {
		ptraceSetSignalMask(tid, own)
	}
	return status, nil
}

// passedOn2 is passedOn after a single step, whose own stop is a SIGTRAP.
func passedOn2(status unix.WaitStatus) unix.Signal {
	if s := passedOn(status); s != unix.SIGTRAP {
		return s
	}
	return 0
}

// seize attaches to a thread. gone tells that it is dead or dying, which the
// kernel calls EPERM: its death will be told like any other.
func seize(tid, options int) (gone bool, err error) {
	switch errno := ptraceSeize(tid, options); {
	case errno == 0:
		return false, nil
	case errno == unix.ESRCH || Exiting(tid):
		return true, nil
	default:
		return false, attachError(errno)
	}
}

func attachError(errno unix.Errno) error {
	if errno == unix.EPERM {
		return &MissingError{
			"a guest cannot be attached by ptrace",
			"detach the debugger that holds it, or allow ptrace: sysctl kernel.yama.ptrace_scope=0",
		}
	}
	return fmt.Errorf("attach to a guest: %w", errno)
}
