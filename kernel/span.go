package kernel

import (
	"encoding/binary"
	"io"

	"golang.org/x/sys/unix"
)

// span is a piece, or several, of a guest's memory, as a socket.Source or
// socket.Sink. A task has one, so that calls allocate none.
type span struct {
	t        *Task
	segments []segment
	few      [8]segment
	left     int
}

type segment struct {
	address uint64
	size    int
}

// iovMax is UIO_MAXIOV.
const iovMax = 1024

// buffer is the memory at address, without the first skip bytes.
func (t *Task) buffer(address uint64, size, skip int) *span {
	s := &t.span
	s.t = t
	s.segments = append(s.few[:0], segment{address + uint64(skip), size - skip})
	s.left = size - skip
	return s
}

// vector is the memory that an array of struct iovec describes, without the
// first skip bytes.
func (t *Task) vector(address uint64, count, skip int) (*span, unix.Errno) {
	s := &t.span
	s.t, s.left = t, 0
	s.segments = s.few[:0]
	if count < 0 || count > iovMax {
		return nil, unix.EINVAL
	}
	var few [16 * 8]byte
	b := few[:]
	if 16*count > len(b) {
		b = make([]byte, 16*count)
	}
	b = b[:16*count]
	if errno := t.read(address, b); errno != 0 {
		return nil, errno
	}
	for ; len(b) > 0; b = b[16:] {
		address, size := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		if int64(size) < 0 {
			return nil, unix.EINVAL
		}
		n := int(min(size, uint64(0x7ffff000-s.left)))
		s.left += n
		if n > 0 {
			s.segments = append(s.segments, segment{address, n})
		}
	}
	s.left -= skip
	for skip > 0 {
		n := min(skip, s.segments[0].size)
		s.advance(n)
		skip -= n
	}
	return s, 0
}

func (s *span) advance(n int) {
	s.segments[0].address += uint64(n)
	s.segments[0].size -= n
	if s.segments[0].size == 0 {
		s.segments = s.segments[1:]
	}
}

// Len is the number of bytes left.
func (s *span) Len() int { return s.left }

// Read reads the guest's memory.
func (s *span) Read(p []byte) (n int, err error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	return s.transfer(p, s.t.machine().ReadMemory)
}

// Write writes the guest's memory.
func (s *span) Write(p []byte) (n int, err error) {
	n, err = s.transfer(p, s.t.machine().WriteMemory)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

func (s *span) transfer(p []byte, move func(int, uint64, []byte) (int, unix.Errno)) (n int, err error) {
	for len(p) > 0 && s.left > 0 {
		part := s.segments[0]
		m := min(part.size, len(p))
		m, errno := move(s.t.TID, part.address, p[:m])
		if m > 0 {
			s.advance(m)
		}
		s.left -= m
		n += m
		p = p[m:]
		if errno != 0 {
			return n, errno
		}
	}
	return n, nil
}
