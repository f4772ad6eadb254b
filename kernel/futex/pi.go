package futex

import "golang.org/x/sys/unix"

// The parts of the word of a priority-inheriting or robust lock, from
// linux/futex.h.
const (
	Waiters   = 0x80000000 // somebody waits in the kernel
	OwnerDied = 0x40000000 // the holder exited without unlocking
	TIDMask   = 0x3fffffff // the holder's number, 0 when unlocked
)

// LockPI is FUTEX_LOCK_PI by the task self. locked tells that it has the lock;
// with neither that nor an error, w is queued and is woken when it has got it.
//
// Errors are EDEADLK when self holds the lock already, directly or through a
// chain of waiters; ESRCH when the holder does not exist; EINVAL when the word
// contradicts what the table knows, or is waited for in another way; EFAULT.
func (t *Table) LockPI(w *Waiter, word Word, self *Owner) (locked bool, errno unix.Errno) {
	holder, errno := t.acquire(word, self, false)
	if errno != 0 || holder == self {
		return errno == 0, errno
	}
	if deadlocks(holder, self) {
		return false, unix.EDEADLK
	}
	t.block(w, word, self, holder)
	return false, 0
}

// TryLockPI is FUTEX_TRYLOCK_PI: EAGAIN when another task holds the lock, else
// as LockPI.
func (t *Table) TryLockPI(word Word, self *Owner) unix.Errno {
	holder, errno := t.acquire(word, self, false)
	if errno == 0 && holder != self {
		return unix.EAGAIN
	}
	return errno
}

// acquire takes the lock for self if it is free, and otherwise marks it as
// waited for. It returns who holds it now. contended tells that others will
// wait for self.
func (t *Table) acquire(word Word, self *Owner, contended bool) (holder *Owner, errno unix.Errno) {
	if !word.Key.aligned() {
		return nil, unix.EINVAL
	}
	for {
		value, errno := word.load()
		if errno != 0 {
			return nil, errno
		}
		if value&TIDMask == self.TID {
			return nil, unix.EDEADLK
		}
		if q := t.queues[word.Key]; q != nil {
			// The kernel knows the holder; the word must agree.
			if q.first.kind != locking {
				return nil, unix.EINVAL
			}
			if value&TIDMask != q.owner.TID && (value&OwnerDied == 0 || value&TIDMask != 0) {
				return nil, unix.EINVAL
			}
			return q.owner, 0
		}
		holder, replacement := self, value&OwnerDied|self.TID
		if contended {
			replacement |= Waiters
		}
		if tid := value & TIDMask; tid != 0 {
			holder, replacement = t.find(tid), value|Waiters
		}
		previous, errno := word.Memory.CompareAndSwap32(word.Address, value, replacement)
		switch {
		case errno != 0:
			return nil, errno
		case previous != value:
			continue
		case holder == nil:
			return nil, unix.ESRCH
		}
		return holder, 0
	}
}

// block queues w, of the task self, for a lock that holder holds.
func (t *Table) block(w *Waiter, word Word, self, holder *Owner) {
	w.word, w.bitset, w.kind, w.owner, w.vector = word, MatchAny, locking, self, nil
	q := t.queue(word.Key)
	if q.owner == nil {
		q.setOwner(holder)
	}
	t.enqueue(q, w)
}

// deadlocks tells whether holder is self or waits, through whatever chain, for
// it: then self cannot wait for holder.
func deadlocks(holder, self *Owner) bool {
	for holder != self {
		if holder.blocked == nil {
			return false
		}
		holder = holder.blocked.queue.owner
	}
	return true
}

// UnlockPI is FUTEX_UNLOCK_PI by the task self: the lock goes to the first that
// waits for it. EPERM means that self does not hold it, EINVAL that the word
// contradicts what the table knows.
func (t *Table) UnlockPI(word Word, self *Owner) unix.Errno {
	if !word.Key.aligned() {
		return unix.EINVAL
	}
	for {
		value, errno := word.load()
		if errno != 0 {
			return errno
		}
		if value&TIDMask != self.TID {
			return unix.EPERM
		}
		var next *Waiter
		replacement := uint32(0)
		if q := t.queues[word.Key]; q != nil {
			next = q.first
			if next.kind != locking || q.owner != self {
				return unix.EINVAL
			}
			replacement = Waiters | next.owner.TID
		}
		previous, errno := word.Memory.CompareAndSwap32(word.Address, value, replacement)
		if errno != 0 {
			return errno
		}
		if previous != value {
			continue
		}
		if next != nil {
			t.handOver(next)
		}
		return 0
	}
}

// handOver makes next, which waits for a lock, its holder, and wakes it.
func (t *Table) handOver(next *Waiter) {
	next.queue.setOwner(next.owner)
	t.dequeue(next)
	next.Wake()
}

// Exit tells that a task has ended, after its robust list has been walked: the
// locks that others wait for go to the first of these, with OwnerDied set. The
// task itself must wait for nothing any more.
func (t *Table) Exit(self *Owner) {
	if self.blocked != nil {
		panic("futex: a task that waits for a lock exits")
	}
	for self.held != nil {
		next := self.held.firstLocking()
		// A word that cannot be written any more does not keep the lock from
		// being handed over.
		_, _ = update(next.word, func(uint32) (uint32, unix.Errno) {
			return OwnerDied | Waiters | next.owner.TID, 0
		})
		t.handOver(next)
	}
}

func (q *queue) firstLocking() *Waiter {
	for w := q.first; w != nil; w = w.next {
		if w.kind == locking {
			return w
		}
	}
	panic("futex: lock held for nobody")
}
