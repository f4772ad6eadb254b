package inet

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// Read implements socket.Reader.
func (u *udpSocket) Read(dst socket.Sink) (int, unix.Errno) {
	return u.Receive(dst, &socket.Message{})
}

// Write implements socket.Writer.
func (u *udpSocket) Write(src socket.Source) (int, unix.Errno) {
	return u.Send(src, &socket.Message{})
}

// Receive implements socket.Socket.
func (u *udpSocket) Receive(dst socket.Sink, m *socket.Message) (int, unix.Errno) {
	m.Flags &^= unix.MSG_OOB // which UDP does not look at
	return u.take(&u.base, dst, m, u.receiveShut)
}

// take moves a datagram to the guest.
func (i *inbox) take(b *base, dst socket.Sink, m *socket.Message, shut bool) (int, unix.Errno) {
	flags := m.Flags
	m.Flags = 0
	if flags&unix.MSG_ERRQUEUE != 0 {
		return b.receiveError(dst, m)
	}
	if flags&unix.MSG_OOB != 0 {
		return 0, unix.EOPNOTSUPP
	}
	if e := b.takeError(); e != 0 {
		return 0, e
	}
	which, skip := 0, 0
	if offset := b.value(unix.SOL_SOCKET, unix.SO_PEEK_OFF); flags&unix.MSG_PEEK != 0 && offset > 0 {
		which, skip = i.at(offset)
	}
	if which >= len(i.waiting) {
		if shut && flags&unix.MSG_DONTWAIT == 0 {
			return 0, 0
		}
		return 0, unix.EAGAIN
	}
	d := i.waiting[which]
	n := min(len(d.data)-skip, dst.Len())
	b.movePeek(flags&unix.MSG_PEEK != 0, n, len(d.data))
	if flags&unix.MSG_PEEK == 0 {
		i.taken = i.waiting[0].at
		i.waiting[0] = datagram{}
		i.waiting = i.waiting[1:]
		i.charge -= len(d.data) + datagramOverhead
	}
	if n > 0 {
		if wrote, err := dst.Write(d.data[skip : skip+n]); wrote < n {
			if errno, ok := err.(unix.Errno); ok {
				return 0, errno
			}
			return 0, unix.EFAULT
		}
	}
	if n < len(d.data)-skip {
		m.Flags |= unix.MSG_TRUNC
	}
	m.Address = encodeAddress(b.domain, d.src)
	m.Control = b.receiveControl(d)
	if flags&unix.MSG_TRUNC != 0 {
		n = len(d.data)
	}
	return n, 0
}

// at finds the datagram at an offset of the queue (SO_PEEK_OFF).
func (i *inbox) at(offset int) (which, skip int) {
	for which < len(i.waiting) && offset >= len(i.waiting[which].data) && offset > 0 {
		offset -= len(i.waiting[which].data)
		which++
	}
	return which, offset
}

// movePeek moves SO_PEEK_OFF over n bytes that were peeked at, or back over a
// datagram that was taken.
func (b *base) movePeek(peek bool, n, size int) {
	offset := b.value(unix.SOL_SOCKET, unix.SO_PEEK_OFF)
	if offset < 0 {
		return
	}
	if offset += n; !peek {
		offset = max(0, offset-n-size)
	}
	b.set(unix.SOL_SOCKET, unix.SO_PEEK_OFF, offset)
}

// Readiness implements socket.File.
func (u *udpSocket) Readiness() waiter.Mask {
	return u.datagramReadiness(&u.base, u.sendShut, u.receiveShut)
}

// datagramReadiness is the kernel's datagram_poll.
func (i *inbox) datagramReadiness(b *base, sendShut, receiveShut bool) waiter.Mask {
	m := waiter.Out | waiter.WrNorm
	if b.failure != 0 || len(b.errors) > 0 {
		m |= waiter.Err
		if b.on(unix.SOL_SOCKET, unix.SO_SELECT_ERR_QUEUE) {
			m |= waiter.Pri
		}
	}
	if receiveShut {
		m |= waiter.RdHup | waiter.In | waiter.RdNorm
		if sendShut {
			m |= waiter.Hup
		}
	}
	if len(i.waiting) > 0 {
		m |= waiter.In | waiter.RdNorm
	}
	return m
}

// Listen implements socket.Socket.
func (u *udpSocket) Listen(int) unix.Errno { return unix.EOPNOTSUPP }

// Accept implements socket.Socket.
func (u *udpSocket) Accept() (socket.Socket, unix.Errno) { return nil, unix.EOPNOTSUPP }

// Shutdown implements socket.Socket. On a socket that is not connected it both
// takes effect and fails, as on Linux.
func (u *udpSocket) Shutdown(how int) unix.Errno {
	if how != unix.SHUT_WR {
		u.receiveShut = true
	}
	if how != unix.SHUT_RD {
		u.sendShut = true
	}
	u.queue.Notify(waiter.In | waiter.RdNorm | waiter.RdHup | waiter.Hup | waiter.Out)
	if !u.remote.IsValid() {
		return unix.ENOTCONN
	}
	return 0
}

// LocalAddress implements socket.Socket.
func (u *udpSocket) LocalAddress() (socket.Address, unix.Errno) {
	if u.bound == nil {
		return encodeAddress(u.domain, netip.AddrPortFrom(anyOf(u.domain), 0)), 0
	}
	return encodeAddress(u.domain, netip.AddrPortFrom(u.bound.addr, u.bound.port)), 0
}

// PeerAddress implements socket.Socket.
func (u *udpSocket) PeerAddress() (socket.Address, unix.Errno) {
	if !u.remote.IsValid() {
		return nil, unix.ENOTCONN
	}
	return encodeAddress(u.domain, u.remote), 0
}

// Ioctl implements socket.Ioctler.
func (u *udpSocket) Ioctl(request uint32) (int, unix.Errno, bool) { return u.datagramIoctl(request) }

// LastArrival implements socket.Stamped.
func (i *inbox) LastArrival() int64 { return i.taken }

func (i *inbox) datagramIoctl(request uint32) (int, unix.Errno, bool) {
	switch request {
	case fionread:
		if len(i.waiting) == 0 {
			return 0, 0, true
		}
		return len(i.waiting[0].data), 0, true
	case siocoutq:
		return 0, 0, true
	}
	return 0, 0, false
}
