package transit

import (
	"bytes"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/inet"
	"github.com/simterpose/simterpose/kernel/socket"
)

// data is n bytes, other ones for each seed.
func data(n, seed int) []byte {
	b := make([]byte, n)
	x := uint32(seed)*2654435761 + 1
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

func newPair(t *testing.T, d *Depot) *Pair {
	t.Helper()
	p, err := d.NewPair(unix.SOCK_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newDepot(t *testing.T) *Depot {
	d := &Depot{Lost: func() { t.Error("bytes are lost") }}
	t.Cleanup(func() {
		if n := len(d.open) - len(d.free); n != 0 {
			t.Errorf("%d pipes are in use", n)
		}
		d.Close()
		if len(d.open) > 0 || len(d.pairs) > 0 {
			t.Error("something is still open")
		}
	})
	return d
}

// guest is a guest's call.
type guest struct {
	writes []byte
	read   []byte
	copied bool
}

func (g *guest) Give(b []byte) bool {
	g.copied = true
	return copy(b, g.writes) == len(b)
}

func (g *guest) Take(b []byte) {
	g.copied = true
	g.read = append(g.read, b...)
}

// send writes through a pair as a guest's call does.
func send(t *testing.T, h *Hold, p *Pair, b []byte) {
	t.Helper()
	h.Expect(p, len(b), &guest{writes: b})
	h.Commit()
	if n, err := unix.Write(p.Guest(), b); n != len(b) {
		t.Fatalf("%d of %d bytes written (%v)", n, len(b), err)
	}
}

// receive reads through a pair as a guest's call does, of which the buffer is
// larger than what is there.
func receive(t *testing.T, h *Hold, p *Pair, parts ...inet.Part) []byte {
	t.Helper()
	g := &guest{}
	h.Promise(parts, g)
	if !h.Unload(p) {
		return g.read
	}
	b := make([]byte, 8<<20)
	n, err := unix.Read(p.Guest(), b)
	if err != nil || g.copied {
		t.Fatalf("read: %v, copied %v", err, g.copied)
	}
	return b[:n]
}

// TestWritesUpToTheCapacityFit writes all sizes that a guest is let to write at
// once: the kernel must take each whole.
func TestWritesUpToTheCapacityFit(t *testing.T) {
	d := newDepot(t)
	a, b := newPair(t, d), newPair(t, d)
	h := d.NewHold()
	for n := Least; n <= min(a.Capacity(), 1<<20); n += n/9 + 1 {
		want := data(n, n)
		send(t, h, a, want)
		if got := receive(t, h, b, inet.Part{Held: n}); !bytes.Equal(got, want) {
			t.Fatalf("%d bytes of %d came, or others", len(got), n)
		}
	}
}

// TestOrder mixes bytes of the kernel's, of files and of memory, and reads them in
// pieces that fit none of them.
func TestOrder(t *testing.T) {
	d := newDepot(t)
	a, b := newPair(t, d), newPair(t, d)
	h := d.NewHold()
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	content := data(300000, 0)
	if _, err := file.Write(content); err != nil {
		t.Fatal(err)
	}
	var want []byte
	for i := range 20 {
		piece := data(Least+i*9973%180000, i)
		send(t, h, a, piece)
		want = append(want, piece...)
		if i%3 == 0 {
			if !h.StoreFile(int(file.Fd()), int64(i*1000), 50000+i) {
				t.Fatal("a file is not taken")
			}
			want = append(want, content[i*1000:][:50000+i]...)
		}
	}
	if h.StoreFile(int(file.Fd()), int64(len(content))-100, 200) {
		t.Error("more bytes than the file has")
	}
	memory := []byte("in memory")
	for i := 0; len(want) > 0; i++ {
		n := min(len(want), 1+i*7919%120000)
		var sink socket.ByteSink = make([]byte, 0, n)
		at := min(len(want)-1, i)
		if i%5 == 2 {
			k := min(1000, len(want)-at)
			got, errno := h.Peek(&sink, at, min(k, n))
			if errno != 0 || !bytes.Equal(sink[:got], want[at:][:got]) {
				t.Fatalf("%d other bytes at %d", got, at)
			}
		}
		switch i % 4 {
		case 0:
			h.Drop(n)
		case 1:
			got := receive(t, h, b, inet.Part{Memory: memory}, inet.Part{Held: n}, inet.Part{Memory: memory})
			if !bytes.Equal(got, append(append(bytes.Clone(memory), want[:n]...), memory...)) {
				t.Fatalf("other bytes with those in memory, %d", len(got))
			}
		default:
			if got := receive(t, h, b, inet.Part{Held: n}); !bytes.Equal(got, want[:n]) {
				t.Fatalf("%d other bytes, want %d", len(got), n)
			}
		}
		want = want[n:]
	}
}

// TestNothingIsCarriedOut copies what calls were to move.
func TestNothingIsCarriedOut(t *testing.T) {
	d := newDepot(t)
	a := newPair(t, d)
	h := d.NewHold()
	g := &guest{writes: data(30000, 1)}
	h.Expect(a, 30000, g)
	h.Settle()
	if !g.copied {
		t.Error("the call would be carried out")
	}
	r := &guest{}
	h.Promise([]inet.Part{{Held: 20000}}, r)
	h.Cut(5000) // of what is left
	if !bytes.Equal(r.read, g.writes[:20000]) {
		t.Error("other bytes read")
	}
	if h.Unload(a) {
		t.Error("the call would be carried out")
	}
	var b socket.ByteSink = make([]byte, 0, 5000)
	if h.Peek(&b, 0, 5000); !bytes.Equal(b, g.writes[20000:25000]) {
		t.Error("other bytes left")
	}
	h.Drop(5000)
}

// TestCutPipe forgets the end of what a pipe holds.
func TestCutPipe(t *testing.T) {
	d := newDepot(t)
	a, b := newPair(t, d), newPair(t, d)
	h := d.NewHold()
	first, second := data(60000, 1), data(20000, 2)
	send(t, h, a, first)
	h.Cut(40000)
	send(t, h, a, second)
	want := append(bytes.Clone(first[:40000]), second...)
	if got := receive(t, h, b, inet.Part{Held: 60000}); !bytes.Equal(got, want) {
		t.Error("other bytes")
	}
}

// TestClosedPairLeavesItsBytes reads what a guest has written before it closed.
func TestClosedPairLeavesItsBytes(t *testing.T) {
	d := newDepot(t)
	a, b := newPair(t, d), newPair(t, d)
	h := d.NewHold()
	want := data(60000, 1)
	send(t, h, a, want)
	a.Close()
	if got := receive(t, h, b, inet.Part{Held: 60000}); !bytes.Equal(got, want) {
		t.Error("other bytes")
	}
}

// TestUnreadBytesAreCleared lets a guest not read what it was to: the next read
// must find its own bytes.
func TestUnreadBytesAreCleared(t *testing.T) {
	d := newDepot(t)
	a, b := newPair(t, d), newPair(t, d)
	h := d.NewHold()
	want := data(40000, 1)
	send(t, h, a, want)
	h.Promise([]inet.Part{{Held: 20000}}, &guest{})
	if !h.Unload(b) {
		t.Fatal("not moved")
	}
	if got := receive(t, h, b, inet.Part{Held: 20000}); !bytes.Equal(got, want[20000:]) {
		t.Error("other bytes")
	}
}

// TestWithoutPipes copies bytes when there are no more pipes.
func TestWithoutPipes(t *testing.T) {
	d := newDepot(t)
	a, b := newPair(t, d), newPair(t, d)
	d.open = map[conduit]bool{}
	for i := range mostPipes {
		d.open[conduit{-i - 1, -i - 1}] = true
	}
	defer clear(d.open)
	h := d.NewHold()
	if h.Room() {
		t.Error("room without pipes")
	}
	want := data(100000, 1)
	send(t, h, a, want)
	if got := receive(t, h, b, inet.Part{Held: 100000}); !bytes.Equal(got, want) {
		t.Error("other bytes")
	}
}

// TestStaged lets some of what a guest has written ahead go, and not the rest.
func TestStaged(t *testing.T) {
	d := newDepot(t)
	a, b := newPair(t, d), newPair(t, d)
	h := d.NewHold()
	first, second, third := data(30000, 1), data(60000, 2), data(20000, 3)
	send(t, h, a, first)
	a.Settle()
	if n, err := unix.Write(a.Guest(), second); n != len(second) {
		t.Fatal(err)
	}
	a.Stage(len(second), t)
	h.TakeStaged(a, 10000)
	h.TakeStaged(a, 30000)
	if n, stager := a.Staged(); n != 20000 || stager != t {
		t.Errorf("%d bytes staged for %v", n, stager)
	}
	a.Discard()
	send(t, h, a, third)
	want := append(append(bytes.Clone(first), second[:40000]...), third...)
	if got := receive(t, h, b, inet.Part{Held: len(want)}); !bytes.Equal(got, want) {
		t.Error("other bytes")
	}
}
