package inet

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// optionKey names a socket option.
type optionKey struct{ level, name int }

// option is what is known of an option whose value is an int.
type option struct {
	initial  int
	least    int // EINVAL below
	most     int // EINVAL above
	boolean  bool
	readOnly bool
	// whole: a value of no bytes is EINVAL at level IPPROTO_IP too.
	whole bool
	// loose: a value shorter than an int is taken as 0 at level IPPROTO_IPV6.
	loose bool
	// kept is what is kept of a value, if not the value itself; an errno
	// refuses it.
	kept func(b *base, v int) (int, unix.Errno)
}

const anyInt = 1<<31 - 1

var (
	flag     = option{boolean: true, least: -anyInt - 1, most: anyInt}
	flagOn   = option{boolean: true, initial: 1, least: -anyInt - 1, most: anyInt}
	number   = option{least: -anyInt - 1, most: anyInt}
	readOnly = option{readOnly: true}
)

func between(initial, least, most int) option {
	return option{initial: initial, least: least, most: most}
}

// but is an option of which something else is kept than the value.
func (o option) but(kept func(b *base, v int) (int, unix.Errno)) option {
	o.kept = kept
	return o
}

// Options that golang.org/x/sys/unix does not name.
const (
	soIncomingNapiID = 56
	soPreferBusyPoll = 69
	soBusyPollBudget = 70
	soReserveMem     = 73
	soTxRehash       = 74
	ipv6FlowInfo     = 11
)

