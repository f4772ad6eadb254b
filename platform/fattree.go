package platform

import (
	"fmt"
	"strings"
)

// fatTree is a tree of switches that gets thicker towards the top (Zahavi:
// D-Mod-K routing, 2010). Level 0 are the hosts.
type fatTree struct {
	levels   int
	children []int // by level: how many each switch of the next level has
	parents  []int // by level: how many each node has
	ports    []int // by level: parallel cables to each parent

	nodes     []treeNode // by level, then by position
	loopbacks []*Link
}

type treeNode struct {
	level    int
	position int // among the hosts of all fat trees, or the switches of its level
	label    []int
	up       []treeCable // by port
	down     []treeCable
	limiter  *Link
}

// treeCable leads to a node.
type treeCable struct {
	node int32
	link *Link
}

func (a *assembly) addFatTree(c *cluster) error {
	t, hosts, err := parseFatTree(c.parameters)
	if err != nil {
		return err
	}
	if err := t.bounded(); err != nil {
		return err
	}
	if _, err := a.beginZone(c.id, "FatTree", t); err != nil {
		return err
	}
	if err := a.reserve(hosts, 0); err != nil {
		return err
	}
	m := a.newMember(c)
	t.nodes = make([]treeNode, 0, 2*hosts)
	for rank := range hosts {
		if err := a.member(m, rank); err != nil {
			return err
		}
		before := len(a.Links)
		if err := a.leafLinks(m, rank); err != nil {
			return err
		}
		n := treeNode{position: a.fatTreeNodes, up: make([]treeCable, t.parents[0]*t.ports[0])}
		a.fatTreeNodes++
		if c.hasLoopback() {
			t.loopbacks = append(t.loopbacks, a.Links[before])
		}
		if c.hasLimiter() {
			n.limiter = a.Links[len(a.Links)-1]
		}
		t.nodes = append(t.nodes, n)
	}
	if len(c.numbers) < hosts {
		return fmt.Errorf("cluster %q needs %d hosts, its radical has %d", c.id, hosts, len(c.numbers))
	}
	if err := a.treeSwitches(t, m, hosts); err != nil {
		return err
	}
	if err := a.treeCables(t, m, hosts); err != nil {
		return err
	}
	return a.endZone()
}

// parseFatTree reads "levels;children;parents;ports", the last three with one
// number for each level.
func parseFatTree(text string) (t *fatTree, hosts int, err error) {
	parts := strings.Split(text, ";")
	if len(parts) != 4 {
		return nil, 0, fmt.Errorf("topo_parameters of a fat tree: levels;children;parents;ports expected, found %q", text)
	}
	t = new(fatTree)
	if t.levels, err = leadingInt(parts[0]); err != nil {
		return nil, 0, fmt.Errorf("topo_parameters: %w", err)
	}
	if t.levels > maxDimensions {
		return nil, 0, fmt.Errorf("topo_parameters of a fat tree: at most %d levels expected, found %d", maxDimensions, t.levels)
	}
	for i, into := range []*[]int{&t.children, &t.parents, &t.ports} {
		if *into, err = intList(parts[i+1]); err != nil {
			return nil, 0, err
		}
		if len(*into) != t.levels {
			return nil, 0, fmt.Errorf("topo_parameters of a fat tree: %d numbers expected in %q, one for each level", t.levels, parts[i+1])
		}
		if _, err := product(*into...); err != nil {
			return nil, 0, err
		}
	}
	if t.levels < 1 {
		return nil, 0, fmt.Errorf("a fat tree needs at least one level, found %d", t.levels)
	}
	hosts, err = product(t.children...)
	return t, hosts, err
}

// bounded refuses a tree with more nodes or cables than a platform may have.
func (t *fatTree) bounded() error {
	nodes, cables := 0, 0
	for level := range t.levels + 1 {
		count, err := t.count(level)
		if err != nil {
			return err
		}
		if nodes += count; nodes > 2*MaxHosts {
			return fmt.Errorf("the fat tree has more than %d nodes", 2*MaxHosts)
		}
		if level == t.levels {
			break
		}
		up, err := product(t.parents[level], t.ports[level])
		if err != nil {
			return err
		}
		if cables += count * up; cables > MaxLinks {
			return fmt.Errorf("the fat tree has more than %d links", MaxLinks)
		}
	}
	return nil
}

// radix returns in how many ways digit k of a label can differ among the nodes
// of a level.
func (t *fatTree) radix(level, k int) int {
	if k < level {
		return t.parents[k]
	}
	return t.children[k]
}

// count is the number of nodes of a level.
func (t *fatTree) count(level int) (int, error) {
	sizes := make([]int, t.levels)
	for k := range sizes {
		sizes[k] = t.radix(level, k)
	}
	return product(sizes...)
}

