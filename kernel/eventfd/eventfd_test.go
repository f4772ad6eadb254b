package eventfd

import (
	"encoding/binary"
	"math"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

func errnoOf(err error) unix.Errno {
	e, _ := err.(unix.Errno)
	return e
}

func TestCountersBehaveAsTheKernels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		initial := rapid.SampledFrom([]uint32{0, 1, 5, math.MaxUint32}).Draw(t, "initial")
		semaphore := rapid.Bool().Draw(t, "semaphore")
		flags := unix.EFD_NONBLOCK | unix.EFD_CLOEXEC
		if semaphore {
			flags |= unix.EFD_SEMAPHORE
		}
		f := New(initial, semaphore)
		fd, err := unix.Eventfd(uint(initial), flags)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		length := rapid.SampledFrom([]int{8, 8, 8, 8, 7, 9, 0, 16})
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				fds := []unix.PollFd{{Fd: int32(fd), Events: 0x1fff}}
				unix.Poll(fds, 0)
				if got := f.Readiness(); got != waiter.Mask(fds[0].Revents) {
					t.Fatalf("ready for %#x, the kernel says %#x", got, fds[0].Revents)
				}
			},
			"read": func(t *rapid.T) {
				real := make([]byte, length.Draw(t, "length"))
				dst := make(socket.ByteSink, 0, len(real))
				n, errno := f.Read(&dst)
				m, err := unix.Read(fd, real)
				if errno != errnoOf(err) || n != max(m, 0) || string(dst) != string(real[:max(m, 0)]) {
					t.Fatalf("%d, %v: %x; the kernel says %d, %v: %x", n, errno, dst, m, err, real)
				}
			},
			"write": func(t *rapid.T) {
				data := make([]byte, min(length.Draw(t, "length"), size), size)
				value := rapid.SampledFrom([]uint64{0, 1, 2, math.MaxUint64, math.MaxUint64 - 1, math.MaxUint64 - 3}).Draw(t, "value")
				binary.NativeEndian.PutUint64(data[:size], value)
				src := socket.ByteSource(data)
				n, errno := f.Write(&src)
				m, err := unix.Write(fd, data)
				if errno != errnoOf(err) || n != max(m, 0) {
					t.Fatalf("%d, %v; the kernel says %d, %v", n, errno, m, err)
				}
			},
		})
	})
}

func TestOverflowByTheKernelIsAnError(t *testing.T) {
	f := New(0, false)
	f.count = math.MaxUint64 - 1
	f.Signal()
	f.Signal()
	if m := f.Readiness(); m != waiter.In|waiter.Err || f.Count() != math.MaxUint64 {
		t.Errorf("ready for %#x at %d", m, f.Count())
	}
}

func TestWritesOfMoreThanACounterAreRefused(t *testing.T) {
	src := make(socket.ByteSource, 9)
	if n, errno := New(0, false).Write(&src); n != 0 || errno != unix.EINVAL {
		t.Errorf("%d, %v", n, errno)
	}
}

func TestNotifications(t *testing.T) {
	f := New(1, false)
	var got []waiter.Mask
	f.Queue().Add(&waiter.Entry{Interest: waiter.In | waiter.Out, Wake: func(m waiter.Mask) { got = append(got, m) }})
	src := socket.ByteSource{1, 0, 0, 0, 0, 0, 0, 0}
	f.Write(&src)
	dst := make(socket.ByteSink, 0, 8)
	f.Read(&dst)
	if len(got) != 2 || got[0] != waiter.In || got[1] != waiter.Out {
		t.Errorf("notifications %#x", got)
	}
}

func BenchmarkWriteRead(b *testing.B) {
	f := New(0, false)
	one, space := []byte{1, 0, 0, 0, 0, 0, 0, 0}, make([]byte, 8)
	var src socket.ByteSource
	var dst socket.ByteSink
	b.ReportAllocs()
	for b.Loop() {
		src, dst = one, space[:0]
		f.Write(&src)
		f.Read(&dst)
	}
}
