package inet

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

// TestStreamsNeitherStallNorChange plays a writer and a reader that only act
// when they are woken, with random buffers, rates, pauses and sizes: every byte
// arrives, in order, whatever the windows do.
func TestStreamsNeitherStallNorChange(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		l := newLab(t)
		l.wire.perByte = time.Duration(rapid.IntRange(0, 2000).Draw(r, "ns per byte"))
		l.wire.direct = rapid.Bool().Draw(r, "no latency")
		c, s := l.pair()
		if n := rapid.IntRange(0, 40000).Draw(r, "SO_SNDBUF"); n > 0 {
			l.ok(c.SetOption(unix.SOL_SOCKET, unix.SO_SNDBUF, int32Value(n)))
		}
		if n := rapid.IntRange(0, 40000).Draw(r, "SO_RCVBUF"); n > 0 {
			l.ok(s.SetOption(unix.SOL_SOCKET, unix.SO_RCVBUF, int32Value(n)))
		}
		if rapid.Bool().Draw(r, "cork") {
			l.ok(c.SetOption(unix.IPPROTO_TCP, unix.TCP_CORK, int32Value(1)))
		}
		sizes := rapid.SliceOfN(rapid.IntRange(1, 100000), 1, 20).Draw(r, "writes")
		reads := rapid.SliceOfN(rapid.IntRange(1, 50000), 1, 8).Draw(r, "reads")
		pauses := rapid.SliceOfN(rapid.IntRange(0, 50), 1, 8).Draw(r, "pauses in ms")

		want, got := 0, 0
		for _, n := range sizes {
			want += n
		}
		written := 0
		var write, read func()
		write = func() {
			for len(sizes) > 0 {
				part := make(socket.ByteSource, sizes[0])
				for i := range part {
					part[i] = byte((written + i) * 7 >> 3)
				}
				n, errno := c.Write(&part)
				if errno == unix.EAGAIN {
					return
				}
				if errno != 0 {
					r.Fatalf("write: %v", errno)
				}
				written += n
				if sizes[0] -= n; sizes[0] == 0 {
					sizes = sizes[1:]
				}
			}
			if c.(*tcpSocket).connection.sendShut {
				return
			}
			l.ok(c.Shutdown(unix.SHUT_WR))
		}
		ended := false
		turn := 0
		var pause sim.Event
		read = func() {
			if pause.Scheduled() || ended {
				return
			}
			dst := socket.ByteSink(make([]byte, 0, reads[turn%len(reads)]))
			n, errno := s.Read(&dst)
			switch {
			case errno == unix.EAGAIN:
				return
			case errno != 0:
				r.Fatalf("read: %v", errno)
			case n == 0:
				ended = true
				return
			}
			for i, b := range dst {
				if b != byte((got+i)*7>>3) {
					r.Fatalf("byte %d is wrong", got+i)
				}
			}
			got += n
			turn++
			l.queue.Schedule(&pause, l.queue.Now().Add(time.Duration(pauses[turn%len(pauses)])*time.Millisecond))
		}
		pause.Fire = read
		c.Queue().Add(&waiter.Entry{Interest: waiter.Out, Wake: func(waiter.Mask) { l.queue.After(l.queue.Now(), write) }})
		s.Queue().Add(&waiter.Entry{Interest: waiter.In, Wake: func(waiter.Mask) { l.queue.After(l.queue.Now(), read) }})
		write()
		for !ended && l.queue.Step() {
		}
		if !ended || got != want || written != want {
			r.Fatalf("%d bytes written, %d read of %d, ended %v at %v", written, got, want, ended, l.queue.Now())
		}
	})
}
