package platform

// Zone is a part of the platform with a routing of its own.
type Zone struct {
	Node // Node.Zone is the parent
	// Routing is the kind: Full, Floyd, Dijkstra, DijkstraCache, None, Star,
	// Torus, FatTree, Dragonfly, Vivaldi or Wifi. SimGrid's kind Cluster is
	// Star.
	Routing string
	// Children are the zones inside, in order of creation.
	Children   []*Zone
	Properties Properties

	routing  routing
	bypasses map[pair]*bypass
	size     int32 // how many nodes the zone directly holds
	depth    int32 // 0 for the outermost
}

// routing finds the way between two nodes of a zone.
type routing interface {
	// route appends the links from src to dst, which are nodes of the zone, to
	// b.links and adds their latency to b.latency. When the nodes are zones, it
	// returns the gateways: the nodes inside them where the way begins and ends.
	route(b *builder, src, dst *Node) (from, to *Node, err error)
}

// pair is a source and a destination.
type pair struct{ src, dst *Node }

// bypass is a way that is taken instead of what the routing says.
type bypass struct {
	links    []*Link
	from, to *Node // gateways; nil between hosts
}

// contains tells whether z or a zone inside holds n.
func (z *Zone) contains(n *Node) bool {
	for in := n.Zone; in != nil; in = in.Zone {
		if in == z {
			return true
		}
	}
	return false
}
