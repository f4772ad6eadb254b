package emulator

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel"
	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/trace"
)

// recordedStack makes sockets whose use is recorded.
type recordedStack struct {
	kernel.Stack
	host     *host
	recorder *recorder
}

// NewSocket implements kernel.Stack. Raw sockets are not recorded: what waits
// for one is recorded as having slept.
func (s recordedStack) NewSocket(domain, kind, protocol int) (socket.Socket, unix.Errno) {
	inner, errno := s.Stack.NewSocket(domain, kind, protocol)
	if errno != 0 || s.recorder.current == nil {
		return inner, errno
	}
	switch {
	case kind == unix.SOCK_STREAM:
		return s.recorder.stream(s.host, inner), 0
	case kind == unix.SOCK_DGRAM && (protocol == 0 || protocol == unix.IPPROTO_UDP):
		d := &recordedDatagram{recorded: s.recorder.socket(s.host, inner, "udp")}
		d.listen()
		return d, 0
	}
	return inner, 0
}

// recorded is what both kinds have in common.
type recorded struct {
	socket.Socket
	recorder *recorder
	host     *host
	number   int
	// shown tells that the trace has the socket's line, bound that it has its
	// port.
	shown, bound bool
	kind         string
	consumed     int          // bytes read from the stream
	entry        waiter.Entry // before all that wait for the socket
}

// listen lets the recorder hear of the socket's changes before who waits for
// them does.
func (s *recorded) listen() {
	s.entry.Interest = waiter.In | waiter.Out
	s.entry.Wake = func(events waiter.Mask) {
		r := s.recorder
		if !s.shown {
			return
		}
		r.notified, r.events, r.notifiedAt = s, waiter.Out, r.queue.Now()
		if events&waiter.In != 0 {
			r.events = waiter.In // also of an end, which makes it writable as well
		}
	}
	s.Queue().Add(&s.entry)
}

func (r *recorder) socket(h *host, inner socket.Socket, kind string) recorded {
	r.sockets++
	family := "4"
	if inner.Domain() == unix.AF_INET6 {
		family = "6"
	}
	return recorded{Socket: inner, recorder: r, host: h, number: r.sockets, kind: kind + family}
}

// fionread is FIONREAD (asm-generic/ioctls.h).
const fionread = 0x541b

// arrived is how many bytes of a stream have come, for a wait for some to be
// read: 0 if that is not it. It makes events the end of the stream if that has
// come.
func (s *recorded) arrived(events *waiter.Mask) int {
	if *events != waiter.In || s.kind[:3] != "tcp" {
		return 0
	}
	if s.Readiness()&(waiter.RdHup|waiter.Hup|waiter.Err) != 0 {
		*events = waiter.RdHup
		return 0
	}
	if n, errno, ok := s.Ioctl(fionread); ok && errno == 0 && n > 0 {
		return s.consumed + n
	}
	return 0
}

// act writes what the current thread does with the socket.
func (s *recorded) act(record trace.Record) {
	r := s.recorder
	if r.current == nil {
		return
	}
	s.show()
	record.Socket = s.number
	r.action(r.current, &record)
}

// receive writes an action that has waited for the network.
func (s *recorded) receive(record trace.Record) {
	r := s.recorder
	if r.current == nil {
		return
	}
	record.Socket = s.number
	r.received(r.current, &record)
}

func (s *recorded) show() {
	if !s.shown {
		s.shown = true
		s.recorder.action(s.recorder.current, &trace.Record{Action: trace.Socket, Socket: s.number, Name: s.kind})
	}
}

// Inode implements socket.Numbered.
func (s *recorded) Inode() uint64 {
	if k, ok := s.Socket.(socket.Numbered); ok {
		return k.Inode()
	}
	return 0
}

// Ioctl implements socket.Ioctler.
func (s *recorded) Ioctl(request uint32) (int, unix.Errno, bool) {
	if i, ok := s.Socket.(socket.Ioctler); ok {
		return i.Ioctl(request)
	}
	return 0, 0, false
}

func (s *recorded) SetOption(level, name int, value []byte) unix.Errno {
	errno := s.Socket.SetOption(level, name, value)
	if errno == 0 {
		s.act(trace.Record{Action: trace.Option, Flags: level, Number: name, Data: value})
	}
	return errno
}

