package platform

import (
	"fmt"
	"math"
)

// maxFloyd is the most nodes that a Floyd zone may have: its tables grow with
// the square of their number and the time to fill them with the cube.
const maxFloyd = 5000

// floydRouting finds the ways with the fewest links by the algorithm of Floyd
// and Warshall. Ties go to whichever SimGrid's loops find first.
type floydRouting struct {
	ways map[edge]*way
	// before holds for each pair of nodes the last but one on the way, or -1.
	before []int32
	size   int32
	scope  *Zone
	stack  []*way
}

func (f *floydRouting) declare(src, dst *Node, w *way) error {
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

func (f *floydRouting) seal(p *Platform, z *Zone) error {
	if z.size > maxFloyd {
		return fmt.Errorf("zone %q has %d nodes, more than the %d that Floyd routing can have (use Dijkstra)",
			z.Name, z.size, maxFloyd)
	}
	f.scope = z
	if loopback := p.loopbackOf(z); loopback != nil {
		self := &way{links: []*Link{loopback}}
		if f.ways == nil {
			f.ways = make(map[edge]*way)
		}
		for i := range z.size {
			if f.ways[edge{i, i}] == nil {
				f.ways[edge{i, i}] = self
			}
		}
	}
	f.fill(z.size)
	return nil
}

// fill computes the table of predecessors.
func (f *floydRouting) fill(size int32) {
	const unreachable = math.MaxInt32
	n := int(size)
	f.size = size
	f.before = make([]int32, n*n)
	cost := make([]int32, n*n)
	for i := range f.before {
		f.before[i], cost[i] = -1, unreachable
	}
	for key, w := range f.ways {
		i := int(key.src)*n + int(key.dst)
		f.before[i], cost[i] = key.src, int32(len(w.links))
	}
	for c := range n {
		costC, beforeC := cost[c*n:(c+1)*n], f.before[c*n:(c+1)*n]
		for a := range n {
			toC := cost[a*n+c]
			if toC == unreachable {
				continue
			}
			costA, beforeA := cost[a*n:(a+1)*n], f.before[a*n:(a+1)*n]
			for b := range n {
				// toC+unreachable does not fit, hence the comparison's form.
				if rest := costC[b]; rest != unreachable && toC+rest < costA[b] {
					costA[b], beforeA[b] = toC+rest, beforeC[b]
				}
			}
		}
	}
}

func (f *floydRouting) route(b *builder, src, dst *Node) (from, to *Node, err error) {
	first := len(f.stack)
	defer func() { f.stack = f.stack[:first] }()
	for at := dst.local; ; {
		before := f.before[src.local*f.size+at]
		if before < 0 {
			return nil, nil, noRoute(src, dst)
		}
		f.stack = append(f.stack, f.ways[edge{before, at}])
		if at = before; at == src.local {
			break
		}
	}
	last := len(f.stack) - 1
	from, to = f.stack[last].from, f.stack[first].to
	for i := last; i >= first; i-- {
		w := f.stack[i]
		if i < last {
			if arrived := f.stack[i+1].to; arrived != w.from {
				if err := b.global(arrived, w.from); err != nil {
					return nil, nil, err
				}
			}
		}
		b.segment(w.links)
	}
	return from, to, nil
}
