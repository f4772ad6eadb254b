package inet

import (
	"io"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
)

const (
	chunkSize = 32 << 10
	// poolLimit bounds what is kept for the next streams: 8 MiB.
	poolLimit = 256
)

// pool keeps chunks that streams have emptied.
type pool struct{ chunks [][]byte }

func (p *pool) get() []byte {
	if n := len(p.chunks); n > 0 {
		c := p.chunks[n-1]
		p.chunks = p.chunks[:n-1]
		return c
	}
	return make([]byte, chunkSize)
}

func (p *pool) put(c []byte) {
	if len(p.chunks) < poolLimit {
		p.chunks = append(p.chunks, c)
	}
}

// fifo is a queue of bytes in pooled chunks. All chunks but the last are full
// up to their end.
type fifo struct {
	pool   *pool
	chunks [][]byte
	start  int // of the first byte in the first chunk
	end    int // of the last byte in the last chunk
	size   int
}

// fill appends at most n bytes of src.
func (f *fifo) fill(src socket.Source, n int) (int, unix.Errno) {
	total := 0
	for total < n {
		if len(f.chunks) == 0 || f.end == chunkSize {
			f.chunks = append(f.chunks, f.pool.get())
			f.end = 0
		}
		room := f.chunks[len(f.chunks)-1][f.end:]
		got, err := src.Read(room[:min(len(room), n-total)])
		f.end += got
		f.size += got
		total += got
		if err == nil && got > 0 {
			continue
		}
		f.trim()
		if errno, ok := err.(unix.Errno); ok && total == 0 && err != io.EOF {
			return 0, errno
		}
		return total, 0
	}
	return total, 0
}

// trim gives the chunks of an empty queue back.
func (f *fifo) trim() {
	if f.size > 0 {
		return
	}
	for _, c := range f.chunks {
		f.pool.put(c)
	}
	f.chunks, f.start, f.end = f.chunks[:0], 0, 0
}

// copyTo writes at most n bytes that begin at an offset to dst and leaves them
// in the queue.
func (f *fifo) copyTo(dst socket.Sink, offset, n int) (int, unix.Errno) {
	n = min(n, dst.Len(), f.size-offset)
	total := 0
	for i, at := 0, f.start+offset; total < n; i++ {
		if at >= chunkSize {
			at -= chunkSize
			continue
		}
		part := f.chunks[i][at:min(chunkSize, at+n-total)]
		at = 0
		wrote, err := dst.Write(part)
		total += wrote
		if wrote < len(part) {
			if total > 0 {
				return total, 0
			}
			if errno, ok := err.(unix.Errno); ok {
				return 0, errno
			}
			return 0, unix.EFAULT
		}
	}
	return total, 0
}

// at is the byte at an offset.
func (f *fifo) at(offset int) byte {
	offset += f.start
	return f.chunks[offset/chunkSize][offset%chunkSize]
}

// drop removes the first n bytes.
func (f *fifo) drop(n int) {
	f.size -= n
	f.start += n
	if k := f.start / chunkSize; k > 0 {
		for _, c := range f.chunks[:k] {
			f.pool.put(c)
		}
		f.chunks = f.chunks[:copy(f.chunks, f.chunks[k:])]
		f.start -= k * chunkSize
	}
	f.trim()
}

// cut removes all but the first n bytes.
func (f *fifo) cut(n int) {
	if n >= f.size {
		return
	}
	f.size = n
	last := (f.start + n + chunkSize - 1) / chunkSize
	for _, c := range f.chunks[last:] {
		f.pool.put(c)
	}
	f.chunks = f.chunks[:last]
	f.end = f.start + n - (last-1)*chunkSize
	f.trim()
}
