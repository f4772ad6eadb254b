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
	segments []unix.RemoteIovec
	few      [8]unix.RemoteIovec
	left     int
}

// iovMax is UIO_MAXIOV.
const iovMax = 1024

// buffer is the memory at address, without the first skip bytes.
func (t *Task) buffer(address uint64, size, skip int) *span {
	s := &t.span
	s.t = t
	s.segments = append(s.few[:0], unix.RemoteIovec{Base: uintptr(address) + uintptr(skip), Len: size - skip})
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
			s.segments = append(s.segments, unix.RemoteIovec{Base: uintptr(address), Len: n})
		}
	}
	s.left -= skip
	for skip > 0 {
		n := min(skip, s.segments[0].Len)
		s.advance(n)
		skip -= n
	}
	return s, 0
}

// advance forgets the first n bytes.
func (s *span) advance(n int) {
	for n > 0 {
		k := min(n, s.segments[0].Len)
		s.segments[0].Base += uintptr(k)
		s.segments[0].Len -= k
		n -= k
		if s.segments[0].Len == 0 {
			s.segments = s.segments[1:]
		}
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
		m := min(part.Len, len(p))
		m, errno := move(s.t.TID, uint64(part.Base), p[:m])
		s.advance(m)
		s.left -= m
		n += m
		p = p[m:]
		if errno != 0 {
			return n, errno
		}
	}
	return n, nil
}

// ReadVector reads the guest's memory into several pieces at once, or some of it.
func (s *span) ReadVector(p [][]byte) (n int, err error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	return s.moved(s.t.machine().ReadVector(s.t.TID, s.segments, p))
}

// WriteVector writes several pieces to the guest's memory at once, or some of
// them.
func (s *span) WriteVector(p [][]byte) (n int, err error) {
	return s.moved(s.t.machine().WriteVector(s.t.TID, s.segments, p))
}

func (s *span) moved(n int, errno unix.Errno) (int, error) {
	s.advance(n)
	s.left -= n
	if errno != 0 {
		return n, errno
	}
	return n, nil
}
