package inet

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

const (
	readable = waiter.In | waiter.RdNorm
	writable = waiter.Out | waiter.WrNorm
)

func TestConnectTakesARoundTripAndAcceptHalfMore(t *testing.T) {
	l := newLab(t)
	k := l.listen(l.b, "0.0.0.0:80", 5)
	c := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	l.ready(c, writable|waiter.Hup)
	l.want(c.Connect(at("10.0.0.2:80")), unix.EINPROGRESS)
	l.run(2*latency - 1)
	l.ready(c, 0)
	l.want(c.Connect(at("10.0.0.2:80")), unix.EALREADY)
	l.run(1)
	l.ready(c, writable)
	l.ready(k, 0)
	l.ok(c.Connect(at("10.0.0.2:80")))
	l.want(c.Connect(at("10.0.0.2:80")), unix.EISCONN)
	l.run(latency)
	l.ready(k, readable)
	s, errno := k.Accept()
	l.ok(errno)
	if a, _ := s.PeerAddress(); a[4] != 10 || a[7] != 1 {
		t.Fatalf("peer %v", a)
	}
	l.send(c, "hello")
	l.failsToRead(s, unix.EAGAIN)
	l.run(latency)
	l.expect(s, "hello")
	l.send(s, "world")
	l.run(latency)
	l.expect(c, "world")
}

func TestConnectToClosedPortIsRefused(t *testing.T) {
	l := newLab(t)
	c := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	for range 2 { // and may be tried again
		l.want(c.Connect(at("10.0.0.2:80")), unix.EINPROGRESS)
		l.run(2 * latency)
		l.ready(c, writable|readable|waiter.RdHup|waiter.Err|waiter.Hup)
		l.want(c.Connect(at("10.0.0.2:80")), unix.ECONNREFUSED)
	}
	l.want(c.Connect(at("127.0.0.1:80")), unix.EINPROGRESS)
	l.run(time.Second)
	v, _ := c.Option(unix.SOL_SOCKET, unix.SO_ERROR)
	if v[0] != byte(unix.ECONNREFUSED) {
		t.Fatalf("SO_ERROR %v", v)
	}
}

func TestConnectToNobodyTimesOut(t *testing.T) {
	l := newLab(t)
	l.wire.unreachable[at4("10.9.9.9")] = ErrNoHost
	l.wire.unreachable[at4("10.8.8.8")] = ErrNoRoute
	c := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	l.want(c.Connect(at("10.8.8.8:80")), unix.EHOSTUNREACH)
	l.want(c.Connect(at("10.9.9.9:80")), unix.EINPROGRESS)
	l.run(127*time.Second - 1)
	l.want(c.Connect(at("10.9.9.9:80")), unix.EALREADY)
	l.run(1)
	l.want(c.Connect(at("10.9.9.9:80")), unix.ETIMEDOUT)
}

func TestHandshakeWithoutRoomInTheAcceptQueueIsRepeated(t *testing.T) {
	l := newLab(t)
	k := l.listen(l.b, "0.0.0.0:80", 0) // room for one
	first := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	second := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	third := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	first.Connect(at("10.0.0.2:80"))
	second.Connect(at("10.0.0.2:80"))
	l.run(3 * latency)
	third.Connect(at("10.0.0.2:80"))
	l.run(3 * latency)
	l.ready(first, writable)
	l.ready(second, writable) // its SYN was answered
	l.ready(third, 0)         // its SYN was dropped
	_, errno := k.Accept()
	l.ok(errno)
	_, errno = k.Accept()
	l.want(errno, unix.EAGAIN)
	l.run(time.Second)
	s, errno := k.Accept()
	l.ok(errno)
	l.ready(third, 0)
	l.send(second, "x")
	l.run(latency)
	l.expect(s, "x")
	l.run(2 * time.Second) // the third SYN, 3 s after the first
	l.ready(third, writable)
}

func TestDataWaitsForRoomInTheAcceptQueue(t *testing.T) {
	l := newLab(t)
	k := l.listen(l.b, "0.0.0.0:80", 0)
	first := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	second := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	first.Connect(at("10.0.0.2:80"))
	second.Connect(at("10.0.0.2:80"))
	l.run(3 * latency)
	l.send(second, "early")
	l.ok(second.Shutdown(unix.SHUT_WR))
	l.run(3 * latency)
	_, errno := k.Accept()
	l.ok(errno)
	l.run(2 * time.Second)
	s, errno := k.Accept()
	l.ok(errno)
	l.expect(s, "early")
	l.expect(s, "")
}

