package native

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/trace"
)

// socketOf is an Internet socket.
type socketOf struct {
	number     int
	inode      uint64
	kind       string
	connecting bool
	bound      bool
	local      uint16
}

// describe finds what a descriptor is: an Internet socket that is known, or a
// pipe, a Unix socket or an eventfd by a key.
func (o *observer) describe(tid, descriptor int) (s *socketOf, pipe string) {
	name, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", tid, descriptor))
	if err != nil {
		return nil, ""
	}
	if text, ok := strings.CutPrefix(name, "socket:["); ok {
		inode, _ := strconv.ParseUint(strings.TrimSuffix(text, "]"), 10, 64)
		return o.sockets[inode], ""
	}
	if strings.HasPrefix(name, "pipe:[") {
		return nil, name
	}
	return nil, ""
}

// inode is that of a descriptor's socket, 0 if it is none.
func inode(tid, descriptor int) uint64 {
	name, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", tid, descriptor))
	text, ok := strings.CutPrefix(name, "socket:[")
	if !ok {
		return 0
	}
	n, _ := strconv.ParseUint(strings.TrimSuffix(text, "]"), 10, 64)
	return n
}

// socket notes a new socket.
func (o *observer) socket(t *thread, descriptor int, domain, kind uint64) {
	const typeMask = 0xf
	prefix, ok := map[uint64]string{unix.SOCK_STREAM: "tcp", unix.SOCK_DGRAM: "udp"}[kind&typeMask]
	family, inet := map[uint64]string{unix.AF_INET: "4", unix.AF_INET6: "6"}[domain]
	if !ok || !inet {
		return
	}
	s := o.register(t, descriptor, prefix+family)
	t.do(trace.Record{Action: trace.Socket, Socket: s.number, Name: s.kind})
}

func (o *observer) register(t *thread, descriptor int, kind string) *socketOf {
	o.made++
	s := &socketOf{number: o.made, kind: kind, inode: inode(t.tid, descriptor)}
	o.sockets[s.inode] = s
	return s
}

// ports are those of a socket's two ends, as /proc/net shows them; ok is false
// when it shows none.
func (s *socketOf) ports() (local, remote uint16, ok bool) {
	for _, table := range []string{s.kind[:3], s.kind[:3] + "6"} {
		f, err := os.Open("/proc/net/" + table)
		if err != nil {
			continue
		}
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			words := strings.Fields(lines.Text())
			if len(words) > 9 && words[9] == strconv.FormatUint(s.inode, 10) {
				local, remote, ok = portOf(words[1]), portOf(words[2]), true
			}
		}
		f.Close()
	}
	return local, remote, ok
}

// portOf reads the port of an address of /proc/net/tcp.
func portOf(word string) uint16 {
	_, text, _ := strings.Cut(word, ":")
	n, _ := strconv.ParseUint(text, 16, 16)
	return uint16(n)
}

// address reads a guest's struct sockaddr.
func address(tid int, pointer, size uint64) socket.Address {
	b := make(socket.Address, min(size, 28))
	if pointer == 0 || len(b) == 0 {
		return nil
	}
	if _, errno := guest.ReadMemory(tid, pointer, b); errno != 0 {
		return nil
	}
	return b
}

// bound writes where a socket is, once.
func (o *observer) bound(t *thread, s *socketOf) {
	if local, _, ok := s.ports(); ok {
		o.boundTo(t, s, local)
	}
}

func (o *observer) boundTo(t *thread, s *socketOf, local uint16) {
	if s.bound {
		return
	}
	s.bound, s.local = true, local
	o.listeners[local] = t.process
	t.do(trace.Record{Action: trace.Bind, Socket: s.number, Name: "*", Port: local})
}

// connect notes the beginning of a connection, or a datagram socket's peer.
func (o *observer) connect(t *thread, s *socketOf, result int64) {
	to := address(t.tid, t.arguments[1], t.arguments[2]).AddrPort()
	if !to.IsValid() {
		return
	}
	if strings.HasPrefix(s.kind, "udp") {
		return
	}
	if s.connecting && result == 0 || result == -int64(unix.EISCONN) {
		o.connected(t, s)
		return
	}
	if s.connecting {
		return
	}
	s.connecting = true
	i := t.do(trace.Record{Action: trace.Connect, Socket: s.number, Name: "localhost", Port: to.Port()})
	t.actions[i].to = o.listeners[to.Port()]
	if local, remote, ok := s.ports(); ok {
		o.connects[[2]uint16{local, remote}] = s.number
	}
	if result == 0 {
		o.connected(t, s)
	}
}

func (o *observer) connected(t *thread, s *socketOf) {
	if s.connecting {
		s.connecting = false
		t.received(trace.Record{Action: trace.Connected, Socket: s.number})
	}
}

// accepted notes a connection that a listener has given.
func (o *observer) accepted(t *thread, listener *socketOf, descriptor int) {
	n := o.register(t, descriptor, listener.kind)
	t.received(trace.Record{Action: trace.Accept, Socket: listener.number, Accepted: n.number, Peer: trace.Absent})
	if local, remote, ok := n.ports(); ok {
		// The call that connects may return later than this one.
		t.actions[len(t.actions)-1].client = [2]uint16{remote, local}
	}
}

// wrote and read note what went through a socket.
func (o *observer) wrote(t *thread, s *socketOf, n int64, to socket.Address) {
	if strings.HasPrefix(s.kind, "tcp") {
		s.connecting = false
		t.do(trace.Record{Action: trace.Write, Socket: s.number, Amount: float64(n), Given: 2})
		return
	}
	o.bound(t, s)
	at := to.AddrPort().Port()
	if !to.AddrPort().IsValid() {
		_, at, _ = s.ports()
	}
	i := t.do(trace.Record{Action: trace.SendTo, Socket: s.number, Name: "localhost", Port: at, Amount: float64(n)})
	t.actions[i].to = o.listeners[at]
}

func (o *observer) read(t *thread, s *socketOf, n int64) {
	if strings.HasPrefix(s.kind, "tcp") {
		s.connecting = false
		t.received(trace.Record{Action: trace.Read, Socket: s.number, Amount: float64(n)})
		return
	}
	o.bound(t, s)
	t.received(trace.Record{Action: trace.ReceiveFrom, Socket: s.number, Amount: float64(n), Peer: trace.Absent})
}

// option notes an option that is set, as far as its value can be read.
func (o *observer) option(t *thread, s *socketOf) {
	value := make([]byte, min(t.arguments[4], 64))
	if _, errno := guest.ReadMemory(t.tid, t.arguments[3], value); errno != 0 {
		return
	}
	t.do(trace.Record{Action: trace.Option, Socket: s.number, Flags: int(t.arguments[1]), Number: int(t.arguments[2]), Data: value})
}

// socketsOf are the sockets that a process has.
func (o *observer) socketsOf(pid int) (list []*socketOf) {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	had := map[*socketOf]bool{}
	for _, e := range entries {
		n, _ := strconv.Atoi(e.Name())
		if s, _ := o.describe(pid, n); s != nil && !had[s] {
			had[s] = true
			list = append(list, s)
		}
	}
	return list
}

// closed notes that a process but for without has a socket no more, if no other
// one has it.
func (o *observer) closed(t *thread, s *socketOf, without int) {
	for pid := range o.processes {
		if pid == without {
			continue
		}
		for _, other := range o.socketsOf(pid) {
			if other == s {
				return
			}
		}
	}
	t.do(trace.Record{Action: trace.Close, Socket: s.number})
	delete(o.sockets, s.inode)
}
