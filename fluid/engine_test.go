package fluid

import (
	"math"
	"testing"
)

func run(t *testing.T, e *Engine) {
	t.Helper()
	for range 1_000_000 {
		next := e.Next()
		if math.IsInf(next, 1) {
			return
		}
		e.AdvanceTo(next)
	}
	t.Fatal("the engine does not come to an end")
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12+1e-9*math.Abs(b) }

// The expected dates are SimGrid 3.32's for the same computations.
func TestComputationsShareCores(t *testing.T) {
	for _, c := range []struct {
		name    string
		threads []int
		want    []float64
	}{
		{"two, four and six threads on four cores, one after the other", []int{2}, []float64{10}},
		{"four threads on four cores", []int{4}, []float64{10}},
		{"six threads on four cores", []int{6}, []float64{15}},
		{"five computations on four cores", []int{1, 1, 1, 1, 1}, []float64{12.5, 12.5, 12.5, 12.5, 12.5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var e Engine
			cpu := e.NewModel().NewCPU(4, 1e8)
			got := make([]float64, len(c.threads))
			for i, n := range c.threads {
				a := &Action{Ended: func(*Action, State) { got[i] = e.Now() }}
				if err := cpu.Execute(a, 1e9, n, 0); err != nil {
					t.Fatal(err)
				}
			}
			run(t, &e)
			for i := range got {
				if !near(got[i], c.want[i]) {
					t.Errorf("computation %d ended at %g, want %g", i, got[i], c.want[i])
				}
			}
		})
	}
}

func TestDiskSharesDirections(t *testing.T) {
	for _, rounded := range []bool{false, true} {
		var e Engine
		m := e.NewModel()
		if rounded {
			m.RoundToBytes()
		}
		disk := m.NewDisk(100e6, 40e6)
		var read, write float64
		if err := disk.Read(&Action{Ended: func(*Action, State) { read = e.Now() }}, 50e6); err != nil {
			t.Fatal(err)
		}
		if err := disk.Write(&Action{Ended: func(*Action, State) { write = e.Now() }}, 20e6); err != nil {
			t.Fatal(err)
		}
		run(t, &e)
		if !near(read, 0.7) || !near(write, 0.5) {
			t.Errorf("rounded %v: read ended at %g, write at %g; want 0.7 and 0.5", rounded, read, write)
		}
	}
}

func TestSpeedChangeKeepsWorkDone(t *testing.T) {
	var e Engine
	cpu := e.NewModel().NewCPU(1, 10)
	var end float64
	if err := cpu.Execute(&Action{Ended: func(*Action, State) { end = e.Now() }}, 100, 1, 0); err != nil {
		t.Fatal(err)
	}
	e.Change(5, func() { cpu.SetScale(0.5) })
	e.Change(9, func() { cpu.SetSpeed(60) })
	run(t, &e)
	if want := 10.0; !near(end, want) { // 50 + 20 + 30 flops
		t.Errorf("ended at %g, want %g", end, want)
	}
}

func TestFailureBeatsCompletionAtTheSameInstant(t *testing.T) {
	var e Engine
	cpu := e.NewModel().NewCPU(1, 1)
	var how State
	if err := cpu.Execute(&Action{Ended: func(_ *Action, s State) { how = s }}, 3, 1, 0); err != nil {
		t.Fatal(err)
	}
	e.Change(3, cpu.TurnOff)
	run(t, &e)
	if how != Failed || e.Now() != 3 {
		t.Errorf("ended as %d at %g, want failed at 3", how, e.Now())
	}
	if err := cpu.Execute(&Action{}, 1, 1, 0); err != ErrOff {
		t.Errorf("a computation started on a CPU that is off: %v", err)
	}
}

func TestExtendContinuesWithoutSolving(t *testing.T) {
	var e Engine
	m := e.NewModel()
	cpu := m.NewCPU(1, 1)
	var dates []float64
	a := &Action{}
	a.Ended = func(*Action, State) {
		dates = append(dates, e.Now())
		if len(dates) < 3 {
			a.Extend(2)
		}
		if m.system.Dirty() {
			t.Error("more work made the system be solved again")
		}
	}
	if err := cpu.Execute(a, 1, 1, 0); err != nil {
		t.Fatal(err)
	}
	e.Wake(4, func() { a.Extend(10) })
	run(t, &e)
	if want := []float64{1, 3, 15}; len(dates) != 3 || dates[0] != want[0] || dates[1] != want[1] || dates[2] != want[2] {
		t.Errorf("ended at %v, want %v", dates, want)
	}
}

func TestSuspendedActionKeepsItsWork(t *testing.T) {
	var e Engine
	m := e.NewModel()
	cpu := m.NewCPU(1, 1)
	var ends [2]float64
	a := &Action{Ended: func(*Action, State) { ends[0] = e.Now() }}
	b := &Action{Ended: func(*Action, State) { ends[1] = e.Now() }}
	for _, x := range []*Action{a, b} {
		if err := cpu.Execute(x, 10, 1, 0); err != nil {
			t.Fatal(err)
		}
	}
	e.Wake(4, a.Suspend)
	e.Wake(10, a.Resume)
	run(t, &e)
	if ends != [2]float64{20, 14} { // b: 2 at 4, 8 at 10, 10 at 14; a: 2 at 10, 4 at 14, 10 at 20
		t.Errorf("ended at %v, want [20 14]", ends)
	}
}
