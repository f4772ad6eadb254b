package sockdiag

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/inet"
)

// Sizes and numbers of linux/netlink.h, sock_diag.h, inet_diag.h and unix_diag.h.
const (
	headerSize      = unix.SizeofNlMsghdr
	oldTCP          = 18 // TCPDIAG_GETSOCK
	oldDCCP         = 19 // DCCPDIAG_GETSOCK
	byFamily        = 20 // SOCK_DIAG_BY_FAMILY
	protocolOf      = 3  // INET_DIAG_REQ_PROTOCOL
	inetRequestSize = 56
	inetInfo        = 2 // INET_DIAG_INFO
	inetCongestion  = 4 // INET_DIAG_CONG
	inetMemory      = 7 // INET_DIAG_SKMEMINFO
	inetShutdown    = 8 // INET_DIAG_SHUTDOWN
	listening       = 10
	datagramMost    = 4096
)

func align(n int) int { return (n + 3) &^ 3 }

// answer is what the kernel answers a request, in messages of one or several
// records.
func answer(request []byte, port uint32, tables Tables) [][]byte {
	sequence := binary.LittleEndian.Uint32(request[8:])
	kind, flags := binary.LittleEndian.Uint16(request[4:]), binary.LittleEndian.Uint16(request[6:])
	header := func(b []byte, size int, kind, flags uint16) []byte {
		b = binary.LittleEndian.AppendUint32(b, uint32(headerSize+size))
		b = binary.LittleEndian.AppendUint16(b, kind)
		b = binary.LittleEndian.AppendUint16(b, flags)
		b = binary.LittleEndian.AppendUint32(b, sequence)
		return binary.LittleEndian.AppendUint32(b, port)
	}
	refuse := func(errno unix.Errno) [][]byte {
		b := header(nil, 4+headerSize, unix.NLMSG_ERROR, 0)
		b = binary.LittleEndian.AppendUint32(b, uint32(-int32(errno)))
		return [][]byte{append(b, request[:headerSize]...)}
	}
	body := request[headerSize:]
	switch {
	case kind == oldTCP || kind == oldDCCP:
		return refuse(unix.ENOENT)
	case kind != byFamily:
		return refuse(unix.EINVAL)
	case len(body) < 4:
		return refuse(unix.EINVAL)
	case flags&unix.NLM_F_DUMP != unix.NLM_F_DUMP:
		return refuse(unix.ENOENT) // one socket by its cookie: none has the one asked for
	}
	var records [][]byte
	outcome := int32(0)
	switch family := body[0]; family {
	case unix.AF_INET, unix.AF_INET6:
		if len(body) < inetRequestSize {
			return refuse(unix.EINVAL)
		}
		name, ok := map[byte]string{
			unix.IPPROTO_TCP: "tcp", unix.IPPROTO_UDP: "udp", unix.IPPROTO_UDPLITE: "udplite", unix.IPPROTO_RAW: "raw",
		}[body[1]]
		if !ok || otherProtocol(body[inetRequestSize:], body[1]) {
			outcome = -int32(unix.ENOENT)
			break
		}
		if family == unix.AF_INET6 {
			name += "6"
		}
		text, _ := tables.ProcNet(name)
		var details []inet.Detail
		if body[1] == unix.IPPROTO_TCP {
			details = tables.Details(int(family))
		}
		records = inetRecords(text, details, family, body[2], binary.LittleEndian.Uint32(body[4:]))
	case unix.AF_UNIX:
		if len(body) < unixRequestSize {
			return refuse(unix.EINVAL)
		}
		records = unixRecords(tables.Unix(), binary.LittleEndian.Uint32(body[4:]), binary.LittleEndian.Uint32(body[12:]))
	case unix.AF_NETLINK, unix.AF_PACKET: // none that a guest could see
	default:
		return refuse(unix.ENOENT)
	}
	var list [][]byte
	var b []byte
	for _, r := range records {
		if len(b) > 0 && len(b)+headerSize+len(r) > datagramMost {
			list, b = append(list, b), nil
		}
		b = append(header(b, len(r), byFamily, unix.NLM_F_MULTI), r...)
	}
	if len(b) > 0 {
		list = append(list, b)
	}
	return append(list, binary.LittleEndian.AppendUint32(header(nil, 4, unix.NLMSG_DONE, unix.NLM_F_MULTI), uint32(outcome)))
}

