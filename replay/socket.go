package replay

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/trace"
)

// socketState is a socket of a trace.
type socketState struct {
	inner socket.Socket
	owner *host
	kind  string
	// consumed are the bytes read from its stream.
	consumed int
	left     int // bytes that a write left for the next
	// local and remote are the ends of one that connects.
	local, remote netip.AddrPort
	// arrived are connections that the listener has accepted and no action yet.
	arrived []arrival
	// waiting are the actors that wait for one of them, or for the socket to be
	// made.
	waiting []*actor
}

type arrival struct {
	from   netip.AddrPort
	socket socket.Socket
}

// at returns a socket by its number.
func (r *threads) at(number int) *socketState {
	s := r.sockets[number]
	if s == nil {
		s = &socketState{}
		r.sockets[number] = s
	}
	return s
}

// made notes that a socket is there.
func (r *threads) made(s *socketState, inner socket.Socket, owner *host) {
	s.inner, s.owner = inner, owner
	r.wakeAll(&s.waiting)
}

func (r *threads) wakeAll(list *[]*actor) {
	woken := *list
	*list = nil
	for _, a := range woken {
		r.wake(a)
	}
}

// waits makes an actor wait for a socket's state to change.
func (a *actor) waits(s *socketState) {
	if !a.entry.Queued() {
		s.inner.Queue().Add(&a.entry)
	}
}

// doSocket carries an action of a socket out.
func (a *actor) doSocket(record *trace.Record) (done bool, err error) {
	r := a.run
	s := r.at(record.Socket)
	a.entry.Remove()
	switch {
	case record.Action == trace.Socket:
		return true, a.makeSocket(s, record.Name)
	case s.inner == nil: // another actor accepts it
		s.waiting = append(s.waiting, a)
		return false, nil
	}
	switch record.Action {
	case trace.Option:
		r.warn(a, record, s.inner.SetOption(record.Flags, record.Number, record.Data))
	case trace.Bind:
		to, err := a.address(s, record)
		if err != nil {
			return false, err
		}
		r.warn(a, record, s.inner.Bind(to))
	case trace.Listen:
		a.listen(s, record)
	case trace.Connect:
		return true, a.connect(s, record)
	case trace.Connected:
		return a.connected(s), nil
	case trace.Accept:
		return a.accept(s, record), nil
	case trace.Write:
		return a.write(s, record), nil
	case trace.Read:
		return a.read(s, int(record.Amount)), nil
	case trace.Shutdown:
		s.inner.Shutdown(record.Flags)
	case trace.Close:
		for _, c := range s.arrived { // that nobody has accepted
			c.socket.Release()
		}
		s.arrived = nil
		s.inner.Release()
		s.inner = closedSocket{s.inner}
	case trace.Ready:
		return a.ready(s, waiter.Mask(record.Flags), int(record.Amount)), nil
	case trace.SendTo:
		return true, a.sendTo(s, record)
	case trace.ReceiveFrom:
		return a.receiveFrom(s), nil
	default:
		return false, fmt.Errorf("an action of threads expected, found %s", record.Action)
	}
	return true, nil
}

// closedSocket is used no more; what a trace still does with it fails.
type closedSocket struct{ socket.Socket }

func (closedSocket) Send(socket.Source, *socket.Message) (int, unix.Errno)  { return 0, unix.EPIPE }
func (closedSocket) Receive(socket.Sink, *socket.Message) (int, unix.Errno) { return 0, 0 }
func (closedSocket) Release()                                               {}

// warn notes what the new platform does not let happen.
func (r *threads) warn(a *actor, record *trace.Record, errno unix.Errno) {
	if errno != 0 {
		r.warnings = append(r.warnings, fmt.Sprintf("actor %d on %s: %s: %v", a.number, a.host.name, record, errno))
	}
}

// domains are the kinds of sockets.
var domains = map[string][2]int{
	"tcp4": {unix.AF_INET, unix.SOCK_STREAM}, "tcp6": {unix.AF_INET6, unix.SOCK_STREAM},
	"udp4": {unix.AF_INET, unix.SOCK_DGRAM}, "udp6": {unix.AF_INET6, unix.SOCK_DGRAM},
}

