package platform

import "slices"

// dijkstraRouting finds the ways with the fewest links from one node, when
// asked. SimGrid's DijkstraCache keeps what it has found and its Dijkstra does
// not; the routes are the same, so both are kept here.
type dijkstraRouting struct {
	// Vertices are numbered in the order in which routes mention nodes, which
	// decides between ways of equal length.
	vertices map[int32]int32 // of a node's local number
	edges    [][]arc         // of each vertex, in the order of declaration
	loopback *Link

	before map[int32][]int32 // of each source met so far: predecessors
	cached int               // elements in before
	queue  []candidate
	cost   []int32
}

// arc is a declared route to another vertex.
type arc struct {
	to  int32
	way *way
}

// candidate is a vertex in the queue of the search.
type candidate struct{ cost, vertex int32 }

// maxCached bounds the memory for predecessors, in elements of four bytes.
const maxCached = 32 << 20

func (d *dijkstraRouting) declare(src, dst *Node, w *way) error {
	s, t := d.vertex(src), d.vertex(dst)
	if d.find(s, t) != nil {
		return alreadyRouted(src, dst)
	}
	d.edges[s] = append(d.edges[s], arc{t, w})
	return nil
}

func (d *dijkstraRouting) vertex(n *Node) int32 {
	v, ok := d.vertices[n.local]
	if !ok {
		if d.vertices == nil {
			d.vertices = make(map[int32]int32)
		}
		v = int32(len(d.edges))
		d.vertices[n.local] = v
		d.edges = append(d.edges, nil)
	}
	return v
}

func (d *dijkstraRouting) find(from, to int32) *way {
	for _, a := range d.edges[from] {
		if a.to == to {
			return a.way
		}
	}
	return nil
}

func (d *dijkstraRouting) seal(p *Platform, z *Zone) error {
	d.loopback = p.loopbackOf(z)
	return nil
}

func (d *dijkstraRouting) route(b *builder, src, dst *Node) (from, to *Node, err error) {
	s, known := d.vertices[src.local]
	t, alsoKnown := d.vertices[dst.local]
	if src == dst {
		if known {
			if w := d.find(s, s); w != nil {
				d.prepend(b, w.links, len(b.links))
				return nil, nil, nil
			}
		}
		if d.loopback == nil {
			return nil, nil, noRoute(src, dst)
		}
		b.link(d.loopback)
		return nil, nil, nil
	}
	if !known || !alsoKnown {
		return nil, nil, noRoute(src, dst)
	}
	before := d.search(s)
	if before[t] < 0 {
		return nil, nil, noRoute(src, dst)
	}
	// SimGrid walks from the destination and puts the links of each declared
	// route, in reverse, before what it has: a declared route of several links
	// is crossed backwards. Latencies are added in the order of the walk.
	start := len(b.links)
	for v := t; v != s; v = before[v] {
		w := d.find(before[v], v)
		if v == t {
			to = w.to
		} else if w.to != from {
			// Between zones, from is where the next declared route begins.
			inner := len(b.links)
			if err := b.global(w.to, from); err != nil {
				return nil, nil, err
			}
			slices.Reverse(b.links[inner:])
		}
		b.segment(w.links)
		from = w.from
	}
	slices.Reverse(b.links[start:])
	return from, to, nil
}

func (d *dijkstraRouting) prepend(b *builder, links []*Link, start int) {
	b.segment(links)
	slices.Reverse(b.links[start:])
}

// search returns the predecessors of all vertices on the ways from s.
func (d *dijkstraRouting) search(s int32) []int32 {
	if before := d.before[s]; before != nil {
		return before
	}
	n := len(d.edges)
	if d.before == nil || d.cached+n > maxCached {
		d.before, d.cached = make(map[int32][]int32), 0
	}
	before := make([]int32, n)
	d.before[s] = before
	d.cached += n
	const unreachable = 1<<31 - 1
	d.cost = d.cost[:0]
	for i := range before {
		before[i] = -1
		d.cost = append(d.cost, unreachable)
	}
	d.cost[s] = 0
	d.push(candidate{0, s})
	for len(d.queue) > 0 {
		c := d.pop()
		if c.cost > d.cost[c.vertex] {
			continue
		}
		for _, a := range d.edges[c.vertex] {
			if cost := c.cost + int32(len(a.way.links)); cost < d.cost[a.to] {
				before[a.to], d.cost[a.to] = c.vertex, cost
				d.push(candidate{cost, a.to})
			}
		}
	}
	return before
}

func (c candidate) less(e candidate) bool {
	return c.cost < e.cost || c.cost == e.cost && c.vertex < e.vertex
}

func (d *dijkstraRouting) push(c candidate) {
	d.queue = append(d.queue, c)
	i := len(d.queue) - 1
	for i > 0 && c.less(d.queue[(i-1)/2]) {
		d.queue[i] = d.queue[(i-1)/2]
		i = (i - 1) / 2
	}
	d.queue[i] = c
}

func (d *dijkstraRouting) pop() candidate {
	top, last := d.queue[0], d.queue[len(d.queue)-1]
	d.queue = d.queue[:len(d.queue)-1]
	i := 0
	for n := len(d.queue); 2*i+1 < n; {
		child := 2*i + 1
		if child+1 < n && d.queue[child+1].less(d.queue[child]) {
			child++
		}
		if !d.queue[child].less(last) {
			break
		}
		d.queue[i] = d.queue[child]
		i = child
	}
	if len(d.queue) > 0 {
		d.queue[i] = last
	}
	return top
}