// options are those whose value is an int that changes nothing beyond itself,
// with the defaults of Linux 6.1 (socket(7), tcp(7), ip(7), ipv6(7)).
var options = map[optionKey]option{
	{unix.SOL_SOCKET, unix.SO_DEBUG}:                  flag,
	{unix.SOL_SOCKET, unix.SO_REUSEADDR}:              flag,
	{unix.SOL_SOCKET, unix.SO_REUSEPORT}:              flag,
	{unix.SOL_SOCKET, unix.SO_DONTROUTE}:              flag,
	{unix.SOL_SOCKET, unix.SO_BROADCAST}:              flag,
	{unix.SOL_SOCKET, unix.SO_KEEPALIVE}:              flag,
	{unix.SOL_SOCKET, unix.SO_OOBINLINE}:              flag,
	{unix.SOL_SOCKET, unix.SO_NO_CHECK}:               flag,
	{unix.SOL_SOCKET, unix.SO_PRIORITY}:               between(0, -anyInt-1, anyInt),
	{unix.SOL_SOCKET, unix.SO_RCVLOWAT}:               between(1, -anyInt-1, anyInt).but(lowWater),
	{unix.SOL_SOCKET, unix.SO_SNDLOWAT}:               {initial: 1, readOnly: true},
	{unix.SOL_SOCKET, unix.SO_TIMESTAMPING}:           number,
	{unix.SOL_SOCKET, unix.SO_MARK}:                   number,
	{unix.SOL_SOCKET, unix.SO_RXQ_OVFL}:               flag,
	{unix.SOL_SOCKET, unix.SO_WIFI_STATUS}:            flag,
	{unix.SOL_SOCKET, unix.SO_PEEK_OFF}:               between(-1, -1, anyInt),
	{unix.SOL_SOCKET, unix.SO_BUSY_POLL}:              between(0, 0, anyInt),
	{unix.SOL_SOCKET, soPreferBusyPoll}:               flag,
	{unix.SOL_SOCKET, soBusyPollBudget}:               between(8, 0, 65535),
	{unix.SOL_SOCKET, soReserveMem}:                   between(0, 0, anyInt),
	{unix.SOL_SOCKET, soTxRehash}:                     between(1, -1, 1),
	{unix.SOL_SOCKET, unix.SO_MAX_PACING_RATE}:        {initial: -1, least: -anyInt - 1, most: anyInt},
	{unix.SOL_SOCKET, unix.SO_INCOMING_CPU}:           {initial: 0, least: -anyInt - 1, most: anyInt},
	{unix.SOL_SOCKET, soIncomingNapiID}:               {readOnly: true},
	{unix.SOL_SOCKET, unix.SO_ZEROCOPY}:               between(0, 0, 1),
	{unix.SOL_SOCKET, unix.SO_SELECT_ERR_QUEUE}:       flag,
	{unix.IPPROTO_TCP, unix.TCP_NODELAY}:              flag,
	{unix.IPPROTO_TCP, unix.TCP_CORK}:                 flag,
	{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}:             between(7200, 1, 32767),
	{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL}:            between(75, 1, 32767),
	{unix.IPPROTO_TCP, unix.TCP_KEEPCNT}:              between(9, 1, 127),
	{unix.IPPROTO_TCP, unix.TCP_SYNCNT}:               between(6, 1, 127),
	{unix.IPPROTO_TCP, unix.TCP_LINGER2}:              option{initial: 60, least: -anyInt - 1, most: anyInt}.but(linger2),
	{unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT}:         number.but(deferral),
	{unix.IPPROTO_TCP, unix.TCP_WINDOW_CLAMP}:         number.but(clamp),
	{unix.IPPROTO_TCP, unix.TCP_QUICKACK}:             flagOn,
	{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT}:         between(0, 0, anyInt),
	{unix.IPPROTO_TCP, unix.TCP_FASTOPEN}:             between(0, 0, anyInt).but(upTo(somaxconn)),
	{unix.IPPROTO_TCP, unix.TCP_FASTOPEN_CONNECT}:     between(0, 0, 1).but(asClient),
	{unix.IPPROTO_TCP, unix.TCP_FASTOPEN_NO_COOKIE}:   between(0, 0, 1),
	{unix.IPPROTO_TCP, unix.TCP_TIMESTAMP}:            number,
	{unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT}:        between(0, -anyInt-1, anyInt),
	{unix.IPPROTO_TCP, unix.TCP_THIN_DUPACK}:          between(0, 0, 1).but(upTo(0)),
	{unix.IPPROTO_TCP, unix.TCP_THIN_LINEAR_TIMEOUTS}: between(0, 0, 1),
	{unix.IPPROTO_TCP, unix.TCP_INQ}:                  between(0, 0, 1),
	{unix.IPPROTO_TCP, unix.TCP_SAVE_SYN}:             between(0, 0, 2),
	{unix.IPPROTO_UDP, unix.UDP_CORK}:                 flag,
	{unix.IPPROTO_UDP, unix.UDP_NO_CHECK6_RX}:         flag,
	{unix.IPPROTO_UDP, unix.UDP_NO_CHECK6_TX}:         flag,
	{unix.IPPROTO_UDP, unix.UDP_GRO}:                  flag,
	{unix.IPPROTO_UDP, unix.UDP_SEGMENT}:              between(0, 0, 65535),
	{unix.IPPROTO_UDP, liteSendCoverage}:              number.but(coverage),
	{unix.IPPROTO_UDP, liteReceiveCoverage}:           number.but(coverage),
	{unix.IPPROTO_IP, unix.IP_TOS}:                    number.but(service),
	{unix.IPPROTO_IP, unix.IP_TTL}:                    {initial: defaultTTL, least: -1, most: 255, whole: true, kept: ttlOf},
	{unix.IPPROTO_IP, unix.IP_HDRINCL}:                flag.but(rawOnly),
	{unix.IPPROTO_IP, unix.IP_RECVOPTS}:               flag,
	{unix.IPPROTO_IP, unix.IP_RETOPTS}:                flag,
	{unix.IPPROTO_IP, unix.IP_PKTINFO}:                flag,
	{unix.IPPROTO_IP, unix.IP_MTU_DISCOVER}:           between(unix.IP_PMTUDISC_WANT, 0, 5),
	{unix.IPPROTO_IP, unix.IP_RECVERR}:                flag,
	{unix.IPPROTO_IP, unix.IP_RECVTTL}:                flag,
	{unix.IPPROTO_IP, unix.IP_RECVTOS}:                flag,
	{unix.IPPROTO_IP, unix.IP_FREEBIND}:               {boolean: true, least: -anyInt - 1, most: anyInt, whole: true},
	{unix.IPPROTO_IP, unix.IP_TRANSPARENT}:            {boolean: true, least: -anyInt - 1, most: anyInt, whole: true},
	{unix.IPPROTO_IP, unix.IP_RECVORIGDSTADDR}:        flag,
	{unix.IPPROTO_IP, unix.IP_MINTTL}:                 {least: 0, most: 255, whole: true},
	{unix.IPPROTO_IP, unix.IP_NODEFRAG}:               number.but(rawOnly),
	{unix.IPPROTO_IP, unix.IP_ROUTER_ALERT}:           readOnly,
	{unix.IPPROTO_IP, unix.IP_RECVFRAGSIZE}:           flag.but(datagramOnly),
	{unix.IPPROTO_IP, unix.IP_CHECKSUM}:               flag,
	{unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT}:   flag,
	{unix.IPPROTO_IP, unix.IP_MULTICAST_TTL}:          {initial: 1, least: -1, most: 255, whole: true, kept: multicastTTL},
	{unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP}:         {boolean: true, initial: 1, least: -anyInt - 1, most: anyInt, whole: true},
	{unix.IPPROTO_IP, unix.IP_MULTICAST_ALL}:          {initial: 1, least: 0, most: 1, whole: true},
	{unix.IPPROTO_IP, unix.IP_UNICAST_IF}:             number,
	{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY}:             flag,
	{unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS}:       {initial: defaultTTL, least: -1, most: 255, kept: hopsOf},
	{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS}:     {initial: 1, least: -1, most: 255, kept: multicastHops},
	{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_LOOP}:     between(1, 0, 1),
	{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF}:       number,
	{unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER}:       between(unix.IPV6_PMTUDISC_WANT, 0, 5),
	{unix.IPPROTO_IPV6, unix.IPV6_RECVERR}:            flag,
	{unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO}:        flag,
	{unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT}:       flag,
	{unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS}:         flag,
	{unix.IPPROTO_IPV6, unix.IPV6_TCLASS}:             between(0, -1, 255).but(class),
	{unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG}:           {boolean: true, least: -anyInt - 1, most: anyInt, loose: true},
	{unix.IPPROTO_IPV6, unix.IPV6_AUTOFLOWLABEL}:      {boolean: true, initial: 1, least: -anyInt - 1, most: anyInt, loose: true},
	{unix.IPPROTO_IPV6, unix.IPV6_UNICAST_IF}:         number,
	{unix.IPPROTO_IPV6, unix.IPV6_ADDR_PREFERENCES}:   between(1280, 0, anyInt),
	{unix.IPPROTO_IPV6, unix.IPV6_FREEBIND}:           flag,
	{unix.IPPROTO_IPV6, unix.IPV6_HDRINCL}:            flag.but(rawOnly),
	{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_ALL}:      flagOn,
	{unix.IPPROTO_IPV6, unix.IPV6_MINHOPCOUNT}:        between(0, 0, 255),
	{unix.IPPROTO_IPV6, ipv6FlowInfo}:                 flag,
	{unix.IPPROTO_IPV6, unix.IPV6_RECVPATHMTU}:        flag,
	{unix.IPPROTO_IPV6, unix.IPV6_RECVDSTOPTS}:        flag,
	{unix.IPPROTO_IPV6, unix.IPV6_RECVHOPOPTS}:        flag,
	{unix.IPPROTO_IPV6, unix.IPV6_RECVRTHDR}:          flag,
	{unix.IPPROTO_IPV6, unix.IPV6_TRANSPARENT}:        flag,
	{unix.IPPROTO_IPV6, unix.IPV6_RECVORIGDSTADDR}:    flag,
}

