// Package waiter links what becomes ready with what waits for it.
//
// Whatever a guest can wait for (a socket, a pipe, a timer, a child) owns a
// Queue and notifies it when its readiness changes; whoever waits (a parked
// task, an epoll instance) puts an Entry in it. Notifications are edges: the
// woken side asks again for the readiness, so a spurious one does no harm and a
// missing one hangs a guest.
//
// Entries are woken in the order in which they were added. Nothing here is
// safe for concurrent use: one guest runs at a time, and so does the emulator.
package waiter

import "golang.org/x/sys/unix"

// Mask is a set of poll(2) events.
type Mask uint32

// The events, with poll(2)'s values.
const (
	In     Mask = unix.POLLIN
	Pri    Mask = unix.POLLPRI
	Out    Mask = unix.POLLOUT
	Err    Mask = unix.POLLERR
	Hup    Mask = unix.POLLHUP
	Nval   Mask = unix.POLLNVAL
	RdNorm Mask = 0x40 // not in x/sys/unix for this platform
	WrNorm Mask = 0x100
	RdHup  Mask = unix.POLLRDHUP

	// Always are the events that poll reports without being asked.
	Always = Err | Hup | Nval
)

// Entry is one waiter's place in one queue. It is owned and usually embedded by
// the waiter; it may be in one queue at a time.
type Entry struct {
	// Interest are the events for which Wake is called.
	Interest Mask
	// Wake is called with the events that were notified. It must not run a
	// guest; it marks something as runnable and returns. It may remove this
	// entry from the queue, and no other.
	Wake func(events Mask)

	queue      *Queue
	prev, next *Entry
}

// Queued tells whether e is in a queue.
func (e *Entry) Queued() bool { return e.queue != nil }

// Queue is a list of waiters, in order of arrival. The zero value is empty.
type Queue struct{ first, last *Entry }

// Empty tells whether nobody waits.
func (q *Queue) Empty() bool { return q.first == nil }

// Add puts e at the end of q.
func (q *Queue) Add(e *Entry) {
	if e.queue != nil {
		panic("waiter: entry is already queued")
	}
	e.queue, e.prev = q, q.last
	if q.last == nil {
		q.first = e
	} else {
		q.last.next = e
	}
	q.last = e
}

// Remove takes e out of the queue it is in, if any.
func (e *Entry) Remove() {
	q := e.queue
	if q == nil {
		return
	}
	if e.prev == nil {
		q.first = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next == nil {
		q.last = e.prev
	} else {
		e.next.prev = e.prev
	}
	e.queue, e.prev, e.next = nil, nil, nil
}

// Notify wakes every waiter that is interested in one of the events.
func (q *Queue) Notify(events Mask) {
	for e := q.first; e != nil; {
		next := e.next
		if events&(e.Interest|Always) != 0 {
			e.Wake(events)
		}
		e = next
	}
}

// NotifyOne wakes the first waiter that is interested in one of the events and
// tells whether there was one.
func (q *Queue) NotifyOne(events Mask) bool {
	for e := q.first; e != nil; e = e.next {
		if events&(e.Interest|Always) != 0 {
			e.Wake(events)
			return true
		}
	}
	return false
}
