package inet

import (
	"encoding/binary"
	commandline "flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/sim"
)

// The scripts in testdata/linux are calls on sockets of one host and what Linux
// answers: "call arguments => outcome". Both this machine's kernel and the
// emulated one are asked:
//
//	go test ./kernel/inet -run Script            # emulated
//	go test ./kernel/inet -run Script -native    # this machine
//	go test ./kernel/inet -run Script -native -update
//
// A word like $a in an address is a port, the same wherever it is named.

var (
	native = commandline.Bool("native", false, "run the scripts on this machine's kernel")
	update = commandline.Bool("update", false, "write down the outcomes")
)

// system is a kernel that scripts run on.
type system interface {
	socket(domain, kind, protocol int) (any, unix.Errno)
	bind(s any, a socket.Address) unix.Errno
	listen(s any, backlog int) unix.Errno
	connect(s any, a socket.Address) unix.Errno
	accept(s any) (any, unix.Errno)
	send(s any, data []byte, flags int, to socket.Address, control []byte) (int, unix.Errno)
	receive(s any, size, flags int) received
	shutdown(s any, how int) unix.Errno
	close(s any)
	name(s any, peer bool) (socket.Address, unix.Errno)
	poll(s any) waiter.Mask
	setOption(s any, level, name int, value []byte) unix.Errno
	option(s any, level, name, size int) ([]byte, unix.Errno)
	ioctl(s any, request uint32) (int, unix.Errno)
	wait(d time.Duration)
	freePort() uint16
	setting(name string, value int) unix.Errno
}

// received is what recvmsg(2) gives.
type received struct {
	n       int
	data    []byte
	from    socket.Address
	control []byte
	flags   int
	errno   unix.Errno
}

// emulated is the system under test: one host, no latency.
type emulated struct {
	queue *sim.Queue
	stack *Stack
	port  uint16
	// settings are those of /proc/sys/net that a script has written.
	settings map[string]int
}

func newEmulated() *emulated {
	q := &sim.Queue{}
	n := NewNetwork(q, &wire{queue: q, direct: true})
	e := &emulated{queue: q, port: 5000, settings: map[string]int{}}
	e.stack = n.NewStack(Config{
		Name: "host", Addresses: []netip.Addr{at4("10.0.0.1")}, Random: rand.NewChaCha8([32]byte{}), Realtime: func() int64 { return int64(q.Now()) },
		Setting: func(name string) (int, bool) {
			v, ok := e.settings[name]
			return v, ok
		},
	})
	return e
}

func (e *emulated) setting(name string, value int) unix.Errno {
	e.settings[name] = value
	return 0
}

func (e *emulated) socket(domain, kind, protocol int) (any, unix.Errno) {
	return e.stack.NewSocket(domain, kind, protocol)
}
func (e *emulated) bind(s any, a socket.Address) unix.Errno { return s.(socket.Socket).Bind(a) }
func (e *emulated) listen(s any, backlog int) unix.Errno    { return s.(socket.Socket).Listen(backlog) }

func (e *emulated) connect(s any, a socket.Address) unix.Errno {
	return s.(socket.Socket).Connect(a)
}
func (e *emulated) accept(s any) (any, unix.Errno) { return s.(socket.Socket).Accept() }
func (e *emulated) send(s any, data []byte, flags int, to socket.Address, control []byte) (int, unix.Errno) {
	src := socket.ByteSource(data)
	n, errno := s.(socket.Socket).Send(&src, &socket.Message{Flags: flags | unix.MSG_DONTWAIT, Address: to, Control: control})
	if n > 0 && errno == unix.EINPROGRESS {
		return n, 0
	}
	return n, errno
}

func (e *emulated) receive(s any, size, flags int) received {
	dst := socket.ByteSink(make([]byte, 0, size))
	m := socket.Message{Flags: flags | unix.MSG_DONTWAIT}
	n, errno := s.(socket.Socket).Receive(&dst, &m)
	return received{n, dst, m.Address, m.Control, m.Flags, errno}
}
func (e *emulated) shutdown(s any, how int) unix.Errno { return s.(socket.Socket).Shutdown(how) }
func (e *emulated) close(s any)                        { s.(socket.Socket).Release() }
func (e *emulated) name(s any, peer bool) (socket.Address, unix.Errno) {
	if peer {
		return s.(socket.Socket).PeerAddress()
	}
	return s.(socket.Socket).LocalAddress()
}
func (e *emulated) poll(s any) waiter.Mask { return s.(socket.Socket).Readiness() }
func (e *emulated) setOption(s any, level, name int, value []byte) unix.Errno {
	return s.(socket.Socket).SetOption(level, name, value)
}

