package inet

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

// TestOptionsMatchTheMachine compares defaults with those of the kernel that
// the test runs on, for what does not depend on how it is configured.
func TestOptionsMatchTheMachine(t *testing.T) {
	l := newLab(t)
	for _, kind := range []int{unix.SOCK_STREAM, unix.SOCK_DGRAM} {
		native, err := unix.Socket(unix.AF_INET6, kind|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(native)
		ours := l.socket(l.a, unix.AF_INET6, kind)
		for _, o := range []optionKey{
			{unix.SOL_SOCKET, unix.SO_TYPE},
			{unix.SOL_SOCKET, unix.SO_DOMAIN},
			{unix.SOL_SOCKET, unix.SO_PROTOCOL},
			{unix.SOL_SOCKET, unix.SO_ERROR},
			{unix.SOL_SOCKET, unix.SO_ACCEPTCONN},
			{unix.SOL_SOCKET, unix.SO_REUSEADDR},
			{unix.SOL_SOCKET, unix.SO_KEEPALIVE},
			{unix.SOL_SOCKET, unix.SO_RCVLOWAT},
			{unix.SOL_SOCKET, unix.SO_SNDLOWAT},
			{unix.SOL_SOCKET, unix.SO_PRIORITY},
			{unix.SOL_SOCKET, unix.SO_OOBINLINE},
			{unix.SOL_SOCKET, soIncomingNapiID},
			{unix.IPPROTO_TCP, unix.TCP_NODELAY},
			{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE},
			{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL},
			{unix.IPPROTO_TCP, unix.TCP_KEEPCNT},
			{unix.IPPROTO_TCP, unix.TCP_SYNCNT},
			{unix.IPPROTO_TCP, unix.TCP_QUICKACK},
			{unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT},
			{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT},
			{unix.IPPROTO_TCP, unix.TCP_MAXSEG},
			{unix.IPPROTO_TCP, unix.TCP_LINGER2},
			{unix.IPPROTO_IP, unix.IP_TTL},
			{unix.IPPROTO_IP, unix.IP_TOS},
			{unix.IPPROTO_IP, unix.IP_MTU_DISCOVER},
			{unix.IPPROTO_IP, unix.IP_MULTICAST_TTL},
			{unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP},
			{unix.IPPROTO_IP, unix.IP_PKTINFO},
			{unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS},
			{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS},
			{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_LOOP},
			{unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO},
			{unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER},
			{unix.IPPROTO_IPV6, unix.IPV6_TCLASS},
		} {
			want, err := unix.GetsockoptInt(native, o.level, o.name)
			got, errno := ours.Option(o.level, o.name)
			if (err != nil) != (errno != 0) {
				t.Errorf("type %d, option %v: %v, the machine says %v", kind, o, errno, err)
				continue
			}
			if err == nil && int(int32(binary.LittleEndian.Uint32(got))) != want {
				t.Errorf("type %d, option %v: %v, the machine says %d", kind, o, got, want)
			}
		}
	}
}

func TestOptionsAreCheckedAndKept(t *testing.T) {
	l := newLab(t)
	c := l.socket(l.a, unix.AF_INET, unix.SOCK_STREAM)
	for _, test := range []struct {
		level, name, value int
		errno              unix.Errno
		read               int
	}{
		{unix.SOL_SOCKET, unix.SO_SNDBUF, 1 << 20, 0, 2 * bufferMost},
		{unix.SOL_SOCKET, unix.SO_RCVBUF, 1, 0, receiveBufferLow},
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 7, 0, 1},
		{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1, 0, 1},
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 0, unix.EINVAL, 7200},
		{unix.IPPROTO_IP, unix.IP_TTL, 300, unix.EINVAL, 64},
		{unix.IPPROTO_IP, unix.IP_TTL, 3, 0, 3},
		{unix.SOL_SOCKET, unix.SO_TYPE, 1, unix.ENOPROTOOPT, unix.SOCK_STREAM},
	} {
		l.want(c.SetOption(test.level, test.name, int32Value(test.value)), test.errno)
		got, errno := c.Option(test.level, test.name)
		l.ok(errno)
		if v := int(binary.LittleEndian.Uint32(got)); v != test.read {
			t.Errorf("option %d of level %d set to %d reads %d, want %d", test.name, test.level, test.value, v, test.read)
		}
	}
	l.want(c.SetOption(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, int32Value(1)), unix.ENOPROTOOPT)
	l.want(c.SetOption(unix.IPPROTO_TCP, 9999, int32Value(1)), unix.ENOPROTOOPT)
	l.want(c.SetOption(unix.IPPROTO_TCP, unix.TCP_NODELAY, []byte{1}), unix.EINVAL)
}
