package platform

import "container/heap"

// graphRouting finds the way of the least latency between hosts, and among
// these the one of the least loss, as Shadow does. Each host has an access
// link, which is crossed at both ends.
type graphRouting struct {
	directed bool
	access   []wire       // of each host
	arcs     [][]graphArc // of each host, in the order of the file

	before map[int32][]graphArc // of each source met so far: the last arc, by host, from where
	cached int
}

// graphArc leads to a host, or comes from one.
type graphArc struct {
	node int32
	link *Link // nil when there is no way
}

func (g *graphRouting) route(b *builder, src, dst *Node) (from, to *Node, err error) {
	if src == dst {
		b.link(b.platform.Links[0])
		return nil, nil, nil
	}
	before := g.search(src.local)
	if before[dst.local].link == nil {
		return nil, nil, noRoute(src, dst)
	}
	b.link(g.access[src.local].up)
	start := len(b.links)
	for at := dst.local; at != src.local; at = before[at].node {
		b.links = append(b.links, before[at].link)
	}
	way := b.links[start:]
	for i, j := 0, len(way)-1; i < j; i, j = i+1, j-1 {
		way[i], way[j] = way[j], way[i]
	}
	for _, l := range way {
		b.latency += l.Latency
	}
	b.link(g.access[dst.local].down)
	return nil, nil, nil
}

// search returns the last arc of the way from s to each host.
func (g *graphRouting) search(s int32) []graphArc {
	if before := g.before[s]; before != nil {
		return before
	}
	n := len(g.arcs)
	if g.before == nil || g.cached+n > maxCached/4 {
		g.before, g.cached = make(map[int32][]graphArc), 0
	}
	before := make([]graphArc, n)
	g.before[s] = before
	g.cached += n
	best := make([]reached, n)
	queue := reachedQueue{{node: s, pass: 1}}
	best[s] = queue[0]
	for len(queue) > 0 {
		at := heap.Pop(&queue).(reached)
		if at != best[at.node] {
			continue
		}
		for _, a := range g.arcs[at.node] {
			next := reached{at.latency + a.link.Latency, at.pass * (1 - a.link.DatagramFaults().Loss), a.node}
			if a.node != s && (before[a.node].link == nil || next.better(best[a.node])) {
				best[a.node] = next
				before[a.node] = graphArc{at.node, a.link}
				heap.Push(&queue, next)
			}
		}
	}
	return before
}

// reached is a host on a way: the latency so far, in seconds, and the
// probability that a packet comes so far.
type reached struct {
	latency, pass float64
	node          int32
}

// better tells whether a way is preferable to another to the same host.
func (r reached) better(o reached) bool {
	return r.latency < o.latency || r.latency == o.latency && r.pass > o.pass
}

// reachedQueue is a heap of the hosts still to be left.
type reachedQueue []reached

func (q reachedQueue) Len() int { return len(q) }
func (q reachedQueue) Less(i, j int) bool {
	return q[i].better(q[j]) || !q[j].better(q[i]) && q[i].node < q[j].node
}
func (q reachedQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *reachedQueue) Push(x any)   { *q = append(*q, x.(reached)) }
func (q *reachedQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
