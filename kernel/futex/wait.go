package futex

import "golang.org/x/sys/unix"

// Wait queues w for a word if the word has the value expected. Errors are
// EAGAIN when it has another one, EINVAL for a bitset of zero and for an
// address that is not a multiple of four, and EFAULT.
func (t *Table) Wait(w *Waiter, word Word, value, bitset uint32) unix.Errno {
	if bitset == 0 || !word.Key.aligned() {
		return unix.EINVAL
	}
	if current, errno := word.load(); errno != 0 {
		return errno
	} else if current != value {
		return unix.EAGAIN
	}
	w.word, w.bitset, w.kind, w.owner, w.vector = word, bitset, plain, nil, nil
	t.enqueue(t.queue(word.Key), w)
	return 0
}

// Wake wakes at most count waiters of a key whose bitset has a bit in common
// with the one given, and returns how many. As in Linux, a count of zero or
// less wakes one. EINVAL means that a waiter waits for a priority-inheriting
// lock; those before it have been woken.
func (t *Table) Wake(k Key, count int, bitset uint32) (int, unix.Errno) {
	if bitset == 0 || !k.aligned() {
		return 0, unix.EINVAL
	}
	var l wakeList
	n, errno := t.take(&l, k, count, bitset)
	l.wake()
	if errno != 0 {
		return 0, errno
	}
	return n, 0
}

func (t *Table) take(l *wakeList, k Key, count int, bitset uint32) (n int, errno unix.Errno) {
	q := t.queues[k]
	if q == nil {
		return 0, 0
	}
	for w := q.first; w != nil; {
		if w.kind != plain {
			return n, unix.EINVAL
		}
		if w.bitset&bitset == 0 {
			w = w.next
			continue
		}
		next := w.next
		for next != nil && w.vector != nil && next.vector == w.vector {
			next = next.next // it goes with w
		}
		l.take(t, w)
		if n++; n >= count {
			break
		}
		w = next
	}
	return n, 0
}

// WakeOperation is FUTEX_WAKE_OP: it changes the second word as operation says,
// wakes at most count1 waiters of the first one and, if the second's previous
// value compares as operation says, at most count2 waiters of the second. Each
// of the two wakes one waiter even for a count of zero. ENOSYS means an
// operation or (with the word already changed) a comparison that is unknown.
func (t *Table) WakeOperation(k Key, count1 int, word Word, count2 int, operation uint32) (int, unix.Errno) {
	if !k.aligned() || !word.Key.aligned() {
		return 0, unix.EINVAL
	}
	holds, errno := operate(word, operation)
	if errno != 0 {
		return 0, errno
	}
	var l wakeList
	n, errno := t.take(&l, k, count1, MatchAny)
	if holds && errno == 0 {
		var m int
		m, errno = t.take(&l, word.Key, count2, MatchAny)
		n += m
	}
	l.wake()
	if errno != 0 {
		return 0, errno
	}
	return n, 0
}

// The encoding of FUTEX_WAKE_OP's last argument, from futex(2): four bits of
// operation (the highest of which asks for a shift), four of comparison, twelve
// of each argument.
const (
	opSet = iota
	opAdd
	opOr
	opAndNot
	opXor
	opShift = 8

	compareEqual = iota - 6
	compareNotEqual
	compareLess
	compareLessOrEqual
	compareGreater
	compareGreaterOrEqual
)

// operate does FUTEX_WAKE_OP's read-modify-write and tells how the comparison
// of the previous value comes out.
func operate(word Word, encoded uint32) (holds bool, errno unix.Errno) {
	operand := int32(encoded<<8) >> 20
	comparand := int32(encoded<<20) >> 20
	op := encoded >> 28
	if op&opShift != 0 {
		operand = 1 << (operand & 31)
		op &^= opShift
	}
	previous, errno := update(word, func(old uint32) (uint32, unix.Errno) {
		switch op {
		case opSet:
			return uint32(operand), 0
		case opAdd:
			return old + uint32(operand), 0
		case opOr:
			return old | uint32(operand), 0
		case opAndNot:
			return old &^ uint32(operand), 0
		case opXor:
			return old ^ uint32(operand), 0
		}
		return 0, unix.ENOSYS
	})
	if errno != 0 {
		return false, errno
	}
	old := int32(previous)
	switch encoded >> 24 & 15 {
	case compareEqual:
		return old == comparand, 0
	case compareNotEqual:
		return old != comparand, 0
	case compareLess:
		return old < comparand, 0
	case compareLessOrEqual:
		return old <= comparand, 0
	case compareGreater:
		return old > comparand, 0
	case compareGreaterOrEqual:
		return old >= comparand, 0
	}
	return false, unix.ENOSYS
}

// update changes a word atomically and returns what it was before. The guest's
// other threads may run natively for a moment, hence the loop.
func update(word Word, change func(old uint32) (uint32, unix.Errno)) (old uint32, errno unix.Errno) {
	old, errno = word.load()
	for errno == 0 {
		replacement, refused := change(old)
		if refused != 0 {
			return old, refused
		}
		var previous uint32
		previous, errno = word.Memory.CompareAndSwap32(word.Address, old, replacement)
		if errno == 0 && previous == old {
			return old, 0
		}
		old = previous
	}
	return 0, errno
}
