package replay

import (
	"fmt"
	"math"

	"github.com/simterpose/simterpose/trace"
)

// step is one of the messages and waits that a collective consists of.
type step struct {
	kind stepKind
	peer int
	size float64
}

type stepKind uint8

const (
	stepSend    stepKind = iota // and wait
	stepReceive                 // and wait
	stepPostSend
	stepPostReceive
	stepWait // for all that this collective has posted
	stepCompute
)

func (r *rank) sizeOf(datatype int) (float64, error) {
	if datatype == trace.Absent {
		datatype = r.defaultType
	}
	if datatype >= trace.Types {
		return 0, fmt.Errorf("a datatype from 0 to %d expected, found %d", trace.Types-1, datatype)
	}
	return trace.SizeOf(datatype), nil
}

// collective returns the steps of a collective operation for this rank: those
// of SMPI's default selector (smpi_default_selector.cpp, SimGrid 3.32).
func (r *rank) collective(a *trace.Record) ([]step, error) {
	size, err := r.sizeOf(a.Type)
	if err != nil {
		return nil, err
	}
	n := len(r.run.ranks)
	if a.Root >= n {
		return nil, fmt.Errorf("a root below %d expected, found %d", n, a.Root)
	}
	if n == 1 && a.Action != trace.Reduce && a.Action != trace.AllReduce {
		return nil, nil
	}
	c := plan{rank: r.number, n: n}
	switch a.Action {
	case trace.Barrier:
		c.barrier()
	case trace.Bcast:
		c.binomial(a.Root, a.Amount*size)
	case trace.Reduce:
		c.toRoot(a.Root, a.Amount*size)
		c.add(stepCompute, 0, a.Amount2)
	case trace.AllReduce:
		c.toRoot(0, a.Amount*size)
		c.binomial(0, a.Amount*size)
		c.add(stepCompute, 0, a.Amount2)
	case trace.Gather:
		c.toRoot(a.Root, a.Amount*size)
	case trace.Scatter:
		c.fromRoot(a.Root, a.Amount*size)
	case trace.AllGather:
		c.allToOthers(a.Amount * size)
	case trace.AllToAll:
		c.allToAll(a.Amount * size)
	}
	return c.steps, nil
}

// plan collects the steps of one rank of n.
type plan struct {
	rank, n int
	steps   []step
}

func (c *plan) add(k stepKind, peer int, size float64) {
	c.steps = append(c.steps, step{k, peer, size})
}

// barrier is linear: all tell rank 0, which tells all.
func (c *plan) barrier() {
	if c.rank > 0 {
		c.add(stepSend, 0, 0)
		c.add(stepReceive, 0, 0)
		return
	}
	for range c.n - 1 {
		c.add(stepPostReceive, -1, 0)
	}
	c.add(stepWait, 0, 0)
	for i := 1; i < c.n; i++ {
		c.add(stepPostSend, i, 0)
	}
	c.add(stepWait, 0, 0)
}

// binomial sends down a binomial tree.
func (c *plan) binomial(root int, size float64) {
	relative := (c.rank - root + c.n) % c.n
	mask := 1
	for ; mask < c.n; mask <<= 1 {
		if relative&mask != 0 {
			c.add(stepReceive, (c.rank-mask+c.n)%c.n, size)
			break
		}
	}
	for mask >>= 1; mask > 0; mask >>= 1 {
		if relative+mask < c.n {
			c.add(stepSend, (c.rank+mask)%c.n, size)
		}
	}
}

// toRoot is linear: each sends to the root.
func (c *plan) toRoot(root int, size float64) {
	if c.rank != root {
		c.add(stepPostSend, root, size)
	} else {
		for i := range c.n {
			if i != root {
				c.add(stepPostReceive, i, size)
			}
		}
	}
	c.add(stepWait, 0, 0)
}

// fromRoot is linear: the root sends to each.
func (c *plan) fromRoot(root int, size float64) {
	if c.rank != root {
		c.add(stepPostReceive, root, size)
	} else {
		for i := range c.n {
			if i != root {
				c.add(stepPostSend, i, size)
			}
		}
	}
	c.add(stepWait, 0, 0)
}

// allToOthers posts everything at once.
func (c *plan) allToOthers(size float64) {
	for i := range c.n {
		if i != c.rank {
			c.add(stepPostSend, i, size)
			c.add(stepPostReceive, i, size)
		}
	}
	c.add(stepWait, 0, 0)
}

// allToAllChoices are the sizes of a block for which SMPI's default does not post
// everything at once, by the number of ranks: those of Open MPI 4.1
// (coll_tuned_decision_fixed.c), which alltoall__ompi follows.
var allToAllChoices = []struct {
	below               int // ranks
	bruckFrom, bruckEnd float64
	pairFrom, pairEnd   float64
}{
	{below: 4},
	{below: 8, pairFrom: 524288, pairEnd: 1048576},
	{below: 16},
	{below: 32, bruckFrom: 4, bruckEnd: 512},
	{below: 64, bruckEnd: 512},
	{below: 256, bruckEnd: 1024, pairFrom: 262144, pairEnd: math.Inf(1)},
	{below: 512, bruckEnd: 1024, pairFrom: 32768, pairEnd: math.Inf(1)},
	{below: 1024, bruckEnd: 512, pairFrom: 262144, pairEnd: math.Inf(1)},
	{below: 2048, bruckEnd: 512},
	{below: 4096, bruckEnd: 1024},
	{below: math.MaxInt, bruckEnd: 2048},
}

// allToAll exchanges a block of so many bytes between all pairs.
func (c *plan) allToAll(size float64) {
	for _, choice := range allToAllChoices {
		if c.n >= choice.below {
			continue
		}
		switch {
		case size >= choice.bruckFrom && size < choice.bruckEnd:
			c.bruck(size)
			return
		case size >= choice.pairFrom && size < choice.pairEnd:
			c.pairwise(size)
			return
		}
		break
	}
	for k := 1; k < c.n; k++ {
		c.add(stepPostReceive, (c.rank+k)%c.n, size)
	}
	for k := 1; k < c.n; k++ {
		c.add(stepPostSend, (c.rank-k+c.n)%c.n, size)
	}
	c.add(stepWait, 0, 0)
}

// pairwise exchanges with one rank after the other: as SMPI the one whose number
// differs in some bits, or, where SMPI gives up because the ranks are no power
// of two, those at growing distances.
func (c *plan) pairwise(size float64) {
	for k := 1; k < c.n; k++ {
		if c.n&(c.n-1) == 0 {
			c.exchange(c.rank^k, c.rank^k, size)
		} else {
			c.exchange((c.rank+k)%c.n, (c.rank-k+c.n)%c.n, size)
		}
	}
}

// exchange sends and receives at once.
func (c *plan) exchange(to, from int, size float64) {
	c.add(stepPostSend, to, size)
	c.add(stepPostReceive, from, size)
	c.add(stepWait, 0, 0)
}

// bruck exchanges, for each bit, all blocks whose distance has it (Bruck et al.,
// Efficient algorithms for all-to-all communications in multiport
// message-passing systems, 1997).
func (c *plan) bruck(size float64) {
	for bit := 1; bit < c.n; bit <<= 1 {
		blocks := 0
		for k := 1; k < c.n; k++ {
			if k&bit != 0 {
				blocks++
			}
		}
		c.exchange((c.rank+bit)%c.n, (c.rank-bit+c.n)%c.n, float64(blocks)*size)
	}
}
