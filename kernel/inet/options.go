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
}

const anyInt = 1<<31 - 1

var (
	flag   = option{boolean: true, least: -anyInt - 1, most: anyInt}
	flagOn = option{boolean: true, initial: 1, least: -anyInt - 1, most: anyInt}
	number = option{least: -anyInt - 1, most: anyInt}
)

func between(initial, least, most int) option {
	return option{initial: initial, least: least, most: most}
}

// Options that golang.org/x/sys/unix does not name.
const (
	soIncomingNapiID = 56
	soPreferBusyPoll = 69
	soBusyPollBudget = 70
	soReserveMem     = 73
	soTxRehash       = 74
	tcpInfo          = unix.TCP_INFO
)

// options are those whose value is an int that changes nothing beyond itself,
// with the defaults of Linux 6.1 (socket(7), tcp(7), ip(7), ipv6(7)).
var options = map[optionKey]option{
	{unix.SOL_SOCKET, unix.SO_DEBUG}:                flag,
	{unix.SOL_SOCKET, unix.SO_REUSEADDR}:            flag,
	{unix.SOL_SOCKET, unix.SO_REUSEPORT}:            flag,
	{unix.SOL_SOCKET, unix.SO_DONTROUTE}:            flag,
	{unix.SOL_SOCKET, unix.SO_BROADCAST}:            flag,
	{unix.SOL_SOCKET, unix.SO_KEEPALIVE}:            flag,
	{unix.SOL_SOCKET, unix.SO_OOBINLINE}:            flag,
	{unix.SOL_SOCKET, unix.SO_NO_CHECK}:             flag,
	{unix.SOL_SOCKET, unix.SO_PRIORITY}:             between(0, 0, anyInt),
	{unix.SOL_SOCKET, unix.SO_RCVLOWAT}:             between(1, 0, anyInt),
	{unix.SOL_SOCKET, unix.SO_SNDLOWAT}:             {initial: 1, readOnly: true},
	{unix.SOL_SOCKET, unix.SO_TIMESTAMP}:            flag,
	{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS}:          flag,
	{unix.SOL_SOCKET, unix.SO_TIMESTAMP_NEW}:        flag,
	{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW}:      flag,
	{unix.SOL_SOCKET, unix.SO_TIMESTAMPING}:         number,
	{unix.SOL_SOCKET, unix.SO_MARK}:                 number,
	{unix.SOL_SOCKET, unix.SO_RXQ_OVFL}:             flag,
	{unix.SOL_SOCKET, unix.SO_WIFI_STATUS}:          flag,
	{unix.SOL_SOCKET, unix.SO_PEEK_OFF}:             between(-1, -1, anyInt),
	{unix.SOL_SOCKET, unix.SO_BUSY_POLL}:            between(0, 0, anyInt),
	{unix.SOL_SOCKET, soPreferBusyPoll}:             flag,
	{unix.SOL_SOCKET, soBusyPollBudget}:             between(8, 0, 65535),
	{unix.SOL_SOCKET, soReserveMem}:                 between(0, 0, anyInt),
	{unix.SOL_SOCKET, soTxRehash}:                   between(1, -1, 1),
	{unix.SOL_SOCKET, unix.SO_MAX_PACING_RATE}:      {initial: -1, least: -anyInt - 1, most: anyInt},
	{unix.SOL_SOCKET, unix.SO_INCOMING_CPU}:         {initial: 0, least: -anyInt - 1, most: anyInt},
	{unix.SOL_SOCKET, soIncomingNapiID}:             {readOnly: true},
	{unix.SOL_SOCKET, unix.SO_ZEROCOPY}:             between(0, 0, 0), // a send that asks for it copies
	{unix.SOL_SOCKET, unix.SO_LOCK_FILTER}:          flag,
	{unix.SOL_SOCKET, unix.SO_SELECT_ERR_QUEUE}:     flag,
	{unix.IPPROTO_TCP, unix.TCP_NODELAY}:            flag,
	{unix.IPPROTO_TCP, unix.TCP_CORK}:               flag,
	{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}:           between(7200, 1, 32767),
	{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL}:          between(75, 1, 32767),
	{unix.IPPROTO_TCP, unix.TCP_KEEPCNT}:            between(9, 1, 127),
	{unix.IPPROTO_TCP, unix.TCP_SYNCNT}:             between(6, 1, 127),
	{unix.IPPROTO_TCP, unix.TCP_LINGER2}:            between(60, -anyInt-1, anyInt),
	{unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT}:       between(0, 0, anyInt),
	{unix.IPPROTO_TCP, unix.TCP_WINDOW_CLAMP}:       between(0, 0, anyInt),
	{unix.IPPROTO_TCP, unix.TCP_QUICKACK}:           flagOn,
	{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT}:       between(0, 0, anyInt),
	{unix.IPPROTO_TCP, unix.TCP_FASTOPEN}:           between(0, 0, anyInt),
	{unix.IPPROTO_TCP, unix.TCP_TIMESTAMP}:          number,
	{unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT}:      between(0, -anyInt-1, anyInt),
	{unix.IPPROTO_TCP, unix.TCP_THIN_DUPACK}:        flag,
	{unix.IPPROTO_TCP, unix.TCP_INQ}:                between(0, 0, 1),
	{unix.IPPROTO_TCP, unix.TCP_SAVE_SYN}:           between(0, 0, 2),
	{unix.IPPROTO_UDP, unix.UDP_CORK}:               flag,
	{unix.IPPROTO_IP, unix.IP_TOS}:                  number,
	{unix.IPPROTO_IP, unix.IP_TTL}:                  {initial: 64, least: -1, most: 255},
	{unix.IPPROTO_IP, unix.IP_HDRINCL}:              flag,
	{unix.IPPROTO_IP, unix.IP_RECVOPTS}:             flag,
	{unix.IPPROTO_IP, unix.IP_RETOPTS}:              flag,
	{unix.IPPROTO_IP, unix.IP_PKTINFO}:              flag,
	{unix.IPPROTO_IP, unix.IP_MTU_DISCOVER}:         between(unix.IP_PMTUDISC_WANT, 0, 5),
	{unix.IPPROTO_IP, unix.IP_RECVERR}:              flag,
	{unix.IPPROTO_IP, unix.IP_RECVTTL}:              flag,
	{unix.IPPROTO_IP, unix.IP_RECVTOS}:              flag,
	{unix.IPPROTO_IP, unix.IP_FREEBIND}:             flag,
	{unix.IPPROTO_IP, unix.IP_TRANSPARENT}:          flag,
	{unix.IPPROTO_IP, unix.IP_RECVORIGDSTADDR}:      flag,
	{unix.IPPROTO_IP, unix.IP_MINTTL}:               between(0, 0, 255),
	{unix.IPPROTO_IP, unix.IP_NODEFRAG}:             flag,
	{unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT}: flag,
	{unix.IPPROTO_IP, unix.IP_MULTICAST_TTL}:        between(1, -1, 255),
	{unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP}:       flagOn,
	{unix.IPPROTO_IP, unix.IP_MULTICAST_ALL}:        flagOn,
	{unix.IPPROTO_IP, unix.IP_UNICAST_IF}:           number,
	{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY}:           flag,
	{unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS}:     {initial: 64, least: -1, most: 255},
	{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS}:   {initial: 1, least: -1, most: 255},
	{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_LOOP}:   flagOn,
	{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF}:     number,
	{unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER}:     between(unix.IPV6_PMTUDISC_WANT, 0, 5),
	{unix.IPPROTO_IPV6, unix.IPV6_RECVERR}:          flag,
	{unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO}:      flag,
	{unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT}:     flag,
	{unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS}:       flag,
	{unix.IPPROTO_IPV6, unix.IPV6_TCLASS}:           between(0, -1, 255),
	{unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG}:         flag,
	{unix.IPPROTO_IPV6, unix.IPV6_AUTOFLOWLABEL}:    flagOn,
	{unix.IPPROTO_IPV6, unix.IPV6_UNICAST_IF}:       number,
	{unix.IPPROTO_IPV6, unix.IPV6_ADDR_PREFERENCES}: between(0, 0, anyInt),
	{unix.IPPROTO_IPV6, unix.IPV6_FREEBIND}:         flag,
}

