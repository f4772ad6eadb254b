package inet

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
)

func TestMulticastStaysOnTheLink(t *testing.T) {
	l := newLab(t)
	near := newStackOn(l, "near", "10.0.0.3")
	far := newStackOn(l, "far", "10.0.1.3")
	l.a.networks = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/25")}
	var members []socket.Socket
	for _, s := range []*Stack{l.a, near, far} {
		k := l.socket(s, unix.AF_INET, unix.SOCK_DGRAM)
		l.ok(k.Bind(at("0.0.0.0:5000")))
		l.ok(k.SetOption(unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, []byte{239, 1, 2, 3, 0, 0, 0, 0}))
		members = append(members, k)
	}
	c := l.socket(l.a, unix.AF_INET, unix.SOCK_DGRAM)
	l.ok(c.Connect(at("239.1.2.3:5000")))
	l.send(c, "one")
	l.run(2 * latency)
	l.expect(members[0], "one")
	l.expect(members[1], "one")
	l.failsToRead(members[2], unix.EAGAIN)
	l.ok(c.SetOption(unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP, []byte{0}))
	l.send(c, "two")
	l.run(2 * latency)
	l.failsToRead(members[0], unix.EAGAIN)
	l.expect(members[1], "two")

	b := l.socket(l.a, unix.AF_INET, unix.SOCK_DGRAM)
	l.want(b.Connect(at("10.0.0.127:5000")), unix.EACCES) // of a network of 25 bits
	l.ok(b.Connect(at("10.0.0.255:5000")))
	l.ok(b.SetOption(unix.SOL_SOCKET, unix.SO_BROADCAST, int32Value(1)))
	l.ok(b.Connect(at("10.0.0.127:5000")))
	l.send(b, "three")
	l.run(2 * latency)
	l.expect(members[0], "three")
	l.expect(members[1], "three")
	l.failsToRead(members[2], unix.EAGAIN)
}

func newStackOn(l *lab, name, address string) *Stack {
	s := l.net.NewStack(Config{Name: name, Addresses: []netip.Addr{at4(address)}, Random: l.random(name)})
	return s
}

func TestMulticastFromOneSource(t *testing.T) {
	l := newLab(t)
	k := l.socket(l.b, unix.AF_INET, unix.SOCK_DGRAM)
	l.ok(k.Bind(at("0.0.0.0:5000")))
	group := []byte{239, 1, 2, 3, 0, 0, 0, 0}
	l.ok(k.SetOption(unix.IPPROTO_IP, unix.IP_ADD_SOURCE_MEMBERSHIP, append(group, 10, 9, 9, 9)))
	c := l.socket(l.a, unix.AF_INET, unix.SOCK_DGRAM)
	l.ok(c.Connect(at("239.1.2.3:5000")))
	l.send(c, "unheard")
	l.run(2 * latency)
	l.failsToRead(k, unix.EAGAIN)
	l.ok(k.SetOption(unix.IPPROTO_IP, unix.IP_ADD_SOURCE_MEMBERSHIP, append(group, 10, 0, 0, 1)))
	l.send(c, "heard")
	l.run(2 * latency)
	l.expect(k, "heard")
	l.ok(k.SetOption(unix.IPPROTO_IP, unix.IP_DROP_SOURCE_MEMBERSHIP, append(group, 10, 0, 0, 1)))
	l.send(c, "unheard")
	l.run(2 * latency)
	l.failsToRead(k, unix.EAGAIN)
}

func TestBoundDeviceHearsItsOwn(t *testing.T) {
	l := newLab(t)
	k := l.socket(l.b, unix.AF_INET, unix.SOCK_DGRAM)
	l.ok(k.Bind(at("0.0.0.0:5000")))
	l.ok(k.SetOption(unix.SOL_SOCKET, unix.SO_BINDTODEVICE, []byte("lo")))
	remote := l.socket(l.a, unix.AF_INET, unix.SOCK_DGRAM)
	l.ok(remote.Connect(at("10.0.0.2:5000")))
	l.send(remote, "x")
	l.run(2 * latency)
	l.failsToRead(k, unix.EAGAIN)
	l.failsToRead(remote, unix.ECONNREFUSED)
	local := l.socket(l.b, unix.AF_INET, unix.SOCK_DGRAM)
	l.ok(local.Connect(at("10.0.0.2:5000")))
	l.send(local, "y")
	l.run(2 * latency)
	l.expect(k, "y")
}

