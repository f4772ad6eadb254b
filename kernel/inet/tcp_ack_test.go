package inet

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

func (l *lab) ioctl(s socket.Socket, request uint32, want int) {
	l.Helper()
	got, errno, _ := s.(socket.Ioctler).Ioctl(request)
	l.ok(errno)
	if got != want {
		l.Fatalf("ioctl %#x gives %d, want %d", request, got, want)
	}
}

// woken counts the notifications of a socket.
func woken(s socket.Socket, interest waiter.Mask) *int {
	n := 0
	s.Queue().Add(&waiter.Entry{Interest: interest, Wake: func(waiter.Mask) { n++ }})
	return &n
}

func TestSendBufferIsFreeWhenTheAcknowledgementIsBack(t *testing.T) {
	l := newLab(t)
	c, s := l.pair()
	l.ok(c.SetOption(unix.SOL_SOCKET, unix.SO_SNDBUF, int32Value(5000))) // twice that
	n, errno := c.Write(bytesOf(strings.Repeat("x", 20000)))
	l.ok(errno)
	if n != 10000 {
		t.Fatalf("%d bytes taken", n)
	}
	l.ready(c, 0)
	room := woken(c, waiter.Out)
	l.run(latency)
	l.ioctl(s, fionread, 10000)
	l.ioctl(c, siocoutq, 10000)
	l.ready(c, 0)
	l.run(latency - 1)
	if *room != 0 {
		t.Fatal("writable before the acknowledgement is back")
	}
	l.run(1)
	if *room != 1 {
		t.Fatalf("notified %d times", *room)
	}
	l.ioctl(c, siocoutq, 0)
	l.ready(c, writable)
}

func TestClosedWindowOpensWhenTheReadIsToldBack(t *testing.T) {
	l := newLab(t)
	c, s := l.pair()
	l.ok(s.SetOption(unix.SOL_SOCKET, unix.SO_RCVBUF, int32Value(10000))) // so much is window
	l.send(c, strings.Repeat("x", 30000))
	l.run(time.Second)
	l.ioctl(s, fionread, 10000)
	l.ioctl(c, siocoutqnsd, 20000)
	l.expect(s, strings.Repeat("x", 10000))
	l.run(latency - 1)
	l.ioctl(c, siocoutqnsd, 20000)
	l.run(1)
	l.ioctl(c, siocoutqnsd, 10000)
	l.run(latency - 1)
	l.ioctl(s, fionread, 0)
	l.run(1)
	l.ioctl(s, fionread, 10000)
}

func TestSmallReadsDoNotOpenTheWindow(t *testing.T) {
	l := newLab(t)
	c, s := l.pair()
	l.ok(s.SetOption(unix.SOL_SOCKET, unix.SO_RCVBUF, int32Value(10000)))
	l.send(c, strings.Repeat("x", 30000))
	l.run(time.Second)
	_, errno := l.read(s, 100)
	l.ok(errno)
	l.run(time.Second)
	l.ioctl(c, siocoutqnsd, 20000)
	for range 14 { // a segment
		l.read(s, 100)
	}
	l.run(time.Second)
	l.ioctl(c, siocoutqnsd, 18500)
}

func TestCorkedBytesLeaveTogether(t *testing.T) {
	l := newLab(t)
	c, s := l.pair()
	l.ok(c.SetOption(unix.IPPROTO_TCP, unix.TCP_CORK, int32Value(1)))
	l.send(c, "head")
	l.run(100 * time.Millisecond)
	l.ioctl(s, fionread, 0)
	l.ok(c.SetOption(unix.IPPROTO_TCP, unix.TCP_CORK, int32Value(0)))
	l.run(latency)
	l.expect(s, "head")
	src := socket.ByteSource("more")
	_, errno := c.Send(&src, &socket.Message{Flags: unix.MSG_MORE})
	l.ok(errno)
	l.run(200 * time.Millisecond)
	l.ioctl(s, fionread, 0)
	l.run(latency) // at last it leaves alone
	l.expect(s, "more")
	l.ok(c.SetOption(unix.IPPROTO_TCP, unix.TCP_CORK, int32Value(1)))
	l.send(c, strings.Repeat("x", 2000))
	l.run(latency)
	l.ioctl(s, fionread, segment)
	l.ok(c.Shutdown(unix.SHUT_WR))
	l.run(2 * latency)
	l.ioctl(s, fionread, 2000)
}

