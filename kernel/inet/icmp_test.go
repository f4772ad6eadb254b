package inet

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
)

// echoText is an echo request with the identifier 7 and the sequence number 1.
func echoText(kind byte) string {
	p := packet{protocol: unix.IPPROTO_ICMP, data: append([]byte{kind, 0, 0, 0, 0, 7, 0, 1}, "payload"...)}
	p.seal()
	return string(p.data)
}

func TestPingSocketGetsItsReply(t *testing.T) {
	for _, test := range []struct {
		domain, protocol int
		request, reply   byte
		to               string
	}{
		{unix.AF_INET, unix.IPPROTO_ICMP, echoRequest4, echoReply4, "10.0.0.2:0"},
		{unix.AF_INET, unix.IPPROTO_ICMP, echoRequest4, echoReply4, "10.7.7.7:0"}, // a host without processes
		{unix.AF_INET, unix.IPPROTO_ICMP, echoRequest4, echoReply4, "127.0.0.1:0"},
		{unix.AF_INET6, unix.IPPROTO_ICMPV6, echoRequest6, echoReply6, "[fd00::2]:0"},
	} {
		l := newLab(t)
		p, errno := l.a.NewSocket(test.domain, unix.SOCK_DGRAM, test.protocol)
		l.ok(errno)
		bystander, _ := l.a.NewSocket(test.domain, unix.SOCK_DGRAM, test.protocol)
		l.ok(bystander.Bind(encodeAddress(test.domain, netip.AddrPortFrom(anyOf(test.domain), 9))))
		l.ok(l.sendTo(p, echoText(test.request), test.to))
		l.run(2*latency - 1)
		l.failsToRead(p, unix.EAGAIN)
		l.run(1)
		text, errno := l.read(p, 100)
		l.ok(errno)
		if len(text) != 15 || text[0] != test.reply || text[6:] != "\x00\x01payload" {
			t.Fatalf("reply %q from %s", text, test.to)
		}
		l.failsToRead(bystander, unix.EAGAIN)
	}
}

func TestRawSocketSeesHeaders(t *testing.T) {
	l := newLab(t)
	r, errno := l.a.NewSocket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
	l.ok(errno)
	there, _ := l.b.NewSocket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
	l.ok(l.sendTo(r, echoText(echoRequest4), "10.0.0.2:0"))
	l.run(2 * latency)
	if text, _ := l.read(there, 100); len(text) != 35 || text[20] != echoRequest4 {
		t.Fatalf("request %q", text)
	}
	b, m := &buffer{room: 100}, &socket.Message{}
	n, errno := r.Receive(b, m)
	l.ok(errno)
	if n != 35 || b.data[0] != 0x45 || b.data[8] != defaultTTL || b.data[20] != echoReply4 || checksum(0, b.data[:20]) != 0 || checksum(0, b.data[20:]) != 0 {
		t.Fatalf("reply %x", b.data)
	}
	if string(m.Address) != string(at("10.0.0.2:0")) {
		t.Fatalf("from %v", m.Address)
	}
	l.ok(r.SetOption(unix.SOL_RAW, icmpFilter, []byte{1 << echoReply4, 0, 0, 0}))
	l.ok(l.sendTo(r, echoText(echoRequest4), "10.0.0.2:0"))
	l.run(2 * latency)
	l.failsToRead(r, unix.EAGAIN)
}
