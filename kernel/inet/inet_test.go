package inet

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

// latency is one way, between any two hosts of the tests.
const latency = 10 * time.Millisecond

// wire is a Carrier with a latency and a rate for streams.
type wire struct {
	queue       *sim.Queue
	free        bool
	unreachable map[netip.Addr]error
	cut         bool          // control segments are lost
	perByte     time.Duration // of a stream
	direct      bool          // there is no latency
	packets     int
}

func (w *wire) Packet(src, dst netip.Addr, size int, reliable bool, arrive func()) error {
	if err := w.unreachable[dst]; err != nil {
		return err
	}
	w.packets++
	if w.cut {
		return nil
	}
	w.queue.After(w.queue.Now().Add(w.latency()), arrive)
	return nil
}

func (w *wire) Direction(src, dst netip.Addr, arrived func(n int)) (Direction, error) {
	if err := w.unreachable[dst]; err != nil {
		return nil, err
	}
	return &stream{wire: w, arrived: arrived}, nil
}

func (w *wire) HandshakeIsFree() bool                       { return w.free }
func (w *wire) RoundTrip(src, dst netip.Addr) time.Duration { return 2 * w.latency() }

func (w *wire) latency() time.Duration {
	if w.direct {
		return 0
	}
	return latency
}

type stream struct {
	wire     *wire
	arrived  func(n int)
	inFlight int
	free     sim.Time // when the last byte has left
	closed   bool
}

func (s *stream) Write(n int) {
	q := s.wire.queue
	s.inFlight += n
	s.free = max(s.free, q.Now()).Add(time.Duration(n) * s.wire.perByte)
	q.After(s.free.Add(s.wire.latency()), func() {
		if !s.closed {
			s.inFlight -= n
			s.arrived(n)
		}
	})
}
func (s *stream) InFlight() int { return s.inFlight }
func (s *stream) Window() int   { return 14480 }
func (s *stream) Close()        { s.closed = true }

// lab is two hosts, a at 10.0.0.1 and fd00::1, b at 10.0.0.2 and fd00::2.
type lab struct {
	*testing.T
	queue *sim.Queue
	wire  *wire
	net   *Network
	a, b  *Stack
}

func newLab(t *testing.T) *lab {
	q := &sim.Queue{}
	l := &lab{T: t, queue: q, wire: &wire{queue: q, unreachable: map[netip.Addr]error{}}}
	l.net = NewNetwork(q, l.wire)
	host := func(name string, addresses ...string) *Stack {
		c := Config{Name: name, Random: l.random(name), Realtime: func() int64 { return int64(q.Now()) }}
		for _, a := range addresses {
			c.Addresses = append(c.Addresses, netip.MustParseAddr(a))
		}
		return l.net.NewStack(c)
	}
	l.a = host("a", "10.0.0.1", "fd00::1")
	l.b = host("b", "10.0.0.2", "fd00::2")
	return l
}

func (l *lab) random(name string) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{name[0]}) }

// run lets everything happen that is to happen within d.
func (l *lab) run(d time.Duration) {
	end := l.queue.Now().Add(d)
	for l.queue.Next() <= end {
		l.queue.Step()
	}
	l.queue.Advance(end)
}

func (l *lab) ok(errno unix.Errno) {
	l.Helper()
	if errno != 0 {
		l.Fatalf("%v", errno)
	}
}

func (l *lab) want(got, want unix.Errno) {
	l.Helper()
	if got != want {
		l.Fatalf("errno %d (%v), want %d (%v)", got, got, want, want)
	}
}

func (l *lab) ready(s socket.Socket, want waiter.Mask) {
	l.Helper()
	if got := s.Readiness(); got != want {
		l.Fatalf("readiness %#x, want %#x", got, want)
	}
}

func (l *lab) socket(s *Stack, domain, kind int) socket.Socket {
	l.Helper()
	k, errno := s.NewSocket(domain, kind, 0)
	l.ok(errno)
	return k
}

func at(s string) socket.Address {
	ap := netip.MustParseAddrPort(s)
	if ap.Addr().Is4() {
		return encodeAddress(unix.AF_INET, ap)
	}
	return encodeAddress(unix.AF_INET6, ap)
}

// memory is a guest's buffer.
type memory struct{ *bytes.Reader }

func (m memory) Len() int { return m.Reader.Len() }

func bytesOf(s string) memory { return memory{bytes.NewReader([]byte(s))} }

type buffer struct {
	data []byte
	room int
}

func (b *buffer) Len() int { return b.room }
func (b *buffer) Write(p []byte) (int, error) {
	n := min(len(p), b.room)
	b.data = append(b.data, p[:n]...)
	b.room -= n
	if n < len(p) {
		return n, io.ErrShortWrite
	}
	return n, nil
}

// listen makes a listening socket.
func (l *lab) listen(s *Stack, address string, backlog int) socket.Socket {
	l.Helper()
	a := at(address)
	k := l.socket(s, a.Family(), unix.SOCK_STREAM)
	l.ok(k.Bind(a))
	l.ok(k.Listen(backlog))
	return k
}

// pair connects a client on a with a server on b.
func (l *lab) pair() (client, server socket.Socket) {
	l.Helper()
	k := l.listen(l.b, "0.0.0.0:80", 5)
	client = l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	l.want(client.Connect(at("10.0.0.2:80")), unix.EINPROGRESS)
	l.run(3 * latency)
	server, errno := k.Accept()
	l.ok(errno)
	k.Release()
	return client, server
}

func (l *lab) send(s socket.Socket, text string) {
	l.Helper()
	n, errno := s.Write(bytesOf(text))
	l.ok(errno)
	if n != len(text) {
		l.Fatalf("%d bytes sent of %d", n, len(text))
	}
}

func (l *lab) read(s socket.Socket, size int) (string, unix.Errno) {
	b := &buffer{room: size}
	_, errno := s.Read(b)
	return string(b.data), errno
}

func (l *lab) expect(s socket.Socket, want string) {
	l.Helper()
	got, errno := l.read(s, 1<<20)
	l.ok(errno)
	if got != want {
		l.Fatalf("read %q, want %q", got, want)
	}
}

func (l *lab) failsToRead(s socket.Socket, want unix.Errno) {
	l.Helper()
	_, errno := l.read(s, 100)
	l.want(errno, want)
}
