package pipe

import (
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// End is an open file description of a pipe or FIFO: a socket.Reader and a
// socket.Writer, of which a pipe's ends can do one (EBADF else).
type End struct {
	pipe          *Pipe
	reads, writes bool
	packets       bool
	released      bool

	// readersOpened and writersOpened are the pipe's counts after this end
	// was opened, alone when nobody wrote then.
	readersOpened, writersOpened uint64
	alone                        bool

	source source
	sink   sink
}

// Open opens a FIFO for reading, writing or both. EAGAIN, which comes with an
// end that counts as open already, means that the other side is to be waited
// for, until Opened; whoever stops waiting releases the end. With nonblock a
// FIFO that nobody reads cannot be opened for writing only: ENXIO.
func (p *Pipe) Open(reads, writes, nonblock bool) (*End, unix.Errno) {
	if writes && !reads && nonblock && p.readers == 0 {
		return nil, unix.ENXIO
	}
	first := false
	if reads {
		p.readersOpened++
		p.readers++
		first = p.readers == 1
	}
	if writes {
		p.writersOpened++
		p.writers++
		first = first || p.writers == 1
	}
	e := &End{
		pipe: p, reads: reads, writes: writes,
		readersOpened: p.readersOpened, writersOpened: p.writersOpened,
		alone: p.writers == 0,
	}
	if first {
		p.notifyAll()
	}
	if !nonblock && (p.readers == 0 || p.writers == 0) {
		return e, unix.EAGAIN
	}
	return e, 0
}

// Opened tells whether the other side of a FIFO is or has been open since e was
// opened.
func (e *End) Opened() bool {
	p := e.pipe
	if e.reads {
		return p.writers > 0 || p.writersOpened != e.writersOpened
	}
	return p.readers > 0 || p.readersOpened != e.readersOpened
}

// Pipe is the pipe of which e is an end.
func (e *End) Pipe() *Pipe { return e.pipe }

// SetPackets switches packet mode (O_DIRECT) for later writes.
func (e *End) SetPackets(on bool) { e.packets = on }

// Packets tells whether e writes packets.
func (e *End) Packets() bool { return e.packets }

// Readiness implements socket.File.
func (e *End) Readiness() waiter.Mask {
	p, m := e.pipe, waiter.Mask(0)
	if e.reads {
		if !p.empty() {
			m |= canRead
		}
		// A FIFO opened without waiting does not hang up before the first
		// writer has come.
		if p.writers == 0 && !(e.alone && e.writersOpened == p.writersOpened) {
			m |= waiter.Hup
		}
	}
	if e.writes {
		if !p.full() {
			m |= canWrite
		}
		if p.readers == 0 {
			m |= waiter.Err
		}
	}
	return m
}

// Queue implements socket.File.
func (e *End) Queue() *waiter.Queue {
	switch {
	case e.reads && e.writes:
		return &e.pipe.twoWay
	case e.reads:
		return &e.pipe.readable
	default:
		return &e.pipe.writable
	}
}

// Release implements socket.File. What is in a FIFO that nobody has open is
// lost.
func (e *End) Release() {
	if e.released {
		panic("pipe: end released twice")
	}
	e.released = true
	p := e.pipe
	if e.reads {
		p.readers--
	}
	if e.writes {
		p.writers--
	}
	switch {
	case p.readers == 0 && p.writers == 0:
		p.clear()
		if len(p.ring) != slots {
			p.ring, p.head, p.tail = make([]slot, slots), 0, 0
		}
	case p.readers == 0 || p.writers == 0:
		p.notifyAll()
	}
}

// Read implements socket.Reader.
func (e *End) Read(dst socket.Sink) (int, unix.Errno) {
	if !e.reads {
		return 0, unix.EBADF
	}
	p, n, left := e.pipe, 0, dst.Len()
	if left == 0 {
		return 0, 0
	}
	if p.empty() {
		if p.writers == 0 {
			return 0, 0
		}
		return 0, unix.EAGAIN
	}
	room := false
	for left > 0 && !p.empty() {
		s := p.first()
		count := min(s.length, left)
		if written, _ := dst.Write(s.bytes()[:count]); written < count {
			// The slot stays, even if a part of it has been copied.
			if n == 0 {
				return 0, unix.EFAULT
			}
			break
		}
		n += count
		left -= count
		if s.packet {
			count, left = s.length, 0
		}
		if p.consume(count) {
			room = true
		}
	}
	if room {
		p.notifyWriters()
	}
	return n, 0
}

// Write implements socket.Writer.
func (e *End) Write(src socket.Source) (int, unix.Errno) {
	if !e.writes {
		return 0, unix.EBADF
	}
	p, total := e.pipe, src.Len()
	if total == 0 {
		return 0, 0
	}
	if p.readers == 0 {
		return 0, unix.EPIPE
	}
	n, errno := e.write(src, total)
	// Linux notifies even when nothing could be written, which
	// edge-triggered watchers see.
	p.notifyReaders()
	return n, errno
}

func (e *End) write(src socket.Source, total int) (n int, errno unix.Errno) {
	p := e.pipe
	if rest := total % pageSize; rest != 0 && !p.empty() {
		if s := p.last(); s.merge && s.end()+rest <= pageSize {
			if !fill(s.page.data[s.end():][:rest], src) {
				return 0, unix.EFAULT
			}
			s.length += rest
			p.bytes += rest
			n = rest
		}
	}
	for errno = unix.EAGAIN; n < total && !p.full(); {
		page, count := newPage(), min(pageSize, total-n)
		if !fill(page.data[:count], src) {
			page.release()
			errno = unix.EFAULT
			break
		}
		p.push(slot{page: page, length: count, merge: !e.packets, packet: e.packets})
		n += count
	}
	if n > 0 {
		errno = 0
	}
	return n, errno
}

// fill reads all of b from src. As in Linux, a page that cannot be filled
// because of bad memory is not written at all.
func fill(b []byte, src socket.Source) bool {
	for len(b) > 0 {
		n, err := src.Read(b)
		b = b[n:]
		if err != nil {
			break
		}
	}
	return len(b) == 0
}

// Ioctl implements socket.Ioctler: FIONREAD, the number of bytes in the pipe.
func (e *End) Ioctl(request uint32) (value int, errno unix.Errno, ok bool) {
	if request == fionread {
		return e.pipe.bytes, 0, true
	}
	return 0, 0, false
}

// fionread is FIONREAD, which x/sys/unix calls by its name for sockets.
const fionread = unix.SIOCINQ
