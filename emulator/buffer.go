package emulator

import (
	"bytes"
	"io"

	"github.com/simterpose/simterpose/kernel/socket"
)

// sink is memory of the emulator's that a socket fills.
type sink struct{ left []byte }

func (s *sink) Len() int { return len(s.left) }

func (s *sink) Write(p []byte) (int, error) {
	n := copy(s.left, p)
	s.left = s.left[n:]
	if n < len(p) {
		return n, io.ErrShortWrite
	}
	return n, nil
}

// newSource is memory of the emulator's that a socket sends.
func newSource(b []byte) socket.Source { return bytes.NewReader(b) }
