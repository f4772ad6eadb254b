package inet

// Counters are what /proc/net/snmp and /proc/net/netstat tell of a host, in the
// kernel's words (RFC 1213, linux/snmp.h).
type Counters struct {
	UDPIn, UDPNoPorts, UDPErrors, UDPOut int64

	TCPActiveOpens, TCPPassiveOpens, TCPAttemptFails, TCPEstabResets int64
	TCPIn, TCPOut, TCPRetransmits, TCPOutResets                      int64
	ListenOverflows, ListenDrops                                     int64

	ICMPIn, ICMPOut                       int64
	ICMPInEchos, ICMPInEchoReplies        int64
	ICMPOutEchoReplies, ICMPInUnreachable int64
	ICMPOutUnreachable                    int64

	BytesIn, BytesOut int64
}
