package unixsocket

import (
	"bytes"
	"unsafe"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/simterpose/simterpose/kernel/socket"
)

func bytesPointer(b []byte) uintptr { return uintptr(unsafe.Pointer(&b[0])) }

// send sends some bytes, now and then with descriptors, to the peer or to a
// name.
func (m *machine) send(t *rapid.T, content []byte, offset *int, sizes *rapid.Generator[int], to string) {
	s, n := m.draw(t), sizes.Draw(t, "size")
	if to == "" && s.shutAndAlone() {
		t.Skip("kernels differ")
	}
	if s.kind == unix.SOCK_SEQPACKET {
		n = max(n, 1) // kernels differ in what an empty packet means at close
	}
	*offset = (*offset + 37) % 256
	data := content[*offset:][:min(n, len(content)-*offset)]
	files := rapid.SampledFrom([]int{0, 0, 0, 1, 2, 254}).Draw(t, "files")
	message := socket.Message{Credentials: m.host.Credentials()}
	var control []byte
	if files > 0 {
		fds := make([]int, files)
		for i := range fds {
			fds[i] = m.null
			message.Files = append(message.Files, m.null)
		}
		control = unix.UnixRights(fds...)
	}
	if to != "" {
		message.Address = address(to)
	}
	src := socket.ByteSource(data)
	m.host.holds += files
	got, errno := s.Send(&src, &message)
	if errno != 0 {
		m.host.holds -= files
	}
	want, err := sendmsg(s.fd, data, control, message.Address)
	m.check(t, "sendmsg", got, errno, want, err)
}

func (m *machine) receive(t *rapid.T, sizes *rapid.Generator[int]) {
	s, n := m.draw(t), sizes.Draw(t, "size")
	flags := rapid.SampledFrom([]int{0, 0, unix.MSG_PEEK, unix.MSG_TRUNC, unix.MSG_PEEK | unix.MSG_TRUNC}).Draw(t, "flags")
	if s.kind == unix.SOCK_STREAM {
		flags &^= unix.MSG_TRUNC
	}
	dst := make(socket.ByteSink, 0, n)
	message := socket.Message{Flags: flags | unix.MSG_DONTWAIT}
	got, errno := s.Receive(&dst, &message)
	m.host.holds -= len(message.Files)

	data, control := make([]byte, n), make([]byte, 2048)
	want, controlSize, realFlags, from, err := recvmsg(s.fd, data, control, flags)
	m.check(t, "recvmsg", got, errno, want, err)
	if errno != 0 {
		return
	}
	if !bytes.Equal(dst, data[:len(dst)]) {
		t.Fatal("other bytes")
	}
	if nameOf(message.Address) != from {
		t.Fatalf("from %q; the kernel says %q", message.Address, from)
	}
	if realFlags&^unix.MSG_CMSG_CLOEXEC != message.Flags {
		t.Fatalf("flags %#x; the kernel says %#x", message.Flags, realFlags)
	}
	records, err := unix.ParseSocketControlMessage(control[:controlSize])
	if err != nil {
		t.Fatal(err)
	}
	var credentials []byte
	files := 0
	for _, r := range records {
		if r.Header.Type == unix.SCM_RIGHTS {
			fds, _ := unix.ParseUnixRights(&r)
			for _, fd := range fds {
				unix.Close(fd)
			}
			files += len(fds)
		} else {
			credentials = append(credentials, r.Data...)
		}
	}
	if files != len(message.Files) {
		t.Fatalf("%d files; the kernel says %d", len(message.Files), files)
	}
	var ours []byte
	if len(message.Control) > 0 {
		ours = message.Control[controlHeader:credentialsLength]
	}
	if !bytes.Equal(ours, credentials) {
		t.Fatalf("credentials %x; the kernel says %x", ours, credentials)
	}
}

// header makes a struct msghdr. x/sys/unix has one of its own in Sendmsg and
// Recvmsg, but adds a byte to messages that are empty.
func header(data, control, name []byte) *unix.Msghdr {
	h := &unix.Msghdr{Iov: &unix.Iovec{}}
	h.SetIovlen(1)
	if len(data) > 0 {
		h.Iov.Base = &data[0]
		h.Iov.SetLen(len(data))
	}
	if len(control) > 0 {
		h.Control = &control[0]
		h.SetControllen(len(control))
	}
	if len(name) > 0 {
		h.Name, h.Namelen = &name[0], uint32(len(name))
	}
	return h
}

func sendmsg(fd int, data, control, to []byte) (int, error) {
	h := header(data, control, to)
	n, _, errno := unix.Syscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(h)), unix.MSG_NOSIGNAL)
	return int(n), errno
}

func recvmsg(fd int, data, control []byte, flags int) (n, controlSize, outFlags int, from string, err error) {
	name := make([]byte, addressSize)
	h := header(data, control, name)
	r, _, errno := unix.Syscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(h)), uintptr(flags|unix.MSG_CMSG_CLOEXEC))
	if errno != 0 {
		return 0, 0, 0, "", errno
	}
	return int(r), int(h.Controllen), int(h.Flags), nameOf(name[:h.Namelen]), nil
}
