package platform

import (
	"fmt"
	"strings"
)

// dragonfly is groups of chassis of blades of hosts (Kim, Dally, Scott and
// Abts: Technology-Driven, Highly-Scalable Dragonfly Topology, 2008). Each
// blade has a router. Green links join the routers of a chassis, black links
// those with the same place in the chassis of a group, and one blue link joins
// each two groups.
type dragonfly struct {
	groups, chassis, blades, nodes int // each inside one of what is before it

	loopbacks, limiters []*Link // of the hosts
	// The links of the hosts lie one after another in the platform's, from first
	// on: one for each host, or two.
	first, stride int
	routers       []dragonflyRouter
}

type dragonflyRouter struct {
	limiter *Link
	green   []*Link // to each blade of its chassis
	black   []*Link // to each chassis of its group
	blue    *Link
}

// bundle is how many parallel links make up one link of each colour.
type bundle struct{ blue, black, green int }

func (a *assembly) addDragonfly(c *cluster) error {
	d, bundles, err := parseDragonfly(c.parameters)
	if err != nil {
		return err
	}
	hosts, err := product(d.groups, d.chassis, d.blades, d.nodes)
	if err != nil {
		return err
	}
	if d.groups > d.blades {
		return fmt.Errorf("a dragonfly needs as many blades in a chassis as it has groups: %d groups, %d blades", d.groups, d.blades)
	}
	routers := d.groups * d.chassis * d.blades
	if routers*(d.blades+d.chassis) > MaxLinks {
		return fmt.Errorf("more than %d links", MaxLinks)
	}
	if _, err := a.beginZone(c.id, "Dragonfly", d); err != nil {
		return err
	}
	if err := a.reserve(hosts, 0); err != nil {
		return err
	}
	m := a.newMember(c)
	for rank := range hosts {
		if err := a.member(m, rank); err != nil {
			return err
		}
		before := a.Links.Len()
		if err := a.leafLinks(m, rank); err != nil {
			return err
		}
		if c.hasLoopback() {
			d.loopbacks = append(d.loopbacks, a.Links.At(before))
		}
		if c.hasLimiter() {
			d.limiters = append(d.limiters, a.lastLink())
		}
	}
	d.routers = make([]dragonflyRouter, routers)
	for i := range d.routers {
		if c.hasLimiter() {
			if err := a.limiter(m, 2*hosts-1-i); err != nil {
				return err
			}
			d.routers[i].limiter = a.lastLink()
		}
	}
	if err := a.dragonflyWires(d, m, bundles); err != nil {
		return err
	}
	return a.endZone()
}

// parseDragonfly reads "groups,links;chassis,links;blades,links;nodes".
func parseDragonfly(text string) (*dragonfly, bundle, error) {
	expected := fmt.Errorf("topo_parameters of a dragonfly: groups,links;chassis,links;blades,links;nodes expected, found %q", text)
	parts := strings.Split(text, ";")
	if len(parts) != 4 {
		return nil, bundle{}, expected
	}
	var n []int
	for i, part := range parts {
		list, err := intList(part)
		if err != nil {
			return nil, bundle{}, err
		}
		if i < 3 && len(list) != 2 {
			return nil, bundle{}, expected
		}
		for _, v := range list {
			if v < 1 {
				return nil, bundle{}, fmt.Errorf("every number of a dragonfly must be greater than 0, found %d", v)
			}
		}
		n = append(n, list...)
	}
	return &dragonfly{groups: n[0], chassis: n[2], blades: n[4], nodes: n[6]}, bundle{n[1], n[3], n[5]}, nil
}