func TestHandshakeThatFindsNoRoomIsGivenUp(t *testing.T) {
	l := newLab(t)
	l.listen(l.b, "0.0.0.0:80", 0)
	first := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	second := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	first.Connect(at("10.0.0.2:80"))
	second.Connect(at("10.0.0.2:80"))
	l.run(130 * time.Second)
	l.ready(second, writable) // it does not know
	l.send(second, "x")
	l.run(2 * latency)
	l.failsToRead(second, unix.ECONNRESET)
}

func TestFreeHandshakeConnectsAtOnce(t *testing.T) {
	l := newLab(t)
	l.wire.free = true
	k := l.listen(l.b, "0.0.0.0:80", 5)
	c := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	l.ok(c.Connect(at("10.0.0.2:80")))
	_, errno := k.Accept()
	l.ok(errno)
	if l.wire.packets != 0 {
		t.Fatalf("%d packets", l.wire.packets)
	}
	l.want(c.Connect(at("10.0.0.2:80")), unix.EISCONN)
}

func TestHalfCloseAndEndOfFile(t *testing.T) {
	l := newLab(t)
	l.wire.perByte = time.Microsecond
	c, s := l.pair()
	l.send(c, "question")
	l.ok(c.Shutdown(unix.SHUT_WR))
	_, errno := c.Write(bytesOf("more"))
	l.want(errno, unix.EPIPE)
	l.run(latency + 8*time.Microsecond)
	l.ready(s, readable|writable|waiter.RdHup)
	l.expect(s, "question")
	l.expect(s, "")
	l.send(s, "answer")
	s.Release()
	l.run(time.Second)
	l.ready(c, readable|writable|waiter.RdHup|waiter.Hup)
	l.expect(c, "answer")
	l.expect(c, "")
	c.Release()
	l.run(time.Second)
	if len(l.a.connections)+len(l.b.connections) != 0 {
		t.Fatal("connections are left")
	}
	if table, _ := l.a.ProcNet("tcp"); !strings.Contains(table, " 06 ") {
		t.Fatalf("the side that closed first is not in TIME_WAIT:\n%s", table)
	}
}

func TestCloseWithUnreadDataResets(t *testing.T) {
	l := newLab(t)
	c, s := l.pair()
	l.send(c, "unread")
	l.run(latency)
	s.Release()
	l.run(latency)
	l.ready(c, readable|writable|waiter.RdHup|waiter.Hup|waiter.Err)
	l.failsToRead(c, unix.ECONNRESET)
	l.expect(c, "")
	_, errno := c.Write(bytesOf("x"))
	l.want(errno, unix.EPIPE)
}

func TestWriteToClosedEndIsAnsweredByReset(t *testing.T) {
	l := newLab(t)
	c, s := l.pair()
	s.Release()
	l.run(latency)
	l.send(c, "first")
	l.run(2 * latency)
	_, errno := c.Write(bytesOf("second"))
	l.want(errno, unix.EPIPE)
}

func TestLingerOfZeroResetsBehindWhatIsOnTheWay(t *testing.T) {
	l := newLab(t)
	c, s := l.pair()
	l.ok(c.SetOption(unix.SOL_SOCKET, unix.SO_LINGER, []byte{1, 0, 0, 0, 0, 0, 0, 0}))
	l.send(c, "last words")
	c.Release()
	l.run(latency)
	l.expect(s, "last words")
	l.failsToRead(s, unix.ECONNRESET)
}

func TestSendBufferAndWindowLimitWhatIsTaken(t *testing.T) {
	l := newLab(t)
	l.wire.perByte = 100 * time.Nanosecond
	c, s := l.pair()
	l.ok(s.SetOption(unix.SOL_SOCKET, unix.SO_RCVBUF, int32Value(20000)))
	text := strings.Repeat("0123456789abcdef", 1<<16)
	n, errno := c.Write(bytesOf(text))
	l.ok(errno)
	if n != sendBufferLeast {
		t.Fatalf("%d bytes taken", n)
	}
	_, errno = c.Write(bytesOf("x"))
	l.want(errno, unix.EAGAIN)
	l.ready(c, 0)
	l.run(time.Second)
	got, _, _ := s.(socket.Ioctler).Ioctl(fionread)
	if got != 20000 {
		t.Fatalf("%d bytes arrived, the window is 20000", got)
	}
	var all strings.Builder
	for all.Len() < len(text) {
		if part, errno := l.read(s, 1<<20); errno == 0 {
			all.WriteString(part)
		}
		if n < len(text) {
			m, _ := c.Write(bytesOf(text[n:]))
			n += m
		}
		l.run(latency)
		if l.queue.Now() > sim.Time(100*time.Second) {
			t.Fatal("stuck")
		}
	}
	if all.String() != text {
		t.Fatal("bytes were changed on their way")
	}
}

