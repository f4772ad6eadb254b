package fluid

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// plan describes a system, so that it can be built in several orders.
type plan struct {
	bounds  []float64
	sharing []Sharing
	flows   []flow
}

type flow struct {
	penalty, bound float64
	uses           []use
}

type use struct {
	constraint int
	weight     float64
}

func drawPlan(t *rapid.T) plan {
	var p plan
	for range rapid.IntRange(1, 12).Draw(t, "constraints") {
		p.bounds = append(p.bounds, rapid.Float64Range(1, 1000).Draw(t, "capacity"))
		p.sharing = append(p.sharing, rapid.SampledFrom([]Sharing{Shared, Shared, FatPipe}).Draw(t, "sharing"))
	}
	for range rapid.IntRange(1, 30).Draw(t, "variables") {
		f := flow{penalty: rapid.Float64Range(0.1, 10).Draw(t, "penalty"), bound: -1}
		if rapid.Bool().Draw(t, "bounded") {
			f.bound = rapid.Float64Range(0.1, 500).Draw(t, "bound")
		}
		for _, c := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(p.bounds)-1), 1, -1, rapid.ID[int]).Draw(t, "uses") {
			weight := rapid.SampledFrom([]float64{1, 1, 1.05, 0.05, 3}).Draw(t, "weight")
			f.uses = append(f.uses, use{c, weight})
		}
		p.flows = append(p.flows, f)
	}
	return p
}

// build returns a system with the constraints and flows in the given orders,
// and where each of the plan's ended up.
func (p plan) build(constraints, flows []int) (s *System, cs []Constraint, vs []Variable) {
	s = &System{}
	cs, vs = make([]Constraint, len(p.bounds)), make([]Variable, len(p.flows))
	for _, i := range constraints {
		cs[i] = s.AddConstraint(p.bounds[i], p.sharing[i])
	}
	for _, i := range flows {
		f := p.flows[i]
		vs[i] = s.AddVariable(f.penalty, f.bound, len(f.uses))
		for _, u := range f.uses {
			s.Use(vs[i], cs[u.constraint], u.weight)
		}
	}
	return s, cs, vs
}

func sequence(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

// slack is what rounding to workPrecision may leave or take too much.
const slack = 1e-4

// check fails unless the rates are a weighted max-min allocation: no resource
// is over its capacity, and each flow is at its bound or uses a full resource
// on which no other flow has a higher level, so that it could not grow without
// taking from one that has no more.
func (p plan) check(t rapid.TB, s *System, cs []Constraint, vs []Variable, enabled func(i int) bool) {
	t.Helper()
	level := make([]float64, len(cs))
	for i, f := range p.flows {
		if !enabled(i) {
			continue
		}
		for _, u := range f.uses {
			level[u.constraint] = max(level[u.constraint], s.Value(vs[i])*f.penalty)
		}
	}
	for i, c := range cs {
		if load := s.Load(c); load > p.bounds[i]*(1+slack) {
			t.Fatalf("constraint %d of capacity %g carries %g", i, p.bounds[i], load)
		}
	}
	for i, f := range p.flows {
		if !enabled(i) {
			continue
		}
		value := s.Value(vs[i])
		if f.bound > 0 && value > f.bound*(1+slack) {
			t.Fatalf("variable %d of bound %g has rate %g", i, f.bound, value)
		}
		stopped := f.bound > 0 && value >= f.bound*(1-slack)
		for _, u := range f.uses {
			// SimGrid's FatPipe stops all its flows at the level at which the
			// first of them fills it.
			c := u.constraint
			full := s.Load(cs[c]) >= p.bounds[c]*(1-slack)
			stopped = stopped || full && value*f.penalty >= level[c]*(1-slack)
		}
		if !stopped {
			t.Fatalf("variable %d could grow beyond %g", i, value)
		}
	}
}

func TestAllocationIsMaxMin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		s, cs, vs := p.build(sequence(len(p.bounds)), sequence(len(p.flows)))
		s.Solve()
		p.check(t, s, cs, vs, func(int) bool { return true })
	})
}

func TestAllocationDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		s, _, vs := p.build(sequence(len(p.bounds)), sequence(len(p.flows)))
		s.Solve()
		other, _, ovs := p.build(
			rapid.Permutation(sequence(len(p.bounds))).Draw(t, "constraints"),
			rapid.Permutation(sequence(len(p.flows))).Draw(t, "flows"))
		other.Solve()
		for i := range vs {
			if a, b := s.Value(vs[i]), other.Value(ovs[i]); math.Abs(a-b) > slack*max(a, b) {
				t.Fatalf("variable %d has rate %g in one order and %g in another", i, a, b)
			}
		}
	})
}

