package inet

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// ProcNet is the content of a file of /proc/net (proc(5)): the tables of
// sockets, in which they come in the order of their creation, then connections
// without one; and the counters. ok is false for files that are not this package's.
func (s *Stack) ProcNet(name string) (content string, ok bool) {
	table := procTable{stack: s}
	switch name {
	case "tcp":
		table.tcp(unix.AF_INET)
	case "tcp6":
		table.tcp(unix.AF_INET6)
	case "udp":
		table.udp(unix.AF_INET, unix.IPPROTO_UDP)
	case "udp6":
		table.udp(unix.AF_INET6, unix.IPPROTO_UDP)
	case "udplite":
		table.udp(unix.AF_INET, unix.IPPROTO_UDPLITE)
	case "udplite6":
		table.udp(unix.AF_INET6, unix.IPPROTO_UDPLITE)
	case "raw":
		table.raw(unix.AF_INET, unix.SOCK_RAW)
	case "raw6":
		table.raw(unix.AF_INET6, unix.SOCK_RAW)
	case "icmp":
		table.raw(unix.AF_INET, unix.SOCK_DGRAM)
	case "icmp6":
		table.raw(unix.AF_INET6, unix.SOCK_DGRAM)
	case "igmp":
		return s.igmp(), true
	case "igmp6":
		return s.igmp6(), true
	case "snmp":
		return s.snmp(), true
	case "netstat":
		return s.netstat(), true
	case "sockstat":
		return s.sockstat(unix.AF_INET), true
	case "sockstat6":
		return s.sockstat(unix.AF_INET6), true
	default:
		return "", false
	}
	return table.String(), true
}

// procTable is a table under construction.
type procTable struct {
	strings.Builder
	stack   *Stack
	row     int
	details []Detail // of the rows of TCP
}

// Detail is what a row of the table of TCP does not tell.
type Detail struct {
	Waiting, Backlog int    // of a listener
	Info             []byte // TCP_INFO
	Congestion       string
	Shut             byte // 1 for reading, 2 for writing
	Receiving        int  // bytes of the buffers, and how large they may be
	ReceiveLimit     int
	Sending          int
	SendLimit        int
}

// Details are those of the rows of /proc/net/tcp, or of tcp6.
func (s *Stack) Details(domain int) []Detail {
	table := procTable{stack: s}
	table.tcp(domain)
	return table.details
}

// detail adds what is known of a row, which is that of a socket or, without one, of
// a connection or neither.
func (p *procTable) detail(t *tcpSocket, c *connection) {
	var d Detail
	switch {
	case t != nil && t.listener != nil:
		d.Waiting, d.Backlog = len(t.listener.ready), t.listener.backlog
	case c != nil && c.in != nil:
		d.Receiving, d.ReceiveLimit = c.in.readable(), 2*c.receiveLimit()
		d.Sending, d.SendLimit = c.out.queued(), c.sendLimit()
		if c.receiveShut || c.finReceived {
			d.Shut |= 1
		}
		if c.sendShut {
			d.Shut |= 2
		}
	}
	if t != nil {
		d.Info = t.info()
		if d.Congestion = t.congestion; d.Congestion == "" {
			d.Congestion = congestionNames[0]
		}
	}
	p.details = append(p.details, d)
}

// procAddress is an address as /proc/net shows it: 32-bit words in the
// machine's order, then the port.
func procAddress(domain int, ap netip.AddrPort) string {
	var b strings.Builder
	raw := encodeAddress(domain, ap)
	words := raw[4:8]
	if domain == unix.AF_INET6 {
		words = raw[8:24]
	}
	for ; len(words) > 0; words = words[4:] {
		fmt.Fprintf(&b, "%08X", binary.LittleEndian.Uint32(words))
	}
	return fmt.Sprintf("%s:%04X", b.String(), ap.Port())
}