func (e *emulated) option(s any, level, name, size int) ([]byte, unix.Errno) {
	v, errno := s.(socket.Socket).Option(level, name)
	return v[:min(len(v), size)], errno
}

func (e *emulated) ioctl(s any, request uint32) (int, unix.Errno) {
	v, errno, ok := s.(socket.Ioctler).Ioctl(request)
	if !ok {
		return 0, unix.ENOTTY
	}
	return v, errno
}

func (e *emulated) wait(d time.Duration) {
	end := e.queue.Now().Add(d)
	for e.queue.Next() <= end {
		e.queue.Step()
	}
	e.queue.Advance(end)
}

func (e *emulated) freePort() uint16 {
	e.port++
	return e.port
}

// script is one file being run.
type script struct {
	*testing.T
	system  system
	sockets map[string]any
	domains map[string]int
	ports   map[string]uint16
}

func TestScriptsOfLinux(t *testing.T) {
	files, err := filepath.Glob("testdata/linux/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScript(t, file) })
	}
}

// runScript runs the parts of a file, which a line "---" separates: each begins
// without sockets.
func runScript(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s *script
	begin := func() {
		if s != nil {
			s.end()
		}
		s = &script{T: t, system: newEmulated(), sockets: map[string]any{}, domains: map[string]int{}, ports: map[string]uint16{}}
		if *native {
			s.system = machine{}
		}
	}
	begin()
	var out strings.Builder
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		call, want, _ := strings.Cut(line, " => ")
		call = strings.TrimSpace(strings.TrimSuffix(call, " =>"))
		switch {
		case strings.HasPrefix(call, "---"):
			begin()
			fallthrough
		case call == "" || call[0] == '#':
			fmt.Fprintln(&out, line)
			continue
		}
		got := s.run(call)
		s.system.wait(time.Millisecond)
		fmt.Fprintln(&out, call, "=>", got)
		if got != want && !*update {
			t.Errorf("%s:%d: %s\n\tgot  %s\n\twant %s", filepath.Base(file), i+1, call, got, want)
		}
	}
	s.end()
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// end closes what the part left open; the order does not matter any more.
func (s *script) end() {
	for _, k := range s.sockets {
		s.system.close(k)
	}
}

func (s *script) address(domain int, word string) socket.Address {
	if word == "none" {
		return socket.Address(make([]byte, 16))
	}
	i := strings.LastIndexByte(word, ':')
	host, port := strings.Trim(word[:i], "[]"), word[i+1:]
	var number uint16
	if port[0] == '$' {
		if s.ports[port] == 0 {
			s.ports[port] = s.system.freePort()
		}
		number = s.ports[port]
	} else {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			s.Fatal(err)
		}
		number = uint16(n)
	}
	addr := netip.MustParseAddr(host)
	if addr.Is4In6() || addr.Is6() {
		domain = unix.AF_INET6
	} else if domain == unix.AF_INET6 { // an IPv4 address on purpose
		domain = unix.AF_INET
	}
	return encodeAddress(domain, netip.AddrPortFrom(addr, number))
}

// show is an address in a script's words.
func (s *script) show(a socket.Address) string {
	if len(a) < 8 {
		return "none"
	}
	var addr netip.Addr
	switch a.Family() {
	case unix.AF_INET:
		addr = netip.AddrFrom4([4]byte(a[4:8]))
	case unix.AF_INET6:
		addr = netip.AddrFrom16([16]byte(a[8:24]))
	default:
		return fmt.Sprintf("family %d", a.Family())
	}
	port := binary.BigEndian.Uint16(a[2:])
	text := strconv.Itoa(int(port))
	if port >= 1024 {
		text = "auto"
	}
	for name, p := range s.ports {
		if p == port {
			text = name
		}
	}
	if addr.Is6() {
		return "[" + addr.String() + "]:" + text
	}
	return addr.String() + ":" + text
}

func outcome(e unix.Errno) string {
	if e == 0 {
		return "ok"
	}
	return unix.ErrnoName(e)
}

func counted(n int, e unix.Errno) string {
	if e != 0 {
		return unix.ErrnoName(e)
	}
	return strconv.Itoa(n)
}

func (s *script) number(word string) int {
	n, err := strconv.ParseInt(word, 0, 64)
	if err != nil {
		s.Fatal(err)
	}
	return int(n)
}