// TestChangesGiveTheSameAsStartingOver applies random changes with solves in
// between and compares with a system that has the final state from the start.
func TestChangesGiveTheSameAsStartingOver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		s, cs, vs := p.build(sequence(len(p.bounds)), sequence(len(p.flows)))
		enabled := slices.Repeat([]bool{true}, len(vs))
		for range rapid.IntRange(1, 20).Draw(t, "changes") {
			i := rapid.IntRange(0, len(vs)-1).Draw(t, "variable")
			f := &p.flows[i]
			switch rapid.IntRange(0, 5).Draw(t, "change") {
			case 0:
				f.bound = rapid.Float64Range(0.1, 500).Draw(t, "bound")
				s.SetBound(vs[i], f.bound)
			case 1:
				f.penalty = rapid.Float64Range(0.1, 10).Draw(t, "penalty")
				if enabled[i] {
					s.SetPenalty(vs[i], f.penalty)
				}
			case 2:
				enabled[i] = !enabled[i]
				if enabled[i] {
					s.SetPenalty(vs[i], f.penalty)
				} else {
					s.SetPenalty(vs[i], 0)
				}
			case 3:
				c := rapid.IntRange(0, len(cs)-1).Draw(t, "constraint")
				p.bounds[c] = rapid.Float64Range(1, 1000).Draw(t, "capacity")
				s.SetConstraintBound(cs[c], p.bounds[c])
			case 4: // another variable in its place
				s.Free(vs[i])
				vs[i] = s.AddVariable(f.penalty, f.bound, len(f.uses))
				for _, u := range f.uses {
					s.Use(vs[i], cs[u.constraint], u.weight)
				}
				enabled[i] = true
			case 5:
				s.Solve()
			}
		}
		s.Solve()
		p.check(t, s, cs, vs, func(i int) bool { return enabled[i] })
		fresh, _, fvs := p.build(sequence(len(p.bounds)), sequence(len(p.flows)))
		for i, on := range enabled {
			if !on {
				fresh.SetPenalty(fvs[i], 0)
			}
		}
		fresh.Solve()
		for i := range vs {
			a, b := s.Value(vs[i]), fresh.Value(fvs[i])
			if !enabled[i] {
				b = 0
			}
			if math.Abs(a-b) > slack*max(a, b) {
				t.Fatalf("variable %d has rate %g after changes, %g from the start", i, a, b)
			}
		}
	})
}

func TestSolveLeavesOtherPartsAlone(t *testing.T) {
	var s System
	var vs []Variable
	for range 2 {
		c := s.AddConstraint(10, Shared)
		v := s.AddVariable(1, -1, 1)
		s.Use(v, c, 1)
		vs = append(vs, v)
	}
	s.Solve()
	s.SetBound(vs[1], 3)
	if changed := s.Solve(); !slices.Equal(changed, vs[1:]) {
		t.Errorf("a change of variable %d had %v solved again", vs[1], changed)
	}
	if s.Value(vs[0]) != 10 || s.Value(vs[1]) != 3 {
		t.Errorf("rates %g and %g, want 10 and 3", s.Value(vs[0]), s.Value(vs[1]))
	}
}

func TestConcurrencyLimitMakesVariablesWait(t *testing.T) {
	var s System
	s.LimitConcurrency(2)
	c := s.AddConstraint(12, Shared)
	var vs []Variable
	for range 4 {
		v := s.AddVariable(1, -1, 1)
		s.Use(v, c, 1)
		vs = append(vs, v)
	}
	rates := func() (r [4]float64) {
		s.Solve()
		for i, v := range vs {
			r[i] = s.Value(v)
		}
		return r
	}
	if got := rates(); got != [4]float64{6, 6, 0, 0} {
		t.Errorf("rates %v", got)
	}
	s.SetPenalty(vs[0], 0)
	if got := rates(); got != [4]float64{0, 6, 6, 0} {
		t.Errorf("rates %v after the first left", got)
	}
	s.Free(vs[1])
	vs[1] = vs[0]
	if got := rates(); got != [4]float64{0, 0, 6, 6} {
		t.Errorf("rates %v after the second left", got)
	}
}

func TestBlockClassesCoverSizes(t *testing.T) {
	var s System
	for n := 1; n < 5000; n++ {
		class, size := blockClass(n)
		if size < n || s.blockSize(class) != size || n > 8 && size > n+n/4+1 {
			t.Fatalf("%d elements: class %d of %d, read back as %d", n, class, size, s.blockSize(class))
		}
	}
}

// randomSystem has the shape of SimGrid's maxmin_bench: each variable uses the
// same number of constraints, drawn with weights.
func randomSystem(constraints, variables, uses int, seed uint64) *System {
	s := &System{}
	random := rand.New(rand.NewPCG(seed, 0))
	for range constraints {
		s.AddConstraint(random.Float64()*10, Shared)
	}
	seen := make([]int, constraints)
	for v := range variables {
		id := s.AddVariable(1, -1, uses)
		for range uses {
			c := random.IntN(constraints)
			for seen[c] == v+1 {
				c = random.IntN(constraints)
			}
			seen[c] = v + 1
			s.Use(id, Constraint(c), random.Float64()*3)
		}
	}
	return s
}

func BenchmarkSolve(b *testing.B) {
	for _, class := range []struct {
		name                         string
		constraints, variables, uses int
	}{{"small", 10, 10, 4}, {"medium", 100, 100, 24}, {"big", 2000, 2000, 96}} {
		b.Run(class.name, func(b *testing.B) {
			s := randomSystem(class.constraints, class.variables, class.uses, 1)
			b.ReportAllocs()
			for b.Loop() {
				s.SetConstraintBound(0, s.Bound(0))
				s.Solve()
			}
		})
	}
}

// BenchmarkIndependentFlows shows that the cost of an event does not grow with
// what it does not touch.
func BenchmarkIndependentFlows(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var e Engine
			m := e.NewModel()
			for i := range n {
				c := m.System().AddConstraint(1, Shared)
				a := &Action{}
				start := func() {
					m.Start(a, Work{Amount: 1 + float64(i)/float64(n), Penalty: 1, Uses: 1})
					a.Use(c, 1)
				}
				a.Ended = func(*Action, State) { e.Wake(e.Now(), start) }
				start()
			}
			e.AdvanceTo(10)
			b.ReportAllocs()
			for b.Loop() {
				e.AdvanceTo(e.Next())
			}
		})
	}
}
