package inet

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
)

// The error queue of a socket (ip(7), IP_RECVERR): what ICMP told of packets
// sent, and completions of MSG_ZEROCOPY, read by MSG_ERRQUEUE.

// Origins and codes of struct sock_extended_err (linux/errqueue.h).
const (
	originLocal    = 1
	originICMP     = 2
	originICMP6    = 3
	originZeroCopy = 5

	zeroCopyCopied = 1
)

// sentError is a message of the error queue.
type sentError struct {
	errno      unix.Errno
	origin     byte
	kind, code byte // of the ICMP message
	info, data uint32
	offender   netip.Addr     // who sent the ICMP message
	to         netip.AddrPort // where the packet was sent to
	payload    []byte         // of the packet
}

// receiveError is recvmsg(2) with MSG_ERRQUEUE.
func (b *base) receiveError(dst socket.Sink, m *socket.Message) (int, unix.Errno) {
	if len(b.errors) == 0 {
		return 0, unix.EAGAIN
	}
	e := b.errors[0]
	b.errors = b.errors[1:]
	// What is left takes the place of the pending error (sock_dequeue_err_skb).
	b.failure = 0
	if len(b.errors) > 0 && (b.errors[0].origin == originICMP || b.errors[0].origin == originICMP6) {
		b.failure = b.errors[0].errno
	}
	n := min(len(e.payload), dst.Len())
	if n > 0 {
		if wrote, _ := dst.Write(e.payload[:n]); wrote < n {
			return 0, unix.EFAULT
		}
	}
	m.Flags |= unix.MSG_ERRQUEUE
	if n < len(e.payload) {
		m.Flags |= unix.MSG_TRUNC
	}
	if e.to.IsValid() {
		m.Address = encodeAddress(b.domain, e.to)
	}
	m.Control = b.errorControl(e)
	return n, 0
}

// errorControl is the control message of an error: a struct sock_extended_err
// and the offender's address.
func (b *base) errorControl(e sentError) []byte {
	v := binary.LittleEndian.AppendUint32(nil, uint32(e.errno))
	v = append(v, e.origin, e.kind, e.code, 0)
	v = binary.LittleEndian.AppendUint32(v, e.info)
	v = binary.LittleEndian.AppendUint32(v, e.data)
	level, kind := unix.IPPROTO_IP, unix.IP_RECVERR
	offender := socket.Address(make([]byte, sizeSockaddr4))
	if b.domain == unix.AF_INET6 {
		level, kind = unix.IPPROTO_IPV6, unix.IPV6_RECVERR
		offender = make([]byte, sizeSockaddr6)
	}
	if e.offender.IsValid() {
		offender = encodeAddress(b.domain, netip.AddrPortFrom(e.offender, 0))
	}
	return appendControl(nil, level, kind, append(v, offender...))
}

// copied is the completion of a send with MSG_ZEROCOPY, which copies here.
// Completions in a row become one.
func (b *base) copied() {
	id := b.zeroCopies
	b.zeroCopies++
	if n := len(b.errors); n > 0 {
		if last := &b.errors[n-1]; last.origin == originZeroCopy && last.data+1 == id {
			last.data = id
			return
		}
	}
	b.errors = append(b.errors, sentError{origin: originZeroCopy, code: zeroCopyCopied, info: id, data: id})
}

// reports tells whether ICMP errors for packets to an address are kept.
func (b *base) reports(dst netip.Addr) bool {
	if b.domain == unix.AF_INET6 && (dst.Is6() || b.on(unix.IPPROTO_IPV6, unix.IPV6_RECVERR)) {
		return b.on(unix.IPPROTO_IPV6, unix.IPV6_RECVERR)
	}
	return b.on(unix.IPPROTO_IP, unix.IP_RECVERR)
}

// errorsMost bounds the error queue; the kernel charges it to SO_RCVBUF.
const errorsMost = 256

// report keeps an error for MSG_ERRQUEUE.
func (b *base) report(e sentError) {
	if len(b.errors) < errorsMost {
		b.errors = append(b.errors, e)
	}
}
