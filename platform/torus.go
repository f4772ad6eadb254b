package platform

import (
	"fmt"
	"strconv"
)

// maxDimensions bounds the dimensions of a torus and the levels of a fat tree:
// with two nodes in each, a platform has room for 20.
const maxDimensions = 100

// torus is a grid whose lines are closed to rings. A host owns, in each
// dimension, the link to the next host.
type torus struct {
	sizes             []int
	first, stride     int // of the links of the first host, then of the second, ...
	loopback, limiter bool
	split             bool
}

func (a *assembly) addTorus(c *cluster) error {
	sizes, err := intList(c.parameters)
	if err != nil {
		return err
	}
	if len(sizes) > maxDimensions {
		return fmt.Errorf("topo_parameters of a torus: at most %d dimensions expected, found %d", maxDimensions, len(sizes))
	}
	total, err := product(sizes...)
	if err != nil {
		return err
	}
	t := &torus{sizes: sizes, loopback: c.hasLoopback(), limiter: c.hasLimiter(), split: c.isSplit()}
	if _, err := a.beginZone(c.id, "Torus", t); err != nil {
		return err
	}
	t.stride = len(sizes)
	if t.split {
		t.stride *= 2
	}
	for _, more := range []bool{t.loopback, t.limiter} {
		if more {
			t.stride++
		}
	}
	if err := a.reserve(total, total*t.stride); err != nil {
		return err
	}
	m := a.newMember(c)
	t.first = a.Links.Len()
	for rank := range total {
		if err := a.member(m, rank); err != nil {
			return err
		}
		if err := a.leafLinks(m, rank); err != nil {
			return err
		}
		below := 1
		for _, size := range sizes {
			next := rank + below
			if rank/below%size == size-1 {
				next = rank - (size-1)*below
			}
			// SimGrid numbers these by rank, not by radical.
			prefix := c.id + "_link_from_" + strconv.Itoa(rank) + "_to_"
			if err := a.clusterLink(m, prefix, next, c.bandwidth, false); err != nil {
				return err
			}
			below *= size
		}
	}
	return a.endZone()
}

// leafLinks adds the loopback and the limiter of a host of a torus, fat tree
// or dragonfly.
func (a *assembly) leafLinks(m *member, rank int) error {
	if m.hasLoopback() {
		if err := a.loopback(m, m.numbers[rank]); err != nil {
			return err
		}
	}
	if m.hasLimiter() {
		return a.limiter(m, rank)
	}
	return nil
}

func (a *assembly) limiter(m *member, id int) error {
	_, err := a.addLink(a.text(m.id+"_link_", id, "_limiter"), m.cluster.limiter, 0)
	return err
}

// own returns link n of a host's own.
func (t *torus) own(b *builder, node, n int) *Link {
	return b.platform.Links.At(t.first + node*t.stride + n)
}

func (t *torus) limit(b *builder, node int) {
	if !t.limiter {
		return
	}
	n := 0
	if t.loopback {
		n = 1
	}
	b.links = append(b.links, t.own(b, node, n))
}

func (t *torus) wire(b *builder, node, dimension int) wire {
	n := 0
	if t.loopback {
		n++
	}
	if t.limiter {
		n++
	}
	if t.split {
		n += 2 * dimension
		return wire{t.own(b, node, n), t.own(b, node, n+1)}
	}
	link := t.own(b, node, n+dimension)
	return wire{link, link}
}

// route goes through one dimension after another. The direction in each is
// chosen from where the whole way begins.
func (t *torus) route(b *builder, src, dst *Node) (from, to *Node, err error) {
	if src.kind != hostNode || dst.kind != hostNode {
		return nil, nil, nil
	}
	if src == dst && t.loopback {
		b.link(t.own(b, int(src.local), 0))
		return nil, nil, nil
	}
	at, end, below := int(src.local), int(dst.local), 1
	for dimension, size := range t.sizes {
		mine, target := at/below%size, end/below%size
		up := target > mine && target <= mine+size/2 || mine > size/2 && (mine+size/2)%size >= target
		for place := mine; place != target; place = at / below % size {
			t.limit(b, at)
			if up {
				next := at + below
				if place == size-1 {
					next -= size * below
				}
				b.link(t.wire(b, at, dimension).up)
				at = next
			} else {
				at -= below
				if place == 0 {
					at += size * below
				}
				b.link(t.wire(b, at, dimension).down)
			}
		}
		below *= size
	}
	t.limit(b, end)
	return nil, nil, nil
}
