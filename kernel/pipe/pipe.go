package pipe

import (
	"sync"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/waiter"
)

const (
	// pageSize is the size of a slot, and PIPE_BUF.
	pageSize = 4096
	// slots is the number of slots of a new pipe (PIPE_DEF_BUFFERS).
	slots = 16
	// maximum is the greatest capacity in bytes that F_SETPIPE_SZ gives to
	// ordinary users: the default of /proc/sys/fs/pipe-max-size.
	maximum = 1 << 20

	// Capacity is the capacity of a new pipe, in bytes.
	Capacity = slots * pageSize
)

const (
	canRead  = waiter.In | waiter.RdNorm
	canWrite = waiter.Out | waiter.WrNorm
)

// page is where bytes lie. Slots of several pipes may refer to it.
type page struct {
	references int
	data       [pageSize]byte
}

var pages = sync.Pool{New: func() any { return new(page) }}

func newPage() *page {
	p := pages.Get().(*page)
	p.references = 1
	return p
}

func (p *page) release() {
	if p.references--; p.references == 0 {
		pages.Put(p)
	}
}

// slot is a part of a page.
type slot struct {
	page           *page
	offset, length int
	merge          bool // later writes may append to it
	packet         bool // one read takes it, and nothing else
}

func (s *slot) end() int { return s.offset + s.length }

func (s *slot) bytes() []byte { return s.page.data[s.offset:s.end()] }

// Pipe is what the ends of a pipe or the openers of a FIFO share.
type Pipe struct {
	ring       []slot // of a power of two
	head, tail uint32 // of the next slot to fill and to empty; they wrap
	bytes      int

	readers, writers int
	// opened counts how often each side has been opened, for openers that
	// wait for the other side.
	readersOpened, writersOpened uint64

	// readable and writable have the waiters of one-way ends, twoWay those of
	// FIFOs opened for both.
	readable, writable, twoWay waiter.Queue
}

// New returns the two ends of a new pipe.
func New() (read, write *End) {
	p := NewFIFO()
	p.readers, p.writers = 1, 1
	return &End{pipe: p, reads: true}, &End{pipe: p, writes: true}
}

// NewFIFO returns a pipe that nobody has opened.
func NewFIFO() *Pipe { return &Pipe{ring: make([]slot, slots)} }

func (p *Pipe) used() int { return int(p.head - p.tail) }

func (p *Pipe) empty() bool { return p.head == p.tail }

func (p *Pipe) full() bool { return p.used() >= len(p.ring) }

func (p *Pipe) at(i uint32) *slot { return &p.ring[i&uint32(len(p.ring)-1)] }

func (p *Pipe) first() *slot { return p.at(p.tail) }

func (p *Pipe) last() *slot { return p.at(p.head - 1) }

// push puts a slot, with its reference to a page, at the head.
func (p *Pipe) push(s slot) {
	if p.full() {
		panic("pipe: slot put in a full pipe")
	}
	*p.at(p.head) = s
	p.head++
	p.bytes += s.length
}

// consume takes n bytes off the first slot and tells whether the pipe was full
// and has room now.
func (p *Pipe) consume(n int) (room bool) {
	s := p.first()
	s.offset += n
	s.length -= n
	p.bytes -= n
	if s.length > 0 {
		return false
	}
	s.page.release()
	return p.drop()
}

// drop removes the first slot, whose page belongs to somebody else by now.
func (p *Pipe) drop() (room bool) {
	room = p.full()
	p.first().page = nil
	p.tail++
	return room
}

// clear drops whatever is in the pipe.
func (p *Pipe) clear() {
	for !p.empty() {
		p.consume(p.first().length)
	}
}

func (p *Pipe) notifyReaders() {
	p.readable.Notify(canRead)
	p.twoWay.Notify(canRead)
}

func (p *Pipe) notifyWriters() {
	p.writable.Notify(canWrite)
	p.twoWay.Notify(canWrite)
}

// notifyAll tells everybody that ends have been opened or closed.
func (p *Pipe) notifyAll() {
	p.readable.Notify(canRead | waiter.Hup)
	p.writable.Notify(canWrite | waiter.Err)
	p.twoWay.Notify(canRead | canWrite)
}

// Capacity is what F_GETPIPE_SZ returns: the number of bytes that fit if every
// slot is full.
func (p *Pipe) Capacity() int { return len(p.ring) * pageSize }

// SetCapacity is F_SETPIPE_SZ: it rounds the size up to a power of two and
// returns the new capacity. Errors are EINVAL for an impossible size, EPERM
// above the limit of the unprivileged, EBUSY when the slots in use do not fit.
func (p *Pipe) SetCapacity(size uint32, privileged bool) (int, unix.Errno) {
	if size > 1<<31 {
		return 0, unix.EINVAL
	}
	capacity := pageSize
	for capacity < int(size) {
		capacity *= 2
	}
	count := capacity / pageSize
	switch {
	case count > len(p.ring) && capacity > maximum && !privileged:
		return 0, unix.EPERM
	case count < p.used():
		return 0, unix.EBUSY
	}
	ring := make([]slot, count)
	used := p.used()
	for i := range used {
		ring[i] = *p.at(p.tail + uint32(i))
	}
	grown := count > len(p.ring)
	p.ring, p.tail, p.head = ring, 0, uint32(used)
	if grown {
		p.notifyWriters()
	}
	return capacity, 0
}
