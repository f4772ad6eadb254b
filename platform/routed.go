package platform

import "fmt"

// way is a declared route between two nodes of a zone.
type way struct {
	links    []*Link
	from, to *Node // gateways when the nodes are zones
}

// declarer is a routing whose routes are declared one by one.
type declarer interface {
	declare(src, dst *Node, w *way) error
}

func alreadyRouted(src, dst *Node) error {
	return fmt.Errorf("the route from %q to %q exists already (routes are symmetrical unless symmetrical=\"NO\")",
		src.Name, dst.Name)
}

// edge names two nodes of one zone.
type edge struct{ src, dst int32 }

// emptyRouting is routing="None": nothing reaches anything.
type emptyRouting struct{}

func (emptyRouting) route(*builder, *Node, *Node) (from, to *Node, err error) { return nil, nil, nil }

// fullRouting is a table of all routes.
type fullRouting struct {
	ways     map[edge]*way
	loopback *Link // how a node reaches itself; nil between zones
}

func (f *fullRouting) declare(src, dst *Node, w *way) error {
	key := edge{src.local, dst.local}
	if f.ways[key] != nil {
		return alreadyRouted(src, dst)
	}
	if f.ways == nil {
		f.ways = make(map[edge]*way)
	}
	f.ways[key] = w
	return nil
}

func (f *fullRouting) seal(p *Platform, z *Zone) error {
	f.loopback = p.loopbackOf(z)
	return nil
}

// loopbackOf returns the link by which nodes of the zone reach themselves.
func (p *Platform) loopbackOf(z *Zone) *Link {
	if len(z.Children) > 0 {
		return nil
	}
	return p.Links.At(0)
}

// route appends nothing when there is no route: inside a longer way SimGrid
// takes it for a way without links.
func (f *fullRouting) route(b *builder, src, dst *Node) (from, to *Node, err error) {
	if w := f.ways[edge{src.local, dst.local}]; w != nil {
		b.segment(w.links)
		return w.from, w.to, nil
	}
	if src == dst && f.loopback != nil {
		b.link(f.loopback)
	}
	return nil, nil, nil
}
