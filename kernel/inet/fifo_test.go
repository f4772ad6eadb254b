package inet

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/simterpose/simterpose/kernel/socket"
)

// vectorMemory is memory that is read into several pieces at once.
type vectorMemory struct{ memory }

func (m vectorMemory) ReadVector(p [][]byte) (total int, err error) {
	for _, part := range p {
		n, err := m.Read(part)
		if total += n; n < len(part) {
			return total, err
		}
	}
	return total, nil
}

// vectorBuffer is a buffer that several pieces are written to at once.
type vectorBuffer struct{ *buffer }

func (b vectorBuffer) WriteVector(p [][]byte) (total int, err error) {
	for _, part := range p {
		n, err := b.Write(part)
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}

// TestFifoIsAQueueOfBytes compares a fifo with a plain slice.
func TestFifoIsAQueueOfBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := fifo{pool: &pool{}}
		var model []byte
		next := byte(0)
		size := rapid.OneOf(rapid.IntRange(0, 100), rapid.IntRange(0, 3*chunkSize), rapid.SampledFrom([]int{chunkSize - 1, chunkSize, chunkSize + 1}))
		t.Repeat(map[string]func(*rapid.T){
			"fill": func(t *rapid.T) {
				data := make([]byte, size.Draw(t, "size"))
				for i := range data {
					next++
					data[i] = next
				}
				limit := size.Draw(t, "limit")
				var src socket.Source = memory{bytes.NewReader(data)}
				if rapid.Bool().Draw(t, "at once") {
					src = vectorMemory{memory{bytes.NewReader(data)}}
				}
				n, errno := f.fill(src, limit)
				if errno != 0 || n != min(limit, len(data)) {
					t.Fatalf("%d bytes filled, errno %d", n, errno)
				}
				model = append(model, data[:n]...)
			},
			"copy": func(t *rapid.T) {
				offset := rapid.IntRange(0, len(model)).Draw(t, "offset")
				b := &buffer{room: size.Draw(t, "room")}
				var dst socket.Sink = b
				if rapid.Bool().Draw(t, "at once") {
					dst = vectorBuffer{b}
				}
				n, errno := f.copyTo(dst, offset, len(model))
				if errno != 0 || !bytes.Equal(b.data, model[offset:offset+n]) || n != min(len(model)-offset, n+b.room) {
					t.Fatalf("%d bytes copied from %d, errno %d", n, offset, errno)
				}
			},
			"drop": func(t *rapid.T) {
				n := rapid.IntRange(0, len(model)).Draw(t, "n")
				f.drop(n)
				model = model[n:]
			},
			"cut": func(t *rapid.T) {
				n := rapid.IntRange(0, len(model)).Draw(t, "n")
				f.cut(n)
				model = model[:n]
			},
			"": func(t *rapid.T) {
				if f.size != len(model) || f.size == 0 && len(f.chunks) > 0 {
					t.Fatalf("size %d in %d chunks, want %d", f.size, len(f.chunks), len(model))
				}
			},
		})
	})
}