func (a *actor) makeSocket(s *socketState, kind string) error {
	d, ok := domains[kind]
	if !ok {
		return fmt.Errorf("tcp4, tcp6, udp4 or udp6 expected, found %q", kind)
	}
	inner, errno := a.host.stack.NewSocket(d[0], d[1], 0)
	if errno != 0 {
		return errno
	}
	s.kind = kind
	a.run.made(s, inner, a.host)
	return nil
}

// address is where a record's name and port are.
func (a *actor) address(s *socketState, record *trace.Record) (socket.Address, error) {
	name, four := strings.CutSuffix(record.Name, "/4")
	four = four || s.inner.Domain() == unix.AF_INET
	var at netip.Addr
	switch literal, err := netip.ParseAddr(name); {
	case name == "*" && four:
		at = netip.IPv4Unspecified()
	case name == "*":
		at = netip.IPv6Unspecified()
	case name == "localhost" && four:
		at = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case name == "localhost":
		at = netip.IPv6Loopback()
	case err == nil:
		at = literal
	default:
		h, err := a.run.hostOf(name)
		if err != nil {
			return nil, err
		}
		if at = h.six; four {
			at = h.four
		}
	}
	if s.inner.Domain() == unix.AF_INET && !at.Is4() {
		return nil, fmt.Errorf("an IPv4 address expected, found %q", record.Name)
	}
	return socket.InternetAddress(s.inner.Domain(), netip.AddrPortFrom(at, record.Port)), nil
}

func (a *actor) listen(s *socketState, record *trace.Record) {
	if at, errno := s.inner.LocalAddress(); errno == 0 && at.AddrPort().Port() == 0 {
		// The machine had chosen the port; others know its number.
		any := *record
		any.Name = "*"
		if to, err := a.address(s, &any); err == nil {
			a.run.warn(a, record, s.inner.Bind(to))
		}
	}
	a.run.warn(a, record, s.inner.Listen(record.Number))
	a.run.wakeAll(&a.run.refused)
}

func (a *actor) connect(s *socketState, record *trace.Record) error {
	to, err := a.address(s, record)
	if err != nil {
		return err
	}
	s.remote = to.AddrPort()
	if errno := s.inner.Connect(to); errno != 0 && errno != unix.EINPROGRESS {
		a.run.warn(a, record, errno)
	}
	if local, errno := s.inner.LocalAddress(); errno == 0 {
		s.local = local.AddrPort()
	}
	return nil
}

// ready waits until a socket can be read or written, as poll(2) would tell, or
// until so many bytes of its stream have come.
func (a *actor) ready(s *socketState, events waiter.Mask, position int) bool {
	if position > 0 {
		events = 0
		if i, ok := s.inner.(socket.Ioctler); ok {
			if n, _, _ := i.Ioctl(fionread); n >= min(position-s.consumed, mostUnread) {
				return true
			}
		}
	}
	if events&waiter.In != 0 && len(s.arrived) > 0 || s.inner.Readiness()&(events|waiter.Always|waiter.RdHup) != 0 {
		return true
	}
	a.waits(s)
	return false
}

// mostUnread is how many unread bytes are waited for at most: the window of the
// recording may have been larger than the one here, which is at least 64 KiB if
// the program does not make it smaller.
const mostUnread = 32 << 10

// fionread is FIONREAD (asm-generic/ioctls.h).
const fionread = 0x541b

// connected waits for the outcome of a connect. Where the recorded one was
// accepted and this one is refused, the server is late here: it is tried again
// when there is a new listener.
func (a *actor) connected(s *socketState) bool {
	r := a.run
	to := socket.InternetAddress(s.inner.Domain(), s.remote)
	switch errno := s.inner.Connect(to); errno {
	case unix.EALREADY:
		a.waits(s)
		return false
	case unix.EINPROGRESS: // it was refused before, and begins anew
		if local, errno := s.inner.LocalAddress(); errno == 0 {
			s.local = local.AddrPort()
		}
		a.waits(s)
		return false
	case unix.ECONNREFUSED, unix.ETIMEDOUT:
		if r.accepted[a.records[a.next].Socket] {
			r.refused = append(r.refused, a)
			return false
		}
	}
	return true
}