func (s *recorded) Bind(a socket.Address) unix.Errno {
	errno := s.Socket.Bind(a)
	if errno == 0 {
		s.noteBinding()
	}
	return errno
}

// noteBinding writes the socket's address, once.
func (s *recorded) noteBinding() {
	local, errno := s.LocalAddress()
	if s.bound || errno != 0 || s.recorder.current == nil {
		return
	}
	s.bound = true
	at := local.AddrPort()
	s.act(trace.Record{Action: trace.Bind, Name: s.recorder.name(s.Domain(), at.Addr()), Port: at.Port()})
}

func (s *recorded) Shutdown(how int) unix.Errno {
	errno := s.Socket.Shutdown(how)
	if errno == 0 {
		s.act(trace.Record{Action: trace.Shutdown, Flags: how})
	}
	return errno
}

func (s *recorded) Release() {
	if s.shown {
		s.act(trace.Record{Action: trace.Close})
	}
	s.entry.Remove()
	s.Socket.Release()
}

// recordedStream is a TCP socket.
type recordedStream struct {
	recorded
	connecting bool
	full       bool // the last write found too little room
}

func (r *recorder) stream(h *host, inner socket.Socket) *recordedStream {
	s := &recordedStream{recorded: r.socket(h, inner, "tcp")}
	s.listen()
	return s
}

// Lingering implements socket.Lingerer.
func (s *recordedStream) Lingering() (time.Duration, bool) {
	if l, ok := s.Socket.(socket.Lingerer); ok {
		return l.Lingering()
	}
	return 0, false
}

func (s *recordedStream) Listen(backlog int) unix.Errno {
	errno := s.Socket.Listen(backlog)
	if errno == 0 {
		local, _ := s.LocalAddress()
		s.act(trace.Record{Action: trace.Listen, Number: max(backlog, 0), Port: local.AddrPort().Port()})
	}
	return errno
}

func (s *recordedStream) Connect(a socket.Address) unix.Errno {
	again := s.connecting
	errno := s.Socket.Connect(a)
	switch {
	case s.recorder.current == nil:
	case again && errno != unix.EALREADY:
		s.isConnected()
	case !again && (errno == 0 || errno == unix.EINPROGRESS):
		s.connects(a)
	}
	return errno
}

// connects writes that a connection has been begun.
func (s *recordedStream) connects(a socket.Address) {
	s.connecting = true
	to := a.AddrPort()
	s.act(trace.Record{Action: trace.Connect, Name: s.recorder.name(s.Domain(), to.Addr()), Port: to.Port()})
	if local, errno := s.LocalAddress(); errno == 0 {
		s.recorder.connects[s.recorder.way(s.host, local.AddrPort(), to)] = s.number
	}
}

// isConnected writes that the connection is there, once.
func (s *recordedStream) isConnected() {
	if s.connecting {
		s.connecting = false
		s.receive(trace.Record{Action: trace.Connected})
	}
}

// Option implements socket.Socket: programs ask for SO_ERROR when a connection
// that they did not wait for is there.
func (s *recordedStream) Option(level, name int) ([]byte, unix.Errno) {
	value, errno := s.Socket.Option(level, name)
	if s.connecting && level == unix.SOL_SOCKET && name == unix.SO_ERROR && errno == 0 {
		s.isConnected()
	}
	return value, errno
}

func (s *recordedStream) Accept() (socket.Socket, unix.Errno) {
	inner, errno := s.Socket.Accept()
	if errno != 0 || s.recorder.current == nil {
		return inner, errno
	}
	n := s.recorder.stream(s.host, inner)
	n.shown, n.bound = true, true
	client := trace.Absent
	local, here := n.LocalAddress()
	peer, there := n.PeerAddress()
	if here == 0 && there == 0 {
		if number, ok := s.recorder.connects[s.recorder.way(s.host, peer.AddrPort(), local.AddrPort())]; ok {
			client = number
		}
	}
	s.receive(trace.Record{Action: trace.Accept, Accepted: n.number, Peer: client})
	return n, 0
}

func (s *recordedStream) Read(dst socket.Sink) (int, unix.Errno) {
	return s.Receive(dst, &socket.Message{})
}

