package inet

import (
	"encoding/binary"
	"os"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// machine is this machine's kernel, by raw system calls: what scripts are
// checked against.
type machine struct{}

func errnoOfCall(err error) unix.Errno {
	if err == nil {
		return 0
	}
	return err.(unix.Errno)
}

func bytesAt(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

func call(number uintptr, s any, args ...uintptr) (uintptr, unix.Errno) {
	var a [5]uintptr
	copy(a[:], args)
	r, _, e := unix.Syscall6(number, uintptr(s.(int)), a[0], a[1], a[2], a[3], a[4])
	return r, e
}

func (machine) setting(name string, value int) unix.Errno {
	return errnoOfCall(os.WriteFile("/proc/sys/net/"+name, []byte(strconv.Itoa(value)), 0))
}

func (machine) socket(domain, kind, protocol int) (any, unix.Errno) {
	fd, err := unix.Socket(domain, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, protocol)
	return fd, errnoOfCall(err)
}

func (machine) bind(s any, a socket.Address) unix.Errno {
	_, e := call(unix.SYS_BIND, s, uintptr(bytesAt(a)), uintptr(len(a)))
	return e
}

func (machine) listen(s any, backlog int) unix.Errno {
	return errnoOfCall(unix.Listen(s.(int), backlog))
}

func (machine) connect(s any, a socket.Address) unix.Errno {
	_, e := call(unix.SYS_CONNECT, s, uintptr(bytesAt(a)), uintptr(len(a)))
	return e
}

func (machine) accept(s any) (any, unix.Errno) {
	r, e := call(unix.SYS_ACCEPT4, s, 0, 0, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	return int(r), e
}

func (machine) send(s any, data []byte, flags int, to socket.Address, control []byte) (int, unix.Errno) {
	vector := unix.Iovec{Base: unsafe.SliceData(data), Len: uint64(len(data))}
	h := unix.Msghdr{Iov: &vector, Iovlen: 1}
	if to != nil {
		h.Name, h.Namelen = unsafe.SliceData(to), uint32(len(to))
	}
	if control != nil {
		h.Control, h.Controllen = unsafe.SliceData(control), uint64(len(control))
	}
	r, e := call(unix.SYS_SENDMSG, s, uintptr(unsafe.Pointer(&h)), uintptr(flags|unix.MSG_NOSIGNAL))
	return int(r), e
}

func (machine) receive(s any, size, flags int) received {
	data, from, control := make([]byte, size), make([]byte, 128), make([]byte, 512)
	vector := unix.Iovec{Base: unsafe.SliceData(data), Len: uint64(len(data))}
	h := unix.Msghdr{
		Iov: &vector, Iovlen: 1, Name: unsafe.SliceData(from), Namelen: uint32(len(from)),
		Control: unsafe.SliceData(control), Controllen: uint64(len(control)),
	}
	r, e := call(unix.SYS_RECVMSG, s, uintptr(unsafe.Pointer(&h)), uintptr(flags))
	if e != 0 {
		return received{errno: e}
	}
	got := received{n: int(r), data: data[:min(int(r), size)], control: control[:h.Controllen], flags: int(h.Flags)}
	if flags&unix.MSG_TRUNC != 0 && flags&unix.MSG_PEEK == 0 {
		if kind, _ := unix.GetsockoptInt(s.(int), unix.SOL_SOCKET, unix.SO_TYPE); kind == unix.SOCK_STREAM {
			got.data = nil // thrown away
		}
	}
	if h.Namelen > 0 {
		got.from = from[:h.Namelen]
	}
	return got
}

func (machine) shutdown(s any, how int) unix.Errno { return errnoOfCall(unix.Shutdown(s.(int), how)) }

func (machine) close(s any) { _ = unix.Close(s.(int)) }

func (machine) name(s any, peer bool) (socket.Address, unix.Errno) {
	a, size := make([]byte, 128), uint32(128)
	number := uintptr(unix.SYS_GETSOCKNAME)
	if peer {
		number = unix.SYS_GETPEERNAME
	}
	_, e := call(number, s, uintptr(bytesAt(a)), uintptr(unsafe.Pointer(&size)))
	return a[:size], e
}

func (machine) poll(s any) waiter.Mask {
	const all = unix.POLLIN | unix.POLLPRI | unix.POLLOUT | unix.POLLRDHUP | int(waiter.RdNorm) | int(waiter.WrNorm)
	p := []unix.PollFd{{Fd: int32(s.(int)), Events: int16(all)}}
	_, _ = unix.Poll(p, 0)
	return waiter.Mask(uint16(p[0].Revents))
}

func (machine) setOption(s any, level, name int, value []byte) unix.Errno {
	_, e := call(unix.SYS_SETSOCKOPT, s, uintptr(level), uintptr(name), uintptr(bytesAt(value)), uintptr(len(value)))
	return e
}

func (machine) option(s any, level, name, size int) ([]byte, unix.Errno) {
	v, n := make([]byte, size+1), uint32(size)
	_, e := call(unix.SYS_GETSOCKOPT, s, uintptr(level), uintptr(name), uintptr(bytesAt(v)), uintptr(unsafe.Pointer(&n)))
	return v[:n], e
}

func (machine) ioctl(s any, request uint32) (int, unix.Errno) {
	v := make([]byte, 4)
	_, e := call(unix.SYS_IOCTL, s, uintptr(request), uintptr(bytesAt(v)))
	return int(int32(binary.LittleEndian.Uint32(v))), e
}

func (machine) wait(d time.Duration) { time.Sleep(d) }

func (m machine) freePort() uint16 {
	s, _ := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	defer unix.Close(s)
	_ = unix.Bind(s, &unix.SockaddrInet6{})
	a, _ := m.name(s, false)
	return binary.BigEndian.Uint16(a[2:])
}
