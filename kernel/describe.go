package kernel

import (
	"fmt"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/socket"
)

func ipv6(b []byte) string {
	a, _ := netip.AddrFromSlice(b)
	return a.String()
}

// familyName names an address family for messages.
func familyName(domain int) string {
	if name, ok := map[int]string{unix.AF_PACKET: "AF_PACKET", unix.AF_VSOCK: "AF_VSOCK", unix.AF_ALG: "AF_ALG", unix.AF_BLUETOOTH: "AF_BLUETOOTH"}[domain]; ok {
		return name
	}
	return strconv.Itoa(domain)
}

// optionName names a socket option for messages.
func optionName(s socket.Socket, level, name int) string {
	levels := map[int]string{
		unix.SOL_SOCKET: "SOL_SOCKET", unix.SOL_TCP: "SOL_TCP", unix.SOL_IP: "SOL_IP", unix.SOL_IPV6: "SOL_IPV6", unix.SOL_UDP: "SOL_UDP",
	}
	text, ok := levels[level]
	if !ok {
		text = strconv.Itoa(level)
	}
	return fmt.Sprintf("%s/%d of a %s socket", text, name, describeSocket(s))
}
