package platform

import (
	"fmt"
	"strconv"
	"strings"
)

// fatTree is a tree of switches that gets thicker towards the top (Zahavi:
// D-Mod-K routing, 2010). Level 0 are the hosts.
//
// A node is a level and a rank in it. The digits of the rank are its label:
// digit k has as many values as the nodes of the level have parents there (below
// the level) or children (from the level on). A node and its parents, which are
// of the next level, differ in the digit of the node's level only. So nothing
// is stored of nodes, and cables are found by their number.
type fatTree struct {
	levels   int
	children []int // by level: how many each switch of the next level has
	parents  []int // by level: how many each node has
	ports    []int // by level: parallel cables to each parent

	weights  [][]int // by level: what each digit of a label counts
	starts   []int   // by level: how many nodes are below it
	cables   []int   // by level: how many cables begin below it
	position int     // of the first host among the hosts of all fat trees

	first     int     // of the links of the cables: the way up, and down if there are two
	stride    int     // of a cable
	loopbacks []*Link // by rank; nil without
	limiters  []*Link // by node; nil without
}

// treeNode is a host or a switch.
type treeNode struct{ level, rank int }

func (a *assembly) addFatTree(c *cluster) error {
	t, hosts, err := parseFatTree(c.parameters)
	if err != nil {
		return err
	}
	if err := t.measure(); err != nil {
		return err
	}
	if _, err := a.beginZone(c.id, "FatTree", t); err != nil {
		return err
	}
	t.stride = 1
	if c.isSplit() {
		t.stride = 2
	}
	extra := 0
	if c.hasLoopback() {
		extra += hosts
	}
	if c.hasLimiter() {
		extra += t.starts[t.levels+1]
	}
	if err := a.reserve(hosts, t.stride*t.cables[t.levels]+extra); err != nil {
		return err
	}
	t.position = a.fatTreeNodes
	a.fatTreeNodes += hosts
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
			t.loopbacks = append(t.loopbacks, a.Links.At(before))
		}
		if c.hasLimiter() {
			t.limiters = append(t.limiters, a.lastLink())
		}
	}
	if len(c.numbers) < hosts {
		return fmt.Errorf("cluster %q needs %d hosts, its radical has %d", c.id, hosts, len(c.numbers))
	}
	for node := hosts; c.hasLimiter() && node < t.starts[t.levels+1]; node++ {
		if err := a.limiter(m, t.id(node)); err != nil {
			return err
		}
		t.limiters = append(t.limiters, a.lastLink())
	}
	if err := a.treeCables(t, m); err != nil {
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

// measure computes what nodes and cables are found by. It refuses a tree with
// more of them than a platform may have.
func (t *fatTree) measure() error {
	nodes, cables := 0, 0
	for level := range t.levels + 1 {
		weights, count := make([]int, t.levels), 1
		for k := range weights {
			weights[k] = count
			var err error
			if count, err = product(count, t.radix(level, k)); err != nil {
				return err
			}
		}
		t.weights = append(t.weights, weights)
		t.starts, t.cables = append(t.starts, nodes), append(t.cables, cables)
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
	t.starts = append(t.starts, nodes)
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

// digit returns digit k of a node's label.
func (t *fatTree) digit(n treeNode, k int) int {
	return n.rank / t.weights[n.level][k] % t.radix(n.level, k)
}

// parent returns the parent that a node's given digit of its level leads to.
func (t *fatTree) parent(n treeNode, digit int) treeNode {
	return t.moved(n, n.level+1, n.level, digit)
}

// child returns the child that a switch's given digit leads to.
func (t *fatTree) child(n treeNode, digit int) treeNode {
	return t.moved(n, n.level-1, n.level-1, digit)
}

// moved returns the node of another level that differs in digit k only.
func (t *fatTree) moved(n treeNode, level, k, digit int) treeNode {
	rank := 0
	for j, weight := range t.weights[level] {
		if j == k {
			rank += digit * weight
		} else {
			rank += t.digit(n, j) * weight
		}
	}
	return treeNode{level, rank}
}

// cable returns the links up and down between a node and the parent of a digit.
func (t *fatTree) cable(b *builder, child treeNode, digit, port int) wire {
	l := child.level
	number := t.cables[l] + (child.rank*t.parents[l]+digit)*t.ports[l] + port
	up := t.first + number*t.stride
	return wire{b.platform.Links.At(up), b.platform.Links.At(up + t.stride - 1)}
}

// treeCables joins each node to its parents.
func (a *assembly) treeCables(t *fatTree, m *member) error {
	t.first = a.Links.Len()
	prefix := []byte("link_from_")
	for level := range t.levels {
		for rank := range t.starts[level+1] - t.starts[level] {
			child := treeNode{level, rank}
			for digit := range t.parents[level] {
				parent := t.parent(child, digit)
				prefix = strconv.AppendInt(prefix[:len("link_from_")], int64(t.id(t.starts[level]+rank)), 10)
				prefix = strconv.AppendInt(append(prefix, '_'), int64(t.id(t.starts[level+1]+parent.rank)), 10)
				prefix = append(prefix, '_')
				for range t.ports[level] {
					if err := a.clusterLink(m, string(prefix), a.fatTreeLinks, m.bandwidth, false); err != nil {
						return err
					}
					a.fatTreeLinks++
				}
			}
		}
	}
	return nil
}

// id is SimGrid's number of a node: hosts from 0 up, switches down from twice
// the number of hosts.
func (t *fatTree) id(node int) int {
	hosts := t.starts[1]
	if node < hosts {
		return node
	}
	return 3*hosts - 1 - node
}

// above tells whether the way down from a switch leads to the host.
func (t *fatTree) above(n, host treeNode) bool {
	if n.level == 0 {
		return false
	}
	for k := n.level; k < t.levels; k++ {
		if t.digit(n, k) != t.digit(host, k) {
			return false
		}
	}
	return true
}

func (t *fatTree) limit(b *builder, n treeNode) {
	if t.limiters != nil {
		b.links = append(b.links, t.limiters[t.starts[n.level]+n.rank])
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
	target := treeNode{0, int(dst.local)}
	at := treeNode{0, int(src.local)}
	for !t.above(at, target) {
		d := t.position + target.rank
		for k := range at.level {
			d /= t.parents[k]
		}
		d %= t.parents[at.level] * t.ports[at.level]
		t.limit(b, at)
		digit := d % t.parents[at.level]
		b.link(t.cable(b, at, digit, d/t.parents[at.level]).up)
		at = t.parent(at, digit)
	}
	for at != target {
		below := at.level - 1
		port := (t.position + int(src.local)) % t.ports[below] * t.children[below]
		// SimGrid's loop goes on with the same port number at the next level.
		for ; at.level > 0 && port < t.children[at.level-1]*t.ports[at.level-1]; port++ {
			l := at.level - 1
			if port%t.children[l] != t.digit(target, l) {
				continue
			}
			child := t.child(at, port%t.children[l])
			b.link(t.cable(b, child, t.digit(at, l), port/t.children[l]).down)
			t.limit(b, at)
			at = child
		}
	}
	t.limit(b, at)
	return nil, nil, nil
}
