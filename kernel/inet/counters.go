package inet

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// counters are what /proc/net/snmp and netstat tell of a host (RFC 1213).
type counters struct {
	packetsIn, packetsOut, bytesIn, bytesOut int64

	activeOpens, passiveOpens, attemptFails, resets   int64
	segmentsIn, segmentsOut, retransmissions, rstsOut int64
	listenOverflows                                   int64
	fastOpensActive, fastOpensPassive                 int64

	udp, udpLite datagramCounters

	icmpIn, icmpOut           int64
	echosIn, echosOut         int64
	repliesIn, repliesOut     int64
	unreachIn, unreachableOut int64
}

// datagramCounters are those of UDP or of UDP-Lite.
type datagramCounters struct{ in, noPorts, errors, overflows, out int64 }

func (k *counters) datagrams(protocol int) *datagramCounters {
	if protocol == unix.IPPROTO_UDPLITE {
		return &k.udpLite
	}
	return &k.udp
}

// sent and received count the packets that a payload of n bytes takes.
func (k *counters) sent(n, packets int) {
	k.packetsOut += int64(packets)
	k.bytesOut += int64(n)
}

func (k *counters) received(n, packets int) {
	k.packetsIn += int64(packets)
	k.bytesIn += int64(n)
}

// segments is the number of TCP segments of n bytes.
func segments(n int) int { return (n + segment - 1) / segment }

func (k *counters) segmentsSent(n, count int) {
	k.segmentsOut += int64(count)
	k.sent(n, count)
}

func (k *counters) segmentsReceived(n, count int) {
	k.segmentsIn += int64(count)
	k.received(n, count)
}

// established counts the connections for CurrEstab.
func (s *Stack) established() int {
	n := 0
	for _, c := range s.connections {
		if c.state == stateEstablished || c.state == stateCloseWait {
			n++
		}
	}
	return n
}

// column is a counter with its name in /proc/net/snmp.
type column struct {
	name  string
	value int64
}

// line writes the two lines of a group.
func countersLine(b *strings.Builder, group string, columns ...column) {
	fmt.Fprintf(b, "%s:", group)
	for _, c := range columns {
		b.WriteString(" " + c.name)
	}
	fmt.Fprintf(b, "\n%s:", group)
	for _, c := range columns {
		fmt.Fprintf(b, " %d", c.value)
	}
	b.WriteByte('\n')
}

// snmp is /proc/net/snmp. What cannot happen here is 0.
func (s *Stack) snmp() string {
	var b strings.Builder
	k := &s.counters
	countersLine(&b, "Ip", column{"Forwarding", 2}, column{"DefaultTTL", defaultTTL}, column{"InReceives", k.packetsIn},
		column{"InHdrErrors", 0}, column{"InAddrErrors", 0}, column{"ForwDatagrams", 0}, column{"InUnknownProtos", 0},
		column{"InDiscards", 0}, column{"InDelivers", k.packetsIn}, column{"OutRequests", k.packetsOut}, column{"OutDiscards", 0},
		column{"OutNoRoutes", 0}, column{"ReasmTimeout", 0}, column{"ReasmReqds", 0}, column{"ReasmOKs", 0},
		column{"ReasmFails", 0}, column{"FragOKs", 0}, column{"FragFails", 0}, column{"FragCreates", 0})
	countersLine(&b, "Icmp", column{"InMsgs", k.icmpIn}, column{"InErrors", 0}, column{"InCsumErrors", 0},
		column{"InDestUnreachs", k.unreachIn}, column{"InTimeExcds", 0}, column{"InParmProbs", 0}, column{"InSrcQuenchs", 0},
		column{"InRedirects", 0}, column{"InEchos", k.echosIn}, column{"InEchoReps", k.repliesIn}, column{"InTimestamps", 0},
		column{"InTimestampReps", 0}, column{"InAddrMasks", 0}, column{"InAddrMaskReps", 0}, column{"OutMsgs", k.icmpOut},
		column{"OutErrors", 0}, column{"OutDestUnreachs", k.unreachableOut}, column{"OutTimeExcds", 0}, column{"OutParmProbs", 0},
		column{"OutSrcQuenchs", 0}, column{"OutRedirects", 0}, column{"OutEchos", k.echosOut}, column{"OutEchoReps", k.repliesOut},
		column{"OutTimestamps", 0}, column{"OutTimestampReps", 0}, column{"OutAddrMasks", 0}, column{"OutAddrMaskReps", 0})
	countersLine(&b, "Tcp", column{"RtoAlgorithm", 1}, column{"RtoMin", 200}, column{"RtoMax", 120000}, column{"MaxConn", -1},
		column{"ActiveOpens", k.activeOpens}, column{"PassiveOpens", k.passiveOpens}, column{"AttemptFails", k.attemptFails},
		column{"EstabResets", k.resets}, column{"CurrEstab", int64(s.established())}, column{"InSegs", k.segmentsIn},
		column{"OutSegs", k.segmentsOut}, column{"RetransSegs", k.retransmissions}, column{"InErrs", 0},
		column{"OutRsts", k.rstsOut}, column{"InCsumErrors", 0})
	k.udp.line(&b, "Udp")
	k.udpLite.line(&b, "UdpLite")
	return b.String()
}

