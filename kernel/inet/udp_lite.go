package inet

import "golang.org/x/sys/unix"

// UDP-Lite (RFC 3828, Documentation/networking/udplite.rst) is UDP with ports of
// its own and a checksum that may cover only the head of a datagram. Nothing is
// ever damaged here, so all that is seen of it is which datagrams a receiver
// refuses.

const (
	liteSendCoverage    = 10 // UDPLITE_SEND_CSCOV
	liteReceiveCoverage = 11 // UDPLITE_RECV_CSCOV

	udpHeader = 8
)

// datagramPorts are the ports of UDP or of UDP-Lite.
func (s *Stack) datagramPorts(protocol int) *portTable {
	if protocol == unix.IPPROTO_UDPLITE {
		return &s.udpLite
	}
	return &s.udp
}

// datagramLevel makes one of the two levels under which both protocols take
// their options.
func datagramLevel(level int) int {
	if level == unix.IPPROTO_UDPLITE {
		return unix.IPPROTO_UDP
	}
	return level
}

// coverage is what is kept of UDPLITE_SEND_CSCOV and UDPLITE_RECV_CSCOV: the
// header is always covered.
func coverage(b *base, v int) (int, unix.Errno) {
	switch {
	case b.protocol != unix.IPPROTO_UDPLITE:
		return 0, unix.ENOPROTOOPT
	case v != 0 && v < udpHeader:
		return udpHeader, 0
	}
	return min(v, 1<<16-1), 0
}

// covers is how much of a datagram of so many bytes the sender's checksum
// covers, 0 for all.
func (u *udpSocket) covers(size int) int {
	if u.protocol != unix.IPPROTO_UDPLITE {
		return 0
	}
	if v := u.value(unix.IPPROTO_UDP, liteSendCoverage); v < udpHeader+size {
		return v
	}
	return 0
}

// accepts tells whether a datagram's checksum covers as much as the receiver
// wants, if it said what (udp_queue_rcv_one_skb).
func (u *udpSocket) accepts(d datagram) bool {
	if d.covered == 0 {
		return true
	}
	least, set := u.values[optionKey{unix.IPPROTO_UDP, liteReceiveCoverage}]
	return !set || least != 0 && d.covered >= least
}
