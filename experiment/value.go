package experiment

import (
	"fmt"
	"math"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/simterpose/simterpose/internal/strictyaml"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// duration is a simulated time written with a unit, such as 50ms.
type duration sim.Time

// DecodeYAML implements [strictyaml.Unmarshaler].
func (d *duration) DecodeYAML(file string, node ast.Node) error {
	text, ok := strictyaml.Text(node)
	if !ok {
		return strictyaml.Errorf(file, node, "a time expected, such as 10s")
	}
	t, err := ParseTime(text)
	if err != nil {
		return strictyaml.Errorf(file, node, "%v", err)
	}
	*d = duration(t)
	return nil
}

// ParseTime reads a simulated time such as "50ms" or "1.5h", to the nearest
// nanosecond; a bare number is in seconds.
func ParseTime(text string) (sim.Time, error) {
	seconds, err := platform.ParseTime(text)
	if err != nil {
		return 0, err
	}
	return timeOf(seconds)
}

// timeOf converts seconds to the nearest nanosecond: 0.3 s means 300 ms.
func timeOf(seconds float64) (sim.Time, error) {
	ns := math.Round(seconds * 1e9)
	switch {
	case math.IsNaN(ns) || ns < 0:
		return 0, fmt.Errorf("a time of 0 s or more expected, found %v s", seconds)
	case ns >= float64(sim.Never):
		return 0, fmt.Errorf("a time of less than %.0f s expected, found %v s", sim.Never.Seconds(), seconds)
	}
	return sim.Time(ns), nil
}

// calendar is an instant of the calendar, in UTC.
type calendar time.Time

// The first and last instants that clocks of guests can show.
var (
	firstEpoch = time.Unix(0, 0)
	lastEpoch  = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// DecodeYAML implements [strictyaml.Unmarshaler].
func (c *calendar) DecodeYAML(file string, node ast.Node) error {
	text, _ := strictyaml.Text(node)
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, time.DateOnly} {
		t, err := time.ParseInLocation(layout, text, time.UTC)
		if err != nil {
			continue
		}
		if t.Before(firstEpoch) || t.After(lastEpoch) {
			return strictyaml.Errorf(file, node, "a date from 1970 to 2199 expected, found %q", text)
		}
		*c = calendar(t.UTC())
		return nil
	}
	return strictyaml.Errorf(file, node, "a date such as 2030-01-01T00:00:00Z expected, found %q", text)
}