// run carries out a call and returns its outcome.
func (s *script) run(call string) string {
	w := strings.Fields(call)
	if w[0] == "wait" {
		d, err := time.ParseDuration(w[1])
		if err != nil {
			s.Fatal(err)
		}
		s.system.wait(d)
		return "ok"
	}
	if w[0] == "setting" {
		return outcome(s.system.setting(w[1], s.number(w[2])))
	}
	name := w[1]
	if w[0] == "socket" {
		protocol := 0
		if len(w) > 4 {
			protocol = s.number(w[4])
		}
		domain := map[string]int{"inet": unix.AF_INET, "inet6": unix.AF_INET6}[w[2]]
		kind := map[string]int{"stream": unix.SOCK_STREAM, "dgram": unix.SOCK_DGRAM, "raw": unix.SOCK_RAW, "seqpacket": unix.SOCK_SEQPACKET}[w[3]]
		k, errno := s.system.socket(domain, kind, protocol)
		if errno == 0 {
			s.sockets[name], s.domains[name] = k, domain
		}
		return outcome(errno)
	}
	k, ok := s.sockets[name]
	if !ok {
		return "EBADF"
	}
	domain := s.domains[name]
	switch w[0] {
	case "bind":
		return outcome(s.system.bind(k, s.address(domain, w[2])))
	case "listen":
		return outcome(s.system.listen(k, s.number(w[2])))
	case "connect":
		return outcome(s.system.connect(k, s.address(domain, w[2])))
	case "accept":
		c, errno := s.system.accept(k)
		if errno == 0 {
			s.sockets[w[2]], s.domains[w[2]] = c, domain
		}
		return outcome(errno)
	case "shutdown":
		how := map[string]int{"read": unix.SHUT_RD, "write": unix.SHUT_WR, "both": unix.SHUT_RDWR}[w[2]]
		return outcome(s.system.shutdown(k, how))
	case "close":
		s.system.close(k)
		delete(s.sockets, name)
		return "ok"
	case "sockname", "peername":
		a, errno := s.system.name(k, w[0] == "peername")
		if errno != 0 {
			return outcome(errno)
		}
		if len(w) > 2 { // learn the port
			s.ports[w[2]] = binary.BigEndian.Uint16(a[2:])
		}
		return s.show(a)
	case "poll":
		return events(s.system.poll(k))
	case "send":
		return s.send(k, domain, w[2:])
	case "recv":
		return s.receive(k, w[2:])
	case "set":
		o := s.option(w[2])
		return outcome(s.system.setOption(k, o.level, o.name, s.value(domain, w[3])))
	case "get":
		o := s.option(w[2])
		size := 64
		if len(w) > 3 {
			size = s.number(w[3])
		}
		v, errno := s.system.option(k, o.level, o.name, size)
		if errno != 0 {
			return outcome(errno)
		}
		if len(v) == 4 {
			return strconv.Itoa(int(int32(binary.LittleEndian.Uint32(v))))
		}
		return fmt.Sprintf("%x", v)
	case "ioctl":
		request := map[string]uint32{"FIONREAD": fionread, "SIOCOUTQ": siocoutq, "SIOCATMARK": siocatmark, "SIOCOUTQNSD": siocoutqnsd}[w[2]]
		return counted(s.system.ioctl(k, request))
	}
	s.Fatalf("unknown call %q", call)
	return ""
}

// value is an option's value: an int, or bytes as x'hex', ” for none.
func (s *script) value(domain int, word string) []byte {
	if hex, ok := strings.CutPrefix(word, "x"); ok {
		var v []byte
		for ; len(hex) >= 2; hex = hex[2:] {
			b, err := strconv.ParseUint(hex[:2], 16, 8)
			if err != nil {
				s.Fatal(err)
			}
			v = append(v, byte(b))
		}
		return v
	}
	if text, ok := strings.CutPrefix(word, "'"); ok {
		return []byte(strings.TrimSuffix(text, "'"))
	}
	return int32Value(s.number(word))
}

// messageFlags are those that scripts name.
var messageFlags = []struct {
	name string
	bit  int
}{
	{"OOB", unix.MSG_OOB},
	{"PEEK", unix.MSG_PEEK},
	{"TRUNC", unix.MSG_TRUNC},
	{"CTRUNC", unix.MSG_CTRUNC},
	{"EOR", unix.MSG_EOR},
	{"ERRQUEUE", unix.MSG_ERRQUEUE},
	{"MORE", unix.MSG_MORE},
	{"DONTROUTE", unix.MSG_DONTROUTE},
	{"FASTOPEN", unix.MSG_FASTOPEN},
	{"ZEROCOPY", unix.MSG_ZEROCOPY},
}

