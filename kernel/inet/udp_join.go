package inet

import (
	"slices"

	"golang.org/x/sys/unix"
)

// Limits of the kernel's udp_gro_receive_segment: UDP_GRO_CNT_MAX, and what one
// datagram can hold.
const (
	joinMost      = 64
	joinMostBytes = 65535 - 28
)

// join adds a piece of a train that was sent at once (UDP_SEGMENT) to those that
// have come before it and are not read yet (UDP_GRO). It returns false when the
// datagram is to wait by itself.
func (u *udpSocket) join(d datagram) bool {
	if d.train == nil || len(u.waiting) == 0 || !u.on(unix.IPPROTO_UDP, unix.UDP_GRO) {
		return false
	}
	last := &u.waiting[len(u.waiting)-1]
	if last.train != d.train || d.joined || len(last.data)%d.segment != 0 || len(last.data)/d.segment >= joinMost || len(last.data)+len(d.data) > joinMostBytes {
		return false
	}
	if !last.joined { // the memory is the sender's
		last.joined, last.data = true, slices.Clone(last.data)
	}
	last.data = append(last.data, d.data...)
	u.charge += len(d.data)
	return true
}
