package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/futex"
	"github.com/simterpose/simterpose/sim"
)

// futex(2): arguments, keys and timeouts; the package futex has the rest.

// Operations and flags of futex(2) (linux/futex.h).
const (
	futexWait          = 0
	futexWake          = 1
	futexRequeue       = 3
	futexCmpRequeue    = 4
	futexWakeOp        = 5
	futexLockPI        = 6
	futexUnlockPI      = 7
	futexTrylockPI     = 8
	futexWaitBitset    = 9
	futexWakeBitset    = 10
	futexWaitRequeuePI = 11
	futexCmpRequeuePI  = 12
	futexLockPI2       = 13

	futexPrivate       = 128
	futexClockRealtime = 256
)

// futexMemory is a task's memory as the package futex wants it. One guest runs
// at a time, so that reading and then writing is atomic.
type futexMemory struct{ t *Task }

func (m futexMemory) Load32(address uint64) (uint32, unix.Errno) { return m.t.readInt(address) }
func (m futexMemory) Load64(address uint64) (uint64, unix.Errno) { return m.t.readWord(address) }

func (m futexMemory) CompareAndSwap32(address uint64, old, replacement uint32) (uint32, unix.Errno) {
	previous, errno := m.t.readInt(address)
	if errno == 0 && previous == old {
		errno = m.t.writeInt(address, replacement)
	}
	return previous, errno
}

func (m futexMemory) SharedKey(address uint64) (futex.Key, unix.Errno) {
	return m.t.futexKey(address, false), 0
}

// futexKey tells which word lies at an address: for a shared one, whatever
// address each process sees it at.
func (t *Task) futexKey(address uint64, private bool) futex.Key {
	if !private {
		if m, ok := t.machine().Mapping(t.TID, address); ok && m.Shared && m.Inode != 0 {
			const shared = 1 << 63
			return futex.Key{Space: shared | m.Device<<40 ^ m.Inode, Address: m.Offset + address - m.Start}
		}
	}
	return futex.Key{Space: t.process.space, Address: address}
}

func (t *Task) futexWord(address uint64, private bool) futex.Word {
	return futex.Word{Key: t.futexKey(address, private), Memory: futexMemory{t}, Address: address}
}

func sysFutex(t *Task) Outcome {
	operation := t.flags(1)
	private := operation&futexPrivate != 0
	realtime := operation&futexClockRealtime != 0
	operation &^= futexPrivate | futexClockRealtime
	if realtime && operation != futexWait && operation != futexWaitBitset && operation != futexWaitRequeuePI && operation != futexLockPI2 {
		return fail(unix.ENOSYS)
	}
	table := t.host().futexes
	count := int(int32(t.arg(2)))
	second := int(int32(t.arg(3)))
	switch operation {
	case futexWait, futexWaitBitset, futexWaitRequeuePI, futexLockPI, futexLockPI2:
		return t.futexWait(operation, private, realtime)
	case futexWake:
		return result(table.Wake(t.futexKey(t.arg(0), private), count, futex.MatchAny))
	case futexWakeBitset:
		bitset := uint32(t.arg(5))
		if bitset == 0 {
			return fail(unix.EINVAL)
		}
		return result(table.Wake(t.futexKey(t.arg(0), private), count, bitset))
	case futexRequeue:
		return result(table.Requeue(t.futexKey(t.arg(0), private), count, second, t.futexKey(t.arg(4), private)))
	case futexCmpRequeue:
		return result(table.CompareRequeue(t.futexWord(t.arg(0), private), count, second, t.futexKey(t.arg(4), private), uint32(t.arg(5))))
	case futexWakeOp:
		return result(table.WakeOperation(t.futexKey(t.arg(0), private), count, t.futexWord(t.arg(4), private), second, uint32(t.arg(5))))
	case futexUnlockPI:
		return fail(table.UnlockPI(t.futexWord(t.arg(0), private), t.futexOwner()))
	case futexTrylockPI:
		return fail(table.TryLockPI(t.futexWord(t.arg(0), private), t.futexOwner()))
	case futexCmpRequeuePI:
		return result(table.CompareRequeuePI(t.futexWord(t.arg(0), private), count, second, t.futexWord(t.arg(4), private), uint32(t.arg(5))))
	}
	return t.kernel().refuse(t, "futex operation", unix.ENOSYS)
}

func (t *Task) futexOwner() *futex.Owner {
	t.owner.TID = uint32(t.ID)
	return &t.owner
}

// futexQueued is the state of a call that has put the task into the table.
type futexQueued struct{}