func messageFlag(word string) int {
	for _, f := range messageFlags {
		if f.name == word {
			return f.bit
		}
	}
	return 0
}

func (s *script) send(k any, domain int, w []string) string {
	data := []byte(w[0])
	if size, ok := strings.CutPrefix(w[0], "*"); ok { // so many bytes
		data = make([]byte, s.number(size))
	} else if hex, ok := strings.CutPrefix(w[0], "0x"); ok {
		data = s.value(domain, "x"+hex)
	}
	flags := 0
	var to socket.Address
	var control []byte
	for i := 1; i < len(w); i++ {
		switch w[i] {
		case "to":
			i++
			to = s.address(domain, w[i])
		case "with":
			o := s.option(w[i+1])
			control = appendControl(control, o.level, o.name, s.value(domain, w[i+2]))
			i += 2
		default:
			flags |= messageFlag(w[i])
		}
	}
	return counted(s.system.send(k, data, flags, to, control))
}

func (s *script) receive(k any, w []string) string {
	flags := 0
	for _, word := range w[1:] {
		flags |= messageFlag(word)
	}
	r := s.system.receive(k, s.number(w[0]), flags)
	if r.errno != 0 {
		return outcome(r.errno)
	}
	text := strconv.Itoa(r.n)
	if kind, _ := s.system.option(k, unix.SOL_SOCKET, unix.SO_TYPE, 4); len(r.data) >= ip4HeaderBytes && kind[0] == unix.SOCK_RAW && r.data[0] == 0x45 {
		// The identification is a random number, in the checksum too.
		clear(r.data[4:6])
		clear(r.data[10:12])
	}
	if len(r.data) > 100 {
		text += " ..."
	} else if len(r.data) > 0 {
		text += fmt.Sprintf(" %q", r.data)
	}
	if r.from != nil {
		text += " from " + s.show(r.from)
	}
	for _, f := range messageFlags {
		if r.flags&f.bit != 0 {
			text += " " + f.name
		}
	}
	for c := r.control; len(c) >= controlHeader; {
		size := int(binary.LittleEndian.Uint64(c))
		key := optionKey{int(int32(binary.LittleEndian.Uint32(c[8:]))), int(int32(binary.LittleEndian.Uint32(c[12:])))}
		text += " with " + s.record(key, c[controlHeader:size])
		c = c[min((size+7)&^7, len(c)):]
	}
	return text
}

// record is a control message in a script's words.
func (s *script) record(key optionKey, data []byte) string {
	label := fmt.Sprintf("%d/%d", key.level, key.name)
	for _, o := range scriptOptions {
		if o.optionKey == key {
			label = o.label
			break
		}
	}
	switch {
	case key.level == unix.SOL_SOCKET && (key.name == unix.SCM_TIMESTAMP || key.name == unix.SCM_TIMESTAMPNS || key.name == unix.SO_TIMESTAMPING):
		return fmt.Sprintf("%s of %d bytes", label, len(data))
	case key.name == unix.IP_ORIGDSTADDR && key.level == unix.IPPROTO_IP, key.name == unix.IPV6_ORIGDSTADDR && key.level == unix.IPPROTO_IPV6:
		return label + " " + s.show(data)
	case len(data) == 4:
		return fmt.Sprintf("%s %d", label, int32(binary.LittleEndian.Uint32(data)))
	}
	text := fmt.Sprintf("%s %x", label, data[:min(16, len(data))])
	if len(data) > 16 && key.name != unix.IPV6_PKTINFO {
		text += " " + s.show(data[16:])
	}
	return text
}

func events(m waiter.Mask) string {
	var words []string
	for _, e := range []struct {
		name string
		bit  waiter.Mask
	}{
		{"IN", waiter.In},
		{"PRI", waiter.Pri},
		{"OUT", waiter.Out},
		{"ERR", waiter.Err},
		{"HUP", waiter.Hup},
		{"RDNORM", waiter.RdNorm},
		{"WRNORM", waiter.WrNorm},
		{"RDHUP", waiter.RdHup},
	} {
		if m&e.bit != 0 {
			words = append(words, e.name)
		}
	}
	if words == nil {
		return "0"
	}
	return strings.Join(words, "|")
}

// scriptOption is an option that scripts name.
type scriptOption struct {
	label string
	optionKey
}

func (s *script) option(word string) optionKey {
	for _, o := range scriptOptions {
		if o.label == word {
			return o.optionKey
		}
	}
	level, name, ok := strings.Cut(word, "/")
	if !ok {
		s.Fatalf("unknown option %q", word)
	}
	return optionKey{s.number(level), s.number(name)}
}