func int32Value(v int) []byte {
	return binary.LittleEndian.AppendUint32(nil, uint32(v))
}

// setInt sets an option of the table.
func (b *base) setInt(level, name int, value []byte) unix.Errno {
	o, known := options[optionKey{level, name}]
	if !known || o.readOnly {
		return unix.ENOPROTOOPT
	}
	if level == unix.IPPROTO_IPV6 && b.domain != unix.AF_INET6 {
		return unix.ENOPROTOOPT
	}
	var v int
	switch {
	case len(value) >= 4:
		v = int(int32(binary.LittleEndian.Uint32(value)))
	case len(value) >= 1 && level == unix.IPPROTO_IP:
		v = int(value[0]) // ip(7) takes a char too
	default:
		return unix.EINVAL
	}
	if v < o.least || v > o.most {
		return unix.EINVAL
	}
	if o.boolean && v != 0 {
		v = 1
	}
	if v == -1 && (name == unix.IP_TTL && level == unix.IPPROTO_IP || name == unix.IPV6_UNICAST_HOPS && level == unix.IPPROTO_IPV6) {
		v = o.initial
	}
	b.set(level, name, v)
	return 0
}

// intOption reads an option of the table.
func (b *base) intOption(level, name int) ([]byte, unix.Errno) {
	if _, known := options[optionKey{level, name}]; !known {
		return nil, unix.ENOPROTOOPT
	}
	if level == unix.IPPROTO_IPV6 && b.domain != unix.AF_INET6 {
		return nil, unix.ENOPROTOOPT
	}
	return int32Value(b.value(level, name)), 0
}
