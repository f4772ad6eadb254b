package platform

import (
	"fmt"
	"math"
)

// starRouting joins the way out of each node to the way into each other.
type starRouting struct {
	spokes    []spoke // by the node's position in the zone; there may be fewer
	backbone  *Link   // crossed by all ways; may be nil
	loopbacks map[int32][]*Link
}

// spoke is how one node is joined to the rest of its zone: the indices of its
// links, or none.
type spoke struct{ up, down int32 }

const noLink = -1

func (s *starRouting) join(n *Node, up, down *Link) {
	for len(s.spokes) <= int(n.local) {
		s.spokes = append(s.spokes, spoke{noLink, noLink})
	}
	s.spokes[n.local] = spoke{up.Index, down.Index}
}

// declare accepts the way from a node to itself only.
func (s *starRouting) declare(src, dst *Node, w *way) error {
	if src != dst {
		return fmt.Errorf("in a zone of this kind, hosts are joined by <host_link> and not by routes from one to another")
	}
	if s.loopbacks == nil {
		s.loopbacks = make(map[int32][]*Link)
	}
	s.loopbacks[src.local] = w.links
	return nil
}

// seal gives back what the list of spokes has too much.
func (s *starRouting) seal(*Platform, *Zone) error {
	s.spokes = clip(s.spokes)
	return nil
}

func (s *starRouting) route(b *builder, src, dst *Node) (from, to *Node, err error) {
	start := len(b.links)
	if src == dst && s.loopbacks[src.local] != nil {
		b.once(start, s.loopbacks[src.local]...)
		return nil, nil, nil
	}
	if int(src.local) < len(s.spokes) {
		if out := s.spokes[src.local]; out.up != noLink {
			b.hop(start, b.platform.Links.At(int(out.up)))
			b.hop(start, s.backbone)
		}
	}
	if int(dst.local) < len(s.spokes) {
		if in := s.spokes[dst.local]; in.down != noLink {
			b.hop(start, s.backbone)
			b.hop(start, b.platform.Links.At(int(in.down)))
		}
	}
	return nil, nil, nil
}

// once appends the links that are not there yet since start.
func (b *builder) once(start int, links ...*Link) {
	for _, l := range links {
		b.hop(start, l)
	}
}

// vivaldiRouting is a star that adds a latency computed from coordinates
// (Dabek, Cox, Kaashoek and Morris: Vivaldi, SIGCOMM 2004): the distance in a
// plane and the heights above it, in milliseconds.
type vivaldiRouting struct {
	starRouting
	places [][3]float64 // by the node's position in the zone; nowhere for some
}

// nowhere is a number of no place.
var nowhere = math.NaN()

func (v *vivaldiRouting) setPlace(local int32, place []float64) {
	for len(v.places) <= int(local) {
		v.places = append(v.places, [3]float64{nowhere})
	}
	v.places[local] = [3]float64(place)
}

// place returns the coordinates of a node, or nil.
func (v *vivaldiRouting) place(local int32) []float64 {
	if int(local) >= len(v.places) || math.IsNaN(v.places[local][0]) {
		return nil
	}
	return v.places[local][:]
}

func (v *vivaldiRouting) seal(p *Platform, z *Zone) error {
	v.places = clip(v.places)
	return v.starRouting.seal(p, z)
}

func (v *vivaldiRouting) route(b *builder, src, dst *Node) (from, to *Node, err error) {
	if _, _, err := v.starRouting.route(b, src, dst); err != nil {
		return nil, nil, err
	}
	x, y := v.place(src.local), v.place(dst.local)
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
		return inner.place(gateway.local)
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