func (t *Task) futexWait(operation int, private, realtime bool) Outcome {
	table := t.host().futexes
	if _, queued := t.call.state.(futexQueued); queued {
		if !t.futex.Queued() {
			t.parking.onAbandon = nil
			return ret(0)
		}
		if t.timedOut() {
			t.abandon()
			return fail(unix.ETIMEDOUT)
		}
		return t.futexPark()
	}
	if t.first() && t.arg(3) != 0 {
		timeout, errno := t.readTimespec(t.arg(3))
		if errno != 0 {
			return fail(errno)
		}
		switch {
		case operation == futexWait:
			t.call.deadline = t.now() + min(sim.Never-t.now()-1, sim.Time(timeout))
		case realtime || operation == futexLockPI:
			t.waitUntil(unix.CLOCK_REALTIME, timeout)
		default:
			t.waitUntil(unix.CLOCK_MONOTONIC, timeout)
		}
	}
	if t.futex.Wake == nil {
		t.futex.Wake = t.wake
	}
	word := t.futexWord(t.arg(0), private)
	var errno unix.Errno
	locked := false
	switch operation {
	case futexWait:
		errno = table.Wait(&t.futex, word, uint32(t.arg(2)), futex.MatchAny)
	case futexWaitBitset:
		errno = table.Wait(&t.futex, word, uint32(t.arg(2)), uint32(t.arg(5)))
	case futexWaitRequeuePI:
		errno = table.WaitRequeuePI(&t.futex, word, uint32(t.arg(2)), futex.MatchAny, t.futexWord(t.arg(4), private), t.futexOwner())
	default:
		locked, errno = table.LockPI(&t.futex, word, t.futexOwner())
	}
	if errno != 0 || locked {
		return fail(errno)
	}
	if t.call.deadline <= t.now() {
		table.Cancel(&t.futex)
		return fail(unix.ETIMEDOUT)
	}
	t.call.state = futexQueued{}
	return t.futexPark()
}

func (t *Task) futexPark() Outcome {
	t.parking.waitsFor = "a futex"
	t.parking.onAbandon = func() { t.host().futexes.Cancel(&t.futex) }
	if t.call.deadline != sim.Never {
		return t.park(erestartnohand)
	}
	return t.park(erestartsys)
}

// sysFutexWaitv waits for any of several words.
func sysFutexWaitv(t *Task) Outcome {
	type vectorWait struct {
		vector futex.Vector
		woken  int
	}
	if w, ok := t.call.state.(*vectorWait); ok {
		if !w.vector.Queued() {
			t.parking.onAbandon = nil
			return ret(w.woken)
		}
		if t.timedOut() {
			t.abandon()
			return fail(unix.ETIMEDOUT)
		}
	}
	const size, size32 = 24, 2 // struct futex_waitv, FUTEX2_SIZE_U32
	count := t.int(1)
	if count < 1 || count > futex.VectorMaximum || t.flags(2) != 0 || t.arg(0) == 0 {
		return fail(unix.EINVAL)
	}
	b := make([]byte, size*count)
	if errno := t.read(t.arg(0), b); errno != 0 {
		return fail(errno)
	}
	words := make([]futex.Expectation, count)
	for i := range words {
		e := b[size*i:]
		flags := binary.LittleEndian.Uint32(e[16:])
		if flags&^futexPrivate != size32 || binary.LittleEndian.Uint32(e[20:]) != 0 {
			return fail(unix.EINVAL)
		}
		words[i] = futex.Expectation{
			Word:  t.futexWord(binary.LittleEndian.Uint64(e[8:]), flags&futexPrivate != 0),
			Value: uint32(binary.LittleEndian.Uint64(e)),
		}
	}
	if t.first() && t.arg(3) != 0 {
		timeout, errno := t.readTimespec(t.arg(3))
		if errno != 0 {
			return fail(errno)
		}
		t.waitUntil(t.int(4), timeout)
	}
	w := &vectorWait{}
	w.vector.Wake = func(i int) { w.woken = i; t.wake() }
	if errno := t.host().futexes.WaitVector(&w.vector, words); errno != 0 {
		return fail(errno)
	}
	if t.call.deadline <= t.now() {
		t.host().futexes.CancelVector(&w.vector)
		return fail(unix.ETIMEDOUT)
	}
	t.call.state = w
	t.parking.waitsFor = "a futex"
	t.parking.onAbandon = func() { t.host().futexes.CancelVector(&w.vector) }
	return t.park(erestartsys)
}

// wakeRobust gives up the locks of a thread that is about to end.
func (t *Task) wakeRobust() {
	if head := t.machine().RobustList(t.TID); head != 0 {
		t.host().futexes.ExitRobust(futexMemory{t}, head, uint32(t.ID))
	}
}

// wakeFutex wakes who waits for the word at an address of an address space, as
// the kernel does for clear_child_tid.
func (t *Task) wakeFutex(space, address uint64) {
	t.host().futexes.Wake(futex.Key{Space: space, Address: address}, 1, futex.MatchAny)
}
