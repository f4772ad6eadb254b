package inet

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// rawSocket is a raw socket (raw(7)), or a ping socket: a datagram socket of
// ICMP, whose "port" is the identifier of its echo requests (icmp(7)).
type rawSocket struct {
	base
	inbox
	local       netip.Addr
	remote      netip.Addr // valid when connected
	remotePort  uint16     // as connect(2) gave it, of no use
	checksum    int        // IPV6_CHECKSUM: where a checksum is to be, or -1
	bound       bool
	ident       uint16 // of a ping socket, 0 until it is bound
	types       typeFilter
	sendShut    bool
	receiveShut bool
}

func (s *Stack) newRaw(domain, kind, protocol int) *rawSocket {
	r := &rawSocket{base: s.newBase(domain, kind, protocol), local: anyOf(domain), checksum: -1}
	if kind == unix.SOCK_RAW {
		r.set(unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		switch protocol {
		case unix.IPPROTO_RAW:
			r.set(unix.IPPROTO_IP, unix.IP_HDRINCL, 1)
		case unix.IPPROTO_ICMPV6:
			r.checksum = 2
		}
	}
	s.list(r)
	return r
}

func (r *rawSocket) ping() bool { return r.kind == unix.SOCK_DGRAM }

// headerIncluded tells whether the sender writes the IPv4 header.
func (r *rawSocket) headerIncluded() bool {
	return r.domain == unix.AF_INET && r.kind == unix.SOCK_RAW &&
		r.on(unix.IPPROTO_IP, unix.IP_HDRINCL)
}

// Bind implements socket.Socket.
func (r *rawSocket) Bind(a socket.Address) unix.Errno {
	ap, errno := r.bindAddress(a)
	if errno != 0 {
		return errno
	}
	if !r.mayBind(ap.Addr()) && !ap.Addr().IsMulticast() {
		return unix.EADDRNOTAVAIL
	}
	if r.ping() {
		if r.ident != 0 {
			return unix.EINVAL
		}
		if errno := r.identify(ap.Port()); errno != 0 {
			return errno
		}
	}
	r.local, r.bound = ap.Addr(), true
	return 0
}

// identify takes an identifier for echo requests, any free one for 0.
func (r *rawSocket) identify(want uint16) unix.Errno {
	used := map[uint16]bool{}
	for _, k := range r.stack.sockets {
		if o, ok := k.(*rawSocket); ok && o.ping() && o.protocol == r.protocol {
			used[o.ident] = true
		}
	}
	if want != 0 {
		if used[want] {
			return unix.EADDRINUSE
		}
		r.ident = want
		return 0
	}
	start := r.stack.random.IntN(0xffff)
	for i := range 0xffff {
		if id := uint16(1 + (start+i)%0xffff); !used[id] {
			r.ident = id
			return 0
		}
	}
	return unix.EADDRINUSE
}

// Connect implements socket.Socket.
func (r *rawSocket) Connect(a socket.Address) unix.Errno {
	if len(a) >= 2 && a.Family() == unix.AF_UNSPEC {
		r.remote = netip.Addr{}
		if !r.bound {
			r.local = anyOf(r.domain)
		}
		return 0
	}
	dst, errno := r.rawDestination(a)
	if errno != 0 {
		return errno
	}
	if r.local.IsUnspecified() {
		src, errno := r.stack.source(dst)
		if errno != 0 {
			return errno
		}
		r.local = src
	}
	if r.ping() && r.ident == 0 {
		if errno := r.identify(0); errno != 0 {
			return errno
		}
	}
	r.remote = dst
	ap, _ := decodeAddress(r.domain, a)
	r.remotePort = ap.Port()
	return 0
}

func (r *rawSocket) rawDestination(a socket.Address) (netip.Addr, unix.Errno) {
	ap, errno := decodeAddress(r.domain, a)
	if errno != 0 {
		return netip.Addr{}, errno
	}
	if r.domain == unix.AF_INET6 && ap.Addr().Is4() {
		return netip.Addr{}, unix.EINVAL // raw(7): no mapped addresses
	}
	if r.domain == unix.AF_INET6 && !r.ping() && ap.Port() != 0 && int(ap.Port()) != r.protocol {
		return netip.Addr{}, unix.EINVAL // the port means a protocol
	}
	ap, errno = r.destination(r.domain, ap)
	return ap.Addr(), errno
}

// Send implements socket.Socket.
func (r *rawSocket) Send(src socket.Source, m *socket.Message) (int, unix.Errno) {
	size := src.Len()
	if size > mostUDP4+icmpHeader {
		return 0, unix.EMSGSIZE
	}
	dst := r.remote
	if m.Address != nil {
		var errno unix.Errno
		if dst, errno = r.rawDestination(m.Address); errno != 0 {
			return 0, errno
		}
	}
	switch {
	case !dst.IsValid():
		return 0, unix.EDESTADDRREQ
	case r.sendShut && r.ping():
		return 0, unix.EPIPE
	case r.stack.isBroadcast(dst) && !r.on(unix.SOL_SOCKET, unix.SO_BROADCAST):
		return 0, unix.EACCES
	}
	from := r.local
	if from.IsUnspecified() || from.IsMulticast() {
		var errno unix.Errno
		if from, errno = r.stack.source(dst); errno != 0 {
			return 0, errno
		}
	}
	d := datagram{ttl: r.ttl(dst), tos: r.tos(dst)}
	if errno := r.sendControl(m.Control, &d, &from, nil); errno != 0 {
		return 0, errno
	}
	data, errno := readAll(src, size)
	if errno != 0 {
		return 0, errno
	}
	p := packet{src: from, dst: dst, protocol: r.protocol, ttl: d.ttl, tos: d.tos, data: data}
	if errno := r.prepare(&p); errno != 0 {
		return 0, errno
	}
	if e := r.takeError(); e != 0 {
		return 0, e
	}
	if errno := r.stack.transmit(p); errno != 0 {
		return 0, errno
	}
	return size, 0
}

// prepare completes what a program leaves to the kernel: a ping socket's
// identifier, the checksum, or the fields of an IPv4 header.
func (r *rawSocket) prepare(p *packet) unix.Errno {
	switch {
	case r.ping():
		request := byte(echoRequest4)
		if r.domain == unix.AF_INET6 {
			request = echoRequest6
		}
		if len(p.data) < icmpHeader || p.data[0] != request || p.data[1] != 0 {
			return unix.EINVAL
		}
		if r.ident == 0 {
			if errno := r.identify(0); errno != 0 {
				return errno
			}
		}
		binary.BigEndian.PutUint16(p.data[4:], r.ident)
		p.seal()
	case r.headerIncluded():
		head := 0
		if len(p.data) >= ip4HeaderBytes {
			head = int(p.data[0]&15) * 4
		}
		if head < ip4HeaderBytes || head > len(p.data) {
			return unix.EINVAL
		}
		if from := netip.AddrFrom4([4]byte(p.data[12:16])); !from.IsUnspecified() {
			p.src = from
		}
		p.tos, p.ttl, p.protocol = int(p.data[1]), int(p.data[8]), int(p.data[9])
		p.data = p.data[head:]
	case r.checksum >= 0:
		if len(p.data) < r.checksum+2 {
			return unix.EINVAL
		}
		p.sealAt(r.checksum)
	}
	return 0
}

// Read implements socket.Reader.
func (r *rawSocket) Read(dst socket.Sink) (int, unix.Errno) { return r.Receive(dst, &socket.Message{}) }

// Write implements socket.Writer.
func (r *rawSocket) Write(src socket.Source) (int, unix.Errno) {
	return r.Send(src, &socket.Message{})
}

// Receive implements socket.Socket.
func (r *rawSocket) Receive(dst socket.Sink, m *socket.Message) (int, unix.Errno) {
	return r.take(&r.base, dst, m, r.receiveShut)
}

// Readiness implements socket.File.
func (r *rawSocket) Readiness() waiter.Mask {
	return r.datagramReadiness(&r.base, r.sendShut, r.receiveShut)
}

// Listen implements socket.Socket.
func (r *rawSocket) Listen(int) unix.Errno { return unix.EOPNOTSUPP }

// Accept implements socket.Socket.
func (r *rawSocket) Accept() (socket.Socket, unix.Errno) { return nil, unix.EOPNOTSUPP }

// Shutdown implements socket.Socket.
func (r *rawSocket) Shutdown(how int) unix.Errno {
	if !r.remote.IsValid() {
		return unix.ENOTCONN
	}
	r.receiveShut = r.receiveShut || how != unix.SHUT_WR
	r.sendShut = r.sendShut || how != unix.SHUT_RD
	r.queue.Notify(waiter.In | waiter.RdNorm | waiter.RdHup | waiter.Hup | waiter.Out)
	return 0
}

// LocalAddress implements socket.Socket.
func (r *rawSocket) LocalAddress() (socket.Address, unix.Errno) {
	port := r.ident
	if !r.ping() && !r.bound {
		port = uint16(r.protocol) // as Linux shows raw sockets
	}
	return encodeAddress(r.domain, netip.AddrPortFrom(r.local, port)), 0
}

// PeerAddress implements socket.Socket.
func (r *rawSocket) PeerAddress() (socket.Address, unix.Errno) {
	if !r.remote.IsValid() {
		return nil, unix.ENOTCONN
	}
	return encodeAddress(r.domain, netip.AddrPortFrom(r.remote, r.remotePort)), 0
}

// Options of raw sockets (linux/icmp.h, linux/icmpv6.h, linux/in6.h).
const (
	icmpFilter   = 1
	icmp6Filter  = 1
	ipv6Checksum = 7
)

// SetOption implements socket.Socket.
func (r *rawSocket) SetOption(level, name int, value []byte) unix.Errno {
	switch {
	case level == unix.SOL_RAW && name == icmpFilter && r.protocol == unix.IPPROTO_ICMP:
		if len(value) < 4 {
			return unix.EINVAL
		}
		r.types = typeFilter{binary.LittleEndian.Uint32(value)}
		return 0
	case level == unix.IPPROTO_ICMPV6 && name == icmp6Filter && r.protocol == unix.IPPROTO_ICMPV6:
		for i := range min(len(r.types), len(value)/4) {
			r.types[i] = binary.LittleEndian.Uint32(value[4*i:])
		}
		return 0
	case r.isChecksum(level, name):
		return r.setChecksum(value)
	}
	return r.setCommon(level, name, value)
}

// Option implements socket.Socket.
func (r *rawSocket) Option(level, name int) ([]byte, unix.Errno) {
	switch {
	case level == unix.SOL_RAW && name == icmpFilter && r.protocol == unix.IPPROTO_ICMP:
		return int32Value(int(r.types[0])), 0
	case level == unix.IPPROTO_ICMPV6 && name == icmp6Filter && r.protocol == unix.IPPROTO_ICMPV6:
		var v []byte
		for _, word := range r.types {
			v = binary.LittleEndian.AppendUint32(v, word)
		}
		return v, 0
	case r.isChecksum(level, name):
		return int32Value(r.checksum), 0
	case r.isPathMTU(level, name):
		if !r.remote.IsValid() {
			return nil, unix.ENOTCONN
		}
		return r.pathMTU(r.remote), 0
	case level == unix.SOL_SOCKET && name == unix.SO_PEEK_OFF && !r.ping():
		return nil, unix.EOPNOTSUPP
	}
	return r.commonOption(level, name)
}

func (r *rawSocket) isChecksum(level, name int) bool {
	return (level == unix.SOL_RAW || level == unix.IPPROTO_IPV6) && name == ipv6Checksum && r.domain == unix.AF_INET6 && !r.ping()
}

// setChecksum is IPV6_CHECKSUM: an even offset, or a negative one for none.
// That of ICMPv6 is the kernel's.
func (r *rawSocket) setChecksum(value []byte) unix.Errno {
	if len(value) < 4 {
		return unix.EINVAL
	}
	v := int(int32(binary.LittleEndian.Uint32(value)))
	if v > 0 && v%2 != 0 || r.protocol == unix.IPPROTO_ICMPV6 {
		return unix.EINVAL
	}
	r.checksum = max(v, -1)
	return 0
}

// Ioctl implements socket.Ioctler.
func (r *rawSocket) Ioctl(request uint32) (int, unix.Errno, bool) { return r.datagramIoctl(request) }

// Release implements socket.File.
func (r *rawSocket) Release() {
	r.stack.unlist(r)
	r.waiting, r.charge = nil, 0
}