// treeSwitches adds the switches above the hosts, and labels all nodes.
func (a *assembly) treeSwitches(t *fatTree, m *member, hosts int) error {
	id := 2 * hosts
	for level := 1; level <= t.levels; level++ {
		count, err := t.count(level)
		if err != nil {
			return err
		}
		for position := range count {
			id--
			n := treeNode{level: level, position: position, down: make([]treeCable, t.children[level-1]*t.ports[level-1])}
			if level < t.levels {
				n.up = make([]treeCable, t.parents[level]*t.ports[level])
			}
			if m.hasLimiter() {
				if err := a.limiter(m, id); err != nil {
					return err
				}
				n.limiter = a.Links[len(a.Links)-1]
			}
			t.nodes = append(t.nodes, n)
		}
	}
	labels := make([]int, len(t.nodes)*t.levels)
	level, rank := 0, 0
	for i := range t.nodes {
		n := &t.nodes[i]
		if n.level != level {
			level, rank = n.level, 0
		}
		n.label = labels[i*t.levels : (i+1)*t.levels]
		rest := rank
		for k := range n.label {
			n.label[k] = rest % t.radix(level, k)
			rest /= t.radix(level, k)
		}
		rank++
	}
	return nil
}

// treeCables joins each node to its parents: those of the next level whose
// label differs in one digit only, that of the level.
func (a *assembly) treeCables(t *fatTree, m *member, hosts int) error {
	var starts []int // of the levels in nodes
	for i := range t.nodes {
		if t.nodes[i].level == len(starts) {
			starts = append(starts, i)
		}
	}
	for i := range t.nodes {
		child := &t.nodes[i]
		if child.level == t.levels {
			break
		}
		for digit := range t.parents[child.level] {
			p := starts[child.level+1] + t.rankOf(child.label, child.level+1, digit)
			parent := &t.nodes[p]
			for port := range t.ports[child.level] {
				if len(a.Links) >= MaxLinks {
					return fmt.Errorf("more than %d links", MaxLinks)
				}
				prefix := fmt.Sprintf("link_from_%d_%d_", t.id(i, hosts), t.id(p, hosts))
				if err := a.clusterLink(m, prefix, a.fatTreeLinks, m.bandwidth, false); err != nil {
					return err
				}
				a.fatTreeLinks++
				w := a.lastWire(m.isSplit())
				parent.down[child.label[child.level]+port*t.children[child.level]] = treeCable{int32(i), w.down}
				child.up[digit+port*t.parents[child.level]] = treeCable{int32(p), w.up}
			}
		}
	}
	return nil
}

// id is SimGrid's number of a node: hosts from 0 up, switches down from twice
// the number of hosts.
func (t *fatTree) id(node, hosts int) int {
	if node < hosts {
		return node
	}
	return 3*hosts - 1 - node
}

// rankOf returns the rank, in its level, of the parent of a node with the
// given label: the parent's label has digit where the child's has its own.
func (t *fatTree) rankOf(label []int, level, digit int) int {
	rank, weight := 0, 1
	for k, own := range label {
		if k == level-1 {
			own = digit
		}
		rank += own * weight
		weight *= t.radix(level, k)
	}
	return rank
}

// above tells whether the way down from a switch leads to the host.
func (t *fatTree) above(n, host *treeNode) bool {
	if n.level <= host.level {
		return false
	}
	for k := n.level; k < t.levels; k++ {
		if n.label[k] != host.label[k] {
			return false
		}
	}
	return true
}

func (t *fatTree) limit(b *builder, n *treeNode) {
	if n.limiter != nil {
		b.links = append(b.links, n.limiter)
	}
}

// route goes up until the destination is below, by the cable that the
// destination's position chooses (d-mod-k), then down.
func (t *fatTree) route(b *builder, src, dst *Node) (from, to *Node, err error) {
	if src.kind != hostNode || dst.kind != hostNode {
		return nil, nil, nil
	}
	if src == dst && t.loopbacks != nil {
		b.link(t.loopbacks[src.local])
		return nil, nil, nil
	}
	source, target := &t.nodes[src.local], &t.nodes[dst.local]
	at := source
	for !t.above(at, target) {
		d := target.position
		for k := range at.level {
			d /= t.parents[k]
		}
		cable := at.up[d%(t.parents[at.level]*t.ports[at.level])]
		t.limit(b, at)
		b.link(cable.link)
		at = &t.nodes[cable.node]
	}
	for at != target {
		below := at.level - 1
		start := source.position % t.ports[below] * t.children[below]
		// SimGrid's loop goes on with the same port number at the next level.
		for port := start; port < len(at.down); port++ {
			if port%t.children[at.level-1] == target.label[at.level-1] {
				cable := at.down[port]
				b.link(cable.link)
				t.limit(b, at)
				at = &t.nodes[cable.node]
			}
		}
	}
	t.limit(b, at)
	return nil, nil, nil
}