func (p *procTable) tcp(domain int) {
	head := "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
	width := 149
	if domain == unix.AF_INET6 {
		head = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
	}
	p.line(domain, width, head)
	nowhere := netip.AddrPortFrom(anyOf(domain), 0)
	var live []*connection
	for _, k := range p.stack.sockets {
		t, ok := k.(*tcpSocket)
		if !ok || t.domain != domain {
			continue
		}
		switch {
		case t.listener != nil:
			p.connection(domain, width, t.local(), nowhere, stateListen, 0, len(t.listener.ready), t.inode)
			p.detail(t, nil)
			live = append(live, t.listener.halfOpen...)
			live = append(live, t.listener.ready...)
		case t.connection != nil && t.connection.state != stateClosed:
			c := t.connection
			sent, received := c.queues()
			p.connection(domain, width, c.local, c.remote, c.visible(), sent, received, t.inode)
			p.detail(t, c)
		}
	}
	live = append(live, p.stack.orphans(domain)...)
	for _, c := range live {
		sent, received := c.queues()
		p.connection(domain, width, c.local, c.remote, c.visible(), sent, received, 0)
		p.detail(nil, c)
	}
	for _, w := range p.stack.lingering() {
		if w.domain == domain {
			p.connection(domain, width, w.tuple.local, w.tuple.remote, stateTimeWait, 0, 0, 0)
			p.detail(nil, nil)
		}
	}
}

func (c *connection) queues() (sent, received int) {
	if c.out == nil {
		return 0, 0
	}
	return c.out.queued(), c.in.readable()
}

// orphans are the connections whose socket was closed, by port.
func (s *Stack) orphans(domain int) []*connection {
	var list []*connection
	for _, c := range s.connections {
		if c.abandoned() && c.domain == domain {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b *connection) int {
		if d := a.local.Compare(b.local); d != 0 {
			return d
		}
		return a.remote.Compare(b.remote)
	})
	return list
}

func (p *procTable) connection(domain, width int, local, remote netip.AddrPort, state tcpState, sent, received int, inode uint64) {
	p.line(domain, width, fmt.Sprintf("%4d: %s %s %02X %08X:%08X 00:00000000 00000000 %5d        0 %d 1 0000000000000000 20 4 0 10 -1",
		p.row, procAddress(domain, local), procAddress(domain, remote), state, sent, received, 0, inode))
	p.row++
}

// The heads of the tables of datagram sockets.
const (
	headUDP  = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops"
	headUDP6 = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops"
)

func (p *procTable) udp(domain, protocol int) {
	head := headUDP
	if domain == unix.AF_INET6 {
		head = headUDP6
	}
	p.line(domain, 127, head)
	for _, k := range p.stack.sockets {
		u, ok := k.(*udpSocket)
		if !ok || u.domain != domain || u.protocol != protocol || u.bound == nil {
			continue
		}
		state, remote := stateClosed, netip.AddrPortFrom(anyOf(domain), 0)
		if u.remote.IsValid() {
			state, remote = stateEstablished, u.remote
		}
		p.datagram(domain, 127, netip.AddrPortFrom(u.bound.addr, u.bound.port), remote, state, &u.inbox, u.inode)
	}
}

func (p *procTable) datagram(domain, width int, local, remote netip.AddrPort, state tcpState, i *inbox, inode uint64) {
	p.line(domain, width, fmt.Sprintf("%5d: %s %s %02X %08X:%08X 00:00000000 00000000 %5d        0 %d 2 0000000000000000 %d",
		p.row, procAddress(domain, local), procAddress(domain, remote), state, 0, i.charge, 0, inode, i.drops))
	p.row++
}

// raw is the table of raw sockets, whose port is their protocol, or of ping
// sockets, whose port is their identifier.
func (p *procTable) raw(domain, kind int) {
	head, width := headUDP, 127
	switch {
	case domain == unix.AF_INET6:
		head = headUDP6
	case kind == unix.SOCK_RAW:
		head, width = headUDP[1:], 0
	default:
		head = headUDP[1:]
	}
	p.line(domain, width, head)
	for _, k := range p.stack.sockets {
		r, ok := k.(*rawSocket)
		if !ok || r.domain != domain || r.kind != kind || kind == unix.SOCK_DGRAM && r.ident == 0 {
			continue
		}
		local, remote := netip.AddrPortFrom(r.local, r.ident), netip.AddrPortFrom(anyOf(domain), 0)
		if kind == unix.SOCK_RAW {
			local = netip.AddrPortFrom(r.local, uint16(r.protocol))
		}
		state := stateClosed
		if r.remote.IsValid() {
			state, remote = stateEstablished, netip.AddrPortFrom(r.remote, 0)
		}
		p.datagram(domain, width, local, remote, state, &r.inbox, r.inode)
	}
}

// line writes a row, which the IPv4 tables pad to a fixed width.
func (p *procTable) line(domain, width int, text string) {
	if domain == unix.AF_INET6 {
		width = 0
	}
	fmt.Fprintf(p, "%-*s\n", width, text)
}
