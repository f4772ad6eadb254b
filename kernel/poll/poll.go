// Package poll is what poll(2) and select(2) of the emulated kernel need: to
// ask many files at once what they are ready for, and to be woken when that
// changes.
package poll

import (
	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

const (
	rdBand waiter.Mask = 0x80
	wrBand waiter.Mask = 0x200
)

// What select(2) means by its three sets, from fs/select.c.
const (
	SelectRead      = waiter.RdNorm | rdBand | waiter.In | waiter.Hup | waiter.Err
	SelectWrite     = wrBand | waiter.WrNorm | waiter.Out | waiter.Err
	SelectException = waiter.Pri
)

// Item is one file to poll.
type Item struct {
	// File is nil where poll shall ignore the entry or report it as invalid:
	// Revents then stays as the caller set it.
	File socket.File
	// Events are those asked for; Err and Hup are always reported.
	Events waiter.Mask
	// Revents is what Check has found.
	Revents waiter.Mask
}

// Check asks all items what they are ready for. It returns the number of items
// with something to report.
func Check(items []Item) (ready int) {
	for i := range items {
		it := &items[i]
		if it.File != nil {
			it.Revents = it.File.Readiness() & (it.Events | waiter.Always)
		}
		if it.Revents != 0 {
			ready++
		}
	}
	return ready
}

// Waiter waits for many files. It is usually embedded in a task; the zero value
// with Wake set is ready for use, and its memory is used again each time.
type Waiter struct {
	// Wake is called at each notification of a file, until Disarm. It marks a
	// task as runnable and must not disarm.
	Wake func()

	entries []waiter.Entry
	armed   int
	wake    func(waiter.Mask)
}

// Armed tells whether w is in the files' queues.
func (w *Waiter) Armed() bool { return w.armed > 0 }

// Arm puts w in the queues of all the items' files. Whoever arms has found
// nothing ready before.
func (w *Waiter) Arm(items []Item) {
	if w.armed > 0 {
		panic("poll: waiter is already armed")
	}
	if w.wake == nil {
		w.wake = func(waiter.Mask) { w.Wake() }
	}
	if len(items) > len(w.entries) {
		w.entries = make([]waiter.Entry, len(items))
	}
	for i := range items {
		if items[i].File == nil {
			continue
		}
		e := &w.entries[w.armed]
		w.armed++
		e.Interest, e.Wake = items[i].Events, w.wake
		items[i].File.Queue().Add(e)
	}
}

// Disarm takes w out of all queues.
func (w *Waiter) Disarm() {
	for i := range w.entries[:w.armed] {
		w.entries[i].Remove()
	}
	w.armed = 0
}
