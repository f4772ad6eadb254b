package kernel

import (
	"io"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/inet"
	"github.com/simterpose/simterpose/kernel/transit"
)

// fileSource is a piece of a regular file of the machine's as a socket.Source,
// for sendfile and splice.
type fileSource struct {
	fd     int
	offset int64
	size   int
}

// openSource is at most size bytes of a file from an offset, of which some were
// moved before, or from its own position. It is nil if the file is not a regular
// one or tells of no bytes there, as those of /proc do.
func openSource(fd int, offset *int64, done, size int) *fileSource {
	var status unix.Stat_t
	if unix.Fstat(fd, &status) != nil || status.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil
	}
	f := &fileSource{fd: fd}
	if offset != nil {
		f.offset = *offset + int64(done)
	} else {
		var err error
		if f.offset, err = unix.Seek(fd, 0, io.SeekCurrent); err != nil {
			return nil
		}
	}
	if f.offset < 0 || f.offset >= status.Size {
		return nil
	}
	f.size = int(min(int64(size), status.Size-f.offset))
	return f
}

// Len implements socket.Source.
func (f *fileSource) Len() int { return f.size }

// Read implements socket.Source.
func (f *fileSource) Read(p []byte) (int, error) {
	if f.size == 0 {
		return 0, io.EOF
	}
	n, err := unix.Pread(f.fd, p[:min(len(p), f.size)], f.offset)
	if err != nil {
		return 0, err
	}
	if n == 0 { // it was cut
		f.size = 0
		return 0, io.EOF
	}
	f.offset += int64(n)
	f.size -= n
	return n, nil
}

// Ship implements inet.Shipper.
func (f *fileSource) Ship(h inet.Hold, n int) (shipped, unshipped int) {
	hold, ok := h.(*transit.Hold)
	if !ok || n < transit.Least || !hold.Room() || !hold.StoreFile(f.fd, f.offset, n) {
		return 0, n
	}
	f.offset += int64(n)
	f.size -= n
	return n, 0
}
