package platform

import (
	"container/heap"
	"fmt"
	"math"
	"slices"
)

// graphRouting finds the way of the least latency between the nodes that hosts
// are on, and among these the one of the least loss, as Shadow does. Each host
// has an access link, which is crossed at both ends.
type graphRouting struct {
	directed bool
	// direct ways consist of one edge (use_shortest_path: false).
	direct   bool
	access   []wire       // of each host
	vertex   []int32      // of each host: the node that it is on
	ids      []int64      // of each node, as in the file
	arcs     [][]graphArc // of each node, in the order of the file
	loops    []*Link      // of each node: how its hosts reach each other
	parallel []edge       // nodes that several edges join

	before map[int32][]graphArc // of each source met so far: the last arc, by node, from where
	cached int
}

// graphArc leads to a node, or comes from one.
type graphArc struct {
	node int32
	link *Link // nil when there is no way
}

// seal refuses what Shadow refuses: nodes in use that no edge joins or several
// do where one edge is the way.
func (g *graphRouting) seal(*Platform, *Zone) error {
	hosts := make(map[int32]int)
	var used []int32
	for _, v := range g.vertex {
		if hosts[v]++; hosts[v] == 1 {
			used = append(used, v)
		}
		if hosts[v] == 2 && g.loops[v] == nil {
			return fmt.Errorf("two hosts are on node %d, but no edge leads from the node to itself to say how they reach each other", g.ids[v])
		}
	}
	for _, e := range g.parallel {
		if hosts[e.src] > 0 && hosts[e.dst] > 0 && (g.direct || e.src == e.dst) {
			return fmt.Errorf("one edge from node %d to node %d expected, found several", g.ids[e.src], g.ids[e.dst])
		}
	}
	if !g.direct {
		return nil
	}
	for _, v := range used {
		before := g.search(v)
		for _, w := range used {
			if v != w && before[w].link == nil {
				return fmt.Errorf("use_shortest_path is false, but no edge leads from node %d to node %d", g.ids[v], g.ids[w])
			}
		}
	}
	return nil
}

func (g *graphRouting) route(b *builder, src, dst *Node) (from, to *Node, err error) {
	if src == dst {
		b.link(b.platform.Links.At(0))
		return nil, nil, nil
	}
	s, t := g.vertex[src.local], g.vertex[dst.local]
	if s == t {
		if g.loops[s] == nil {
			return nil, nil, noRoute(src, dst)
		}
		b.link(g.access[src.local].up)
		b.link(g.loops[s])
		b.link(g.access[dst.local].down)
		return nil, nil, nil
	}
	before := g.search(s)
	if before[t].link == nil {
		return nil, nil, noRoute(src, dst)
	}
	b.link(g.access[src.local].up)
	start := len(b.links)
	for at := t; at != s; at = before[at].node {
		b.links = append(b.links, before[at].link)
	}
	slices.Reverse(b.links[start:])
	for _, l := range b.links[start:] {
		b.latency += l.Latency
	}
	b.link(g.access[dst.local].down)
	return nil, nil, nil
}

// search returns the last arc of the way from s to each node.
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
	if g.direct {
		for _, a := range g.arcs[s] {
			before[a.node] = graphArc{s, a.link}
		}
		return before
	}
	best := make([]reached, n)
	queue := reachedQueue{{node: s, pass: 1}}
	best[s] = queue[0]
	for len(queue) > 0 {
		at := heap.Pop(&queue).(reached)
		if at != best[at.node] {
			continue
		}
		for _, a := range g.arcs[at.node] {
			next := reached{at.latency + int64(math.Round(a.link.Latency*1e9)), at.pass * (1 - a.link.DatagramFaults().Loss), a.node}
			if a.node != s && (before[a.node].link == nil || next.better(best[a.node])) {
				best[a.node] = next
				before[a.node] = graphArc{at.node, a.link}
				heap.Push(&queue, next)
			}
		}
	}
	return before
}

// reached is a node on a way: the latency so far, in whole nanoseconds as
// Shadow adds them up, and the probability that a packet comes so far.
type reached struct {
	latency int64
	pass    float64
	node    int32
}

// better tells whether a way is preferable to another to the same node.
func (r reached) better(o reached) bool {
	return r.latency < o.latency || r.latency == o.latency && r.pass > o.pass
}

// reachedQueue is a heap of the nodes still to be left.
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
