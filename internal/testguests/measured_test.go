package testguests

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

// TestMeasured has programs compute on hosts of other speeds than this machine's
// (4 Gf are assumed) and of several cores: it must take the processor time that
// was used, converted by the ratio of the speeds and shared among the cores.
func TestMeasured(t *testing.T) {
	burn := filepath.Join(lab.Folder(), "burn")
	lab.BuildC(t, "cpu/burn.c", burn)
	const reference = 4.0
	for _, c := range []struct {
		name               string
		speed              float64 // Gf
		cores              int
		threads, processes int
		atOnce             float64 // of the computations
	}{
		{"a tenth", 0.4, 1, 1, 1, 1},
		{"the same", 4, 1, 1, 1, 1},
		{"ten times", 40, 1, 1, 1, 1},
		{"4 threads on 1 core", 4, 1, 4, 1, 1},
		{"4 threads on 2 cores", 4, 2, 4, 1, 2},
		{"4 threads on 4 cores", 4, 4, 4, 1, 4},
		{"3 processes on 1 core", 4, 1, 1, 3, 1},
		{"3 processes of 2 threads on 2 cores", 4, 2, 2, 3, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "experiment.yaml")
			write(t, file, fmt.Sprintf(`platform:
  hosts:
    - {name: host, speed: %gGf, cores: %d}
cpu: {measured: {reference_speed: %gGf}}
processes:
  - {host: host, name: burn, command: [%s, "100000000", "%d", "%d"]}
`, c.speed, c.cores, reference, burn, c.threads, c.processes))
			r := lab.Experiment(t, file)
			p := r.Summary.Process(t, "host", "burn")
			took := *p.End - *p.Start
			want := p.Processor * reference / c.speed / c.atOnce
			t.Logf("simulated / (used x ratio / cores) = %.4f", took/want)
			// Threads do not take exactly the same time, so that cores idle at
			// the end; each call costs 200 ns, whatever the host's speed.
			tolerance := 0.01
			if c.atOnce > 1 {
				tolerance = 0.25
			}
			if d := took/want - 1; d < -0.01 || d > tolerance || math.IsNaN(d) {
				t.Errorf("took %.6f s, want %.6f s: %.1f %% off", took, want, 100*d)
			}
		})
	}
}

// TestSignalsFindTheHandlerOfTheirTime has a program change a handler after it has
// computed past a timer.
func TestSignalsFindTheHandlerOfTheirTime(t *testing.T) {
	handlers := filepath.Join(lab.Folder(), "handlers")
	lab.BuildC(t, "cpu/handlers.c", handlers)
	file := filepath.Join(t.TempDir(), "experiment.yaml")
	write(t, file, fmt.Sprintf(`platform:
  hosts: [{name: host, speed: 1Gf}]
cpu: {measured: {reference_speed: 1Gf}}
processes:
  - {host: host, name: handlers, command: [%s]}
`, handlers))
	r := lab.Experiment(t, file)
	const want = "50 early, 0 late\n"
	if got := r.Stdout(t, "host", "handlers"); got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}