// otherProtocol tells whether the attributes of a request name another protocol
// than fits into its head: that of multipath TCP is 262.
func otherProtocol(attributes []byte, protocol byte) bool {
	for len(attributes) >= 4 {
		size := int(binary.LittleEndian.Uint16(attributes))
		if size < 4 || size > len(attributes) {
			return false
		}
		if binary.LittleEndian.Uint16(attributes[2:]) == protocolOf && size >= 8 {
			return binary.LittleEndian.Uint32(attributes[4:]) != uint32(protocol)
		}
		attributes = attributes[min(align(size), len(attributes)):]
	}
	return false
}

// inetRecords are struct inet_diag_msg's of a table whose state is one of a set,
// with the attributes that wanted asks for.
func inetRecords(table string, details []inet.Detail, family, wanted byte, states uint32) (records [][]byte) {
	const slot, local, remote, state, queues, user, inode = 0, 1, 2, 3, 4, 7, 9
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) <= inode || !strings.HasSuffix(f[slot], ":") {
			continue
		}
		var detail inet.Detail
		if len(details) > 0 {
			detail, details = details[0], details[1:]
		}
		number, err := strconv.ParseUint(f[state], 16, 8)
		if err != nil || states&(1<<number) == 0 {
			continue
		}
		sent, received, _ := strings.Cut(f[queues], ":")
		from, fromPort := endpoint(f[local])
		to, toPort := endpoint(f[remote])
		b := []byte{family, byte(number), 0, 0}
		b = append(append(b, fromPort[:]...), toPort[:]...)
		b = append(append(b, from[:]...), to[:]...)
		b = append(b, make([]byte, 4)...)                          // interface
		b = binary.LittleEndian.AppendUint32(b, integer(f[inode])) // cookie
		b = append(b, make([]byte, 4+4)...)                        // and the time that a timer has left
		waiting, room := hexadecimal(received), hexadecimal(sent)
		if number == listening {
			waiting, room = uint32(detail.Waiting), uint32(detail.Backlog)
		}
		for _, v := range []uint32{waiting, room, integer(f[user]), integer(f[inode])} {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
		records = append(records, appendDetail(b, detail, wanted))
	}
	return records
}

// appendDetail appends the attributes that a mask of them asks for.
func appendDetail(b []byte, d inet.Detail, wanted byte) []byte {
	asked := func(kind int) bool { return wanted&(1<<(kind-1)) != 0 }
	b = attribute(b, inetShutdown, []byte{d.Shut})
	if d.Info == nil {
		return b
	}
	if asked(inetMemory) {
		var memory []byte
		for _, v := range []int{
			d.Receiving, d.ReceiveLimit, d.Sending, d.SendLimit, 0, d.Sending, 0, 0, 0, // SK_MEMINFO_*
		} {
			memory = binary.LittleEndian.AppendUint32(memory, uint32(v))
		}
		b = attribute(b, inetMemory, memory)
	}
	if asked(inetInfo) {
		b = attribute(b, inetInfo, d.Info)
	}
	if asked(inetCongestion) {
		b = attribute(b, inetCongestion, append([]byte(d.Congestion), 0))
	}
	return b
}

// endpoint reads an address as /proc/net shows it: words in the machine's order.
func endpoint(text string) (address [16]byte, port [2]byte) {
	words, number, _ := strings.Cut(text, ":")
	raw, _ := hex.DecodeString(words)
	for i := 0; i+4 <= len(raw) && i < len(address); i += 4 {
		binary.LittleEndian.PutUint32(address[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	binary.BigEndian.PutUint16(port[:], uint16(hexadecimal(number)))
	return address, port
}

func hexadecimal(text string) uint32 {
	v, _ := strconv.ParseUint(text, 16, 32)
	return uint32(v)
}

func integer(text string) uint32 {
	v, _ := strconv.ParseUint(text, 10, 32)
	return uint32(v)
}

// attribute appends a struct nlattr.
func attribute(b []byte, kind uint16, value []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(4+len(value)))
	b = binary.LittleEndian.AppendUint16(b, kind)
	b = append(b, value...)
	return append(b, make([]byte, align(len(value))-len(value))...)
}