func TestCloseLingersUntilAllIsAcknowledged(t *testing.T) {
	l := newLab(t)
	c, _ := l.pair()
	l.ok(c.SetOption(unix.SOL_SOCKET, unix.SO_LINGER, []byte{1, 0, 0, 0, 7, 0, 0, 0}))
	l.send(c, "last words")
	done := woken(c, waiter.Hup)
	c.Release()
	if limit, waits := c.(socket.Lingerer).Lingering(); !waits || limit != 7*time.Second {
		t.Fatalf("lingers %v for %v", waits, limit)
	}
	l.run(2*latency - 1)
	if _, waits := c.(socket.Lingerer).Lingering(); !waits || *done != 0 {
		t.Fatal("does not linger for the acknowledgement")
	}
	l.run(1)
	if _, waits := c.(socket.Lingerer).Lingering(); waits || *done == 0 {
		t.Fatal("lingers on")
	}
}

func TestStatesFollowTheAcknowledgementOfTheFin(t *testing.T) {
	l := newLab(t)
	c, s := l.pair()
	state := func(k socket.Socket, want tcpState) {
		t.Helper()
		info, errno := k.Option(unix.IPPROTO_TCP, unix.TCP_INFO)
		l.ok(errno)
		if tcpState(info[0]) != want {
			t.Fatalf("state %d, want %d", info[0], want)
		}
	}
	l.ok(c.Shutdown(unix.SHUT_WR))
	state(c, stateFinWait1)
	l.run(latency)
	state(s, stateCloseWait)
	state(c, stateFinWait1)
	l.run(latency)
	state(c, stateFinWait2)
	l.ok(s.Shutdown(unix.SHUT_WR))
	state(s, stateLastAck)
	l.run(2 * latency)
	state(s, stateClosed)
}

func TestBothEndsCloseAtOnce(t *testing.T) {
	l := newLab(t)
	c, s := l.pair()
	l.ok(c.Shutdown(unix.SHUT_WR))
	l.ok(s.Shutdown(unix.SHUT_WR))
	l.run(latency)
	for _, k := range []socket.Socket{c, s} {
		if info, _ := k.Option(unix.IPPROTO_TCP, unix.TCP_INFO); tcpState(info[0]) != stateClosing {
			t.Fatalf("state %d", info[0])
		}
		l.expect(k, "")
	}
	l.run(latency)
	for _, at := range []*Stack{l.a, l.b} {
		if len(at.lingering()) != 1 || len(at.connections) != 0 {
			t.Fatal("not in TIME_WAIT")
		}
	}
}

func TestShutdownBeforeTheSynArrives(t *testing.T) {
	l := newLab(t)
	s := l.listen(l.b, "10.0.0.2:80", 5)
	c := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	l.want(c.Connect(at("10.0.0.2:80")), unix.EINPROGRESS)
	l.ok(c.Shutdown(unix.SHUT_RDWR))
	l.run(2 * latency)
	_, errno := s.Accept()
	l.want(errno, unix.EAGAIN)
}

func TestBothEndsConnectAtOnce(t *testing.T) {
	l := newLab(t)
	x := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	y := l.socket(l.b, unix.AF_INET, unix.SOCK_STREAM)
	l.ok(x.Bind(at("10.0.0.1:1000")))
	l.ok(y.Bind(at("10.0.0.2:2000")))
	l.want(x.Connect(at("10.0.0.2:2000")), unix.EINPROGRESS)
	l.want(y.Connect(at("10.0.0.1:1000")), unix.EINPROGRESS)
	l.run(2 * latency)
	l.ok(x.Connect(at("10.0.0.2:2000")))
	l.ok(y.Connect(at("10.0.0.1:1000")))
	l.send(x, "one")
	l.send(y, "two")
	l.run(latency)
	l.expect(y, "one")
	l.expect(x, "two")
}

func TestFewUnsentBytesMakeWritable(t *testing.T) {
	l := newLab(t)
	l.wire.perByte = time.Microsecond
	c, s := l.pair()
	l.ok(s.SetOption(unix.SOL_SOCKET, unix.SO_RCVBUF, int32Value(4000)))
	l.ok(c.SetOption(unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, int32Value(1000)))
	l.send(c, strings.Repeat("x", 6000))
	l.ready(c, 0) // 2000 are unsent
	l.run(time.Second)
	l.expect(s, strings.Repeat("x", 4000))
	l.run(time.Second)
	l.ready(c, writable)
}
