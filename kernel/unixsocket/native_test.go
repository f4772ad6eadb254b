package unixsocket

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
)

// host is the caller of the emulated sockets in tests: a flat name space of
// socket files, and the credentials of the test itself.
type host struct {
	files map[string]Inode
	last  uint64
	holds int // references that messages have made and dropped
}

func newHost() *host { return &host{files: map[string]Inode{}} }

func (h *host) Credentials() socket.Credentials {
	return socket.Credentials{PID: int32(os.Getpid()), UID: int32(os.Getuid()), GID: int32(os.Getgid())}
}

func (h *host) Lives(pid int32) bool { return unix.Kill(int(pid), 0) != unix.ESRCH }

func (h *host) CreateSocketFile(path string) (Inode, unix.Errno) {
	if _, ok := h.files[path]; ok {
		return Inode{}, unix.EADDRINUSE
	}
	h.last++
	h.files[path] = Inode{1, h.last}
	return h.files[path], 0
}

func (h *host) FindSocketFile(path string) (Inode, unix.Errno) {
	i, ok := h.files[path]
	if !ok {
		return i, unix.ENOENT
	}
	return i, 0
}

func (h *host) Hold(any) { h.holds++ }

func (h *host) Drop(any) { h.holds-- }

// twin is a socket beside one of the kernel that runs the test.
type twin struct {
	*Socket
	fd int
}

func errnoOf(err error) unix.Errno {
	e, _ := err.(unix.Errno)
	return e
}

// address makes a socket address of a name, abstract if it begins with NUL.
func address(name string) socket.Address {
	a := append(socket.Address{unix.AF_UNIX, 0}, name...)
	if name != "" && name[0] != 0 {
		a = append(a, 0)
	}
	return a
}

func sockaddr(name string) unix.Sockaddr {
	if name != "" && name[0] == 0 {
		name = "@" + name[1:]
	}
	return &unix.SockaddrUnix{Name: name}
}

func name(sa unix.Sockaddr) string {
	u, ok := sa.(*unix.SockaddrUnix)
	if !ok || u.Name == "" || u.Name == "@" {
		return ""
	}
	if u.Name[0] == '@' {
		return "\x00" + u.Name[1:]
	}
	return u.Name
}

func nameOf(a socket.Address) string {
	if len(a) <= pathOffset {
		return ""
	}
	if p, ok := path(a); ok {
		return p
	}
	return string(a[pathOffset:])
}

// shutAndAlone tells whether s is a datagram socket for which a send without an
// address has two reasons to fail: kernels differ in which one they give.
func (s *twin) shutAndAlone() bool {
	return s.kind == unix.SOCK_DGRAM && s.peer == nil && s.sendShut
}

// machine is a history of both.
type machine struct {
	*Namespace
	host    *host
	names   []string
	sockets []*twin
	null    int
}

func (m *machine) draw(t *rapid.T) *twin {
	if len(m.sockets) == 0 {
		t.Skip("no sockets")
	}
	return m.sockets[rapid.IntRange(0, len(m.sockets)-1).Draw(t, "socket")]
}

func (m *machine) check(t *rapid.T, what string, got int, errno unix.Errno, want int, err error) {
	t.Helper()
	if errno != errnoOf(err) || errno == 0 && got != want {
		t.Fatalf("%s: %d, %v; the kernel says %d, %v", what, got, errno, want, err)
	}
}

// compare asks all sockets for their state.
func (m *machine) compare(t *rapid.T) {
	for i, s := range m.sockets {
		fds := []unix.PollFd{{Fd: int32(s.fd), Events: 0x3fff}}
		unix.Poll(fds, 0)
		if got := s.Readiness(); got != waiter.Mask(fds[0].Revents) {
			t.Fatalf("socket %d is ready for %#x; the kernel says %#x", i, got, fds[0].Revents)
		}
		for _, request := range []uint32{unix.SIOCINQ, unix.SIOCOUTQ} {
			got, errno, _ := s.Ioctl(request)
			want, err := unix.IoctlGetInt(s.fd, uint(request))
			m.check(t, fmt.Sprintf("ioctl %#x of socket %d", request, i), got, errno, want, err)
		}
	}
}

func (m *machine) close(i int) {
	s := m.sockets[i]
	m.sockets = append(m.sockets[:i], m.sockets[i+1:]...)
	s.Release()
	unix.Close(s.fd)
}

var kinds = rapid.SampledFrom([]int{unix.SOCK_STREAM, unix.SOCK_DGRAM, unix.SOCK_SEQPACKET})

