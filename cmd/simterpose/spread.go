package main

import (
	"fmt"
	"io"
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
	return rangeSummary{values[0], values[n/2], values[n-1]}
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
	fmt.Fprintf(out, "\n%d runs, simulated %.6f to %.6f s, median %.6f s (spread %.1f %%)\n",
		s.Runs, s.Simulated.Least, s.Simulated.Most, s.Simulated.Median, s.Simulated.percent())
	for _, p := range s.Processes {
		fmt.Fprintf(out, "  %s on %s: %.6f to %.6f s, median %.6f s (spread %.1f %%)\n",
			p.Name, p.Host, p.Seconds.Least, p.Seconds.Most, p.Seconds.Median, p.Seconds.percent())
	}
}