func int32Value(v int) []byte {
	return binary.LittleEndian.AppendUint32(nil, uint32(v))
}

// setInt sets an option of the table.
func (b *base) setInt(level, name int, value []byte) unix.Errno {
	if level == unix.SOL_SOCKET && len(value) < 4 {
		return unix.EINVAL
	}
	o, known := options[optionKey{level, name}]
	if !known || o.readOnly || !b.has(level) {
		return unix.ENOPROTOOPT
	}
	v := 0
	switch {
	case len(value) >= 4:
		v = int(int32(binary.LittleEndian.Uint32(value)))
	case o.loose:
	case level != unix.IPPROTO_IP || len(value) == 0 && o.whole:
		return unix.EINVAL
	case len(value) > 0:
		v = int(value[0]) // ip(7) takes a char too
	}
	if v < o.least || v > o.most {
		return unix.EINVAL
	}
	if o.boolean && v != 0 {
		v = 1
	}
	if o.kept != nil {
		var errno unix.Errno
		if v, errno = o.kept(b, v); errno != 0 {
			return errno
		}
	}
	b.set(level, name, v)
	return 0
}

// has tells whether a socket has the options of a level.
func (b *base) has(level int) bool {
	switch level {
	case unix.IPPROTO_IPV6:
		return b.domain == unix.AF_INET6
	case unix.IPPROTO_TCP:
		return b.kind == unix.SOCK_STREAM
	case unix.IPPROTO_UDP:
		return b.kind == unix.SOCK_DGRAM && (b.protocol == unix.IPPROTO_UDP || b.protocol == unix.IPPROTO_UDPLITE)
	case unix.SOL_SOCKET, unix.IPPROTO_IP:
		return true
	}
	return false
}

// intOption reads an option of the table.
func (b *base) intOption(level, name int) ([]byte, unix.Errno) {
	if !b.has(level) {
		return nil, unix.EOPNOTSUPP
	}
	if _, known := options[optionKey{level, name}]; !known {
		return nil, unix.ENOPROTOOPT
	}
	if level == unix.IPPROTO_IPV6 && name == unix.IPV6_HDRINCL && b.kind != unix.SOCK_RAW {
		return nil, unix.ENOPROTOOPT
	}
	return int32Value(b.value(level, name)), 0
}
