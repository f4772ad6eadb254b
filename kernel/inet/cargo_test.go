package inet

import (
	"bytes"
	"io"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/simterpose/simterpose/kernel/socket"
)

// heldBytes is a Hold.
type heldBytes struct{ data []byte }

func (h *heldBytes) Peek(dst socket.Sink, offset, n int) (int, unix.Errno) {
	got, err := dst.Write(h.data[offset : offset+n])
	if err != nil {
		return got, unix.EFAULT
	}
	return got, 0
}

func (h *heldBytes) Drop(n int) { h.data = h.data[n:] }
func (h *heldBytes) Cut(n int)  { h.data = h.data[:n] }

// shipped is a source that goes into a Hold by itself, and landed a sink that is
// filled from one.
type shipped struct {
	memory
	half bool // the second half has to be read
}

func (s shipped) Ship(h Hold, n int) (shipped, unshipped int) {
	if s.half {
		unshipped = n / 2
		n -= unshipped
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(s, b); err != nil {
		panic(err)
	}
	held := h.(*heldBytes)
	held.data = append(held.data, b...)
	return n, unshipped
}

type landed struct{ *buffer }

func (l landed) Land(h Hold, n int, parts []Part) bool {
	held := h.(*heldBytes)
	for _, p := range parts {
		if p.Memory == nil {
			p.Memory = held.data[:p.Held]
			held.data = held.data[p.Held:]
		}
		l.data = append(l.data, p.Memory...)
	}
	l.room -= n
	return true
}

// TestCargoKeepsTheOrder compares bytes of which some are held with a plain
// slice.
func TestCargoKeepsTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		held := &heldBytes{}
		c := cargo{memory: fifo{pool: &pool{}}, hold: held}
		var model []byte
		next := byte(0)
		size := rapid.OneOf(rapid.IntRange(1, 100), rapid.IntRange(1, 2*chunkSize))
		t.Repeat(map[string]func(*rapid.T){
			"fill": func(t *rapid.T) {
				data := make([]byte, size.Draw(t, "size"))
				for i := range data {
					next++
					data[i] = next
				}
				var src socket.Source = memory{bytes.NewReader(data)}
				if rapid.Bool().Draw(t, "held") {
					src = shipped{memory{bytes.NewReader(data)}, rapid.Bool().Draw(t, "half")}
				}
				n, errno := c.fill(src, size.Draw(t, "limit")%(len(data)+1))
				if errno != 0 {
					t.Fatal(errno)
				}
				model = append(model, data[:n]...)
			},
			"take": func(t *rapid.T) {
				b := &buffer{room: size.Draw(t, "room")}
				var dst socket.Sink = b
				if rapid.Bool().Draw(t, "lands") {
					dst = landed{b}
				}
				n, errno := c.copyTo(dst, 0, len(model), false)
				if errno != 0 || !bytes.Equal(b.data, model[:n]) || n != min(len(model), n+b.room) {
					t.Fatalf("%d bytes taken, errno %d", n, errno)
				}
				c.drop(n)
				model = model[n:]
			},
			"look": func(t *rapid.T) {
				offset := rapid.IntRange(0, len(model)).Draw(t, "offset")
				b := &buffer{room: size.Draw(t, "room")}
				n, errno := c.copyTo(landed{b}, offset, len(model)-offset, true)
				if errno != 0 || !bytes.Equal(b.data, model[offset:offset+n]) || n != min(len(model)-offset, n+b.room) {
					t.Fatalf("%d bytes seen from %d, errno %d", n, offset, errno)
				}
				if offset < len(model) && c.at(offset) != model[offset] {
					t.Fatalf("another byte at %d", offset)
				}
			},
			"drop": func(t *rapid.T) {
				n := rapid.IntRange(0, len(model)).Draw(t, "n")
				c.drop(n)
				model = model[n:]
			},
			"cut": func(t *rapid.T) {
				n := rapid.IntRange(0, len(model)).Draw(t, "n")
				c.cut(n)
				model = model[:n]
			},
			"swallow": func(t *rapid.T) {
				n, errno := c.swallow(memory{bytes.NewReader(make([]byte, 100))}, 50)
				if n != 50 || errno != 0 {
					t.Fatalf("%d bytes, errno %d", n, errno)
				}
			},
			"": func(t *rapid.T) {
				if c.memory.size+c.held != len(model) || c.held != len(held.data) || c.held == 0 && len(c.runs) > 0 {
					t.Fatalf("%d bytes in memory, %d held, %d runs; want %d, of which %d held", c.memory.size, c.held, len(c.runs), len(model), len(held.data))
				}
			},
		})
	})
}
