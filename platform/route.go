package platform

import (
	"fmt"
	"slices"
)

// Route is the way from one host to another.
type Route struct {
	// Links are in the order in which data crosses them. A link may occur more
	// than once.
	Links []*Link
	// Latency is in seconds: the sum of the links' latencies, in the order in
	// which SimGrid adds them, and what Vivaldi coordinates add.
	Latency float64
}

// Route returns the route from src to dst. The error wraps [ErrNoRoute] when
// the platform has none.
func (p *Platform) Route(src, dst *Host) (Route, error) {
	links, latency, err := p.AppendRoute(nil, src, dst)
	return Route{links, latency}, err
}

// AppendRoute appends the links of the route from src to dst to links and
// returns the extended slice and the latency in seconds. It allocates nothing
// when the slice has room, except when a Dijkstra zone meets a source for the
// first time.
func (p *Platform) AppendRoute(links []*Link, src, dst *Host) ([]*Link, float64, error) {
	b := &p.builder
	before := len(links)
	b.links, b.latency, b.depth = links, 0, 0
	err := b.global(&src.Node, &dst.Node)
	links = b.links
	b.links = nil
	switch {
	case err != nil:
		return links[:before], 0, err
	case len(links) == before && b.latency == 0:
		return links, 0, noRoute(&src.Node, &dst.Node)
	}
	return links, b.latency, nil
}

func noRoute(src, dst *Node) error {
	return fmt.Errorf("%w from %q to %q", ErrNoRoute, src.Name, dst.Name)
}

// maxRouteDepth bounds the recursion through gateways: a bypass may lead back
// to where it came from.
const maxRouteDepth = 1000

// builder accumulates a route.
type builder struct {
	platform *Platform
	links    []*Link
	latency  float64
	depth    int
}

// link appends one link.
func (b *builder) link(l *Link) {
	b.links = append(b.links, l)
	b.latency += l.Latency
}

// segment appends several links. SimGrid sums the latencies of such a segment
// before it adds them to what it has, which rounds differently.
func (b *builder) segment(links []*Link) {
	b.links = append(b.links, links...)
	b.latency += latencySum(links)
}

func latencySum(links []*Link) float64 {
	sum := 0.0
	for _, l := range links {
		sum += l.Latency
	}
	return sum
}

// global appends the route between any two nodes: SIMULATION.md C8,
// global_route.
func (b *builder) global(src, dst *Node) error {
	if b.depth++; b.depth > maxRouteDepth {
		return fmt.Errorf("route from %q to %q: the gateways lead in circles", src.Name, dst.Name)
	}
	defer func() { b.depth-- }()
	common, toSrc, toDst := branches(src, dst)
	if common == nil {
		return noRoute(src, dst)
	}
	if len(common.bypasses) > 0 {
		if done, err := b.bypass(common, src, dst); done || err != nil {
			return err
		}
	}
	if toSrc == toDst {
		if src.Zone != common || dst.Zone != common {
			return noRoute(src, dst) // one lies inside the other's zone
		}
		_, _, err := common.routing.route(b, src, dst)
		return err
	}
	// The latency between the zones is added before that inside them; the links
	// go between.
	start := len(b.links)
	from, to, err := common.routing.route(b, &toSrc.Node, &toDst.Node)
	if err != nil {
		return err
	}
	if from == nil || to == nil {
		return noRoute(src, dst)
	}
	if src != from {
		middle := len(b.links)
		if err := b.global(src, from); err != nil {
			return err
		}
		rotate(b.links[start:], middle-start)
	}
	if to != dst {
		return b.global(to, dst)
	}
	return nil
}

// rotate moves the first n elements of s behind the others.
func rotate(s []*Link, n int) {
	slices.Reverse(s[:n])
	slices.Reverse(s[n:])
	slices.Reverse(s)
}

// branches returns the innermost zone that holds both nodes, and its children
// on the way to each. All three are the same zone when both nodes lie in it
// directly, or when the zone of one lies inside the zone of the other.
func branches(src, dst *Node) (common, toSrc, toDst *Zone) {
	s, d := src.Zone, dst.Zone
	if s == d || s == nil || d == nil {
		if s == nil || d == nil {
			return nil, nil, nil
		}
		return s, s, s
	}
	for s.depth > d.depth {
		toSrc, s = s, s.Zone
	}
	for d.depth > s.depth {
		toDst, d = d, d.Zone
	}
	if s == d {
		return s, s, s
	}
	for s != d {
		toSrc, toDst = s, d
		s, d = s.Zone, d.Zone
		if s == nil || d == nil {
			return nil, nil, nil
		}
	}
	return s, toSrc, toDst
}

// bypass appends the route from src to dst when the zone, which is their
// innermost common one, has a bypass for it.
func (b *builder) bypass(z *Zone, src, dst *Node) (done bool, err error) {
	if src.Zone == z && dst.Zone == z {
		way := z.bypasses[pair{src, dst}]
		if way == nil {
			return false, nil
		}
		b.segment(way.links)
		return true, nil
	}
	way, key := z.findBypass(src, dst)
	if way == nil {
		return false, nil
	}
	if src != key.src {
		if err := b.global(src, way.from); err != nil {
			return false, err
		}
	}
	b.segment(way.links)
	if dst != key.dst {
		if err := b.global(way.to, dst); err != nil {
			return false, err
		}
	}
	return true, nil
}

// findBypass looks for a bypass between zones that hold src and dst, from the
// innermost outwards, in SimGrid's order.
func (z *Zone) findBypass(src, dst *Node) (*bypass, pair) {
	srcs, dsts := z.below(src), z.below(dst)
	for outer := range max(srcs, dsts) {
		for inner := range outer {
			if way, key := z.lookup(src, dst, inner, outer); way != nil {
				return way, key
			}
			if way, key := z.lookup(src, dst, outer, inner); way != nil {
				return way, key
			}
		}
		if way, key := z.lookup(src, dst, outer, outer); way != nil {
			return way, key
		}
	}
	return nil, pair{}
}

// below is the number of zones from that of n up to, but without, z; at least
// one.
func (z *Zone) below(n *Node) int {
	return max(1, int(n.Zone.depth-z.depth))
}

// lookup finds the bypass between the zones i and j levels around src and dst.
func (z *Zone) lookup(src, dst *Node, i, j int) (*bypass, pair) {
	if i >= z.below(src) || j >= z.below(dst) {
		return nil, pair{}
	}
	key := pair{src.around(i), dst.around(j)}
	return z.bypasses[key], key
}

// around returns the node of the zone i levels outside the zone of n.
func (n *Node) around(i int) *Node {
	z := n.Zone
	for ; i > 0; i-- {
		z = z.Zone
	}
	return &z.Node
}