func (s *recordedStream) Write(src socket.Source) (int, unix.Errno) {
	return s.Send(src, &socket.Message{})
}

func (s *recordedStream) Receive(dst socket.Sink, m *socket.Message) (int, unix.Errno) {
	flags, want := m.Flags, dst.Len()
	n, errno := s.Socket.Receive(dst, m)
	if errno == 0 && flags&(unix.MSG_PEEK|unix.MSG_ERRQUEUE|unix.MSG_OOB) == 0 && (n > 0 || want > 0) {
		s.connecting = false
		s.consumed += n
		s.receive(trace.Record{Action: trace.Read, Amount: float64(n)})
	}
	return n, errno
}

func (s *recordedStream) Send(src socket.Source, m *socket.Message) (int, unix.Errno) {
	flags, want := m.Flags&unix.MSG_MORE, src.Len()
	n, errno := s.Socket.Send(src, m)
	begun := errno == unix.EINPROGRESS // by the bytes themselves (TCP Fast Open)
	if s.recorder.current != nil && m.Flags&unix.MSG_FASTOPEN != 0 && m.Address != nil && !s.connecting && (begun || errno == 0) {
		s.connects(m.Address)
	}
	if n > 0 && (errno == 0 || begun) {
		if n < want {
			flags |= unix.MSG_DONTWAIT // the next write has the rest
		}
		record := trace.Record{Action: trace.Write, Amount: float64(n), Flags: flags, Given: 2}
		if flags != 0 {
			record.Given = 3
		}
		switch {
		case s.connecting:
			s.isConnected()
		case s.full && s.recorder.waited():
			// There is room when poll(2) says so: more than for a byte.
			s.receive(trace.Record{Action: trace.Ready, Flags: int(waiter.Out)})
		}
		s.act(record)
		s.connecting = false
	}
	s.full = errno == unix.EAGAIN || errno == 0 && n < want
	return n, errno
}

// recordedDatagram is a UDP socket.
type recordedDatagram struct {
	recorded
	peer netip.AddrPort
}

// LastArrival implements socket.Stamped.
func (s *recordedDatagram) LastArrival() int64 {
	if t, ok := s.Socket.(socket.Stamped); ok {
		return t.LastArrival()
	}
	return 0
}

func (s *recordedDatagram) Connect(a socket.Address) unix.Errno {
	errno := s.Socket.Connect(a)
	if errno == 0 {
		s.peer = a.AddrPort()
	}
	return errno
}

func (s *recordedDatagram) Read(dst socket.Sink) (int, unix.Errno) {
	return s.Receive(dst, &socket.Message{})
}

func (s *recordedDatagram) Write(src socket.Source) (int, unix.Errno) {
	return s.Send(src, &socket.Message{})
}

func (s *recordedDatagram) Send(src socket.Source, m *socket.Message) (int, unix.Errno) {
	to, size := s.peer, src.Len()
	if m.Address != nil {
		to = m.Address.AddrPort()
	}
	n, errno := s.Socket.Send(src, m)
	if errno == 0 && s.recorder.current != nil && to.IsValid() {
		s.noteBinding()
		if local, errno := s.LocalAddress(); errno == 0 {
			s.recorder.senders[end{s.host.name, local.AddrPort().Port()}] = s.number
		}
		s.act(trace.Record{Action: trace.SendTo, Name: s.recorder.name(s.Domain(), to.Addr()), Port: to.Port(), Amount: float64(size)})
	}
	return n, errno
}

func (s *recordedDatagram) Receive(dst socket.Sink, m *socket.Message) (int, unix.Errno) {
	flags := m.Flags
	n, errno := s.Socket.Receive(dst, m)
	if errno != 0 || flags&(unix.MSG_PEEK|unix.MSG_ERRQUEUE) != 0 || s.recorder.current == nil {
		return n, errno
	}
	from := m.Address.AddrPort()
	sender, ok := s.recorder.senders[s.recorder.end(s.host, from)]
	if !ok {
		return n, 0 // the emulator's name server has sent it
	}
	s.noteBinding()
	s.receive(trace.Record{Action: trace.ReceiveFrom, Amount: float64(n), Peer: sender})
	return n, 0
}
