package testguests

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

// TestMeasured has programs compute on hosts of other speeds than this machine's
// (4 Gf are assumed) and of several cores: it must take the processor time that
// was used, converted by the ratio of the speeds and shared among the cores.
func TestMeasured(t *testing.T) {
	burn, goBurn := filepath.Join(lab.Folder(), "burn"), filepath.Join(lab.Folder(), "goburn")
	lab.BuildC(t, "cpu/burn.c", burn)
	lab.BuildGo(t, "./cpu/goburn", goBurn)
	script, err := filepath.Abs("cpu/burn.py")
	if err != nil {
		t.Fatal(err)
	}
	const reference = 4.0
	for _, language := range []struct{ name, command string }{
		{"C", lab.Quote(burn) + `, "40000000"`},
		{"Go", lab.Quote(goBurn) + `, "160000000"`},
		{"Python", `python3, ` + lab.Quote(script) + `, "2000000"`},
	} {
		for _, c := range []struct {
			name               string
			speed              float64 // Gf
			cores              int
			threads, processes int
		}{
			{"a tenth", 0.4, 1, 1, 1},
			{"the same", 4, 1, 1, 1},
			{"ten times", 40, 1, 1, 1},
			{"4 threads on 1 core", 4, 1, 4, 1},
			{"4 threads on 2 cores", 4, 2, 4, 1},
			{"4 threads on 4 cores", 4, 4, 4, 1},
			{"3 processes on 1 core", 4, 1, 1, 3},
			{"3 processes of 2 threads on 2 cores", 4, 2, 2, 3},
		} {
			t.Run(language.name+"/"+c.name, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "experiment.yaml")
				write(t, file, fmt.Sprintf(`platform:
  hosts:
    - {name: host, speed: %gGf, cores: %d}
cpu: {measured: {reference_speed: %gGf}}
processes:
  - {host: host, name: burn, command: [%s, "%d", "%d"]}
`, c.speed, c.cores, reference, language.command, c.threads, c.processes))
				r := lab.Experiment(t, file)
				took, used := burned(t, r.Stdout(t, "host", "burn"))
				shared := took / shareCores(used, c.cores)
				t.Logf("simulated / (each thread's / cores) = %.4f", shared)
				// Starting threads and processes takes time too, on a busy machine
				// more of it.
				if shared < 0.99 || shared > 1.08 || math.IsNaN(shared) {
					t.Errorf("took %.6f s, of which threads used %.6f s: %.1f %% off", took, used, 100*(shared-1))
				}
				if c.cores > 1 {
					return
				}
				p := r.Summary.Process(t, "host", "burn")
				ratio := (*p.End - *p.Start) / (p.Processor * reference / c.speed)
				t.Logf("simulated / (used x ratio of the speeds) = %.4f", ratio)
				if math.Abs(ratio-1) > 0.01 || math.IsNaN(ratio) {
					t.Errorf("took %.6f s for %.6f s of this machine: %.1f %% off", *p.End-*p.Start, p.Processor, 100*(ratio-1))
				}
			})
		}
	}
}

// burned reads what burn printed: how long it took, and what each thread used.
func burned(t *testing.T, out string) (took float64, used []float64) {
	t.Helper()
	for line := range strings.Lines(out) {
		for i, field := range strings.Fields(line) {
			v, err := strconv.ParseFloat(field, 64)
			switch {
			case err != nil:
				t.Fatalf("%v in %q", err, out)
			case i == 0:
				took = max(took, v)
			default:
				used = append(used, v)
			}
		}
	}
	return took, used
}

// shareCores is when the last of several computations ends that begin together
// and share cores evenly, when each takes so long alone.
func shareCores(alone []float64, cores int) (end float64) {
	slices.Sort(alone)
	done := 0.0
	for i, a := range alone {
		end += (a - done) * max(1, float64(len(alone)-i)/float64(cores))
		done = a
	}
	return end
}

// TestSignals has programs whose signals come while guests compute.
func TestSignals(t *testing.T) {
	for name, want := range map[string]string{
		"handlers": "50 early, 0 late\n",
		"doomed":   "1 thread: 20 of 20 died\n4 threads: 20 of 20 died\n",
	} {
		t.Run(name, func(t *testing.T) {
			guest := filepath.Join(lab.Folder(), name)
			lab.BuildC(t, "cpu/"+name+".c", guest)
			file := filepath.Join(t.TempDir(), "experiment.yaml")
			write(t, file, fmt.Sprintf(`platform:
  hosts: [{name: host, speed: 1Gf}]
cpu: {measured: {reference_speed: 1Gf}}
processes:
  - {host: host, name: guest, command: [%s]}
`, guest))
			r := lab.Experiment(t, file)
			if got := r.Stdout(t, "host", "guest"); got != want {
				t.Errorf("printed %q, want %q", got, want)
			}
		})
	}
}

// TestMeasuredSignals runs a guest that gets signals while it computes: where that
// takes time, they come between a call and its wait.
func TestMeasuredSignals(t *testing.T) {
	file := filepath.Join(t.TempDir(), "experiment.yaml")
	write(t, file, fmt.Sprintf(`platform: {hosts: [{name: host, speed: 1Gf, cores: 2}]}
cpu: {measured: {reference_speed: 1Gf}}
processes: [{host: host, name: guest, command: [%s]}]
`, program(t, "c/signal_compute.c")))
	r := lab.Experiment(t, file)
	finish(t, r)
	golden(t, "signal_compute", r.Stdout(t, "host", "guest"), false)
}