func TestPeekAndDiscard(t *testing.T) {
	l := newLab(t)
	c, s := l.pair()
	l.send(c, "abcdef")
	l.run(latency)
	b := &buffer{room: 3}
	_, errno := s.Receive(b, &socket.Message{Flags: unix.MSG_PEEK})
	l.ok(errno)
	if string(b.data) != "abc" {
		t.Fatalf("peeked %q", b.data)
	}
	n, errno := s.Receive(&buffer{room: 4}, &socket.Message{Flags: unix.MSG_TRUNC})
	l.ok(errno)
	if n != 4 {
		t.Fatalf("%d bytes thrown away", n)
	}
	l.expect(s, "ef")
}

func TestPortsOfLingeringConnections(t *testing.T) {
	l := newLab(t)
	c, s := l.pair()
	s.Release() // the server closes first
	l.run(latency)
	c.Release()
	l.run(latency)
	again := l.socket(l.b, unix.AF_INET, unix.SOCK_STREAM)
	l.want(again.Bind(at("0.0.0.0:80")), unix.EADDRINUSE)
	l.run(61 * time.Second)
	l.ok(again.Bind(at("0.0.0.0:80")))
}

func TestReuseAddressBindsDespiteTimeWait(t *testing.T) {
	l := newLab(t)
	k := l.socket(l.b, unix.AF_INET, unix.SOCK_STREAM)
	l.ok(k.SetOption(unix.SOL_SOCKET, unix.SO_REUSEADDR, int32Value(1)))
	l.ok(k.Bind(at("0.0.0.0:80")))
	l.ok(k.Listen(1))
	c := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	c.Connect(at("10.0.0.2:80"))
	l.run(time.Second)
	s, errno := k.Accept()
	l.ok(errno)
	s.Release()
	l.run(time.Second)
	c.Release()
	l.run(time.Second)
	other := l.socket(l.b, unix.AF_INET, unix.SOCK_STREAM)
	l.ok(other.SetOption(unix.SOL_SOCKET, unix.SO_REUSEADDR, int32Value(1)))
	l.want(other.Bind(at("0.0.0.0:80")), unix.EADDRINUSE) // k listens
	k.Release()
	l.ok(other.Bind(at("0.0.0.0:80")))
	l.ok(other.Listen(1))
}

func TestWildcardOfIPv6TakesIPv4(t *testing.T) {
	l := newLab(t)
	k := l.listen(l.b, "[::]:80", 5)
	c := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	c.Connect(at("10.0.0.2:80"))
	six := l.socket(l.a, unix.AF_INET6, unix.SOCK_STREAM)
	six.Connect(at("[fd00::2]:80"))
	l.run(time.Second)
	s, errno := k.Accept()
	l.ok(errno)
	a, _ := s.PeerAddress()
	if ap, _ := decodeAddress(unix.AF_INET6, a); ap.Addr() != at4("10.0.0.1") || a[18] != 0xff {
		t.Fatalf("peer %v", a)
	}
	if _, errno = k.Accept(); errno != 0 {
		t.Fatal(errno)
	}
	only := l.socket(l.b, unix.AF_INET6, unix.SOCK_STREAM)
	l.ok(only.SetOption(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, int32Value(1)))
	l.ok(only.Bind(at("[::]:81")))
	l.ok(only.Listen(1))
	c = l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	c.Connect(at("10.0.0.2:81"))
	l.run(time.Second)
	l.want(c.Connect(at("10.0.0.2:81")), unix.ECONNREFUSED)
}

func TestClosedListenerResetsWhatItDidNotAccept(t *testing.T) {
	l := newLab(t)
	k := l.listen(l.b, "0.0.0.0:80", 5)
	c := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	c.Connect(at("10.0.0.2:80"))
	l.run(3 * latency)
	k.Release()
	l.run(latency)
	l.ok(c.Connect(at("10.0.0.2:80")) ^ unix.ECONNRESET)
}

func TestConnectionToItself(t *testing.T) {
	l := newLab(t)
	c := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	l.ok(c.Bind(at("127.0.0.1:4000")))
	l.want(c.Connect(at("127.0.0.1:4000")), unix.EINPROGRESS)
	l.run(latency)
	l.send(c, "me")
	l.run(latency)
	l.expect(c, "me")
	l.ok(c.Shutdown(unix.SHUT_WR))
	l.run(latency)
	l.expect(c, "")
	c.Release()
}

func TestLostFinIsSentAgain(t *testing.T) {
	l := newLab(t)
	c, s := l.pair()
	l.wire.cut = true
	c.Release()
	l.run(time.Second)
	l.failsToRead(s, unix.EAGAIN)
	l.wire.cut = false
	l.run(time.Second)
	l.expect(s, "")
}
