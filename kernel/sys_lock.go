package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/waiter"
)

// File locks are the machine's; a call that would wait for one waits here, and
// tries again whenever a lock of the host may have become free.

// sysFlock tries on a copy of the descriptor: flock's locks belong to the open
// file description, which the copy shares.
func sysFlock(t *Task) Outcome {
	operation := t.flags(1)
	if operation&unix.LOCK_UN != 0 {
		t.afterUnlock()
		return native()
	}
	if operation&unix.LOCK_NB != 0 || t.description(t.int(0)) != nil {
		return native()
	}
	fd, errno := t.machine().TakeDescriptor(t, t.int(0))
	if errno != 0 {
		return fail(errno)
	}
	err := unix.Flock(fd, operation|unix.LOCK_NB)
	unix.Close(fd)
	if err == nil {
		return ret(0)
	}
	if err != unix.EWOULDBLOCK {
		return fail(err.(unix.Errno))
	}
	t.parking.waitsFor = "a file lock"
	t.watch(&t.host().locks, waiter.In)
	return t.park(erestartsys)
}

// fcntlLock is F_SETLK, F_SETLKW and their forms for open file descriptions. A
// lock of a process cannot be tried for it, but asked about.
func fcntlLock(t *Task) Outcome {
	var b [32]byte // struct flock
	if errno := t.read(t.arg(2), b[:]); errno != 0 {
		return fail(errno)
	}
	kind := int16(uint16(b[0]) | uint16(b[1])<<8)
	if kind == unix.F_UNLCK {
		t.afterUnlock()
		return native()
	}
	command := t.flags(1)
	if command == unix.F_SETLK || command == unix.F_OFD_SETLK {
		return native()
	}
	fd, errno := t.machine().TakeDescriptor(t, t.int(0))
	if errno != 0 {
		return native()
	}
	defer unix.Close(fd)
	lock := unix.Flock_t{
		Type: kind, Whence: int16(uint16(b[2]) | uint16(b[3])<<8),
		Start: int64(word(b[8:])), Len: int64(word(b[16:])),
	}
	ask := unix.F_GETLK
	if command == unix.F_OFD_SETLKW {
		ask = unix.F_OFD_GETLK
	}
	if err := unix.FcntlFlock(uintptr(fd), ask, &lock); err != nil || lock.Type == unix.F_UNLCK || int(lock.Pid) == t.process.TID {
		return native()
	}
	if command == unix.F_SETLKW {
		wait := &lockWait{t.host().processByTID(int(lock.Pid))}
		if wait.leadsTo(t.process, map[*Process]bool{}) {
			return fail(unix.EDEADLK)
		}
		t.call.state = wait
	}
	t.parking.waitsFor = "a file lock"
	t.watch(&t.host().locks, waiter.In)
	return t.park(erestartsys)
}

// lockWait is a wait for a lock that another process holds.
type lockWait struct{ holder *Process }

// leadsTo tells whether the holder of the lock waits, itself or by others, for one
// that p holds.
func (w *lockWait) leadsTo(p *Process, seen map[*Process]bool) bool {
	if w.holder == nil || seen[w.holder] {
		return false
	}
	seen[w.holder] = true
	for _, t := range w.holder.tasks {
		if next, ok := t.call.state.(*lockWait); ok && t.parking.parked && (next.holder == p || next.leadsTo(p, seen)) {
			return true
		}
	}
	return false
}

// processByTID finds a process by the machine's number.
func (h *Host) processByTID(tid int) *Process {
	if t := h.kernel.Task(tid); t != nil && t.process.host == h {
		return t.process
	}
	return nil
}

func word(b []byte) (v uint64) {
	for i := range 8 {
		v |= uint64(b[i]) << (8 * i)
	}
	return v
}

// afterUnlock lets those who wait for locks try again when the call that frees
// one has been carried out.
func (t *Task) afterUnlock() { t.unlocks = true }