func TestFullQueueDropsAndTellsSo(t *testing.T) {
	l := newLab(t)
	k := l.socket(l.b, unix.AF_INET, unix.SOCK_DGRAM)
	l.ok(k.SetOption(unix.SOL_SOCKET, unix.SO_RCVBUF, int32Value(1))) // 2304 bytes
	l.ok(k.SetOption(unix.SOL_SOCKET, unix.SO_RXQ_OVFL, int32Value(1)))
	l.ok(k.Bind(at("0.0.0.0:5000")))
	c := l.socket(l.a, unix.AF_INET, unix.SOCK_DGRAM)
	l.ok(c.Connect(at("10.0.0.2:5000")))
	for range 10 {
		l.send(c, "x")
	}
	l.run(2 * latency)
	taken := 0
	for {
		if _, errno := l.read(k, 10); errno != 0 {
			break
		}
		taken++
	}
	l.send(c, "x")
	l.run(2 * latency)
	dst := socket.ByteSink(make([]byte, 0, 10))
	var m socket.Message
	_, errno := k.Receive(&dst, &m)
	l.ok(errno)
	if want := appendControl(nil, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, int32Value(10-taken)); string(m.Control) != string(want) {
		t.Fatalf("%d taken, control %x", taken, m.Control)
	}
	if table, _ := l.b.ProcNet("snmp"); !strings.Contains(table, "\nUdp: 4 0 7 0 7 0 0 0 0\n") {
		t.Errorf("counters:\n%s", table)
	}
}

func TestPortUnreachableQuotesTheDatagram(t *testing.T) {
	l := newLab(t)
	for _, test := range []struct {
		domain, protocol int
		to               string
		header, inner    int
	}{{unix.AF_INET, unix.IPPROTO_ICMP, "10.0.0.2:7", 20, 20}, {unix.AF_INET6, unix.IPPROTO_ICMPV6, "[fd00::2]:7", 0, 40}} {
		raw, errno := l.a.NewSocket(test.domain, unix.SOCK_RAW, test.protocol)
		l.ok(errno)
		c := l.socket(l.a, test.domain, unix.SOCK_DGRAM)
		l.ok(c.Connect(at(test.to)))
		l.send(c, "hello")
		l.run(2 * latency)
		got, errno := l.read(raw, 1000)
		l.ok(errno)
		quoted := got[test.header+icmpHeader:]
		if len(quoted) != test.inner+8+5 || quoted[len(quoted)-5:] != "hello" || binary.BigEndian.Uint16([]byte(quoted[test.inner+2:])) != 7 {
			t.Errorf("quoted %q", quoted)
		}
	}
}

func TestCountersAreThoseOfTheirHost(t *testing.T) {
	l := newLab(t)
	c, s := l.pair()
	l.send(c, strings.Repeat("x", 3000))
	l.run(4 * latency)
	l.expect(s, strings.Repeat("x", 3000))
	for _, test := range []struct {
		stack *Stack
		want  string
	}{
		{l.a, "\nTcp: 1 200 120000 -1 1 0 0 0 1 1 5 0 0 0 0\n"},
		{l.b, "\nTcp: 1 200 120000 -1 0 1 0 0 1 "},
	} {
		if table, _ := test.stack.ProcNet("snmp"); !strings.Contains(table, test.want) {
			t.Errorf("no %q in\n%s", test.want, table)
		}
	}
	if table, _ := l.a.ProcNet("sockstat"); !strings.Contains(table, "TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 0\n") {
		t.Errorf("%s", table)
	}
}

// A platform may well give a host a slow route to itself: a switch does.
func TestLoopbackNeverLeavesTheHost(t *testing.T) {
	l := newLab(t)
	loopback, own := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("10.0.0.1")
	for _, c := range []struct{ src, dst, from, to netip.Addr }{
		{loopback, loopback, loopback, loopback},
		{own, netip.MustParseAddr("127.0.0.9"), loopback, loopback},
		{netip.MustParseAddr("::1"), netip.MustParseAddr("::1"), netip.MustParseAddr("::1"), netip.MustParseAddr("::1")},
		{own, own, own, own},
	} {
		from, to := l.a.ends(c.src, c.dst)
		if from != c.from || to != c.to {
			t.Errorf("from %v to %v is carried from %v to %v, want from %v to %v", c.src, c.dst, from, to, c.from, c.to)
		}
	}
}
