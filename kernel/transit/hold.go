package transit

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/inet"
	"github.com/simterpose/simterpose/kernel/socket"
)

// Hold is a queue of bytes in the machine's kernel. It implements inet.Hold.
//
// A guest's call adds bytes, or takes some, in two steps: first it is decided,
// then the machine's kernel carries it out. Whatever comes between the two makes
// the emulator copy the bytes.
type Hold struct {
	depot  *Depot
	pieces []piece // oldest first, none of them empty
	// coming is the number of bytes that are written to from, and leaving those
	// that are read; call is the call that does it, nil once it is carried out.
	from    *Pair
	coming  int
	leaving []inet.Part
	call    Call
}

// Call is a guest's call that was not carried out yet, and will not be once one of
// its methods is called.
type Call interface {
	// Give copies what the guest writes into b.
	Give(b []byte) bool
	// Take gives the guest the next bytes that it reads.
	Take(b []byte)
}

// piece is some of the bytes: in a pipe, or in memory when they had to be looked
// at or there was no pipe.
type piece struct {
	size    int
	memory  []byte
	conduit conduit
	rest    int // bytes behind them in the pipe that nobody wants
}

// NewHold returns an empty queue.
func (d *Depot) NewHold() *Hold { return &Hold{depot: d} }

// Room tells whether more bytes can be queued.
func (h *Hold) Room() bool { return h.depot.room() }

// Expect queues n bytes that a call writes to the guest's end of p.
func (h *Hold) Expect(p *Pair, n int, c Call) {
	h.settle()
	h.from, h.coming, h.call = p, n, c
	p.owed = h
}

// Commit tells that the call for which bytes are expected is carried out now.
func (h *Hold) Commit() { h.call = nil }

// Promise takes bytes for a call that reads them: the next ones of the queue, and
// others in memory. Unload or Settle must follow before anything else happens.
func (h *Hold) Promise(parts []inet.Part, c Call) {
	h.settle()
	h.leaving, h.call = parts, c
}

// Settle copies what a call that was not carried out yet moves, so that there is
// nothing left to carry out.
func (h *Hold) Settle() { h.settle() }

// settle brings everything into pieces.
func (h *Hold) settle() {
	if len(h.leaving) > 0 {
		parts, call := h.leaving, h.call
		h.leaving, h.call = nil, nil
		h.handOver(parts, call)
	}
	if h.coming == 0 {
		return
	}
	n, from, call := h.coming, h.from, h.call
	h.call = nil
	h.coming, h.from, from.owed = 0, nil, nil
	if call != nil {
		b := make([]byte, n)
		if !call.Give(b) {
			h.depot.Lost()
		}
		h.store(b)
		return
	}
	h.draw(from, n)
}

// TakeStaged queues the first n bytes that were staged at a pair.
func (h *Hold) TakeStaged(p *Pair, n int) {
	h.settle()
	h.draw(p, n)
	if p.staged -= n; p.staged == 0 {
		p.stager = nil
	}
}

