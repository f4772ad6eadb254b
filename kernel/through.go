package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/inet"
	"github.com/simterpose/simterpose/kernel/transit"
)

// Calls that the machine's kernel carries out on the real socket behind an
// emulated one: those that move many bytes of a translated connection. What they
// move, how much and when is decided before, as for all others.

// leastLanded is the size of a read that is worth the way through the machine's
// kernel, in bytes.
const leastLanded = 4 << 10

// probe is memory for looking whether a guest's is there.
type probe struct {
	edges [64]unix.RemoteIovec
	bytes [64]byte
	list  [1][]byte
}

func (p *probe) edge(n int) [][]byte {
	p.list[0] = p.bytes[:n]
	return p.list[:]
}

// shipment is what the current call of a task moves through the machine's
// kernel. It implements transit.Call.
type shipment struct {
	task    *Task
	allowed bool // the machine's kernel does the same as the emulated one
	pair    *transit.Pair
	hold    *transit.Hold // nil if nothing is shipped
	size    int
	read    bool
	copied  bool // the emulator has done it
}

// mayShip allows the current call to move bytes through the machine's kernel: it
// is a read or a write of the whole of t.span and has no other effect.
func (t *Task) mayShip(d *description) {
	if d.pair != nil && (t.call.done == 0 || t.staged == d.pair) {
		t.shipment.allowed, t.shipment.pair = true, d.pair
	}
}

// Flags of calls that move bytes through the machine's kernel: they make no
// difference once it is known how many.
const (
	shippedSends    = unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL | unix.MSG_MORE
	shippedReceives = unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL | unix.MSG_CMSG_CLOEXEC
)

// Ship implements inet.Shipper.
func (s *span) Ship(h inet.Hold, n int) bool {
	hold, ok := h.(*transit.Hold)
	v := &s.t.shipment
	if !ok || !v.allowed {
		return false
	}
	if staged, stager := v.pair.Staged(); staged > 0 {
		if stager == s.t && n <= staged {
			hold.TakeStaged(v.pair, n)
			return true
		}
		if stager == s.t || !stager.(*Task).dead {
			return false
		}
		v.pair.Discard()
	}
	if n < transit.Least || s.left > v.pair.Capacity() || !hold.Room() || !s.readable(s.left) {
		return false
	}
	if n < s.left {
		return s.stage(hold, n)
	}
	hold.Expect(v.pair, n, v)
	v.hold, v.size, v.read = hold, n, false
	return true
}

// leastOfAll is how large a part of a write has to be that is written ahead of
// its rest, which may come to nothing.
const leastOfAll = 8

// stage queues the first n bytes of a write that does not fit: the machine's
// kernel, which cannot write a part of it, writes all of it at once, and the rest
// waits until there is room.
func (s *span) stage(hold *transit.Hold, n int) bool {
	t, pair := s.t, s.t.shipment.pair
	if n < s.left/leastOfAll {
		return false
	}
	pair.Settle()
	result, ok := t.machine().Ahead(t)
	if !ok || result <= 0 {
		return false
	}
	pair.Stage(int(result), t)
	if int(result) < s.left {
		pair.Discard()
		return false
	}
	t.staged = pair
	hold.TakeStaged(pair, n)
	return true
}

// unstage throws away what a call has written ahead and does not write after all.
func (t *Task) unstage() {
	if _, stager := t.staged.Staged(); stager == t {
		t.staged.Discard()
	}
	t.staged = nil
}

// ends lists the first and the last byte of each piece of memory for n bytes; ok
// is false when there are too many pieces.
func (s *span) ends(n int) (list []unix.RemoteIovec, ok bool) {
	list = s.t.edges[:0]
	for _, part := range s.segments {
		size := min(part.Len, n)
		if size == 0 {
			break
		}
		if len(list) == cap(list) {
			return nil, false
		}
		list = append(list, unix.RemoteIovec{Base: part.Base, Len: 1}, unix.RemoteIovec{Base: part.Base + uintptr(size) - 1, Len: 1})
		n -= size
	}
	return list, true
}

// readable and writable tell whether the ends of memory for n bytes are there,
// which tells of what lies between them. What is written first is written over.
func (s *span) readable(n int) bool {
	list, ok := s.ends(n)
	got, _ := s.t.machine().ReadVector(s.t.TID, list, s.t.edge(len(list)))
	return ok && got == len(list)
}

func (s *span) writable(n int) bool {
	list, ok := s.ends(n)
	got, _ := s.t.machine().WriteVector(s.t.TID, list, s.t.edge(len(list)))
	return ok && got == len(list)
}

// Land implements inet.Lander. Who asks for calls to be traced sees the bytes
// before the guest does.
func (s *span) Land(h inet.Hold, n int, parts []inet.Part) bool {
	hold, ok := h.(*transit.Hold)
	v := &s.t.shipment
	if !ok || !v.allowed || n < leastLanded || n > v.pair.Capacity() || s.t.kernel().Strace != nil || !s.writable(n) {
		return false
	}
	hold.Promise(parts, v)
	v.hold, v.size, v.read = hold, n, true
	return true
}

// Give implements transit.Call.
func (v *shipment) Give(b []byte) bool {
	v.copied = true
	n, _ := v.task.span.Read(b)
	return n == len(b)
}

// Take implements transit.Call. A guest without memory for the bytes loses them.
func (v *shipment) Take(b []byte) {
	v.copied = true
	_, _ = v.task.span.Write(b)
}

// ship makes the outcome of a call the machine's kernel's work if that is to
// move the call's bytes.
func (t *Task) ship(o Outcome) Outcome {
	v := &t.shipment
	if v.copied {
		return o
	}
	if o.Kind != Answer || o.Errno != 0 || o.Value != int64(v.size) {
		v.hold.Settle()
		return o
	}
	o.Kind = Through
	return o
}

// Pass prepares the machine's kernel to carry out a call whose outcome is
// Through. It returns false when the emulator has done its work, and the call is
// to be answered.
func (t *Task) Pass() bool {
	v := &t.shipment
	switch {
	case v.copied:
		return false
	case v.read:
		return v.hold.Unload(v.pair)
	}
	v.hold.Commit()
	return true
}

// Keep makes the emulator do the work of a call whose outcome is Through, because
// something else happens before it is carried out.
func (t *Task) Keep() {
	if v := &t.shipment; v.hold != nil && !v.copied {
		v.hold.Settle()
	}
}