// dragonflyWires adds the links of the routers in SimGrid's order.
func (a *assembly) dragonflyWires(d *dragonfly, m *member, bundles bundle) error {
	add := func(parallel int, format string, arguments ...any) (wire, error) {
		prefix := fmt.Sprintf(format, arguments...)
		if err := a.clusterLink(m, prefix, a.dragonflyLinks, m.bandwidth*float64(parallel), false); err != nil {
			return wire{}, err
		}
		a.dragonflyLinks++
		return a.lastWire(m.isSplit()), nil
	}
	d.first, d.stride = a.Links.Len(), 1
	if m.isSplit() {
		d.stride = 2
	}
	for i := range d.routers {
		r := &d.routers[i]
		r.green, r.black = make([]*Link, d.blades), make([]*Link, d.chassis)
		for j := range d.nodes {
			if _, err := add(1, "local_link_from_router_%d_to_node_%d_", i, j); err != nil {
				return err
			}
		}
	}
	for i := range d.groups * d.chassis {
		for j := range d.blades {
			for k := j + 1; k < d.blades; k++ {
				w, err := add(bundles.green, "green_link_in_chassis_%d_between_routers_%d_and_%d_", i%d.chassis, j, k)
				if err != nil {
					return err
				}
				d.routers[i*d.blades+j].green[k] = w.up
				d.routers[i*d.blades+k].green[j] = w.down
			}
		}
	}
	for i := range d.groups {
		for j := range d.chassis {
			for k := j + 1; k < d.chassis; k++ {
				for l := range d.blades {
					w, err := add(bundles.black, "black_link_in_group_%d_between_chassis_%d_and_%d_blade_%d_", i, j, k, l)
					if err != nil {
						return err
					}
					d.routers[(i*d.chassis+j)*d.blades+l].black[k] = w.up
					d.routers[(i*d.chassis+k)*d.blades+l].black[j] = w.down
				}
			}
		}
	}
	for i := range d.groups {
		for j := i + 1; j < d.groups; j++ {
			one, other := i*d.blades*d.chassis+j, j*d.blades*d.chassis+i
			w, err := add(bundles.blue, "blue_link_between_group_%d_and_%d_routers_%d_and_%d_", i, j, one, other)
			if err != nil {
				return err
			}
			d.routers[one].blue, d.routers[other].blue = w.up, w.down
		}
	}
	return nil
}

// place is where a host is.
type place struct{ group, chassis, blade, node int }

func (d *dragonfly) place(rank int) place {
	return place{
		group:   rank / (d.nodes * d.blades * d.chassis),
		chassis: rank / (d.nodes * d.blades) % d.chassis,
		blade:   rank / d.nodes % d.blades,
		node:    rank % d.nodes,
	}
}

func (d *dragonfly) router(group, chassis, blade int) *dragonflyRouter {
	return &d.routers[(group*d.chassis+chassis)*d.blades+blade]
}

func (r *dragonflyRouter) limit(b *builder) {
	if r.limiter != nil {
		b.links = append(b.links, r.limiter)
	}
}

// route is minimal routing: to the router with the blue link to the other
// group, across, and to the router of the destination.
func (d *dragonfly) route(b *builder, src, dst *Node) (from, to *Node, err error) {
	if src.kind != hostNode || dst.kind != hostNode {
		return nil, nil, nil
	}
	if src == dst && d.loopbacks != nil {
		b.link(d.loopbacks[src.local])
		return nil, nil, nil
	}
	mine, target := d.place(int(src.local)), d.place(int(dst.local))
	if d.limiters != nil {
		b.links = append(b.links, d.limiters[src.local])
	}
	at := mine // of the router reached so far
	r := d.router(at.group, at.chassis, at.blade)
	b.link(b.platform.Links.At(d.first + int(src.local)*d.stride))
	if at.group != target.group {
		if at.blade != target.group {
			r.limit(b)
			b.link(r.green[target.group])
			at.blade = target.group
			r = d.router(at.group, at.chassis, at.blade)
		}
		if at.chassis != 0 {
			r.limit(b)
			b.link(r.black[0])
			at.chassis = 0
			r = d.router(at.group, at.chassis, at.blade)
		}
		b.link(r.blue)
		r.limit(b)
		at = place{group: target.group, chassis: 0, blade: mine.group}
		r = d.router(at.group, at.chassis, at.blade)
	}
	if at.blade != target.blade {
		r.limit(b)
		b.link(r.green[target.blade])
		// SimGrid goes on as if the router were in the first chassis.
		at.blade = target.blade
		r = d.router(at.group, 0, at.blade)
		at.chassis = 0
	}
	if at.chassis != target.chassis {
		r.limit(b)
		b.link(r.black[target.chassis])
	}
	end := d.router(target.group, target.chassis, target.blade)
	end.limit(b)
	b.link(b.platform.Links.At(d.first + int(dst.local)*d.stride + d.stride - 1))
	if d.limiters != nil {
		b.links = append(b.links, d.limiters[dst.local])
	}
	return nil, nil, nil
}
