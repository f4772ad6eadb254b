package inet

import (
	"io"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/sim"
)

// tube is a Carrier that costs next to nothing: what is measured is this
// package. One event carries all that was written.
type tube struct{ queue *sim.Queue }

func (w *tube) Packet(_, _ netip.Addr, _ int, _ bool, arrive func()) error {
	w.queue.After(w.queue.Now(), arrive)
	return nil
}

func (w *tube) Direction(_, _ netip.Addr, arrived func(n int)) (Direction, error) {
	p := &pipe{tube: w, arrived: arrived}
	p.event.Fire = p.arrive
	return p, nil
}

func (w *tube) HandshakeIsFree() bool { return true }

func (w *tube) RoundTrip(_, _ netip.Addr) time.Duration { return 0 }

// guest is a guest's memory without the cost of reaching it: a Source and a
// Sink of so many bytes that copies nothing of its own.
type guest struct{ left int }

func (g *guest) Len() int { return g.left }

func (g *guest) Read(b []byte) (int, error) {
	n := min(len(b), g.left)
	if n == 0 {
		return 0, io.EOF
	}
	g.left -= n
	return n, nil
}

func (g *guest) Write(b []byte) (int, error) {
	n := min(len(b), g.left)
	g.left -= n
	return n, nil
}

func benchmarkPair(b testing.TB) (q *sim.Queue, client, server socket.Socket) {
	q = &sim.Queue{}
	n := NewNetwork(q, &tube{queue: q})
	newStack := func(address string) *Stack {
		return n.NewStack(Config{Addresses: []netip.Addr{at4(address)}, Random: rand.NewChaCha8([32]byte{}), Realtime: func() int64 { return 0 }})
	}
	x, y := newStack("10.0.0.1"), newStack("10.0.0.2")
	k, _ := y.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if k.Bind(at("0.0.0.0:80"))|k.Listen(5) != 0 {
		b.Fatal("no listener")
	}
	client, _ = x.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if errno := client.Connect(at("10.0.0.2:80")); errno != 0 {
		b.Fatal(errno)
	}
	server, errno := k.Accept()
	if errno != 0 {
		b.Fatal(errno)
	}
	return q, client, server
}

// BenchmarkStream sends messages one way and reads them; the bytes are not
// copied from and to a guest, which is measured elsewhere.
func BenchmarkStream(b *testing.B) {
	for _, size := range []int{128, 64 << 10} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			q, client, server := benchmarkPair(b)
			m := &socket.Message{}
			src, dst := &guest{}, &guest{}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				src.left, dst.left = size, size
				if n, errno := client.Send(src, m); n != size {
					b.Fatal(n, errno)
				}
				for q.Step() {
				}
				m.Flags = 0
				if n, errno := server.Receive(dst, m); n != size {
					b.Fatal(n, errno)
				}
			}
		})
	}
}

// TestStreamsAllocateNothing sends and reads messages once the pools are filled.
func TestStreamsAllocateNothing(t *testing.T) {
	for _, size := range []int{1, 1000, 64 << 10} {
		q, client, server := benchmarkPair(t)
		m := &socket.Message{}
		src, dst := &guest{}, &guest{}
		exchange := func() {
			src.left, dst.left = size, size
			n, _ := client.Send(src, m)
			for q.Step() {
			}
			m.Flags = 0
			if k, errno := server.Receive(dst, m); n != size || k != size {
				t.Fatal(n, k, errno)
			}
		}
		for range 100 {
			exchange()
		}
		if n := testing.AllocsPerRun(1000, exchange); n > 0 {
			t.Errorf("%v allocations for a message of %d bytes", n, size)
		}
	}
}

// BenchmarkDatagram sends datagrams and reads them.
func BenchmarkDatagram(b *testing.B) {
	q := &sim.Queue{}
	n := NewNetwork(q, &tube{queue: q})
	s := n.NewStack(Config{Addresses: []netip.Addr{at4("10.0.0.1")}, Random: rand.NewChaCha8([32]byte{})})
	x, _ := s.NewSocket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	y, _ := s.NewSocket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if x.Bind(at("10.0.0.1:1"))|y.Connect(at("10.0.0.1:1")) != 0 {
		b.Fatal("no sockets")
	}
	m := &socket.Message{}
	src, dst := &guest{}, &guest{}
	b.SetBytes(1000)
	b.ReportAllocs()
	for b.Loop() {
		src.left, dst.left = 1000, 1000
		m.Address = nil
		if n, errno := y.Send(src, m); n != 1000 {
			b.Fatal(n, errno)
		}
		for q.Step() {
		}
		m.Flags = 0
		if n, errno := x.Receive(dst, m); n != 1000 {
			b.Fatal(n, errno)
		}
	}
}

// BenchmarkConnection opens, uses and closes a connection, among those that
// linger in TIME_WAIT.
func BenchmarkConnection(b *testing.B) {
	q := &sim.Queue{}
	n := NewNetwork(q, &tube{queue: q})
	s := n.NewStack(Config{Addresses: []netip.Addr{at4("10.0.0.1")}, Random: rand.NewChaCha8([32]byte{})})
	k, _ := s.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if k.Bind(at("0.0.0.0:80"))|k.Listen(5) != 0 {
		b.Fatal("no listener")
	}
	b.ReportAllocs()
	for b.Loop() {
		c, _ := s.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if errno := c.Connect(at("10.0.0.1:80")); errno != 0 {
			b.Fatal(errno)
		}
		t, errno := k.Accept()
		if errno != 0 {
			b.Fatal(errno)
		}
		c.Release()
		for q.Step() {
		}
		t.Release()
		for q.Step() {
		}
		q.Advance(q.Now() + 5e6) // 12000 in TIME_WAIT
	}
}

type pipe struct {
	tube    *tube
	arrived func(n int)
	event   sim.Event
	n       int
}

func (p *pipe) Write(n int) {
	if p.n += n; !p.event.Scheduled() {
		p.tube.queue.Schedule(&p.event, p.tube.queue.Now())
	}
}

func (p *pipe) arrive() {
	n := p.n
	p.n = 0
	p.arrived(n)
}

func (p *pipe) InFlight() int { return p.n }
func (p *pipe) Window() int   { return 1 << 20 }
func (p *pipe) Close()        { p.tube.queue.Cancel(&p.event) }
