package inet

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

func at4(s string) netip.Addr { return netip.MustParseAddr(s) }

func (l *lab) udp(s *Stack, address string) socket.Socket {
	l.Helper()
	a := at(address)
	u := l.socket(s, a.Family(), unix.SOCK_DGRAM)
	l.ok(u.Bind(a))
	return u
}

func (l *lab) sendTo(s socket.Socket, text, address string) unix.Errno {
	_, errno := s.Send(bytesOf(text), &socket.Message{Address: at(address)})
	return errno
}

func TestDatagramArrivesWithItsSender(t *testing.T) {
	l := newLab(t)
	b := l.udp(l.b, "0.0.0.0:53")
	a := l.udp(l.a, "10.0.0.1:1000")
	l.ok(l.sendTo(a, "query", "10.0.0.2:53"))
	l.failsToRead(b, unix.EAGAIN)
	l.run(latency)
	l.ready(b, readable|writable)
	buf := &buffer{room: 3}
	m := &socket.Message{Flags: unix.MSG_PEEK | unix.MSG_TRUNC}
	n, errno := b.Receive(buf, m)
	l.ok(errno)
	if n != 5 || m.Flags != unix.MSG_TRUNC || string(buf.data) != "que" || string(m.Address) != string(at("10.0.0.1:1000")) {
		t.Fatalf("%d bytes %q from %v, flags %#x", n, buf.data, m.Address, m.Flags)
	}
	l.expect(b, "query")
	l.ready(b, writable)
}

func TestDatagramToClosedPortTellsConnectedSocketsOnly(t *testing.T) {
	l := newLab(t)
	a := l.socket(l.a, unix.AF_INET, unix.SOCK_DGRAM)
	l.ok(l.sendTo(a, "x", "10.0.0.2:9"))
	l.run(2 * latency)
	l.ready(a, writable)
	l.ok(a.Connect(at("10.0.0.2:9")))
	l.send(a, "x")
	l.run(2 * latency)
	l.ready(a, writable|waiter.Err)
	l.failsToRead(a, unix.ECONNREFUSED)
	l.failsToRead(a, unix.EAGAIN)
}

func TestConnectedSocketHearsItsPeerOnly(t *testing.T) {
	l := newLab(t)
	a := l.udp(l.a, "0.0.0.0:1000")
	l.ok(a.Connect(at("10.0.0.2:53")))
	general := l.socket(l.a, unix.AF_INET, unix.SOCK_DGRAM)
	l.want(general.Bind(at("0.0.0.0:1000")), unix.EADDRINUSE)
	b, other := l.udp(l.b, "0.0.0.0:53"), l.udp(l.b, "0.0.0.0:54")
	l.ok(l.sendTo(other, "no", "10.0.0.1:1000"))
	l.ok(l.sendTo(b, "yes", "10.0.0.1:1000"))
	l.run(latency)
	l.expect(a, "yes")
	l.failsToRead(a, unix.EAGAIN)
}

func TestReceiveBufferDropsWhatDoesNotFit(t *testing.T) {
	l := newLab(t)
	b := l.udp(l.b, "0.0.0.0:53")
	a := l.socket(l.a, unix.AF_INET, unix.SOCK_DGRAM)
	for range 200 {
		l.ok(l.sendTo(a, strings.Repeat("x", 1472), "10.0.0.2:53"))
	}
	l.run(latency)
	n := 0
	for ; b.Readiness()&waiter.In != 0; n++ {
		l.expect(b, strings.Repeat("x", 1472))
	}
	if n != datagramBuffer/(1472+datagramOverhead)+1 {
		t.Fatalf("%d datagrams fitted", n)
	}
	if table, _ := l.b.ProcNet("udp"); !strings.Contains(table, " 104 \n") && !strings.Contains(table, " 104") {
		t.Fatalf("no drops in\n%s", table)
	}
}

func TestBroadcastNeedsPermissionAndReachesAll(t *testing.T) {
	l := newLab(t)
	b := l.udp(l.b, "0.0.0.0:67")
	own := l.udp(l.a, "0.0.0.0:67")
	a := l.socket(l.a, unix.AF_INET, unix.SOCK_DGRAM)
	l.want(l.sendTo(a, "x", "255.255.255.255:67"), unix.EACCES)
	l.ok(a.SetOption(unix.SOL_SOCKET, unix.SO_BROADCAST, int32Value(1)))
	for _, address := range []string{"255.255.255.255:67", "10.0.0.255:67", "10.255.255.255:67"} {
		l.ok(l.sendTo(a, address, address))
		l.run(latency)
		l.expect(b, address)
		l.expect(own, address)
	}
}

func TestMulticastReachesMembers(t *testing.T) {
	l := newLab(t)
	b := l.udp(l.b, "0.0.0.0:5353")
	a := l.udp(l.a, "0.0.0.0:5353")
	l.ok(l.sendTo(a, "nobody", "224.0.0.251:5353"))
	group := append(at4("224.0.0.251").AsSlice(), 0, 0, 0, 0)
	l.ok(b.SetOption(unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, group))
	l.ok(l.sendTo(a, "member", "224.0.0.251:5353"))
	l.run(latency)
	l.expect(b, "member")
	l.failsToRead(a, unix.EAGAIN)
}

func TestPacketInformationTellsTheDestination(t *testing.T) {
	l := newLab(t)
	b := l.udp(l.b, "0.0.0.0:53")
	l.ok(b.SetOption(unix.IPPROTO_IP, unix.IP_PKTINFO, int32Value(1)))
	l.ok(b.SetOption(unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, int32Value(1)))
	a := l.socket(l.a, unix.AF_INET, unix.SOCK_DGRAM)
	l.ok(l.sendTo(a, "x", "10.0.0.2:53"))
	l.run(latency)
	m := &socket.Message{}
	_, errno := b.Receive(&buffer{room: 10}, m)
	l.ok(errno)
	var want []byte
	stamp := binary.LittleEndian.AppendUint64(make([]byte, 8), uint64(latency))
	want = appendControl(want, unix.SOL_SOCKET, unix.SCM_TIMESTAMPNS, stamp)
	want = appendControl(want, unix.IPPROTO_IP, unix.IP_PKTINFO, []byte{2, 0, 0, 0, 10, 0, 0, 2, 10, 0, 0, 2})
	if string(m.Control) != string(want) {
		t.Fatalf("control %x\nwant    %x", m.Control, want)
	}
}

func TestReusePortSpreadsSenders(t *testing.T) {
	l := newLab(t)
	var group [2]socket.Socket
	for i := range group {
		group[i] = l.socket(l.b, unix.AF_INET, unix.SOCK_DGRAM)
		l.ok(group[i].SetOption(unix.SOL_SOCKET, unix.SO_REUSEPORT, int32Value(1)))
		l.ok(group[i].Bind(at("0.0.0.0:53")))
	}
	for range 32 {
		a := l.socket(l.a, unix.AF_INET, unix.SOCK_DGRAM)
		l.ok(l.sendTo(a, "x", "10.0.0.2:53"))
	}
	l.run(latency)
	n := len(group[0].(*udpSocket).waiting)
	if m := len(group[1].(*udpSocket).waiting); n+m != 32 || n < 4 || m < 4 {
		t.Fatalf("%d and %d", n, m)
	}
}