// draw queues n bytes that a guest has written to a pair.
func (h *Hold) draw(from *Pair, n int) {
	h.depot.Carried += int64(n)
	moved := h.splice(n, func(to, n int) (int64, error) {
		return unix.Splice(from.emulator, nil, to, nil, n, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
	})
	if moved == n {
		return
	}
	rest := make([]byte, n-moved)
	for got := 0; got < len(rest); {
		k, _, err := unix.Recvfrom(from.emulator, rest[got:], unix.MSG_DONTWAIT)
		if err == unix.EINTR {
			continue
		}
		if err != nil || k == 0 {
			h.depot.Lost()
			break
		}
		got += k
	}
	h.store(rest)
}

// handOver gives a call the bytes that it reads.
func (h *Hold) handOver(parts []inet.Part, c Call) {
	for _, p := range parts {
		if p.Memory != nil {
			c.Take(p.Memory)
			continue
		}
		b := make(socket.ByteSink, 0, p.Held)
		h.Peek(&b, 0, p.Held)
		c.Take(b)
		h.Drop(p.Held)
	}
}

// store queues bytes that were copied.
func (h *Hold) store(b []byte) {
	h.depot.Copied += int64(len(b))
	h.pieces = append(h.pieces, piece{size: len(b), memory: b})
}

// splice queues up to n bytes by a function that moves some to a pipe, and
// returns how many it moved.
func (h *Hold) splice(n int, move func(to, n int) (int64, error)) int {
	total := 0
	fresh := false // the last piece is a pipe that nothing was moved to
	for total < n {
		k := len(h.pieces) - 1
		if k < 0 || h.pieces[k].memory != nil || h.pieces[k].rest > 0 {
			c, ok := h.depot.take()
			if !ok {
				break
			}
			h.pieces = append(h.pieces, piece{conduit: c})
			fresh = true
			k++
		}
		moved, err := move(h.pieces[k].conduit.writer, n-total)
		if err == unix.EINTR {
			continue
		}
		if err != nil || moved == 0 {
			if fresh {
				break
			}
			// The pipe is full, or there is no more: another one tells.
			c, ok := h.depot.take()
			if !ok {
				break
			}
			h.pieces = append(h.pieces, piece{conduit: c})
			fresh = true
			continue
		}
		fresh = false
		h.pieces[k].size += int(moved)
		total += int(moved)
	}
	if k := len(h.pieces) - 1; k >= 0 && h.pieces[k].size == 0 {
		h.depot.put(h.pieces[k].conduit, true)
		h.pieces = h.pieces[:k]
	}
	return total
}

// StoreFile queues n bytes of a file that begin at an offset, as sendfile(2)
// does: without copying them, so that a change of the file may show. It returns
// false, and queues nothing, if the file's kind or the number of pipes does not
// allow that.
func (h *Hold) StoreFile(fd int, offset int64, n int) bool {
	h.settle()
	before := 0
	for i := range h.pieces {
		before += h.pieces[i].size
	}
	moved := h.splice(n, func(to, n int) (int64, error) {
		return unix.Splice(fd, &offset, to, nil, n, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
	})
	if moved < n {
		h.Cut(before)
		return false
	}
	h.depot.Carried += int64(n)
	return true
}

// Unload moves the bytes that were promised to a call to where the guest's end of
// p reads them, and nothing else is there. It returns false when that is not
// possible, and has copied them.
func (h *Hold) Unload(p *Pair) bool {
	parts, call := h.leaving, h.call
	if len(parts) == 0 {
		return false
	}
	h.leaving, h.call = nil, nil
	p.clear()
	moved := 0
	for i := range parts {
		n, ok := h.move(p, parts[i])
		moved += n
		if ok {
			continue
		}
		call.Take(p.TakeBack(moved))
		if parts[i].Memory != nil {
			parts[i].Memory = parts[i].Memory[n:]
		} else {
			parts[i].Held -= n
		}
		h.handOver(parts[i:], call)
		return false
	}
	return true
}

// move moves some bytes to a pair, and tells how many if not all.
func (h *Hold) move(p *Pair, part inet.Part) (moved int, ok bool) {
	for len(part.Memory) > moved {
		n, err := unix.Write(p.emulator, part.Memory[moved:])
		if err != nil && err != unix.EINTR {
			return moved, false
		}
		moved += max(n, 0)
	}
	for part.Held > moved {
		first := &h.pieces[0]
		if first.memory != nil {
			n, err := unix.Write(p.emulator, first.memory[:min(first.size, part.Held-moved)])
			if err == unix.EINTR {
				continue
			}
			if err != nil {
				return moved, false
			}
			h.Drop(n)
			moved += n
			continue
		}
		n, err := unix.Splice(first.conduit.reader, nil, p.emulator, nil, min(first.size, part.Held-moved), unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return moved, false
		}
		moved += int(n)
		h.shorten(int(n))
	}
	return moved, true
}

// Peek writes n bytes that begin at an offset to dst and leaves them in the
// queue. A short count comes with an errno.
func (h *Hold) Peek(dst socket.Sink, offset, n int) (total int, errno unix.Errno) {
	h.settle()
	h.fetch(offset + n)
	for i := 0; total < n; i++ {
		p := &h.pieces[i]
		if offset >= p.size {
			offset -= p.size
			continue
		}
		part := p.memory[offset:min(p.size, offset+n-total)]
		offset = 0
		wrote, err := dst.Write(part)
		total += wrote
		if wrote < len(part) {
			if errno, ok := err.(unix.Errno); ok {
				return total, errno
			}
			return total, unix.EFAULT
		}
	}
	return total, 0
}

// fetch brings the first n bytes into memory.
func (h *Hold) fetch(n int) {
	for i := 0; n > 0; i++ {
		p := &h.pieces[i]
		if p.memory != nil {
			n -= p.size
			continue
		}
		k := min(n, p.size)
		b := make([]byte, k)
		for got := 0; got < k; {
			m, err := unix.Read(p.conduit.reader, b[got:])
			if err == unix.EINTR {
				continue
			}
			if err != nil || m == 0 {
				panic("transit: a pipe does not have what was put into it")
			}
			got += m
		}
		h.depot.Copied += int64(k)
		if k == p.size {
			h.depot.put(p.conduit, p.rest == 0)
			*p = piece{size: k, memory: b}
		} else {
			p.size -= k
			h.pieces = slices.Insert(h.pieces, i, piece{size: k, memory: b})
		}
		n -= k
	}
}

// shorten forgets the first n bytes, which are out of the first piece's pipe.
func (h *Hold) shorten(n int) {
	p := &h.pieces[0]
	if p.size -= n; p.size == 0 {
		h.depot.put(p.conduit, p.rest == 0)
		h.pieces = h.pieces[:copy(h.pieces, h.pieces[1:])]
	}
}

// Drop forgets the first n bytes.
func (h *Hold) Drop(n int) {
	h.settle()
	for n > 0 {
		p := &h.pieces[0]
		k := min(n, p.size)
		n -= k
		switch {
		case k < p.size && p.memory == nil:
			h.fetch(k)
			h.pieces = h.pieces[:copy(h.pieces, h.pieces[1:])]
		case k < p.size:
			p.memory, p.size = p.memory[k:], p.size-k
		default:
			if p.memory == nil {
				h.depot.put(p.conduit, false)
			}
			h.pieces = h.pieces[:copy(h.pieces, h.pieces[1:])]
		}
	}
}

// Cut forgets all but the first n bytes.
func (h *Hold) Cut(n int) {
	h.settle()
	for i := range h.pieces {
		p := &h.pieces[i]
		if n >= p.size {
			n -= p.size
			continue
		}
		if n > 0 {
			if p.memory == nil {
				p.rest += p.size - n
			} else {
				p.memory = p.memory[:n]
			}
			p.size = n
			i++
		}
		for _, q := range h.pieces[i:] {
			if q.memory == nil {
				h.depot.put(q.conduit, false)
			}
		}
		h.pieces = h.pieces[:i]
		return
	}
}
