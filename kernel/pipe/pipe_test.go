package pipe

import (
	"io"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

func write(t *testing.T, e *End, s string) {
	t.Helper()
	src := socket.ByteSource(s)
	if n, errno := e.Write(&src); n != len(s) || errno != 0 {
		t.Fatalf("write of %d bytes gives %d, %v", len(s), n, errno)
	}
}

func expectRead(t *testing.T, e *End, n int, want string, wantErrno unix.Errno) {
	t.Helper()
	dst := make(socket.ByteSink, 0, n)
	if _, errno := e.Read(&dst); string(dst) != want || errno != wantErrno {
		t.Fatalf("read gives %q, %v, want %q, %v", dst, errno, want, wantErrno)
	}
}

func expectReady(t *testing.T, what string, e *End, want waiter.Mask) {
	t.Helper()
	if got := e.Readiness(); got != want {
		t.Errorf("%s: ready for %#x, want %#x", what, got, want)
	}
}

// The readiness below was observed on Linux 6.18 by opening and closing a FIFO.
func TestFIFOOpens(t *testing.T) {
	p := NewFIFO()
	if _, errno := p.Open(false, true, true); errno != unix.ENXIO {
		t.Fatalf("non-blocking open for writing gives %v", errno)
	}
	r, errno := p.Open(true, false, true)
	if errno != 0 {
		t.Fatal(errno)
	}
	expectReady(t, "no writer yet", r, 0)
	expectRead(t, r, 1, "", 0)
	w, errno := p.Open(false, true, true)
	if errno != 0 {
		t.Fatal(errno)
	}
	expectReady(t, "writer", w, canWrite)
	expectReady(t, "with writer", r, 0)
	w.Release()
	expectReady(t, "writer gone", r, waiter.Hup)
	both, errno := p.Open(true, true, false)
	if errno != 0 {
		t.Fatal(errno)
	}
	expectReady(t, "with two-way end", r, 0)
	r.Release()
	write(t, both, "abc")
	expectReady(t, "two-way end", both, canRead|canWrite)
	again, _ := p.Open(true, false, true)
	expectRead(t, again, 2, "ab", 0)
	both.Release()
	again.Release()
	if n := p.bytes; n != 0 {
		t.Errorf("%d bytes left in a FIFO that nobody has open", n)
	}
}

func TestBlockingFIFOOpenWaitsForTheOtherSide(t *testing.T) {
	for _, reads := range []bool{true, false} {
		p := NewFIFO()
		waiting, errno := p.Open(reads, !reads, false)
		if errno != unix.EAGAIN || waiting.Opened() {
			t.Fatalf("first open: %v, opened %v", errno, waiting.Opened())
		}
		woken := false
		e := &waiter.Entry{Interest: waiter.In | waiter.Out, Wake: func(waiter.Mask) { woken = true }}
		waiting.Queue().Add(e)
		other, errno := p.Open(!reads, reads, false)
		if errno != 0 || !woken || !waiting.Opened() {
			t.Fatalf("second open: %v, woken %v, opened %v", errno, woken, waiting.Opened())
		}
		other.Release()
		if !waiting.Opened() {
			t.Error("a partner that has left again does not count")
		}
		waiting.Release()
	}
}

func TestNotifications(t *testing.T) {
	r, w := New()
	var readable, writable int
	r.Queue().Add(&waiter.Entry{Interest: waiter.In, Wake: func(waiter.Mask) { readable++ }})
	w.Queue().Add(&waiter.Entry{Interest: waiter.Out, Wake: func(waiter.Mask) { writable++ }})
	expect := func(what string, wantReadable, wantWritable int) {
		t.Helper()
		if readable != wantReadable || writable != wantWritable {
			t.Errorf("%s: %d and %d notifications, want %d and %d", what, readable, writable, wantReadable, wantWritable)
		}
		readable, writable = 0, 0
	}
	write(t, w, "a")
	write(t, w, "b")
	expect("each write notifies readers", 2, 0)
	expectRead(t, r, 1, "a", 0)
	expect("room that was there is no news", 0, 0)
	write(t, w, string(make([]byte, 15*pageSize)))
	expect("one write", 1, 0)
	expectRead(t, r, 1, "b", 0)
	expect("a slot becomes free", 0, 1)
	w.Release()
	expect("writer closes", 1, 1)
}

// faulty is guest memory of which a part is not mapped.
type faulty struct{ left, mapped int }

func (f *faulty) Len() int { return f.left }

func (f *faulty) Read(b []byte) (int, error) { return f.move(len(b)) }

func (f *faulty) Write(b []byte) (int, error) { return f.move(len(b)) }

func (f *faulty) move(n int) (int, error) {
	got := min(n, f.mapped)
	f.mapped -= got
	f.left -= got
	if got < n {
		return got, unix.EFAULT
	}
	return got, nil
}

func TestBadMemory(t *testing.T) {
	r, w := New()
	if n, errno := w.Write(&faulty{left: 10000, mapped: 5000}); n != pageSize || errno != 0 {
		t.Errorf("write to the second page: %d, %v", n, errno)
	}
	if n, errno := w.Write(&faulty{left: 100, mapped: 99}); n != 0 || errno != unix.EFAULT {
		t.Errorf("write: %d, %v", n, errno)
	}
	if n, errno := r.Read(&faulty{left: 100, mapped: 99}); n != 0 || errno != unix.EFAULT {
		t.Errorf("read: %d, %v", n, errno)
	}
	if n, errno := r.Read(&faulty{left: 10000, mapped: 10000}); n != pageSize || errno != 0 {
		t.Errorf("read after a fault: %d, %v", n, errno)
	}
}

func TestSourceAndSink(t *testing.T) {
	r, w := New()
	write(t, w, "hello, world")
	src, errno := r.Source(5)
	if errno != 0 {
		t.Fatal(errno)
	}
	if b, err := io.ReadAll(src); string(b) != "hello" || err != nil {
		t.Errorf("source: %q, %v", b, err)
	}
	expectRead(t, r, 99, ", world", 0)
	if _, errno := r.Source(5); errno != unix.EAGAIN {
		t.Errorf("source of an empty pipe: %v", errno)
	}

	dst, errno := w.Sink(1 << 20)
	if errno != 0 || dst.Len() != Capacity {
		t.Fatalf("sink: %v, room for %d", errno, dst.Len())
	}
	for range Capacity / 16 {
		if n, err := dst.Write([]byte("0123456789abcdef")); n != 16 || err != nil {
			t.Fatal(n, err)
		}
	}
	if n, err := dst.Write([]byte("x")); n != 0 || err != io.ErrShortWrite {
		t.Errorf("full sink: %d, %v", n, err)
	}
	if _, errno := w.Sink(5); errno != unix.EAGAIN {
		t.Errorf("sink into a full pipe: %v", errno)
	}
	w.Release()
	expectRead(t, r, 3, "012", 0)
	expectRead(t, r, Capacity, repeat(Capacity)[3:], 0)
	if src, errno := r.Source(5); src != nil || errno != 0 {
		t.Errorf("source at end of file: %v, %v", src, errno)
	}
}

func repeat(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "0123456789abcdef"[i%16]
	}
	return string(b)
}

func BenchmarkWriteRead(b *testing.B) {
	for _, size := range []int{64, 4096, 65536} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			r, w := New()
			data, space := make([]byte, size), make([]byte, size)
			var src socket.ByteSource
			var dst socket.ByteSink
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				src, dst = data, space[:0]
				w.Write(&src)
				r.Read(&dst)
			}
		})
	}
}
