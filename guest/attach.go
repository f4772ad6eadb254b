package guest

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// ptrace is used for moments only: around exec and the creation of threads and
// processes, to stop a thread that computes, and to deliver a signal under a
// temporary mask. In between nothing is attached.

// stop waits until an attached thread stops. It returns the status and ok, or
// false when the thread made a system call that stops it instead, which means
// that what was waited for has failed; that notification stays unread. (Another
// thread's notification does not count: the one waited for then runs or is in
// an uninterruptible sleep, as in exec and fork.)
func (c *Container) stop(tid int) (status unix.WaitStatus, ok bool, errno unix.Errno) {
	for {
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
			asleep := State(tid) == 'S'
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

// Exec lets a thread's execve go on, and prepares the new program: no
// randomness but random, and a clock that it asks for by BootCall. tid is the
// thread that calls; when execve succeeds the thread that goes on is leader,
// the number of its process, and the process's other threads are gone. done is
// false when execve failed or the process died, and then the thread is on its
// own way again.
func (c *Container) Exec(id uint64, tid, leader int, random [16]byte, identity Identity) (done bool, err error) {
	if gone, err := seize(tid, unix.PTRACE_O_TRACEEXEC); gone || err != nil {
		return false, err
	}
	if errno := c.Continue(id); errno != 0 {
		return false, nil // killed meanwhile
	}
	// A thread that is not the leader takes the leader's number in exec.
	waited := tid
	for {
		status, ok, errno := c.stop(waited)
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
			err := c.realm.vdso.rewrite(leader, random, identity)
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

// Child is a thread or process just made.
type Child struct {
	TID int
	// Vfork: the parent sleeps in the kernel until the child has execed or
	// died; ParentReleased tells when.
	Vfork bool
}

// Clone lets a thread's clone, fork or vfork go on and holds the new thread
// before its first instruction, until Release. The parent is stopped too, until
// ReleaseParent. ok is false when the call failed or the caller died.
func (c *Container) Clone(id uint64, tid int) (child Child, ok bool, err error) {
	const options = unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEVFORKDONE
	if gone, err := seize(tid, options); gone || err != nil {
		return child, false, err
	}
	if errno := c.Continue(id); errno != 0 {
		return child, false, nil
	}
	for {
		status, ok, errno := c.stop(tid)
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

// ReleaseParent lets the parent of a new child go on. After vfork it sleeps on
// in the kernel.
func ReleaseParent(tid int, child Child) {
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

// Release lets a thread that Clone held, or that Stop stopped, run. ESRCH means
// that it is gone.
func Release(tid int) unix.Errno { return ptraceDetach(tid, 0) }

// Dead takes notice of the death of a thread that may have been attached: nobody
// else, its parent included, hears of it before.
func Dead(tid int) {
	unix.Waitid(unix.P_PID, tid, nil, unix.WEXITED|unix.WALL|unix.WNOHANG, nil)
}

// ParentReleased waits for the moment at which the parent of a vfork goes on,
// after its child has execed or died, and leaves it stopped; Release lets it
// run. It returns false when the parent is gone.
func ParentReleased(tid int) bool {
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

// Stop stops a thread that computes, until Release. It returns false when the
// thread died, or got a signal to handle, before it could be stopped.
func Stop(tid int) bool {
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

// Interrupt ends a thread's call with errno and makes the thread look for
// pending signals, as if the kernel had chosen it to take them.
func (c *Container) Interrupt(id uint64, tid int, errno unix.Errno) error {
	if gone, err := seize(tid, 0); gone || err != nil {
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

// Carry lets the machine's kernel carry a thread's call out and calls after with
// the call's result while the thread is stopped behind it. It returns false when
// the thread died.
func (c *Container) Carry(id uint64, tid int, after func(result int64)) (ok bool, err error) {
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

// InterruptUnder ends a thread's call with EINTR and lets the signals that mask
// does not block be delivered, as sigsuspend, ppoll, pselect and epoll_pwait
// do: their handlers run with mask, and the thread's own mask comes back when
// they return.
func (c *Container) InterruptUnder(id uint64, tid int, mask uint64) error {
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
	// One step with the signal ends at the handler's first instruction, with
	// the frame below the stack pointer: the return address, then the
	// ucontext, whose mask lies at the offset of uc_sigmask in asm/ucontext.h.
	var before, after unix.PtraceRegs
	ptraceGetRegisters(tid, &before)
	ptraceStep(tid, signal)
	if status, errno = stopped(tid); errno != 0 || !status.Stopped() {
		return nil
	}
	const returnAddress, maskOffset = 8, 296
	ptraceGetRegisters(tid, &after)
	if after.Rip != before.Rip { // a handler runs
		word := [8]byte{}
		for i := range word {
			word[i] = byte(own >> (8 * i))
		}
		if _, errno := WriteMemory(tid, after.Rsp+returnAddress+maskOffset, word[:]); errno != 0 {
			return fmt.Errorf("write the signal frame of thread %d: %w", tid, errno)
		}
	} else {
		ptraceSetSignalMask(tid, own)
	}
	ptraceDetach(tid, passedOn2(status))
	return nil
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
