package futex

import "golang.org/x/sys/unix"

// Key says which word of memory a futex is, so that two tasks that mean the
// same word give the same key: for a private futex the address space and the
// address, for a shared one the file and the offset in it.
type Key struct{ Space, Address uint64 }

// Memory is the memory of the task on whose behalf an operation runs.
type Memory interface {
	Load32(address uint64) (uint32, unix.Errno)
	// CompareAndSwap32 stores replacement if the word is old, atomically, and
	// returns what the word was.
	CompareAndSwap32(address uint64, old, replacement uint32) (previous uint32, errno unix.Errno)
}

// Word is a futex: which one it is, and where it is read and written.
type Word struct {
	Key     Key
	Memory  Memory
	Address uint64
}

func (w Word) load() (uint32, unix.Errno) { return w.Memory.Load32(w.Address) }

// aligned tells whether the address is one of a 32-bit word. File offsets and
// addresses agree in the bits that matter, as mappings begin at page borders.
func (k Key) aligned() bool { return k.Address%4 == 0 }

// MatchAny is the bitset of the operations that have none.
const MatchAny = ^uint32(0)

// kind is what a waiter waits for.
type kind uint8

const (
	plain     kind = iota
	requeuing      // FUTEX_WAIT_REQUEUE_PI, on its first word
	locking        // for a priority-inheriting lock
)

// Waiter is one task's place in a futex's queue. It is usually embedded in the
// task; the zero value with Wake set is ready for use. It waits for one word at
// a time.
type Waiter struct {
	// Wake is called when the wait has ended by a wake-up or by getting the
	// lock, with the waiter out of the table. It marks a task as runnable.
	Wake func()

	word       Word
	bitset     uint32
	kind       kind
	owner      *Owner  // who waits, for requeuing and locking
	lock       Word    // to which a requeuing waiter is to be moved
	vector     *Vector // of which it is a part, if any
	queue      *queue
	prev, next *Waiter // in the queue; next also links waiters about to be woken
}

// Queued tells whether w waits.
func (w *Waiter) Queued() bool { return w.queue != nil }

// Key is the futex for which w waits, or last waited.
func (w *Waiter) Key() Key { return w.word.Key }

// Owner is what a task is to priority-inheriting locks: their holder, or one
// who waits for them. It is usually embedded in the task.
type Owner struct {
	// TID is the task's number as it stands in futex words.
	TID uint32

	held    *queue  // locks that others wait for
	blocked *Waiter // the lock for which the task waits
}

// queue are the waiters of one key, in order.
type queue struct {
	key         Key
	first, last *Waiter

	// owner holds the lock for which the waiters of kind locking wait; it is
	// set while there is one.
	owner              *Owner
	locking            int
	heldPrev, heldNext *queue

	free *queue
}

// Table holds the waiters of a host.
type Table struct {
	queues map[Key]*queue
	free   *queue // recycled, so that waiting allocates nothing
	find   func(tid uint32) *Owner
}

// New returns an empty table. find tells the owner with a given number, nil
// when there is no such task (or it has exited); it may be nil if no lock is of
// the priority-inheriting kind.
func New(find func(tid uint32) *Owner) *Table {
	return &Table{queues: make(map[Key]*queue), find: find}
}

// Waiting is the number of waiters of a key.
func (t *Table) Waiting(k Key) int {
	n := 0
	if q := t.queues[k]; q != nil {
		for w := q.first; w != nil; w = w.next {
			n++
		}
	}
	return n
}

// queue returns the queue of a key, which is made if need be. Whoever asks puts
// a waiter in it.
func (t *Table) queue(k Key) *queue {
	if q := t.queues[k]; q != nil {
		return q
	}
	q := t.free
	if q == nil {
		q = new(queue)
	} else {
		t.free, q.free = q.free, nil
	}
	q.key = k
	t.queues[k] = q
	return q
}

func (t *Table) enqueue(q *queue, w *Waiter) {
	if w.queue != nil {
		panic("futex: waiter is already queued")
	}
	w.queue, w.prev, w.next = q, q.last, nil
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
	if w.kind == locking {
		if q.owner == nil {
			panic("futex: waiter for a lock that nobody holds")
		}
		q.locking++
		w.owner.blocked = w
	}
}

// dequeue takes w out of its queue.
func (t *Table) dequeue(w *Waiter) {
	q := w.queue
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.queue, w.prev, w.next = nil, nil, nil
	if w.kind == locking {
		w.owner.blocked = nil
		if q.locking--; q.locking == 0 {
			q.setOwner(nil)
		}
	}
	if q.first == nil {
		delete(t.queues, q.key)
		q.free, t.free = t.free, q
	}
}

// setOwner says who holds the queue's lock.
func (q *queue) setOwner(o *Owner) {
	if q.owner != nil {
		if q.heldPrev == nil {
			q.owner.held = q.heldNext
		} else {
			q.heldPrev.heldNext = q.heldNext
		}
		if q.heldNext != nil {
			q.heldNext.heldPrev = q.heldPrev
		}
		q.heldPrev, q.heldNext = nil, nil
	}
	q.owner = o
	if o == nil {
		return
	}
	if o.held != nil {
		o.held.heldPrev = q
	}
	q.heldNext, o.held = o.held, q
}

// Cancel ends a wait because of a timeout or a signal. It tells whether w still
// waited: if not, it has been woken and the wait has succeeded.
func (t *Table) Cancel(w *Waiter) bool {
	if w.queue == nil {
		return false
	}
	t.dequeue(w)
	return true
}

// wakeList are waiters on their way out. They are woken after the operation has
// ended, so that a Wake function finds the table in order.
type wakeList struct{ first, last *Waiter }

// take moves w from its queue to the list.
func (l *wakeList) take(t *Table, w *Waiter) {
	if v := w.vector; v != nil {
		v.woken(t, w)
	}
	t.dequeue(w)
	if l.last == nil {
		l.first = w
	} else {
		l.last.next = w
	}
	l.last = w
}

func (l *wakeList) wake() {
	for w := l.first; w != nil; {
		next := w.next
		w.next = nil
		w.Wake()
		w = next
	}
}
