package socket

import "io"

// ByteSource is a Source over the emulator's own memory. Reading moves its
// beginning.
type ByteSource []byte

// Len implements Source.
func (s *ByteSource) Len() int { return len(*s) }

// Read implements Source.
func (s *ByteSource) Read(b []byte) (int, error) {
	if len(*s) == 0 {
		return 0, io.EOF
	}
	n := copy(b, *s)
	*s = (*s)[n:]
	return n, nil
}

// ByteSink is a Sink over the emulator's own memory: it appends up to its
// capacity.
type ByteSink []byte

// Len implements Sink.
func (s *ByteSink) Len() int { return cap(*s) - len(*s) }

// Write implements Sink.
func (s *ByteSink) Write(b []byte) (int, error) {
	n := min(len(b), s.Len())
	*s = append(*s, b[:n]...)
	if n < len(b) {
		return n, io.ErrShortWrite
	}
	return n, nil
}
