package pipe

import (
	"io"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
)

// Splice is splice(2) from one pipe to another: it moves at most n bytes, page
// by page, without copying. It returns 0 at end of file. Errors are EBADF for
// an end of the wrong direction, EINVAL for two ends of one pipe, EPIPE when
// nobody reads dst, and EAGAIN when src is empty or dst full.
func Splice(dst, src *End, n int) (int, unix.Errno) {
	return transfer(dst, src, n, true)
}

// Tee is tee(2): as Splice, but what is in src stays there.
func Tee(dst, src *End, n int) (int, unix.Errno) {
	return transfer(dst, src, n, false)
}

func transfer(dst, src *End, n int, take bool) (int, unix.Errno) {
	from, to := src.pipe, dst.pipe
	switch {
	case n == 0:
		return 0, 0
	case !src.reads || !dst.writes:
		return 0, unix.EBADF
	case from == to:
		return 0, unix.EINVAL
	case from.empty() && from.writers > 0:
		return 0, unix.EAGAIN
	case to.readers == 0:
		return 0, unix.EPIPE
	case to.full():
		return 0, unix.EAGAIN
	case from.empty():
		return 0, 0
	}
	moved, room := 0, false
	for i := from.tail; moved < n && i != from.head && !to.full(); i++ {
		s := *from.at(i)
		if take && s.length <= n-moved {
			from.bytes -= s.length
			if from.drop() {
				room = true
			}
		} else {
			s.page.references++
			s.merge = false // what is appended belongs to one of the two
			s.length = min(s.length, n-moved)
			if take {
				from.consume(s.length)
			}
		}
		to.push(s)
		moved += s.length
	}
	if room {
		from.notifyWriters()
	}
	to.notifyReaders()
	return moved, 0
}

// Source is splice(2) out of a pipe into something else: a view of the next n
// bytes, which are taken from the pipe as they are read. It is nil at end of
// file; EAGAIN means that the pipe is empty. It is valid until the next use of
// the end.
func (e *End) Source(n int) (socket.Source, unix.Errno) {
	switch p := e.pipe; {
	case !e.reads:
		return nil, unix.EBADF
	case p.empty() && p.writers == 0:
		return nil, 0
	case p.empty():
		return nil, unix.EAGAIN
	}
	e.source = source{pipe: e.pipe, left: n}
	return &e.source, 0
}

type source struct {
	pipe *Pipe
	left int
}

func (s *source) Len() int { return min(s.left, s.pipe.bytes) }

func (s *source) Read(b []byte) (int, error) {
	if s.Len() == 0 {
		return 0, io.EOF
	}
	n, room := 0, false
	for n < len(b) && s.left > 0 && !s.pipe.empty() {
		part := s.pipe.first().bytes()
		count := copy(b[n:], part[:min(len(part), s.left)])
		if s.pipe.consume(count) {
			room = true
		}
		n += count
		s.left -= count
	}
	if room {
		s.pipe.notifyWriters()
	}
	return n, nil
}

// Sink is splice(2) from something else into a pipe: what is written to it, at
// most n bytes, goes into slots of its own. Errors are EPIPE when nobody reads
// the pipe and EAGAIN when it is full. It is valid until the next use of the
// end.
func (e *End) Sink(n int) (socket.Sink, unix.Errno) {
	switch p := e.pipe; {
	case !e.writes:
		return nil, unix.EBADF
	case p.readers == 0:
		return nil, unix.EPIPE
	case p.full():
		return nil, unix.EAGAIN
	}
	e.sink = sink{pipe: e.pipe, left: n}
	return &e.sink, 0
}

type sink struct {
	pipe *Pipe
	left int
	room int // in the last slot, which this sink has made
}

func (s *sink) Len() int {
	return min(s.left, s.room+(len(s.pipe.ring)-s.pipe.used())*pageSize)
}

func (s *sink) Write(b []byte) (int, error) {
	var err error
	if n := s.Len(); n < len(b) {
		b, err = b[:n], io.ErrShortWrite
	}
	written := len(b)
	s.left -= written
	for len(b) > 0 {
		if s.room == 0 {
			s.pipe.push(slot{page: newPage()})
			s.room = pageSize
		}
		last := s.pipe.last()
		count := copy(last.page.data[last.end():], b)
		last.length += count
		s.pipe.bytes += count
		s.room -= count
		b = b[count:]
	}
	if written > 0 {
		s.pipe.notifyReaders()
	}
	return written, err
}