func (d *datagramCounters) line(b *strings.Builder, group string) {
	countersLine(b, group, column{"InDatagrams", d.in}, column{"NoPorts", d.noPorts}, column{"InErrors", d.errors},
		column{"OutDatagrams", d.out}, column{"RcvbufErrors", d.overflows}, column{"SndbufErrors", 0},
		column{"InCsumErrors", 0}, column{"IgnoredMulti", 0}, column{"MemErrors", 0})
}

// netstat is /proc/net/netstat, of which readers look for columns by name.
func (s *Stack) netstat() string {
	var b strings.Builder
	k := &s.counters
	countersLine(&b, "TcpExt", column{"SyncookiesSent", 0}, column{"TW", int64(len(s.lingering()))},
		column{"ListenOverflows", k.listenOverflows}, column{"ListenDrops", k.listenOverflows}, column{"TCPTimeouts", k.retransmissions},
		column{"TCPFastOpenActive", k.fastOpensActive}, column{"TCPFastOpenPassive", k.fastOpensPassive})
	countersLine(&b, "IpExt", column{"InNoRoutes", 0}, column{"InOctets", k.bytesIn}, column{"OutOctets", k.bytesOut})
	return b.String()
}

// sockstat is /proc/net/sockstat, or sockstat6.
func (s *Stack) sockstat(domain int) string {
	var tcp, orphans, udp, udpLite, raw, mem int
	for _, k := range s.sockets {
		if k == nil || k.Domain() != domain {
			continue
		}
		switch k := k.(type) {
		case *tcpSocket:
			if k.listener != nil || k.connection != nil || k.bound != nil {
				tcp++
			}
			if c := k.connection; c != nil && c.in != nil {
				mem += (c.in.readable() + c.out.queued() + pageSize - 1) / pageSize
			}
		case *udpSocket:
			switch {
			case k.bound == nil:
			case k.protocol == unix.IPPROTO_UDPLITE:
				udpLite++
			default:
				udp++
			}
		case *rawSocket:
			raw++
		}
	}
	orphans = len(s.orphans(domain))
	if domain == unix.AF_INET6 {
		return fmt.Sprintf("TCP6: inuse %d\nUDP6: inuse %d\nUDPLITE6: inuse %d\nRAW6: inuse %d\nFRAG6: inuse 0 memory 0\n", tcp, udp, udpLite, raw)
	}
	return fmt.Sprintf("sockets: used %d\nTCP: inuse %d orphan %d tw %d alloc %d mem %d\nUDP: inuse %d mem 0\nUDPLITE: inuse %d\nRAW: inuse %d\nFRAG: inuse 0 memory 0\n",
		s.open, tcp, orphans, len(s.lingering()), tcp, mem, udp, udpLite, raw)
}

const pageSize = 4096
