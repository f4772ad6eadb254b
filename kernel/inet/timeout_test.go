package inet

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/waiter"
)

func TestDataThatNeverArrivesEndsTheConnection(t *testing.T) {
	for _, test := range []struct {
		milliseconds int // TCP_USER_TIMEOUT
		after        time.Duration
	}{{0, retransmissionLimit}, {1500, 1500 * time.Millisecond}} {
		l := newLab(t)
		c, s := l.pair()
		l.ok(c.SetOption(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int32Value(test.milliseconds)))
		l.wire.perByte = time.Hour
		l.send(c, "lost")
		l.run(test.after - 1)
		l.ready(c, writable)
		l.run(1)
		l.ready(c, readable|writable|waiter.RdHup|waiter.Hup|waiter.Err)
		l.failsToRead(c, unix.ETIMEDOUT)
		l.failsToRead(s, unix.EAGAIN)
	}
}

func TestNothingIsScheduledWhenNothingIsOnTheWay(t *testing.T) {
	l := newLab(t)
	c, s := l.pair()
	l.send(c, "x")
	l.run(latency)
	l.expect(s, "x")
	if l.queue.Len() != 0 {
		t.Fatalf("%d events are left", l.queue.Len())
	}
}

func TestDeferredAcceptWaitsForData(t *testing.T) {
	l := newLab(t)
	k := l.listen(l.b, "0.0.0.0:80", 5)
	l.ok(k.SetOption(unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, int32Value(3)))
	c := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	c.Connect(at("10.0.0.2:80"))
	silent := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	silent.Connect(at("10.0.0.2:80"))
	l.run(time.Second)
	l.ready(k, 0)
	l.send(c, "data")
	l.run(latency)
	s, errno := k.Accept()
	l.ok(errno)
	l.expect(s, "data")
	l.ready(k, 0)
	l.run(3 * time.Second)
	_, errno = k.Accept()
	l.ok(errno)
}
