package emulator

import (
	"net/netip"

	"github.com/simterpose/simterpose/platform"
)

func addressesOf(p *platform.Host) []netip.Addr {
	return []netip.Addr{netip.AddrFrom4([4]byte{10, 0, 0, byte(p.Index + 1)}), netip.MustParseAddr("fd00::1")}
}

func hostPrefixes(l []netip.Addr) (p []netip.Prefix) {
	for _, a := range l {
		if a.Is4() {
			p = append(p, netip.PrefixFrom(a, 8))
		} else {
			p = append(p, netip.PrefixFrom(a, 64))
		}
	}
	return p
}
