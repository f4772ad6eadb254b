package guest

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Insert has a thread that has stopped at a call make another one before it, and
// tells its result; again is the identity of the thread's own call then. No signal
// that the thread may take must be pending. ok is false when the thread has died,
// or when nothing was carried out because a debugger holds it.
func (c *Container) Insert(id uint64, tid, number int, arguments [3]uint64) (result int64, again uint64, ok bool, err error) {
	return c.realm.interceptor.insert(c, id, tid, number, arguments)
}

// insert makes the thread leave its call without a result, make the other one and
// then its own again.
func (n *notifier) insert(c *Container, id uint64, tid, number int, arguments [3]uint64) (result int64, again uint64, ok bool, err error) {
	if ptraceSeize(tid, 0) != 0 {
		return 0, 0, false, nil
	}
	ptraceInterrupt(tid)
	var own, other unix.PtraceRegs
	if c.Answer(id, 0, 0) != 0 || !interrupted(tid) || ptraceGetRegisters(tid, &own) != 0 {
		return 0, 0, false, nil
	}
	own.Rip -= callSize
	own.Rax, own.Orig_rax = own.Orig_rax, noCall
	other = own
	other.Rax, other.Rdi, other.Rsi, other.Rdx = uint64(number), arguments[0], arguments[1], arguments[2]
	ptraceSetRegisters(tid, &other)
	ptraceContinue(tid, 0)
	if id, err = c.nextCall(tid, number); err != nil {
		return 0, 0, false, err
	}
	ptraceInterrupt(tid)
	if c.Continue(id) != 0 || !interrupted(tid) || ptraceGetRegisters(tid, &other) != 0 {
		return 0, 0, false, nil
	}
	ptraceSetRegisters(tid, &own)
	ptraceDetach(tid, 0)
	again, err = c.nextCall(tid, int(own.Rax))
	return int64(other.Rax), again, err == nil, err
}

// interrupted waits until an attached thread has stopped because it was
// interrupted. It returns false when it has died.
func interrupted(tid int) bool {
	status, errno := waitFor(tid)
	return errno == 0 && stopEvent(status) == ptraceEventStop
}

// nextCall waits for the next call of a thread, which is to be the one with this
// number.
func (c *Container) nextCall(tid, number int) (id uint64, err error) {
	for {
		n, errno := c.realm.interceptor.receive(c, patience)
		switch {
		case errno != 0:
			return 0, fmt.Errorf("seccomp notification: %w", errno)
		case n == nil || int(n.pid) == tid && int(n.number) != number:
			return 0, fmt.Errorf("thread %d does not make system call %d, as it was made to", tid, number)
		case int(n.pid) == tid:
			return n.id, nil
		}
		c.realm.stash = append(c.realm.stash, stashed{c, *n})
	}
}

// insert injects the other call.
func (p *ptracer) insert(_ *Container, id uint64, _, number int, arguments [3]uint64) (result int64, again uint64, ok bool, err error) {
	t := p.caller(id)
	if t == nil {
		return 0, 0, false, nil
	}
	if result, ok = p.inject(t, number, arguments[:]...); !ok {
		return 0, 0, false, nil
	}
	return result, id, p.rewind(t), nil
}
