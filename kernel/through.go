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
	waits   bool // the call waits until all is written
	partly  bool // some of its bytes were moved, or will be, otherwise
	pair    *transit.Pair
	hold    *transit.Hold // nil if nothing is shipped
	size    int
	read    bool
	copied  bool // the emulator has done it
}

// mayShip allows the current call, which has these flags, to move bytes through
// the machine's kernel: it is a read or a write of the whole of t.span and has no
// other effect.
func (t *Task) mayShip(d *description, flags int) {
	if d.pair != nil {
		v := &t.shipment
		v.allowed, v.pair, v.partly = true, d.pair, t.call.done > 0
		v.waits = !d.nonblock && flags&unix.MSG_DONTWAIT == 0
	}
}

// Flags of calls that move bytes through the machine's kernel: they make no
// difference once it is known how many.
const (
	shippedSends    = unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL | unix.MSG_MORE
	shippedReceives = unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL | unix.MSG_CMSG_CLOEXEC
)

// Ship implements inet.Shipper. A call of which all bytes may go is carried out
// itself; else others are inserted before it that move some of them.
func (s *span) Ship(h inet.Hold, n int) (shipped, unshipped int) {
	hold, ok := h.(*transit.Hold)
	v := &s.t.shipment
	if !ok || !v.allowed {
		return 0, n
	}
	if staged, stager := v.pair.Staged(); staged > 0 {
		switch {
		case stager == s.t:
			return s.takeStaged(hold, min(n, staged)), 0
		case !stager.(*Task).dead:
			return 0, n
		}
		v.pair.Discard()
	}
	if !hold.Room() {
		return 0, n
	}
	if !v.partly && n == s.left && n >= transit.Least && n <= v.pair.Capacity() && s.readable(n) {
		hold.Expect(v.pair, n, v)
		v.hold, v.size, v.read = hold, n, false
		return n, 0
	}
	v.partly = true
	return s.stage(hold, n)
}

// takeStaged queues the first n bytes that were written ahead.
func (s *span) takeStaged(hold *transit.Hold, n int) int {
	hold.TakeStaged(s.t.shipment.pair, n)
	s.advance(n)
	s.left -= n
	s.t.shipment.partly = true
	return n
}

// leastInserted is how many bytes are worth a call that is inserted for them.
const leastInserted = 32 << 10

// stage queues the first n bytes of a write, by a call that has the machine's
// kernel write a piece of memory. If the guest waits for the rest, what does not
// go yet is written ahead, as much as the pair holds.
func (s *span) stage(hold *transit.Hold, n int) (shipped, unshipped int) {
	t, pair := s.t, s.t.shipment.pair
	part := s.segments[0]
	size := min(part.Len, pair.Capacity())
	if !t.shipment.waits {
		size = min(size, n)
	}
	if size < leastInserted || n < transit.Least {
		return 0, min(n, part.Len)
	}
	pair.Settle()
	result, ok := s.insert(unix.SYS_WRITE, part.Base, size)
	if !ok || result <= 0 {
		return 0, n
	}
	pair.Stage(int(result), t)
	t.staged = pair
	return s.takeStaged(hold, min(n, int(result))), 0
}

// insert has the guest write to the call's descriptor, or read from it, before the
// call.
func (s *span) insert(number int, base uintptr, size int) (result int64, ok bool) {
	t := s.t
	descriptor := t.int(0)
	if d := t.description(descriptor); d == nil || d.pair != t.shipment.pair || t.call.again && t.hasSignal() {
		return 0, false
	}
	return t.machine().Insert(t, number, [3]uint64{uint64(descriptor), uint64(base), uint64(size)})
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
	if !ok || !v.allowed || v.partly || n < leastLanded || s.t.kernel().Strace != nil || !s.writable(n) {
		return false
	}
	if n > v.pair.Capacity() {
		return s.landPieces(hold, n, parts)
	}
	hold.Promise(parts, v)
	v.hold, v.size, v.read = hold, n, true
	return true
}

// landPieces lands more bytes than the pair holds, by calls that are inserted.
func (s *span) landPieces(hold *transit.Hold, n int, parts []inet.Part) bool {
	if len(s.segments) > 1 {
		return false
	}
	v := &s.t.shipment
	v.copied = true
	for n > 0 {
		size := min(n, v.pair.Capacity())
		var piece []inet.Part
		piece, parts = cutParts(parts, size)
		hold.Promise(piece, v)
		v.landNow(hold, size)
		n -= size
	}
	return true
}

// cutParts cuts parts behind the first n bytes.
func cutParts(parts []inet.Part, n int) (first, rest []inet.Part) {
	for n > 0 {
		p := parts[0]
		if p.Memory != nil {
			k := min(n, len(p.Memory))
			first, n = append(first, inet.Part{Memory: p.Memory[:k]}), n-k
			parts[0].Memory = p.Memory[k:]
		} else {
			k := min(n, p.Held)
			first, n = append(first, inet.Part{Held: k}), n-k
			parts[0].Held -= k
		}
		if parts[0].Held == 0 && len(parts[0].Memory) == 0 {
			parts = parts[1:]
		}
	}
	return first, parts
}

// landNow has the guest read what was promised to it at once.
func (v *shipment) landNow(hold *transit.Hold, size int) {
	if !hold.Unload(v.pair) {
		return
	}
	s := &v.task.span
	if got, ok := s.insert(unix.SYS_READ, s.segments[0].Base, size); ok && got == int64(size) {
		s.advance(size)
		s.left -= size
		return
	}
	v.Take(v.pair.TakeBack(size))
}

// shipNow has the guest write what is expected of it at once.
func (v *shipment) shipNow() bool {
	s := &v.task.span
	wrote, ok := s.insert(unix.SYS_WRITE, s.segments[0].Base, v.size)
	if ok && wrote == int64(v.size) {
		v.hold.Commit()
		v.copied = true
		return true
	}
	if wrote > 0 {
		v.pair.Stage(int(wrote), v.task)
		v.pair.Discard()
	}
	return false
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
	v := &t.shipment
	if v.hold == nil || v.copied {
		return
	}
	switch {
	case v.size < leastInserted || len(t.span.segments) > 1:
	case v.read:
		v.copied = true
		v.landNow(v.hold, v.size)
	default:
		v.shipNow()
	}
	v.hold.Settle()
}
