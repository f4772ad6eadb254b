package testguests

import (
	"encoding/json"
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
	for _, language := range []struct {
		name    string
		command []string
	}{
		{"C", []string{burn, "30000000"}},
		{"Go", []string{goBurn, "60000000"}},
		{"Python", []string{"python3", script, "1200000"}},
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
				command, err := json.Marshal(append(slices.Clone(language.command), strconv.Itoa(c.threads), strconv.Itoa(c.processes)))
				if err != nil {
					t.Fatal(err)
				}
				file := experiment(t, fmt.Sprintf(`platform:
  hosts:
    - {name: host, speed: %gGf, cores: %d}
cpu: {measured: {reference_speed: %gGf}}
processes:
  - {host: host, name: burn, command: %s}
`, c.speed, c.cores, reference, command))
				r := lab.Experiment(t, file)
				workers := burned(t, r.Stdout(t, "host", "burn"))
				took, want := shareCores(workers, c.cores)
				t.Logf("took / what its threads used, shared = %.4f", took/want)
				if ratio := took / want; math.Abs(ratio-1) > 0.03 || math.IsNaN(ratio) {
					t.Errorf("took %.6f s instead of %.6f s: %.1f %% off", took, want, 100*(ratio-1))
				}
				native, exit, _ := lab.Command(t, language.command[0], append(slices.Clone(language.command[1:]), "1", "1")...)
				if exit != 0 {
					t.Fatalf("natively: exit %d, %s", exit, native)
				}
				ratio := leastPart(workers) / (leastPart(burned(t, native)) * reference / c.speed)
				t.Logf("the shortest part / natively x ratio of the speeds = %.4f", ratio)
				// A neighbour on the same core of the machine makes more of a difference
				// than everything else.
				if ratio < 0.2 || ratio > 5 || math.IsNaN(ratio) {
					t.Errorf("a part took %.3f times what it takes natively", ratio)
				}
				if c.cores > 1 {
					return
				}
				p := r.Summary.Process(t, "host", "burn")
				ratio = (*p.End - *p.Start) / (p.Processor * reference / c.speed)
				t.Logf("from start to end / used x ratio of the speeds = %.4f", ratio)
				if math.Abs(ratio-1) > 0.01 || math.IsNaN(ratio) {
					t.Errorf("took %.6f s for %.6f s of this machine: %.1f %% off", *p.End-*p.Start, p.Processor, 100*(ratio-1))
				}
			})
		}
	}
}

// worker is a computation of burn, in simulated seconds.
type worker struct {
	begin, end, used float64
	least            float64 // what it would have used had all parts been as short as the shortest
	beside           bool    // what a process does beside its workers
}

// burned reads what burn printed.
func burned(t *testing.T, out string) (workers []worker) {
	t.Helper()
	first := 0 // of this process
	for line := range strings.Lines(out) {
		var w worker
		if _, err := fmt.Sscanf(line, "worker %f %f %f %f", &w.begin, &w.end, &w.used, &w.least); err == nil {
			workers = append(workers, w)
			continue
		}
		if _, err := fmt.Sscanf(line, "process %f", &w.used); err != nil {
			t.Fatalf("%v in %q", err, out)
		}
		w.begin, w.beside = workers[first].begin, true
		for _, v := range workers[first:] {
			w.used -= v.used
		}
		workers = append(workers, w)
		first = len(workers)
	}
	return workers
}

func leastPart(workers []worker) float64 {
	least := math.Inf(1)
	for _, w := range workers {
		if !w.beside {
			least = min(least, w.least)
		}
	}
	return least
}

// shareCores tells how long computations took from the first one's begin to the
// last one's end, and how long it would be when they share cores evenly from the
// moments at which they began.
func shareCores(workers []worker, cores int) (took, want float64) {
	begin, end := math.Inf(1), 0.0
	left := make([]float64, len(workers))
	for i, w := range workers {
		begin, end, left[i] = min(begin, w.begin), max(end, w.end), w.used
	}
	now := begin
	for last := begin; ; {
		next, active := math.Inf(1), 0
		for i, w := range workers {
			if w.begin > now {
				next = min(next, w.begin)
			} else if left[i] > 0 {
				active++
			}
		}
		share := min(1, float64(cores)/float64(max(1, active)))
		for i, w := range workers {
			if w.begin <= now && left[i] > 0 {
				next = min(next, now+left[i]/share)
			}
		}
		if math.IsInf(next, 1) {
			return end - begin, last - begin
		}
		for i, w := range workers {
			if w.begin <= now && left[i] > 0 {
				if left[i] -= (next - now) * share; left[i] < 1e-9 {
					left[i] = 0
					if !w.beside {
						last = next
					}
				}
			}
		}
		now = next
	}
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
			file := experiment(t, fmt.Sprintf(`platform:
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
	file := experiment(t, fmt.Sprintf(`platform: {hosts: [{name: host, speed: 1Gf, cores: 2}]}
cpu: {measured: {reference_speed: 1Gf}}
processes: [{host: host, name: guest, command: [%s]}]
`, program(t, "c/signal_compute.c")))
	r := lab.Experiment(t, file)
	finish(t, r)
	golden(t, "signal_compute", r.Stdout(t, "host", "guest"), false)
}
