package futex

import "golang.org/x/sys/unix"

// Requeue is FUTEX_REQUEUE: it wakes at most wake waiters of the first word and
// moves at most move others to the end of the second one's. It returns how many
// it woke and moved. EINVAL means a negative count, or a waiter of
// FUTEX_WAIT_REQUEUE_PI or FUTEX_LOCK_PI; those before it have been dealt with.
func (t *Table) Requeue(from Key, wake, move int, to Key) (int, unix.Errno) {
	if wake < 0 || move < 0 || !from.aligned() || !to.aligned() {
		return 0, unix.EINVAL
	}
	q := t.queues[from]
	if q == nil {
		return 0, 0
	}
	var l wakeList
	n, errno := 0, unix.Errno(0)
	for w := q.first; w != nil && n-wake < move; {
		if w.kind != plain {
			errno = unix.EINVAL
			break
		}
		next := w.next
		if n++; n <= wake {
			for next != nil && w.vector != nil && next.vector == w.vector {
				next = next.next // it goes with w
			}
			l.take(t, w)
		} else if from != to {
			t.move(w, to)
		}
		w = next
	}
	l.wake()
	if errno != 0 {
		return 0, errno
	}
	return n, 0
}

// CompareRequeue is FUTEX_CMP_REQUEUE: Requeue if the first word has the value
// expected, else EAGAIN.
func (t *Table) CompareRequeue(from Word, wake, move int, to Key, value uint32) (int, unix.Errno) {
	if wake < 0 || move < 0 || !from.Key.aligned() || !to.aligned() {
		return 0, unix.EINVAL
	}
	if current, errno := from.load(); errno != 0 {
		return 0, errno
	} else if current != value {
		return 0, unix.EAGAIN
	}
	return t.Requeue(from.Key, wake, move, to)
}

// move puts w at the end of another key's waiters.
func (t *Table) move(w *Waiter, to Key) {
	t.dequeue(w)
	w.word.Key = to
	t.enqueue(t.queue(to), w)
}

// WaitRequeuePI is FUTEX_WAIT_REQUEUE_PI by the task self: it queues w for a
// word if the word has the value expected, to be moved by CompareRequeuePI to
// the lock. w is woken when self has got the lock. Errors are those of Wait,
// and EINVAL when both words are the same.
func (t *Table) WaitRequeuePI(w *Waiter, word Word, value, bitset uint32, lock Word, self *Owner) unix.Errno {
	if bitset == 0 || word.Key == lock.Key || !word.Key.aligned() || !lock.Key.aligned() {
		return unix.EINVAL
	}
	if current, errno := word.load(); errno != 0 {
		return errno
	} else if current != value {
		return unix.EAGAIN
	}
	w.word, w.bitset, w.kind, w.owner, w.vector = word, bitset, requeuing, self, nil
	w.lock = lock
	t.enqueue(t.queue(word.Key), w)
	return 0
}

// CompareRequeuePI is FUTEX_CMP_REQUEUE_PI: if the first word has the value
// expected, the first of its waiters gets the lock if that is free, and at most
// move others then wait for the lock. It returns how many got it or wait for
// it. wake must be one.
//
// Errors are EAGAIN for another value; EINVAL for another wake, for one word
// given twice, and when a waiter does not wait by FUTEX_WAIT_REQUEUE_PI with
// this lock; those of LockPI.
func (t *Table) CompareRequeuePI(from Word, wake, move int, lock Word, value uint32) (int, unix.Errno) {
	if wake != 1 || move < 0 || from.Key == lock.Key || !from.Key.aligned() || !lock.Key.aligned() {
		return 0, unix.EINVAL
	}
	if current, errno := from.load(); errno != 0 {
		return 0, errno
	} else if current != value {
		return 0, unix.EAGAIN
	}
	q := t.queues[from.Key]
	if q == nil {
		return 0, 0
	}
	top := q.first
	if !top.requeuableTo(lock.Key) {
		return 0, unix.EINVAL
	}
	holder, errno := t.acquire(lock, top.owner, move > 0)
	if errno != 0 {
		return 0, errno
	}
	var l wakeList
	n := 0
	if holder == top.owner {
		l.take(t, top)
		n++
	}
	for n-wake < move {
		q := t.queues[from.Key]
		if q == nil {
			break
		}
		w := q.first
		if !w.requeuableTo(lock.Key) {
			errno = unix.EINVAL
			break
		}
		if deadlocks(holder, w.owner) {
			errno = unix.EDEADLK
			break
		}
		t.dequeue(w)
		t.block(w, w.lock, w.owner, holder)
		n++
	}
	l.wake()
	if errno != 0 {
		return 0, errno
	}
	return n, 0
}

func (w *Waiter) requeuableTo(lock Key) bool { return w.kind == requeuing && w.lock.Key == lock }
