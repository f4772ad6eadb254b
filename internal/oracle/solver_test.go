package oracle

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/simterpose/simterpose/fluid"
)

var long = flag.Bool("long", false, "also run what takes minutes")

// solverClass is a class of random systems of SimGrid's maxmin_bench: so many
// constraints, as many variables, each of which uses so many constraints.
type solverClass struct {
	name        string
	size, uses  int
	repetitions int
}

var solverClasses = []solverClass{
	{"small", 10, 4, 20_000},
	{"medium", 100, 24, 1_000},
	{"big", 2_000, 96, 10},
	{"huge", 20_000, 384, 1},
}

// lcg gives the numbers of simgrid/solver.cpp.
type lcg uint64

func (g *lcg) uniform() float64 {
	*g = *g*6364136223846793005 + 1442695040888963407
	return float64(*g>>11) / (1 << 53)
}

// randomSystem is the system that simgrid/solver.cpp makes of the same seed.
func (c solverClass) randomSystem(seed uint64) (s *fluid.System, list []fluid.Constraint) {
	g := lcg(seed)
	s = &fluid.System{}
	for range c.size {
		list = append(list, s.AddConstraint(g.uniform()*10, fluid.Shared))
	}
	seen := make([]int, c.size)
	for v := range c.size {
		variable := s.AddVariable(1, -1, c.uses)
		for range c.uses {
			k := int(g.uniform() * float64(c.size))
			for seen[k] == v+1 {
				k = int(g.uniform() * float64(c.size))
			}
			seen[k] = v + 1
			s.UseOnce(variable, list[k], g.uniform()*3)
		}
	}
	return s, list
}

// askSolver has SimGrid solve the same system.
func (c solverClass) askSolver(t testing.TB, seed uint64, repetitions int) (microseconds float64, usages []float64) {
	t.Helper()
	out, err := exec.Command(filepath.Join(programs, "solver"), fmt.Sprint(c.size), fmt.Sprint(c.size),
		fmt.Sprint(c.uses), fmt.Sprint(seed), fmt.Sprint(repetitions)).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		var index int
		var usage float64
		if rest, ok := strings.CutPrefix(lines.Text(), "time\t"); ok {
			if _, err := fmt.Sscan(rest, &microseconds); err != nil {
				t.Fatal(err)
			}
		} else if _, err := fmt.Sscan(lines.Text(), &index, &usage); err != nil {
			t.Fatal(err)
		} else {
			usages = append(usages, usage)
		}
	}
	return microseconds, usages
}

// TestSolverAgreesWithSimGrid compares what each constraint of random systems
// carries. Where two constraints fill at the same level to the last bits, the
// order of additions decides, and what is below the solver's precision of 1e-5
// of a capacity counts as nothing.
func TestSolverAgreesWithSimGrid(t *testing.T) {
	for _, c := range solverClasses[:3] {
		for seed := range uint64(3) {
			s, list := c.randomSystem(seed)
			s.Solve()
			_, usages := c.askSolver(t, seed, 1)
			if len(usages) != len(list) {
				t.Fatalf("SimGrid has %d constraints, not %d", len(usages), len(list))
			}
			worst := 0.0
			for i, k := range list {
				worst = max(worst, math.Abs(s.Load(k)-usages[i]))
			}
			if worst > 1e-12 {
				t.Errorf("%s, seed %d: a constraint carries %.3g more or less than SimGrid's", c.name, seed, worst)
			}
		}
	}
}

// BenchmarkSolver measures both solvers on the same systems in the same run,
// each by the best of several turns, so that other load counts little.
func BenchmarkSolver(b *testing.B) {
	classes := solverClasses
	if !*long {
		classes = classes[:3]
	}
	for _, c := range classes {
		b.Run(c.name, func(b *testing.B) {
			s, list := c.randomSystem(1)
			ours, theirs := math.Inf(1), math.Inf(1)
			for b.Loop() {
				for range 5 {
					start := time.Now()
					for range c.repetitions {
						s.SetConstraintBound(list[0], s.Bound(list[0]))
						s.Solve()
					}
					ours = min(ours, float64(time.Since(start).Nanoseconds())/float64(c.repetitions))
					microseconds, _ := c.askSolver(b, 1, c.repetitions)
					theirs = min(theirs, 1000*microseconds)
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(ours, "ns/solve")
			b.ReportMetric(theirs, "simgrid-ns/solve")
			b.ReportMetric(ours/theirs, "ratio")
		})
	}
}
