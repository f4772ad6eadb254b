package platform

import (
	"fmt"
	"net/netip"
)

// Placement gives a host of the platform the name, and if there are any the
// addresses, that an experiment has for it.
type Placement struct {
	Host      *Host
	Name      string
	Addresses []netip.Addr // at most one of each family
}

// Place renames hosts, all at once, so that two may exchange their names. It
// is for a platform that nothing uses yet. Addresses that placed hosts bring
// along are taken from the hosts that have them, which get others.
func (p *Platform) Place(list []Placement) error {
	placed := make(map[*Host]string, len(list))
	names := make(map[string]*Host, len(list))
	for _, one := range list {
		if other, twice := placed[one.Host]; twice {
			return fmt.Errorf("hosts %q and %q are both placed on %q", other, one.Name, one.Host.Name)
		}
		if names[one.Name] != nil {
			return fmt.Errorf("host %q is placed on both %q and %q", one.Name, names[one.Name].Name, one.Host.Name)
		}
		placed[one.Host] = one.Name
		names[one.Name] = one.Host
	}
	for _, one := range list {
		n := p.node(one.Name)
		if n == nil || n == &one.Host.Node {
			continue
		}
		if h := p.Host(one.Name); h == nil {
			return fmt.Errorf("host %q is placed on %q, but the platform has a router or zone of that name", one.Name, one.Host.Name)
		} else if _, moves := placed[h]; !moves {
			return fmt.Errorf("host %q is placed on %q, but the platform has another host of that name", one.Name, one.Host.Name)
		}
	}
	for _, one := range list {
		one.Host.Name = one.Name
	}
	p.names = newIndex(p.nodeName)
	p.names.reserve(len(p.nodes) + len(p.Hosts))
	for i, n := range p.nodes {
		p.names.set(n.Name, int32(i)<<1|1)
	}
	for i, h := range p.Hosts {
		p.names.set(h.Name, int32(i)<<1)
	}
	return p.readdress(list)
}

// readdress gives placed hosts their addresses and others to those that had
// them.
func (p *Platform) readdress(list []Placement) error {
	moved := make(map[*Host]bool)
	taken := make(map[netip.Addr]bool)
	for _, one := range list {
		for _, a := range one.Addresses {
			moved[one.Host], taken[a] = true, true
		}
	}
	if len(taken) == 0 {
		return nil
	}
	p.by4 = newIndex(func(n int32) uint32 { return p.Hosts[n].addr4 })
	p.by6 = nil
	for _, h := range p.Hosts {
		v4, v6 := h.Addresses()
		if given := h.more != nil && h.more.addr6.IsValid(); given && (moved[h] || taken[v6]) {
			h.details().addr6 = netip.Addr{}
		} else if given {
			p.enter6(v6, h)
		}
		if moved[h] || taken[v4] {
			h.addr4 = 0
		} else {
			p.by4.set(h.addr4, h.Index)
		}
	}
	for _, one := range list {
		for i, a := range one.Addresses {
			if i == 0 {
				one.Host.own() // hosts of a cluster share their details
			}
			if p.HostByAddress(a) == one.Host {
				continue // the IPv6 address that goes with the IPv4 one
			}
			if err := p.setAddresses(one.Host, []string{a.String()}); err != nil {
				return err
			}
		}
	}
	return p.assignAddresses()
}