func (m *machine) socket(t *rapid.T) {
	if len(m.sockets) > 8 {
		t.Skip("enough sockets")
	}
	kind := kinds.Draw(t, "type")
	s, _ := m.New(kind, 0)
	fd, err := unix.Socket(unix.AF_UNIX, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	m.sockets = append(m.sockets, &twin{s, fd})
}

func (m *machine) pair(t *rapid.T) {
	if len(m.sockets) > 8 {
		t.Skip("enough sockets")
	}
	kind := kinds.Draw(t, "type")
	a, b, _ := m.Pair(kind, 0)
	fds, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	m.sockets = append(m.sockets, &twin{a, fds[0]}, &twin{b, fds[1]})
}

var serial int

func newMachine(t *rapid.T, directory string) *machine {
	h := newHost()
	m := &machine{Namespace: NewNamespace(h, h), host: h}
	if b, err := os.ReadFile("/proc/sys/net/unix/max_dgram_qlen"); err == nil {
		fmt.Sscan(string(b), &m.MaximumDatagrams)
	}
	serial++
	for i := range 3 {
		m.names = append(m.names,
			fmt.Sprintf("\x00simterpose-%d-%d-%d", os.Getpid(), serial, i),
			filepath.Join(directory, fmt.Sprintf("%d-%d", serial, i)))
	}
	var err error
	if m.null, err = unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSocketsBehaveAsTheKernels(t *testing.T) {
	directory, err := os.MkdirTemp("", "unix")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(directory)
	content := make([]byte, 1<<18)
	for i := range content {
		content[i] = byte(i * 7 >> 3)
	}
	sizes := rapid.OneOf(rapid.IntRange(0, 5), rapid.IntRange(0, 5000), rapid.IntRange(0, 1<<18-1))
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t, directory)
		anyName := rapid.SampledFrom(m.names)
		offset := 0
		defer func() {
			for len(m.sockets) > 0 {
				m.close(0)
			}
			unix.Close(m.null)
			if m.first != nil || len(m.abstract)+len(m.files) != 0 {
				t.Fatal("sockets are left in the namespace")
			}
			if m.host.holds != 0 {
				t.Fatalf("%d references to files are left", m.host.holds)
			}
		}()
		m.socket(t)
		m.pair(t)
		t.Repeat(map[string]func(*rapid.T){
			"":       m.compare,
			"socket": m.socket,
			"pair":   m.pair,
			"bind": func(t *rapid.T) {
				s, name := m.draw(t), anyName.Draw(t, "name")
				if s.name != nil && name[0] != 0 {
					t.Skip("which of two errors comes first is not modelled")
				}
				errno := s.Bind(address(name))
				err := unix.Bind(s.fd, sockaddr(name))
				m.check(t, "bind", 0, errno, 0, err)
			},
			"unlink": func(t *rapid.T) {
				name := anyName.Draw(t, "name")
				delete(m.host.files, name)
				unix.Unlink(name)
			},
			"listen": func(t *rapid.T) {
				s, backlog := m.draw(t), rapid.IntRange(-1, 2).Draw(t, "backlog")
				m.check(t, "listen", 0, s.Listen(backlog), 0, unix.Listen(s.fd, backlog))
			},
			"connect": func(t *rapid.T) {
				s, name := m.draw(t), anyName.Draw(t, "name")
				m.check(t, "connect", 0, s.Connect(address(name)), 0, unix.Connect(s.fd, sockaddr(name)))
			},
			"disconnect": func(t *rapid.T) {
				s := m.draw(t)
				errno := s.Connect(make(socket.Address, 16))
				var raw [16]byte
				_, _, real := unix.Syscall(unix.SYS_CONNECT, uintptr(s.fd), bytesPointer(raw[:]), 16)
				m.check(t, "disconnect", 0, errno, 0, real)
			},
			"accept": func(t *rapid.T) {
				s := m.draw(t)
				if s.state == listening && s.receiveShut && s.connections == 0 {
					t.Skip("the kernel tells blocking from non-blocking callers")
				}
				c, errno := s.Accept()
				fd, sa, err := unix.Accept4(s.fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
				m.check(t, "accept", 0, errno, 0, err)
				if errno == 0 {
					a, _ := c.PeerAddress()
					if nameOf(a) != name(sa) {
						t.Fatalf("accept from %q; the kernel says %q", a, name(sa))
					}
					m.sockets = append(m.sockets, &twin{c.(*Socket), fd})
				}
			},
			"send": func(t *rapid.T) { m.send(t, content, &offset, sizes, "") },
			"send to": func(t *rapid.T) {
				m.send(t, content, &offset, sizes, anyName.Draw(t, "name"))
			},
			"flood": func(t *rapid.T) {
				s := m.draw(t)
				if s.shutAndAlone() {
					t.Skip("kernels differ")
				}
				for range 12 {
					src := socket.ByteSource("flood")
					n, errno := s.Write(&src)
					want, err := unix.Write(s.fd, []byte("flood"))
					m.check(t, "write", n, errno, want, err)
				}
			},
			"receive": func(t *rapid.T) { m.receive(t, sizes) },
			"drain": func(t *rapid.T) {
				s := m.draw(t)
				for range 4 {
					dst := make(socket.ByteSink, 0, 1<<17)
					message := socket.Message{Flags: unix.MSG_DONTWAIT}
					n, errno := s.Receive(&dst, &message)
					m.host.holds -= len(message.Files)
					b := make([]byte, 1<<17)
					want, err := unix.Read(s.fd, b)
					m.check(t, "read", n, errno, want, err)
					if errno == 0 && !bytes.Equal(dst, b[:want]) {
						t.Fatal("other bytes")
					}
				}
			},
			"shutdown": func(t *rapid.T) {
				s, how := m.draw(t), rapid.IntRange(-1, 3).Draw(t, "how")
				m.check(t, "shutdown", 0, s.Shutdown(how), 0, unix.Shutdown(s.fd, how))
			},
			"names": func(t *rapid.T) {
				s := m.draw(t)
				a, errno := s.LocalAddress()
				sa, err := unix.Getsockname(s.fd)
				m.check(t, "getsockname", 0, errno, 0, err)
				b, errno := s.PeerAddress()
				sb, err := unix.Getpeername(s.fd)
				m.check(t, "getpeername", 0, errno, 0, err)
				if nameOf(a) != name(sa) || nameOf(b) != name(sb) {
					t.Fatalf("names %q, %q; the kernel says %q, %q", a, b, name(sa), name(sb))
				}
			},
			"option": func(t *rapid.T) {
				s := m.draw(t)
				option := rapid.SampledFrom([]int{
					unix.SO_TYPE, unix.SO_DOMAIN, unix.SO_PROTOCOL, unix.SO_ERROR, unix.SO_ACCEPTCONN,
					unix.SO_PASSCRED, unix.SO_SNDBUF, unix.SO_RCVBUF, unix.SO_RCVLOWAT, unix.SO_REUSEADDR, 9999,
				}).Draw(t, "option")
				value, errno := s.Option(unix.SOL_SOCKET, option)
				want, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, option)
				got := 0
				if errno == 0 {
					got = int(int32(binary.NativeEndian.Uint32(value)))
				}
				m.check(t, "getsockopt", got, errno, want, err)
			},
			"set option": func(t *rapid.T) {
				s := m.draw(t)
				option := rapid.SampledFrom([]int{
					unix.SO_PASSCRED, unix.SO_SNDBUF, unix.SO_RCVBUF, unix.SO_REUSEADDR, unix.SO_TYPE, 9999,
				}).Draw(t, "option")
				v := rapid.SampledFrom([]int{0, 1, 5000, 20000}).Draw(t, "value")
				if option == unix.SO_PASSCRED && s.name == nil {
					t.Skip("automatic names are random")
				}
				errno := s.SetOption(unix.SOL_SOCKET, option, binary.NativeEndian.AppendUint32(nil, uint32(v)))
				m.check(t, "setsockopt", 0, errno, 0, unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, option, v))
			},
			"peer credentials": func(t *rapid.T) {
				s := m.draw(t)
				value, _ := s.Option(unix.SOL_SOCKET, unix.SO_PEERCRED)
				u, err := unix.GetsockoptUcred(s.fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
				if err != nil {
					t.Fatal(err)
				}
				want := integers(socket.Credentials{PID: u.Pid, UID: int32(u.Uid), GID: int32(u.Gid)})
				if !bytes.Equal(value, want) {
					t.Fatalf("peer's credentials %x; the kernel says %x", value, want)
				}
			},
			"close": func(t *rapid.T) {
				if len(m.sockets) == 0 {
					t.Skip("no sockets")
				}
				m.close(rapid.IntRange(0, len(m.sockets)-1).Draw(t, "socket"))
			},
		})
	})
}
