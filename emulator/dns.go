package emulator

import (
	"encoding/binary"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/kernel/waiter"
	"github.com/simterpose/simterpose/platform"
)

// nameServerAddress is where each host's guests find a name server: a stub on
// the host itself, as on many real ones. It knows the platform's hosts and
// nothing else.
var nameServerAddress = netip.MustParseAddr("127.0.0.53")

const nameServerPort = 53

// names are what the name servers know.
type names struct {
	byName    map[string][]netip.Addr
	byAddress map[netip.Addr]string
}

func newNames(hosts []*platform.Host) *names {
	n := &names{byName: map[string][]netip.Addr{}, byAddress: map[netip.Addr]string{}}
	for _, h := range hosts {
		addresses := addressesOf(h)
		n.byName[strings.ToLower(h.Name)] = addresses
		for _, a := range addresses {
			n.byAddress[a] = h.Name
		}
	}
	local := []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	n.byName["localhost"] = local
	for _, a := range local {
		n.byAddress[a] = "localhost"
	}
	return n
}

// timeToLive is that of all answers, in seconds.
const timeToLive = 60

// answer answers a request in the DNS's format; nil if it is none.
func (n *names) answer(request []byte, limit int) []byte {
	var question dns.Msg
	if err := question.Unpack(request); err != nil || question.Response {
		return nil
	}
	var reply dns.Msg
	reply.SetReply(&question)
	reply.RecursionAvailable = true
	if e := question.IsEdns0(); e != nil {
		reply.SetEdns0(dns.DefaultMsgSize, false)
		limit = max(limit, int(e.UDPSize()))
	}
	if question.Opcode != dns.OpcodeQuery || len(question.Question) != 1 {
		reply.Rcode = dns.RcodeNotImplemented
	} else {
		n.resolve(question.Question[0], &reply)
	}
	reply.Truncate(limit)
	packed, err := reply.Pack()
	if err != nil {
		return nil
	}
	return packed
}

func (n *names) resolve(q dns.Question, reply *dns.Msg) {
	header := dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: timeToLive}
	if q.Qtype == dns.TypePTR {
		if name, ok := n.byAddress[reversed(q.Name)]; ok {
			reply.Answer = append(reply.Answer, &dns.PTR{Hdr: header, Ptr: dns.Fqdn(name)})
			return
		}
		reply.Rcode = dns.RcodeNameError
		return
	}
	addresses, ok := n.byName[strings.ToLower(strings.TrimSuffix(q.Name, "."))]
	if !ok {
		reply.Rcode = dns.RcodeNameError
		return
	}
	for _, a := range addresses {
		switch {
		case a.Is4() && (q.Qtype == dns.TypeA || q.Qtype == dns.TypeANY):
			header.Rrtype = dns.TypeA
			reply.Answer = append(reply.Answer, &dns.A{Hdr: header, A: a.AsSlice()})
		case a.Is6() && (q.Qtype == dns.TypeAAAA || q.Qtype == dns.TypeANY):
			header.Rrtype = dns.TypeAAAA
			reply.Answer = append(reply.Answer, &dns.AAAA{Hdr: header, AAAA: a.AsSlice()})
		}
	}
}

// reversed is the address that a name of in-addr.arpa or ip6.arpa means.
func reversed(name string) netip.Addr {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if v4, ok := strings.CutSuffix(name, ".in-addr.arpa"); ok {
		parts := strings.Split(v4, ".")
		for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
			parts[i], parts[j] = parts[j], parts[i]
		}
		a, _ := netip.ParseAddr(strings.Join(parts, "."))
		return a
	}
	if v6, ok := strings.CutSuffix(name, ".ip6.arpa"); ok {
		digits := strings.Split(v6, ".")
		var b strings.Builder
		for i := len(digits) - 1; i >= 0; i-- {
			b.WriteString(digits[i])
			if i > 0 && (len(digits)-i)%4 == 0 {
				b.WriteByte(':')
			}
		}
		a, _ := netip.ParseAddr(b.String())
		return a
	}
	return netip.Addr{}
}

// serveNames answers name questions on a host, over UDP and TCP.
func (h *host) serveNames(n *names) {
	address := make(socket.Address, 16)
	binary.LittleEndian.PutUint16(address, unix.AF_INET)
	binary.BigEndian.PutUint16(address[2:], nameServerPort)
	copy(address[4:], nameServerAddress.AsSlice())

	if s, errno := h.stack.NewSocket(unix.AF_INET, unix.SOCK_DGRAM, 0); errno == 0 && s.Bind(address) == 0 {
		s.Queue().Add(&waiter.Entry{Interest: waiter.In, Wake: func(waiter.Mask) { h.serveDatagrams(s, n) }})
	}
	if s, errno := h.stack.NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0); errno == 0 && s.Bind(address) == 0 && s.Listen(16) == 0 {
		s.Queue().Add(&waiter.Entry{Interest: waiter.In, Wake: func(waiter.Mask) {
			for {
				c, errno := s.Accept()
				if errno != 0 {
					return
				}
				h.serveStream(c, n)
			}
		}})
	}
}

// answer is the answer to a question, unless an event has broken the server.
func (h *host) answer(n *names, question []byte, limit int) []byte {
	switch h.nameService {
	case experiment.NamesSilent:
		return nil
	case experiment.NamesFail:
		var q, reply dns.Msg
		if q.Unpack(question) != nil {
			return nil
		}
		packed, err := reply.SetRcode(&q, dns.RcodeServerFailure).Pack()
		if err != nil {
			return nil
		}
		return packed
	}
	return n.answer(question, limit)
}

func (h *host) serveDatagrams(s socket.Socket, n *names) {
	for {
		buffer := make([]byte, dns.MaxMsgSize)
		var m socket.Message
		size, errno := s.Receive(&sink{buffer}, &m)
		if errno == unix.EAGAIN {
			return
		}
		if errno != 0 {
			continue // an error of an earlier answer
		}
		if reply := h.answer(n, buffer[:size], dns.MinMsgSize); reply != nil {
			s.Send(newSource(reply), &socket.Message{Address: m.Address})
		}
	}
}

// serveStream answers questions on a connection: each with its length before
// it (RFC 1035, section 4.2.2).
func (h *host) serveStream(c socket.Socket, n *names) {
	var have []byte
	entry := &waiter.Entry{Interest: waiter.In | waiter.RdHup}
	read := func() {
		for {
			buffer := make([]byte, 4096)
			size, errno := c.Read(&sink{buffer})
			if errno == unix.EAGAIN {
				return
			}
			if errno != 0 || size == 0 {
				entry.Remove()
				c.Release()
				return
			}
			have = append(have, buffer[:size]...)
			for len(have) >= 2 && len(have) >= 2+int(binary.BigEndian.Uint16(have)) {
				length := int(binary.BigEndian.Uint16(have))
				if reply := h.answer(n, have[2:2+length], dns.MaxMsgSize); reply != nil {
					c.Write(newSource(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)))
				}
				have = have[2+length:]
			}
		}
	}
	entry.Wake = func(waiter.Mask) { read() }
	c.Queue().Add(entry)
	read()
}
