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
type pool struct {
	chunks [][]byte
	vector [][]byte // of the move under way
}

// vectorMost bounds the chunks that are moved at once: 2 MiB.
const vectorMost = 64

// VectorSource is a Source that can be read into several pieces at once.
type VectorSource interface {
	// ReadVector fills the pieces in order; a short count may come without an
	// error.
	ReadVector(p [][]byte) (int, error)
}

// VectorSink is a Sink that takes several pieces at once.
type VectorSink interface {
	// WriteVector takes the pieces in order; a short count may come without an
	// error.
	WriteVector(p [][]byte) (int, error)
}

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
	vectored, many := src.(VectorSource)
	total := 0
	for total < n {
		var got int
		var err error
		if many && n-total > f.room() {
			got, err = f.fillMany(vectored, n-total)
		} else {
			if len(f.chunks) == 0 || f.end == chunkSize {
				f.chunks = append(f.chunks, f.pool.get())
				f.end = 0
			}
			room := f.chunks[len(f.chunks)-1][f.end:]
			got, err = src.Read(room[:min(len(room), n-total)])
			f.end += got
			f.size += got
		}
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

// room is what the last chunk still takes.
func (f *fifo) room() int {
	if len(f.chunks) == 0 {
		return 0
	}
	return chunkSize - f.end
}

// fillMany appends bytes to several chunks at once.
func (f *fifo) fillMany(src VectorSource, n int) (int, error) {
	v := f.pool.vector[:0]
	used := len(f.chunks)
	if room := f.room(); room > 0 {
		v = append(v, f.chunks[used-1][f.end:])
		n -= room
	}
	for n > 0 && len(v) < vectorMost {
		c := f.pool.get()
		f.chunks = append(f.chunks, c)
		v = append(v, c[:min(n, chunkSize)])
		n -= chunkSize
	}
	f.pool.vector = v
	got, err := src.ReadVector(v)
	f.size += got
	f.end = f.start + f.size
	kept := max(used, (f.end+chunkSize-1)/chunkSize)
	for _, c := range f.chunks[kept:] {
		f.pool.put(c)
	}
	f.chunks = f.chunks[:kept]
	f.end -= max(0, kept-1) * chunkSize
	return got, err
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
	if v, ok := dst.(VectorSink); ok && (f.start+offset)%chunkSize+n > chunkSize {
		return f.copyMany(v, offset, n)
	}
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
			return copied(total, err)
		}
	}
	return total, 0
}

// copied is the outcome of a copy that ended early.
func copied(total int, err error) (int, unix.Errno) {
	if total > 0 {
		return total, 0
	}
	if errno, ok := err.(unix.Errno); ok {
		return 0, errno
	}
	return 0, unix.EFAULT
}

// copyMany is copyTo for bytes of several chunks.
func (f *fifo) copyMany(dst VectorSink, offset, n int) (int, unix.Errno) {
	for total := 0; ; {
		v := f.pool.vector[:0]
		for at := f.start + offset + total; at < f.start+offset+n && len(v) < vectorMost; {
			part := f.chunks[at/chunkSize][at%chunkSize:]
			part = part[:min(len(part), f.start+offset+n-at)]
			v = append(v, part)
			at += len(part)
		}
		f.pool.vector = v
		wrote, err := dst.WriteVector(v)
		total += wrote
		if total == n {
			return n, 0
		}
		if wrote == 0 || err != nil {
			return copied(total, err)
		}
	}
}

// list appends n bytes that begin at an offset to parts, without copying them.
func (f *fifo) list(parts []Part, offset, n int) []Part {
	for at := f.start + offset; n > 0; {
		chunk := f.chunks[at/chunkSize]
		part := chunk[at%chunkSize : min(chunkSize, at%chunkSize+n)]
		parts = append(parts, Part{Memory: part})
		at += len(part)
		n -= len(part)
	}
	return parts
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
