package inet

import (
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
)

// Hold is a queue of bytes that lie in the machine's kernel.
type Hold interface {
	// Peek writes n bytes that begin at an offset to dst and leaves them in the
	// queue. A short count comes with an errno.
	Peek(dst socket.Sink, offset, n int) (int, unix.Errno)
	// Drop forgets the first n bytes, Cut all but the first n.
	Drop(n int)
	Cut(n int)
}

// Shipper is a Source whose bytes the machine's kernel can bring into a Hold.
type Shipper interface {
	// Ship queues some of the next n bytes, now or when the call is carried out,
	// and tells how many. As many as it tells behind them have to be read before
	// it is asked again; one of the two is not 0.
	Ship(h Hold, n int) (shipped, unshipped int)
}

// Lander is a Sink that the machine's kernel can fill.
type Lander interface {
	// Land takes n bytes, now or when the call is carried out, which must be
	// before anything else happens. It returns false if they have to be
	// written.
	Land(h Hold, n int, parts []Part) bool
}

// Part is the next bytes of a Hold or some in memory.
type Part struct {
	Held   int
	Memory []byte // nil if they are held
}

// cargo is the bytes of a flow, in order: in the emulator's memory or, when the
// connection is translated, also in a Hold.
type cargo struct {
	memory fifo
	hold   Hold // nil when all bytes go through memory
	held   int  // bytes in hold
	// runs say how the bytes alternate between the two; empty if held is 0.
	runs   []run
	landed int // first bytes of hold that a Lander takes
	parts  []Part
}

// run is some bytes in the same place.
type run struct {
	size int
	held bool
}

// place is 1 for bytes that are held, 0 for those in memory.
func (r run) place() int {
	if r.held {
		return 1
	}
	return 0
}

// fill appends at most n bytes of src.
func (c *cargo) fill(src socket.Source, n int) (int, unix.Errno) {
	shipper, ok := src.(Shipper)
	if !ok || c.hold == nil {
		return c.copyFrom(src, n)
	}
	total := 0
	for total < n {
		shipped, unshipped := shipper.Ship(c.hold, n-total)
		c.add(shipped, true)
		total += shipped
		if unshipped == 0 {
			continue
		}
		got, errno := c.copyFrom(src, unshipped)
		if total += got; got < unshipped {
			if total > 0 {
				errno = 0
			}
			return total, errno
		}
	}
	return total, 0
}

// copyFrom appends at most n bytes of src to those in memory.
func (c *cargo) copyFrom(src socket.Source, n int) (int, unix.Errno) {
	n, errno := c.memory.fill(src, n)
	if c.held > 0 {
		c.add(n, false)
	}
	return n, errno
}

// swallow reads at most n bytes of src and forgets them.
func (c *cargo) swallow(src socket.Source, n int) (int, unix.Errno) {
	size := c.memory.size
	n, errno := c.memory.fill(src, n)
	c.memory.cut(size)
	return n, errno
}

// add notes n more bytes at the end.
func (c *cargo) add(n int, held bool) {
	if n == 0 {
		return
	}
	if held {
		if c.held == 0 && c.memory.size > 0 {
			c.runs = append(c.runs, run{c.memory.size, false})
		}
		c.held += n
	}
	if k := len(c.runs) - 1; k >= 0 && c.runs[k].held == held {
		c.runs[k].size += n
		return
	}
	c.runs = append(c.runs, run{n, held})
}

// copyTo writes at most n bytes that begin at an offset to dst. They stay until
// drop, which must follow at once unless keep is true.
func (c *cargo) copyTo(dst socket.Sink, offset, n int, keep bool) (total int, errno unix.Errno) {
	if c.held == 0 {
		return c.memory.copyTo(dst, offset, n)
	}
	n = min(n, dst.Len())
	if l, ok := dst.(Lander); ok && offset == 0 && !keep {
		if held := c.list(n); held > 0 && l.Land(c.hold, n, c.parts) {
			c.landed = held
			return n, 0
		}
	}
	var before [2]int // bytes before offset in memory, and held
	for _, r := range c.runs {
		if total == n || errno != 0 {
			break
		}
		if offset >= r.size {
			offset -= r.size
			before[r.place()] += r.size
			continue
		}
		size, at := min(n-total, r.size-offset), before[r.place()]+offset
		var got int
		if r.held {
			got, errno = c.hold.Peek(dst, at, size)
		} else {
			got, errno = c.memory.copyTo(dst, at, size)
		}
		total += got
		before[r.place()] += r.size
		offset = 0
	}
	if total > 0 {
		errno = 0
	}
	return total, errno
}

// list makes parts the first n bytes and tells how many of them are held.
func (c *cargo) list(n int) (held int) {
	c.parts = c.parts[:0]
	before := 0 // in memory
	for _, r := range c.runs {
		size := min(n, r.size)
		switch {
		case size == 0:
			return held
		case r.held:
			held += size
			c.parts = append(c.parts, Part{Held: size})
		default:
			c.parts = c.memory.list(c.parts, before, size)
			before += size
		}
		n -= size
	}
	return held
}

// at is the byte at an offset.
func (c *cargo) at(offset int) byte {
	if c.held == 0 {
		return c.memory.at(offset)
	}
	b := make(socket.ByteSink, 0, 1)
	c.copyTo(&b, offset, 1, true)
	return b[0]
}

// drop removes the first n bytes.
func (c *cargo) drop(n int) {
	if c.held == 0 {
		c.memory.drop(n)
		return
	}
	for n > 0 {
		r := &c.runs[0]
		k := min(n, r.size)
		n -= k
		if r.held {
			c.held -= k
			gone := min(k, c.landed)
			c.landed -= gone
			if k > gone {
				c.hold.Drop(k - gone)
			}
		} else {
			c.memory.drop(k)
		}
		if r.size -= k; r.size == 0 {
			c.runs = c.runs[:copy(c.runs, c.runs[1:])]
		}
	}
	c.tidy()
}

// cut removes all but the first n bytes.
func (c *cargo) cut(n int) {
	if c.held == 0 {
		c.memory.cut(n)
		return
	}
	var kept [2]int
	for i, r := range c.runs {
		size := min(n, r.size)
		n -= size
		kept[r.place()] += size
		c.runs[i].size = size
	}
	for k := len(c.runs); k > 0 && c.runs[k-1].size == 0; k-- {
		c.runs = c.runs[:k-1]
	}
	c.memory.cut(kept[0])
	c.hold.Cut(kept[1])
	c.held = kept[1]
	c.tidy()
}

// tidy forgets the order of bytes that all lie in memory.
func (c *cargo) tidy() {
	if c.held == 0 {
		c.runs = c.runs[:0]
	}
}
