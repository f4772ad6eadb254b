package platform

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"
)

// The platform is one flat network: every host is on both of these.
var (
	network4 = netip.MustParsePrefix("10.0.0.0/8")
	network6 = netip.MustParsePrefix("fd00::/8")
)

// Networks returns the networks that all hosts are on, for their interfaces
// and routing tables. Hosts whose file gives them an address outside have it
// with the full length as prefix.
func (p *Platform) Networks() []netip.Prefix { return []netip.Prefix{network4, network6} }

// Addresses returns the host's IPv4 and IPv6 address. Those that the file does
// not give are made up: IPv4 in the order of hosts from 10.0.0.1, without
// those that end in 0 or 255 or that the file gives to another host, IPv6
// as fd00:: with the IPv4 address at its end.
func (h *Host) Addresses() (v4, v6 netip.Addr) {
	v4 = addr4(h.addr4)
	if h.more != nil && h.more.addr6.IsValid() {
		return v4, h.more.addr6
	}
	return v4, addr6(h.addr4)
}

func addr4(a uint32) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, a)))
}

func addr6(a uint32) netip.Addr {
	b := [16]byte{0: 0xfd}
	binary.BigEndian.PutUint32(b[12:], a)
	return netip.AddrFrom16(b)
}

// HostByAddress returns the host that has the address, or nil.
func (p *Platform) HostByAddress(a netip.Addr) *Host {
	a = a.WithZone("").Unmap()
	if a.Is4() {
		b := a.As4()
		return p.hostBy4(binary.BigEndian.Uint32(b[:]))
	}
	if h := p.by6[a]; h != nil || !a.IsValid() {
		return h
	}
	b := a.As16()
	h := p.hostBy4(binary.BigEndian.Uint32(b[12:]))
	if h == nil {
		return nil
	}
	if _, own := h.Addresses(); own != a {
		return nil
	}
	return h
}

func (p *Platform) hostBy4(a uint32) *Host {
	if n := p.by4.find(a); n >= 0 {
		return p.Hosts[n]
	}
	return nil
}

// setAddresses gives a host the addresses that the file has for it.
func (p *Platform) setAddresses(h *Host, addresses []string) error {
	for _, text := range addresses {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() {
			return fmt.Errorf("an IPv4 or IPv6 address of a host expected, found %q", text)
		}
		a = a.Unmap()
		if other := p.HostByAddress(a); other != nil {
			return fmt.Errorf("address %s of %q already belongs to %q", a, h.Name, other.Name)
		}
		switch {
		case a.Is4() && h.addr4 != 0:
			return fmt.Errorf("a second IPv4 address of %q: %s", h.Name, a)
		case a.Is4():
			b := a.As4()
			h.addr4 = binary.BigEndian.Uint32(b[:])
			p.by4.set(h.addr4, h.Index)
		case h.more != nil && h.more.addr6.IsValid():
			return fmt.Errorf("a second IPv6 address of %q: %s", h.Name, a)
		default:
			h.details().addr6 = a
			p.enter6(a, h)
		}
	}
	return nil
}

// enter6 makes a host known by an IPv6 address that its file gives.
func (p *Platform) enter6(a netip.Addr, h *Host) {
	if p.by6 == nil {
		p.by6 = make(map[netip.Addr]*Host)
	}
	p.by6[a] = h
}

// details returns the host's own rare fields.
func (h *Host) details() *hostDetails {
	h.own()
	return h.more
}

// assignAddresses gives addresses to the hosts that have none.
func (p *Platform) assignAddresses() error {
	p.by4.reserve(len(p.Hosts))
	first := network4.Addr().As4()
	next := binary.BigEndian.Uint32(first[:])
	for _, h := range p.Hosts {
		if h.addr4 != 0 {
			continue
		}
		for free := false; !free; {
			next++
			free = next&0xff != 0 && next&0xff != 0xff && p.by4.find(next) < 0
		}
		h.addr4 = next
		p.by4.set(next, h.Index)
	}
	for _, h := range p.Hosts {
		if len(p.by6) == 0 {
			break
		}
		_, a := h.Addresses()
		if other := p.by6[a]; other != nil && other != h {
			return fmt.Errorf("address %s of %q is what %q would get", a, other.Name, h.Name)
		}
	}
	return nil
}

// addressProperties are the properties of a host that hold its addresses.
var addressProperties = []string{"ip", "address", "ip6"}

// propertyAddresses returns the addresses among a host's properties: several
// may stand in one, with commas or spaces between.
func propertyAddresses(properties Properties) []string {
	var all []string
	for _, q := range properties {
		if slices.Contains(addressProperties, q.Name) {
			all = append(all, fieldsAndCommas(q.Value)...)
		}
	}
	return all
}

// fieldsAndCommas splits text at white space and commas.
func fieldsAndCommas(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return c == ',' || unicode.IsSpace(c) })
}
