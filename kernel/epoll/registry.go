package epoll

import (
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// watch are the items of one file, in the order in which they were added.
type watch struct {
	file        socket.File
	first, last *item

	entry waiter.Entry // in the file's queue, for all items

	free *watch
}

// Registry knows which instances watch which files.
type Registry struct {
	watched map[socket.File]*watch

	freeWatches *watch // recycled, so that adding allocates nothing
	freeItems   *item  // linked by ownNext
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry {
	return &Registry{watched: make(map[socket.File]*watch)}
}

// New returns a new instance that watches nothing.
func (r *Registry) New() *Instance { return &Instance{registry: r} }

// Forget removes a file from all instances. It must be called before the file
// is released; for a file that nobody watches it does nothing.
func (r *Registry) Forget(file socket.File) {
	for {
		w := r.watched[file]
		if w == nil {
			return
		}
		r.remove(w.first)
	}
}

func (r *Registry) find(i *Instance, descriptor int, file socket.File) *item {
	w := r.watched[file]
	if w == nil {
		return nil
	}
	for it := w.first; it != nil; it = it.watchNext {
		if it.instance == i && it.descriptor == descriptor {
			return it
		}
	}
	return nil
}

func (r *Registry) insert(i *Instance, descriptor int, file socket.File, event Event) *item {
	w := r.watched[file]
	if w == nil {
		w = r.newWatch()
		w.file = file
		r.watched[file] = w
	}
	it := r.newItem()
	it.instance, it.watch, it.descriptor, it.event = i, w, descriptor, event

	it.watchPrev = w.last
	if w.last == nil {
		w.first = it
	} else {
		w.last.watchNext = it
	}
	w.last = it

	it.ownNext = i.items
	if i.items != nil {
		i.items.ownPrev = it
	}
	i.items = it

	w.entry.Interest |= waiter.Mask(event.Events &^ private)
	if !w.entry.Queued() {
		file.Queue().Add(&w.entry)
	}
	return it
}

func (r *Registry) remove(it *item) {
	i, w := it.instance, it.watch
	i.unready(it)
	if it.watchPrev == nil {
		w.first = it.watchNext
	} else {
		it.watchPrev.watchNext = it.watchNext
	}
	if it.watchNext == nil {
		w.last = it.watchPrev
	} else {
		it.watchNext.watchPrev = it.watchPrev
	}
	if it.ownPrev == nil {
		i.items = it.ownNext
	} else {
		it.ownPrev.ownNext = it.ownNext
	}
	if it.ownNext != nil {
		it.ownNext.ownPrev = it.ownPrev
	}
	*it = item{ownNext: r.freeItems}
	r.freeItems = it
	if w.first == nil {
		w.entry.Remove()
		w.entry.Interest = 0
		delete(r.watched, w.file)
		w.file, w.free = nil, r.freeWatches
		r.freeWatches = w
	}
}

// notified hands a notification of the file on, in the order in which Linux
// walks its wait queues: to the newest item first; but to exclusive items the
// oldest first, and only until there is one for which a task waits.
func (w *watch) notified(events waiter.Mask) {
	exclusive := false
	for it := w.last; it != nil; it = it.watchPrev {
		if it.event.Events&unix.EPOLLEXCLUSIVE != 0 {
			exclusive = true
		} else {
			it.notified(events)
		}
	}
	for it := w.first; exclusive && it != nil; it = it.watchNext {
		if it.event.Events&unix.EPOLLEXCLUSIVE != 0 && it.notified(events) {
			return
		}
	}
}

func (r *Registry) newWatch() *watch {
	w := r.freeWatches
	if w == nil {
		w = new(watch)
		w.entry.Wake = w.notified
		return w
	}
	r.freeWatches, w.free = w.free, nil
	return w
}

func (r *Registry) newItem() *item {
	it := r.freeItems
	if it == nil {
		return new(item)
	}
	r.freeItems, it.ownNext = it.ownNext, nil
	return it
}
