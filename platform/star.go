package platform

import (
	"fmt"
	"math"
)

// starRouting joins the way out of each node to the way into each other.
type starRouting struct{ nodes map[int32]*spoke }

// spoke is how one node is joined to the rest of its zone.
type spoke struct{ up, down, loopback []*Link }

func (s *starRouting) spoke(n *Node) *spoke {
	if s.nodes == nil {
		s.nodes = make(map[int32]*spoke)
	}
	k := s.nodes[n.local]
	if k == nil {
		k = new(spoke)
		s.nodes[n.local] = k
	}
	return k
}

// declare accepts the way from a node to itself only.
func (s *starRouting) declare(src, dst *Node, w *way) error {
	if src != dst {
		return fmt.Errorf("in a zone of this kind, hosts are joined by <host_link> and not by routes from one to another")
	}
	s.spoke(src).loopback = w.links
	return nil
}

var noSpoke spoke

func (s *starRouting) route(b *builder, src, dst *Node) (from, to *Node, err error) {
	out, in := s.nodes[src.local], s.nodes[dst.local]
	if out == nil {
		out = &noSpoke
	}
	if in == nil {
		in = &noSpoke
	}
	start := len(b.links)
	if src == dst && out.loopback != nil {
		b.once(start, out.loopback...)
		return nil, nil, nil
	}
	b.once(start, out.up...)
	b.once(start, in.down...)
	return nil, nil, nil
}

// once appends the links that are not there yet since start.
func (b *builder) once(start int, links ...*Link) {
next:
	for _, l := range links {
		for _, have := range b.links[start:] {
			if have == l {
				continue next
			}
		}
		b.link(l)
	}
}

// vivaldiRouting is a star that adds a latency computed from coordinates
// (Dabek, Cox, Kaashoek and Morris: Vivaldi, SIGCOMM 2004): the distance in a
// plane and the heights above it, in milliseconds.
type vivaldiRouting struct {
	starRouting
	places map[int32][]float64
}

func (v *vivaldiRouting) route(b *builder, src, dst *Node) (from, to *Node, err error) {
	if _, _, err := v.starRouting.route(b, src, dst); err != nil {
		return nil, nil, err
	}
	x, y := v.places[src.local], v.places[dst.local]
	if src.kind == zoneNode {
		// SimGrid takes the routers of these names for the gateways.
		if from, to = b.platform.node("router_"+src.Name), b.platform.node("router_"+dst.Name); from == nil || to == nil {
			return nil, nil, noRoute(src, dst)
		}
		x, y = v.gatewayPlace(from, x), v.gatewayPlace(to, y)
	}
	if x == nil || y == nil {
		return nil, nil, fmt.Errorf("%w from %q to %q: one of them has no coordinates", ErrNoRoute, src.Name, dst.Name)
	}
	dx, dy := x[0]-y[0], x[1]-y[1]
	b.latency += (math.Sqrt(dx*dx+dy*dy) + math.Abs(x[2]) + math.Abs(y[2])) / 1000
	return from, to, nil
}

// gatewayPlace returns the coordinates of a zone's gateway.
func (v *vivaldiRouting) gatewayPlace(gateway *Node, place []float64) []float64 {
	if place != nil || gateway.Zone == nil {
		return place
	}
	if inner, ok := gateway.Zone.routing.(*vivaldiRouting); ok {
		return inner.places[gateway.local]
	}
	return nil
}

// wifiRouting joins stations and an access point by one link, which is crossed
// once for each end that is not the access point.
type wifiRouting struct {
	link        *Link
	accessPoint *Node
}

func (w *wifiRouting) route(b *builder, src, dst *Node) (from, to *Node, err error) {
	if w.link == nil {
		return nil, nil, nil
	}
	if src != w.accessPoint {
		b.link(w.link)
	}
	if dst != w.accessPoint {
		b.link(w.link)
	}
	return nil, nil, nil
}

func (w *wifiRouting) seal(p *Platform, z *Zone) error {
	name, ok := z.Properties.Get("access_point")
	if !ok {
		return nil
	}
	switch n := p.node(name); {
	case n == nil:
		return fmt.Errorf("access point %q of zone %q does not exist", name, z.Name)
	case n.kind == zoneNode:
		return fmt.Errorf("access point %q of zone %q is a zone; a host or router expected", name, z.Name)
	default:
		w.accessPoint = n
	}
	return nil
}
