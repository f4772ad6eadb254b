package unixsocket

import (
	"encoding/binary"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

func open(t *testing.T, n *Namespace, kind int) *Socket {
	t.Helper()
	s, errno := n.New(kind, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	return s
}

func pair(t *testing.T, n *Namespace, kind int) (a, b *Socket) {
	t.Helper()
	a, b, errno := n.Pair(kind, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	return a, b
}

// listener is a listening stream socket of a name.
func listener(t *testing.T, n *Namespace, name string, backlog int) *Socket {
	t.Helper()
	l := open(t, n, unix.SOCK_STREAM)
	if errno := l.Bind(address(name)); errno != 0 {
		t.Fatal(errno)
	}
	if errno := l.Listen(backlog); errno != 0 {
		t.Fatal(errno)
	}
	return l
}

func send(t *testing.T, s *Socket, text string, m *socket.Message) unix.Errno {
	t.Helper()
	src := socket.ByteSource(text)
	n, errno := s.Send(&src, m)
	if errno == 0 && n != len(text) {
		t.Fatalf("%d of %d bytes sent", n, len(text))
	}
	return errno
}

func receive(s *Socket, size, flags int) (string, *socket.Message, unix.Errno) {
	dst := make(socket.ByteSink, 0, size)
	m := &socket.Message{Flags: flags}
	_, errno := s.Receive(&dst, m)
	return string(dst), m, errno
}

func expect[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// watch counts the notifications of s for some events.
func watch(s *Socket, events waiter.Mask) *int {
	n := new(int)
	s.Queue().Add(&waiter.Entry{Interest: events, Wake: func(waiter.Mask) { *n++ }})
	return n
}

func newTestNamespace() (*Namespace, *host) {
	h := newHost()
	return NewNamespace(h, h), h
}

func TestConnectWaitsForRoomInTheBacklog(t *testing.T) {
	n, _ := newTestNamespace()
	l := listener(t, n, "\x00server", 0)
	first, second := open(t, n, unix.SOCK_STREAM), open(t, n, unix.SOCK_STREAM)
	expect(t, "first", first.Connect(address("\x00server")), 0)
	expect(t, "second", second.Connect(address("\x00server")), unix.EAGAIN)
	woken := watch(second, waiter.Out)
	if _, errno := l.Accept(); errno != 0 {
		t.Fatal(errno)
	}
	expect(t, "wake-ups at accept", *woken, 1)
	expect(t, "second again", second.Connect(address("\x00server")), 0)

	third := open(t, n, unix.SOCK_STREAM)
	expect(t, "third", third.Connect(address("\x00server")), unix.EAGAIN)
	woken = watch(third, waiter.Out)
	l.Release()
	expect(t, "wake-ups when the listener closes", *woken, 1)
	expect(t, "third again", third.Connect(address("\x00server")), unix.ECONNREFUSED)
	_, _, errno := receive(second, 1, 0)
	expect(t, "connection that nobody accepted", errno, unix.ECONNRESET)
}

func TestDatagramSenderWaitsForRoom(t *testing.T) {
	n, _ := newTestNamespace()
	n.MaximumDatagrams = 1
	server := open(t, n, unix.SOCK_DGRAM)
	server.Bind(address("\x00server"))
	client := open(t, n, unix.SOCK_DGRAM)
	client.Connect(address("\x00server"))
	expect(t, "first", send(t, client, "1", &socket.Message{}), 0)
	expect(t, "second", send(t, client, "2", &socket.Message{}), 0)
	woken := watch(client, waiter.Out)
	expect(t, "third", send(t, client, "3", &socket.Message{}), unix.EAGAIN)
	expect(t, "writable", client.Readiness()&waiter.Out, 0)
	text, _, _ := receive(server, 9, 0)
	expect(t, "received", text, "1")
	if *woken == 0 || client.Readiness()&waiter.Out == 0 {
		t.Errorf("%d wake-ups, ready for %#x", *woken, client.Readiness())
	}
	expect(t, "third again", send(t, client, "3", &socket.Message{}), 0)
}

func TestStreamSenderIsWokenWhenAQuarterIsLeft(t *testing.T) {
	n, _ := newTestNamespace()
	a, b := pair(t, n, unix.SOCK_STREAM)
	src := make(socket.ByteSource, 1<<20)
	sent, errno := a.Write(&src)
	expect(t, "errno", errno, 0)
	expect(t, "bytes that fit", sent, 6*streamPart)
	_, errno = a.Write(&src)
	expect(t, "full", errno, unix.EAGAIN)
	woken := watch(a, waiter.Out)
	for read := 0; read < sent; {
		dst := make(socket.ByteSink, 0, streamPart)
		k, _ := b.Read(&dst)
		read += k
		if want := sent-read <= streamPart; want != (*woken > 0) {
			t.Fatalf("%d bytes left, %d wake-ups", sent-read, *woken)
		}
	}
}

func TestFilesKeepTheirPlaceInTheStream(t *testing.T) {
	n, _ := newTestNamespace()
	a, b := pair(t, n, unix.SOCK_STREAM)
	for _, m := range []struct {
		text  string
		files []any
	}{{"ab", nil}, {"cd", []any{"x", "y"}}, {"ef", nil}, {"gh", []any{"z"}}} {
		expect(t, "send", send(t, a, m.text, &socket.Message{Files: m.files}), 0)
	}
	for _, want := range []struct {
		size  int
		text  string
		files int
	}{{3, "abc", 2}, {99, "d", 0}, {99, "efgh", 1}} {
		text, m, errno := receive(b, want.size, 0)
		expect(t, "errno", errno, 0)
		if text != want.text || len(m.Files) != want.files {
			// "d" may be followed by what has no files of its own.
			if want.text != "d" || text != "defgh" {
				t.Errorf("got %q with %d files, want %q with %d", text, len(m.Files), want.text, want.files)
			}
			break
		}
	}
}

func TestReleaseDropsFilesOfUnreadMessages(t *testing.T) {
	n, h := newTestNamespace()
	for _, kind := range []int{unix.SOCK_STREAM, unix.SOCK_DGRAM, unix.SOCK_SEQPACKET} {
		a, b := pair(t, n, kind)
		h.holds = 3
		send(t, a, "one", &socket.Message{Files: []any{1, 2}})
		send(t, a, "two", &socket.Message{Files: []any{3}})
		_, m, _ := receive(b, 9, unix.MSG_PEEK)
		expect(t, "files seen by peeking", len(m.Files), 2)
		h.holds -= len(m.Files)
		a.Release()
		b.Release()
		expect(t, "references left", h.holds, 0)
	}
}

func TestReadLosesFiles(t *testing.T) {
	n, h := newTestNamespace()
	a, b := pair(t, n, unix.SOCK_STREAM)
	h.holds = 1
	send(t, a, "one", &socket.Message{Files: []any{1}})
	dst := make(socket.ByteSink, 0, 9)
	b.Read(&dst)
	expect(t, "text", string(dst), "one")
	expect(t, "references left", h.holds, 0)
}

func TestCredentials(t *testing.T) {
	n, h := newTestNamespace()
	a, b := pair(t, n, unix.SOCK_DGRAM)
	ordinary := socket.Credentials{PID: 5, UID: 1000, GID: 1000}
	forged := socket.Message{Credentials: ordinary, Control: appendCredentials(nil, socket.Credentials{PID: 1})}
	expect(t, "forged", send(t, a, "x", &forged), unix.EPERM)
	own := socket.Message{Credentials: ordinary, Control: appendCredentials(nil, ordinary)}
	expect(t, "own", send(t, a, "x", &own), 0)
	b.SetOption(unix.SOL_SOCKET, unix.SO_PASSCRED, []byte{1, 0, 0, 0})
	_, m, _ := receive(b, 9, 0)
	expect(t, "received", m.Credentials, ordinary)
	expect(t, "control", string(m.Control), string(appendCredentials(nil, ordinary)))
	value, _ := b.Option(unix.SOL_SOCKET, unix.SO_PEERCRED)
	expect(t, "peer", string(value), string(integers(h.Credentials())))
	broken := socket.Message{Control: make([]byte, 16)}
	expect(t, "record without length", send(t, a, "x", &broken), unix.EINVAL)
	unknownKind := appendCredentials(nil, ordinary)
	binary.NativeEndian.PutUint32(unknownKind[12:], 99)
	expect(t, "unknown record", send(t, a, "x", &socket.Message{Control: unknownKind}), unix.EINVAL)
}

func TestAutomaticNames(t *testing.T) {
	n, _ := newTestNamespace()
	taken := open(t, n, unix.SOCK_DGRAM)
	taken.Bind(address("\x0000002"))
	for _, want := range []string{"\x0000001", "\x0000003"} {
		s := open(t, n, unix.SOCK_DGRAM)
		expect(t, "bind", s.Bind(address("")), 0)
		a, _ := s.LocalAddress()
		expect(t, "name", nameOf(a), want)
		expect(t, "bind again", s.Bind(address("")), 0)
	}
	s := open(t, n, unix.SOCK_DGRAM)
	s.SetOption(unix.SOL_SOCKET, unix.SO_PASSCRED, []byte{1, 0, 0, 0})
	s.Connect(address("\x0000002"))
	a, _ := s.LocalAddress()
	expect(t, "name of one that wants credentials", nameOf(a), "\x0000004")
}

func TestBindErrors(t *testing.T) {
	n, _ := newTestNamespace()
	s := open(t, n, unix.SOCK_STREAM)
	for what, a := range map[string]socket.Address{
		"nothing":     {},
		"one byte":    {unix.AF_UNIX},
		"family":      {unix.AF_INET, 0, 'x'},
		"too long":    make(socket.Address, addressSize+1),
		"unspecified": make(socket.Address, 10),
	} {
		expect(t, what, s.Bind(a), unix.EINVAL)
	}
	expect(t, "listen without a name", s.Listen(1), unix.EINVAL)
	expect(t, "bind", s.Bind(address("/run/s")), 0)
	expect(t, "bind again", s.Bind(address("/run/t")), unix.EINVAL)
	expect(t, "bind another", open(t, n, unix.SOCK_STREAM).Bind(address("/run/s")), unix.EADDRINUSE)
	expect(t, "another type", open(t, n, unix.SOCK_DGRAM).Connect(address("/run/s")), unix.EPROTOTYPE)
	s.Release()
	expect(t, "file without socket", open(t, n, unix.SOCK_STREAM).Connect(address("/run/s")), unix.ECONNREFUSED)
	expect(t, "no file", open(t, n, unix.SOCK_STREAM).Connect(address("/run/x")), unix.ENOENT)
	_, errno := n.New(unix.SOCK_STREAM, 6)
	expect(t, "protocol", errno, unix.EPROTONOSUPPORT)
	_, errno = n.New(unix.SOCK_RDM, 0)
	expect(t, "type", errno, unix.ESOCKTNOSUPPORT)
}

func TestProc(t *testing.T) {
	n, _ := newTestNamespace()
	l := listener(t, n, "/run/s", 5)
	client := open(t, n, unix.SOCK_STREAM)
	client.Connect(address("/run/s"))
	open(t, n, unix.SOCK_DGRAM).Bind(address("\x00ab\x00c"))
	b := []byte(ProcHeader)
	for s := range n.All() {
		b = s.AppendProc(b)
	}
	want := `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 10000001 /run/s
0000000000000000: 00000003 00000000 00000000 0001 03 10000002
0000000000000000: 00000002 00000000 00000000 0002 01 10000004 @ab@c
0000000000000000: 00000003 00000000 00000000 0001 02     0 /run/s
`
	lines := strings.SplitAfter(want, "\n")
	lines[3], lines[4] = lines[4], lines[3]
	expect(t, "listing", string(b), strings.Join(lines, ""))
	l.Release()
}

func BenchmarkStream(b *testing.B) {
	n, _ := newTestNamespace()
	s, r, _ := n.Pair(unix.SOCK_STREAM, 0)
	benchmark(b, s, r)
}

func BenchmarkDatagram(b *testing.B) {
	n, _ := newTestNamespace()
	s, r, _ := n.Pair(unix.SOCK_DGRAM, 0)
	benchmark(b, s, r)
}

func benchmark(b *testing.B, s, r *Socket) {
	data, space := make([]byte, 64), make([]byte, 64)
	var src socket.ByteSource
	var dst socket.ByteSink
	var out, in socket.Message
	b.ReportAllocs()
	for b.Loop() {
		src, dst = data, space[:0]
		s.Send(&src, &out)
		in.Flags = 0
		r.Receive(&dst, &in)
	}
}
