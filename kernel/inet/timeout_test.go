package inet

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
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

func TestKeepAliveFindsADeadPeer(t *testing.T) {
	l := newLab(t)
	c, _ := l.pair()
	l.queue.After(sim.Time(1000*time.Second), func() {}) // something else goes on
	l.ok(c.SetOption(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, int32Value(10)))
	l.ok(c.SetOption(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, int32Value(5)))
	l.ok(c.SetOption(unix.IPPROTO_TCP, unix.TCP_KEEPCNT, int32Value(3)))
	l.ok(c.SetOption(unix.SOL_SOCKET, unix.SO_KEEPALIVE, int32Value(1)))
	start := l.queue.Now()
	l.run(100 * time.Second)
	l.failsToRead(c, unix.EAGAIN) // probes are answered
	before := l.wire.packets
	l.run(100 * time.Second)
	if n := l.wire.packets - before; n < 12 || n > 20 {
		t.Fatalf("%d packets of probes and answers in 100 s", n)
	}
	l.wire.cut = true
	for l.queue.Now() < start.Add(300*time.Second) && c.Readiness()&waiter.Err == 0 {
		l.run(time.Second)
	}
	if took := l.queue.Now().Sub(start) - 200*time.Second; took < 15*time.Second || took > 26*time.Second {
		t.Fatalf("found after %v", took)
	}
	l.failsToRead(c, unix.ETIMEDOUT)
}

func TestKeepAliveAloneDoesNotGoOnForEver(t *testing.T) {
	l := newLab(t)
	c, s := l.pair()
	for _, k := range []socket.Socket{c, s} {
		l.ok(k.SetOption(unix.SOL_SOCKET, unix.SO_KEEPALIVE, int32Value(1)))
		l.ok(k.SetOption(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, int32Value(10)))
	}
	for range 1000 {
		if !l.queue.Step() {
			break
		}
	}
	if l.queue.Len() != 0 || l.net.keepAlives != 0 {
		t.Fatalf("%d events wait for each other", l.queue.Len())
	}
	l.queue.After(l.queue.Now().Add(1000*time.Second), func() {})
	l.send(c, "x") // and is kept alive again
	l.run(time.Second)
	if l.net.keepAlives == 0 {
		t.Fatal("probing does not resume")
	}
}

func TestProbeOfAConnectionThatThePeerLostIsReset(t *testing.T) {
	l := newLab(t)
	c, s := l.pair()
	l.queue.After(sim.Time(1000*time.Second), func() {})
	l.ok(c.SetOption(unix.SOL_SOCKET, unix.SO_KEEPALIVE, int32Value(1)))
	l.ok(c.SetOption(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, int32Value(10)))
	l.ok(s.SetOption(unix.SOL_SOCKET, unix.SO_LINGER, []byte{1, 0, 0, 0, 0, 0, 0, 0}))
	l.wire.cut = true
	s.Release() // its RST is lost
	l.run(time.Second)
	l.wire.cut = false
	l.failsToRead(c, unix.EAGAIN)
	l.run(10 * time.Second)
	l.failsToRead(c, unix.ECONNRESET)
}

func TestWriteToAnEndThatWasForgottenIsReset(t *testing.T) {
	l := newLab(t)
	c, s := l.pair()
	s.Release()
	l.run(61 * time.Second) // FIN_WAIT_2 of an orphan is over
	l.send(c, "anybody?")
	l.run(2*latency - 1)
	l.ready(c, readable|writable|waiter.RdHup)
	l.run(1)
	_, errno := c.Write(bytesOf("x"))
	l.want(errno, unix.EPIPE)
}

func TestCrashedPeerIsGivenUp(t *testing.T) {
	for _, test := range []struct {
		milliseconds int // TCP_USER_TIMEOUT
		alive, gone  time.Duration
	}{{0, retransmissionLimit - 1, retransmissionLimit + 10*time.Second}, {1500, 1500*time.Millisecond - 1, 1500 * time.Millisecond}} {
		l := newLab(t)
		c, _ := l.pair()
		l.ok(c.SetOption(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int32Value(test.milliseconds)))
		l.b.Crash()
		begin := l.queue.Now()
		l.send(c, "x")
		for l.queue.Now() < begin.Add(test.alive-time.Second) {
			l.run(time.Second) // to send more does not give it more time
			l.send(c, "more")
		}
		l.run(begin.Add(test.alive).Sub(l.queue.Now()))
		l.ready(c, writable)
		l.run(begin.Add(test.gone).Sub(l.queue.Now()))
		l.failsToRead(c, unix.ETIMEDOUT)
	}
}
