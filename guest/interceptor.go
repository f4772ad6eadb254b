package guest

import (
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// interceptor is a way to stop guests at their calls and to answer these. Its
// methods are described where they are exported, by the methods of Realm and
// Container that lead to them.
type interceptor interface {
	// filter makes the filter, which stops all calls but native ones.
	filter(native Native) (program []bpf.RawInstruction, flags uint64, err error)
	// start lets the first agent carry out the list that makes a host's agent,
	// whose pidfd the list stores at an address, up to that agent's first call.
	start(c *Container, l *list, pidfd uint64) error
	// receive waits at most timeout for a call on one host; nil without an
	// error means that there was none. The next call overwrites the result.
	receive(c *Container, timeout time.Duration) (*notification, unix.Errno)
	answer(c *Container, id uint64, value int64, errno unix.Errno) unix.Errno
	proceed(c *Container, id uint64) unix.Errno
	addDescriptor(c *Container, id uint64, source, number int, closeOnExec bool) (int, unix.Errno)

	wait(e *Event, timeout time.Duration) error
	pending() bool
	watch(pid, pidfd int) error
	unwatch(pid, pidfd int)
	awaitDeath(pid, pidfd int, timeout time.Duration) bool
	awaitThreadDeath(pid, tid int)
	dead(tid int)

	exec(c *Container, id uint64, tid, leader int, rewrite func() error) (done bool, err error)
	clone(c *Container, id uint64, tid int) (child Child, ok bool, err error)
	releaseParent(tid int, child Child)
	parentReleased(tid int) bool
	release(tid int) unix.Errno
	stop(tid int) bool
	spin(tid, steps int) bool
	state(tid int) byte

	interrupt(c *Container, id uint64, tid int, errno unix.Errno) error
	interruptUnder(c *Container, id uint64, tid int, mask uint64) error
	insert(c *Container, id uint64, tid, number int, arguments [3]uint64) (result int64, again uint64, ok bool, err error)
	carry(c *Container, id uint64, tid int, after func(result int64)) (ok bool, err error)
	// signalled is told of signals that the emulator has sent to a process, or
	// to its thread tid when that is not 0.
	signalled(pid, tid int, signal unix.Signal)
	signals(tid int) (s Signals, ok bool)

	// reap collects what has died, while a host's processes are killed.
	reap()
	forget(c *Container)
	close()
}

// Answer ends a guest's call with a value, or with errno when that is not 0.
// ENOENT means that the guest has gone meanwhile.
func (c *Container) Answer(id uint64, value int64, errno unix.Errno) unix.Errno {
	return c.realm.interceptor.answer(c, id, value, errno)
}

// Continue lets the kernel carry out a guest's call.
func (c *Container) Continue(id uint64) unix.Errno {
	return c.realm.interceptor.proceed(c, id)
}

// AnswerDescriptor installs a copy of one of the emulator's descriptors in the
// guest and answers its call with the number it got there. These are two steps,
// not SECCOMP_ADDFD_FLAG_SEND's one: when a signal of the Go runtime interrupts
// that (Linux 6.18), the guest may be answered without a descriptor.
func (c *Container) AnswerDescriptor(id uint64, source int, closeOnExec bool) (number int, errno unix.Errno) {
	if number, errno = c.AddDescriptor(id, source, -1, closeOnExec); errno != 0 {
		return 0, errno
	}
	return number, c.Answer(id, int64(number), 0)
}

// AddDescriptor installs a copy of one of the emulator's descriptors in a guest
// whose call is not answered yet, with the given number, or the lowest free one
// when number is negative.
func (c *Container) AddDescriptor(id uint64, source, number int, closeOnExec bool) (int, unix.Errno) {
	return c.realm.interceptor.addDescriptor(c, id, source, number, closeOnExec)
}

// Exec lets a thread's execve go on, and prepares the new program: no
// randomness but random, and a clock that it asks for by BootCall. tid is the
// thread that calls; when execve succeeds the thread that goes on is leader,
// the number of its process, and the process's other threads are gone. done is
// false when execve failed or the process died, and then the thread is on its
// own way again.
func (c *Container) Exec(id uint64, tid, leader int, random [16]byte, identity Identity) (done bool, err error) {
	return c.realm.interceptor.exec(c, id, tid, leader, func() error {
		return c.realm.vdso.rewrite(leader, random, identity)
	})
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
	return c.realm.interceptor.clone(c, id, tid)
}

// Interrupt ends a thread's call with errno and makes the thread look for
// pending signals, as if the kernel had chosen it to take them.
func (c *Container) Interrupt(id uint64, tid int, errno unix.Errno) error {
	return c.realm.interceptor.interrupt(c, id, tid, errno)
}

// InterruptUnder ends a thread's call with EINTR and lets the signals that mask
// does not block be delivered, as sigsuspend, ppoll, pselect and epoll_pwait
// do: their handlers run with mask, and the thread's own mask comes back when
// they return.
func (c *Container) InterruptUnder(id uint64, tid int, mask uint64) error {
	return c.realm.interceptor.interruptUnder(c, id, tid, mask)
}

// Carry lets the machine's kernel carry a thread's call out and calls after with
// the call's result while the thread is stopped behind it. It returns false when
// the thread died.
func (c *Container) Carry(id uint64, tid int, after func(result int64)) (ok bool, err error) {
	return c.realm.interceptor.carry(c, id, tid, after)
}

// ReleaseParent lets the parent of a new child go on. After vfork it sleeps on
// in the kernel.
func (r *Realm) ReleaseParent(tid int, child Child) { r.interceptor.releaseParent(tid, child) }

// ParentReleased waits for the moment at which the parent of a vfork goes on,
// after its child has execed or died, and leaves it stopped; Release lets it
// run. It returns false when the parent is gone.
func (r *Realm) ParentReleased(tid int) bool { return r.interceptor.parentReleased(tid) }

// Release lets a thread that Clone held, or that Stop stopped, run. ESRCH means
// that it is gone.
func (r *Realm) Release(tid int) unix.Errno { return r.interceptor.release(tid) }

// Stop stops a thread that computes, until Release. It returns false when the
// thread died, or got a signal to handle, before it could be stopped.
func (r *Realm) Stop(tid int) bool { return r.interceptor.stop(tid) }

// Spin looks at a thread that makes no call. If it runs in a circle, which it can
// only leave when another thread changes memory, Spin stops it in a place of the
// circle that depends on nothing but the circle: so it does not matter how often
// the machine has let it run round. It is then stopped as by Stop. Else it runs
// on.
//
// A thread runs in a circle when, instruction by instruction, all its registers
// have the same values in each round. That they come back once is not enough: a
// loop that works through a list in memory may look the same at one instruction,
// and how much of its work is done by now the machine says.
//
// Loops of up to so many instructions are found. Each step costs some microseconds,
// or milliseconds when other programs want the processor.
func (r *Realm) Spin(tid, steps int) bool { return r.interceptor.spin(tid, steps) }

// State is the state of a thread as proc(5) gives it: R runs or computes, S and
// D sleep in the kernel, T is stopped by a signal, Z is dead; 0 when it is gone.
func (r *Realm) State(tid int) byte { return r.interceptor.state(tid) }

// Signals are a thread's sets of signals; ok is false when it is gone.
func (r *Realm) Signals(tid int) (s Signals, ok bool) { return r.interceptor.signals(tid) }

// Dead takes notice of the death of a thread that may have been attached: nobody
// else, its parent included, hears of it before.
func (r *Realm) Dead(tid int) { r.interceptor.dead(tid) }

// AwaitThreadDeath waits until a thread that has been let go into exit(2) is
// gone.
func (r *Realm) AwaitThreadDeath(pid, tid int) { r.interceptor.awaitThreadDeath(pid, tid) }

// Wait waits at most timeout (for ever if negative) for news and puts it into
// e. A guest's call comes before a death that is told at the same time.
func (r *Realm) Wait(e *Event, timeout time.Duration) error {
	*e = Event{}
	if len(r.stash) > 0 {
		e.called(&r.stash[0].notification)
		r.stash = r.stash[1:]
		return nil
	}
	return r.interceptor.wait(e, timeout)
}

// Pending tells whether Wait would return at once.
func (r *Realm) Pending() bool { return r.interceptor.pending() || len(r.stash) > 0 }