// accept takes the connection of the client that the trace names, or any.
func (a *actor) accept(s *socketState, record *trace.Record) bool {
	r := a.run
	drained := false
	for {
		inner, errno := s.inner.Accept()
		if errno != 0 {
			break
		}
		from, _ := inner.PeerAddress()
		s.arrived = append(s.arrived, arrival{from.AddrPort(), inner})
		drained = true
	}
	if drained {
		r.wakeAll(&s.waiting)
	}
	i := 0
	if record.Peer >= 0 {
		client := r.at(record.Peer)
		i = slices.IndexFunc(s.arrived, func(c arrival) bool { return client.inner != nil && c.from == client.local })
	}
	if i < 0 || i >= len(s.arrived) {
		s.waiting = append(s.waiting, a)
		a.waits(s)
		return false
	}
	r.made(r.at(record.Accepted), s.arrived[i].socket, a.host)
	s.arrived = slices.Delete(s.arrived, i, i+1)
	return true
}

// write hands in all bytes, as there is room. A write that was cut short where it
// was recorded (MSG_DONTWAIT) may be here, too: the next one has what is left.
func (a *actor) write(s *socketState, record *trace.Record) bool {
	message := &socket.Message{Flags: record.Flags &^ unix.MSG_DONTWAIT}
	if !a.busy {
		a.busy, a.size = true, int(record.Amount)+s.left
		s.left = 0
	}
	for a.moved < a.size {
		source := socket.ByteSource(a.run.zeros[:min(a.size-a.moved, len(a.run.zeros))])
		n, errno := s.inner.Send(&source, message)
		a.moved += n
		switch {
		case errno == unix.EAGAIN && a.moved > 0 && record.Flags&unix.MSG_DONTWAIT != 0:
			s.left = a.size - a.moved
			return true
		case errno == unix.EAGAIN:
			a.waits(s)
			return false
		case errno != 0: // the other end is gone
			return true
		}
	}
	return true
}

// read takes so many bytes, as they come; 0 means the end of the stream.
func (a *actor) read(s *socketState, size int) bool {
	for size == 0 || a.moved < size {
		sink := countingSink{left: size - a.moved}
		if size == 0 {
			sink.left = longestSend
		}
		n, errno := s.inner.Receive(&sink, &socket.Message{})
		switch {
		case errno == unix.EAGAIN:
			a.waits(s)
			return false
		case errno != 0 || n == 0:
			return true
		}
		a.moved += n
		s.consumed += n
	}
	return true
}

// countingSink takes bytes and keeps none.
type countingSink struct{ left int }

func (c *countingSink) Len() int { return c.left }

func (c *countingSink) Write(p []byte) (int, error) {
	c.left -= len(p)
	return len(p), nil
}

func (a *actor) sendTo(s *socketState, record *trace.Record) error {
	to, err := a.address(s, record)
	if err != nil {
		return err
	}
	source := socket.ByteSource(a.run.zeros[:int(record.Amount)])
	_, errno := s.inner.Send(&source, &socket.Message{Address: to})
	if errno == unix.ECONNREFUSED { // of an earlier one
		source = a.run.zeros[:int(record.Amount)]
		_, errno = s.inner.Send(&source, &socket.Message{Address: to})
	}
	a.run.warn(a, record, errno)
	return nil
}

// receiveFrom waits for a datagram, of whatever size.
func (a *actor) receiveFrom(s *socketState) bool {
	sink := countingSink{left: 1 << 16}
	if _, errno := s.inner.Receive(&sink, &socket.Message{}); errno == unix.EAGAIN {
		a.waits(s)
		return false
	}
	return true
}
