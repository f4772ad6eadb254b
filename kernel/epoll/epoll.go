package epoll

import (
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

const (
	// private are the bits that say how to watch, not for what.
	private = unix.EPOLLET | unix.EPOLLONESHOT | unix.EPOLLWAKEUP | unix.EPOLLEXCLUSIVE

	// exclusiveAllowed are the bits that may come with EPOLLEXCLUSIVE.
	exclusiveAllowed = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLERR | unix.EPOLLHUP |
		unix.EPOLLWAKEUP | unix.EPOLLET | unix.EPOLLEXCLUSIVE

	// maximumNesting is how many instances may watch one another in a row
	// below one (EP_MAX_NESTS of fs/eventpoll.c).
	maximumNesting = 4
)

// Event is a struct epoll_event: what to watch for and how, or what happened.
type Event struct {
	Events uint32 // EPOLL* bits
	Data   uint64 // the guest's own
}

// EventSize is the size of struct epoll_event on x86-64, where it is packed:
// four bytes of events, then eight of data.
const EventSize = 12

// item is one descriptor that one instance watches.
type item struct {
	instance   *Instance
	watch      *watch
	descriptor int
	event      Event

	ready                bool
	readyPrev, readyNext *item // in the instance's ready list
	ownPrev, ownNext     *item // among the instance's items
	watchPrev, watchNext *item // among the file's items
}

// revents is what the file is ready for, of what is asked for.
func (it *item) revents() uint32 {
	return uint32(it.watch.file.Readiness()) & it.event.Events &^ private
}

// notified takes a notification of the file. It tells whether that counts as
// the one wake-up of exclusive items: whether somebody was waiting for it.
func (it *item) notified(events waiter.Mask) bool {
	asked := waiter.Mask(it.event.Events &^ private)
	if asked == 0 || asked&events == 0 {
		return false
	}
	taken := !it.instance.waiters.Empty()
	switch events & (waiter.In | waiter.Out) {
	case waiter.In:
		taken = taken && asked&waiter.In != 0
	case waiter.Out:
		taken = taken && asked&waiter.Out != 0
	case waiter.In | waiter.Out:
		taken = false
	}
	it.instance.markReady(it)
	return taken
}

// Instance is an epoll instance. It is a file itself, readable when an item is
// ready, and can be watched by another one.
type Instance struct {
	registry              *Registry
	queue, waiters        waiter.Queue
	firstReady, lastReady *item
	items                 *item
}

// Queue implements socket.File.
func (i *Instance) Queue() *waiter.Queue { return &i.queue }

// Waiters is where tasks in epoll_wait wait for waiter.In. It is apart from
// Queue because an exclusive item prefers instances with such tasks.
func (i *Instance) Waiters() *waiter.Queue { return &i.waiters }

// Readiness implements socket.File.
func (i *Instance) Readiness() waiter.Mask {
	for it := i.firstReady; it != nil; {
		if it.revents() != 0 {
			return waiter.In | waiter.RdNorm
		}
		next := it.readyNext
		i.unready(it)
		it = next
	}
	return 0
}

// Release implements socket.File.
func (i *Instance) Release() {
	for i.items != nil {
		i.registry.remove(i.items)
	}
	i.registry.Forget(i)
}

// markReady puts an item at the end of the ready list and wakes whoever waits.
func (i *Instance) markReady(it *item) {
	if !it.ready {
		i.appendReady(it)
	}
	i.waiters.Notify(waiter.In | waiter.RdNorm)
	i.queue.Notify(waiter.In | waiter.RdNorm)
}

func (i *Instance) appendReady(it *item) {
	it.ready, it.readyPrev, it.readyNext = true, i.lastReady, nil
	if i.lastReady == nil {
		i.firstReady = it
	} else {
		i.lastReady.readyNext = it
	}
	i.lastReady = it
}

func (i *Instance) unready(it *item) {
	if !it.ready {
		return
	}
	if it.readyPrev == nil {
		i.firstReady = it.readyNext
	} else {
		it.readyPrev.readyNext = it.readyNext
	}
	if it.readyNext == nil {
		i.lastReady = it.readyPrev
	} else {
		it.readyNext.readyPrev = it.readyPrev
	}
	it.ready, it.readyPrev, it.readyNext = false, nil, nil
}

// Wait takes what has happened, as many events as fit in dst, and returns how
// many there were. With none, the caller parks its task on Waiters.
func (i *Instance) Wait(dst []Event) int {
	n := 0
	last := i.lastReady // items put back come after it
	for n < len(dst) && last != nil {
		it := i.firstReady
		i.unready(it)
		if events := it.revents(); events != 0 {
			dst[n] = Event{Events: events, Data: it.event.Data}
			n++
			switch {
			case it.event.Events&unix.EPOLLONESHOT != 0:
				it.event.Events &= private
			case it.event.Events&unix.EPOLLET == 0:
				i.appendReady(it)
			}
		}
		if it == last {
			break
		}
	}
	return n
}

// Add is EPOLL_CTL_ADD of a descriptor that refers to file. Errors are EEXIST,
// EINVAL for the instance itself and for bits that cannot be combined with
// EPOLLEXCLUSIVE, and ELOOP when instances would watch one another in a circle
// or too deeply. Files that cannot be polled (EPERM) are the caller's to
// refuse.
func (i *Instance) Add(descriptor int, file socket.File, event Event) unix.Errno {
	target, nested := file.(*Instance)
	if target == i {
		return unix.EINVAL
	}
	exclusive := event.Events&unix.EPOLLEXCLUSIVE != 0
	if exclusive && (nested || event.Events&^exclusiveAllowed != 0) {
		return unix.EINVAL
	}
	if nested {
		depth, loop := target.depthBelow(i)
		if loop || depth+1+i.depthAbove() > maximumNesting {
			return unix.ELOOP
		}
	}
	r := i.registry
	if r.find(i, descriptor, file) != nil {
		return unix.EEXIST
	}
	event.Events |= unix.EPOLLERR | unix.EPOLLHUP
	it := r.insert(i, descriptor, file, event)
	if it.revents() != 0 {
		i.markReady(it)
	}
	return 0
}

// Modify is EPOLL_CTL_MOD. It makes an edge-triggered item report again what
// the file is ready for, and a spent one-shot item watch again. Errors are
// ENOENT, and EINVAL where EPOLLEXCLUSIVE is or was asked for.
func (i *Instance) Modify(descriptor int, file socket.File, event Event) unix.Errno {
	if file == socket.File(i) || event.Events&unix.EPOLLEXCLUSIVE != 0 {
		return unix.EINVAL
	}
	it := i.registry.find(i, descriptor, file)
	switch {
	case it == nil:
		return unix.ENOENT
	case it.event.Events&unix.EPOLLEXCLUSIVE != 0:
		return unix.EINVAL
	}
	event.Events |= unix.EPOLLERR | unix.EPOLLHUP
	it.event = event
	it.watch.entry.Interest |= waiter.Mask(event.Events &^ private)
	if it.revents() != 0 && !it.ready {
		i.markReady(it)
	}
	return 0
}

// Delete is EPOLL_CTL_DEL. Errors are ENOENT, and EINVAL for the instance
// itself.
func (i *Instance) Delete(descriptor int, file socket.File) unix.Errno {
	if file == socket.File(i) {
		return unix.EINVAL
	}
	it := i.registry.find(i, descriptor, file)
	if it == nil {
		return unix.ENOENT
	}
	i.registry.remove(it)
	return 0
}

// depthBelow is the number of instances in the longest row that i watches; loop
// tells whether other is among them.
func (i *Instance) depthBelow(other *Instance) (depth int, loop bool) {
	for it := i.items; it != nil; it = it.ownNext {
		inner, nested := it.watch.file.(*Instance)
		if !nested {
			continue
		}
		below, found := inner.depthBelow(other)
		if inner == other || found {
			return 0, true
		}
		depth = max(depth, below+1)
	}
	return depth, false
}

// depthAbove is the number of instances in the longest row that watches i.
func (i *Instance) depthAbove() int {
	depth := 0
	if w := i.registry.watched[i]; w != nil {
		for it := w.first; it != nil; it = it.watchNext {
			depth = max(depth, it.instance.depthAbove()+1)
		}
	}
	return depth
}
