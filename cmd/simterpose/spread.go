package main

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/simterpose/simterpose/emulator"
)

// spreadSummary tells how far the times of several measured runs lie apart.
type spreadSummary struct {
	Runs      int             `json:"runs"`
	Simulated rangeSummary    `json:"simulated_seconds"`
	Processes []processSpread `json:"processes"`
}

// rangeSummary is of seconds.
type rangeSummary struct {
	Least  float64 `json:"least"`
	Median float64 `json:"median"`
	Most   float64 `json:"most"`
	Mean   float64 `json:"mean"`
	// Deviation is the standard deviation, estimated from the runs.
	Deviation float64 `json:"deviation"`
}

// processSpread is the spread of the time from a process's start to its end,
// and how many of the runs ended as expected.
type processSpread struct {
	Host       string       `json:"host"`
	Name       string       `json:"name"`
	Seconds    rangeSummary `json:"seconds"`
	AsExpected int          `json:"as_expected"`
}

func rangeOf(values []float64) rangeSummary {
	slices.Sort(values)
	n := len(values)
	r := rangeSummary{Least: values[0], Median: values[n/2], Most: values[n-1]}
	for _, v := range values {
		r.Mean += v / float64(n)
	}
	for _, v := range values {
		r.Deviation += (v - r.Mean) * (v - r.Mean)
	}
	r.Deviation = math.Sqrt(r.Deviation / float64(max(1, n-1)))
	return r
}

// percent is the width of the range as a part of the median.
func (r rangeSummary) percent() float64 {
	if r.Median == 0 {
		return 0
	}
	return 100 * (r.Most - r.Least) / r.Median
}

func spreadOf(results []*emulator.Result) *spreadSummary {
	s := &spreadSummary{Runs: len(results)}
	var simulated []float64
	for _, r := range results {
		simulated = append(simulated, r.Simulated.Seconds())
	}
	s.Simulated = rangeOf(simulated)
	for i, p := range results[0].Processes {
		spread := processSpread{Host: p.Host, Name: p.Name}
		var lasted []float64
		for _, r := range results {
			if i >= len(r.Processes) {
				continue // a command of an event that came later
			}
			q := r.Processes[i]
			lasted = append(lasted, q.End.Sub(q.Start).Seconds())
			if q.AsExpected {
				spread.AsExpected++
			}
		}
		spread.Seconds = rangeOf(lasted)
		s.Processes = append(s.Processes, spread)
	}
	return s
}

func (s *spreadSummary) print(out io.Writer) {
	fmt.Fprintf(out, "\n%d runs, simulated %v\n", s.Runs, s.Simulated)
	for _, p := range s.Processes {
		fmt.Fprintf(out, "  %s on %s: %v\n", p.Name, p.Host, p.Seconds)
	}
}

func (r rangeSummary) String() string {
	return fmt.Sprintf("%.6f to %.6f s, mean %.6f s, median %.6f s (deviation %.6f s, spread %.1f %%)",
		r.Least, r.Most, r.Mean, r.Median, r.Deviation, r.percent())
}
