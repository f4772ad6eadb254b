package experiment

import (
	"fmt"
	"math"
	"strings"
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

// decodeNumber reads a number with a unit into into.
func decodeNumber(file string, node ast.Node, what string, parse func(string) (float64, error), into *float64) error {
	text, ok := strictyaml.Text(node)
	if !ok {
		return strictyaml.Errorf(file, node, "%s expected", what)
	}
	v, err := parse(text)
	switch {
	case err != nil:
		return strictyaml.Errorf(file, node, "%v", err)
	case math.IsNaN(v) || math.IsInf(v, 0) || v < 0:
		return strictyaml.Errorf(file, node, "%s of 0 or more expected, found %q", what, text)
	}
	*into = v
	return nil
}

// bandwidth is in bytes per second.
type bandwidth float64

// DecodeYAML implements [strictyaml.Unmarshaler].
func (b *bandwidth) DecodeYAML(file string, node ast.Node) error {
	return decodeNumber(file, node, "a bandwidth", platform.ParseBandwidth, (*float64)(b))
}

// seconds is a duration in the simulation's unit.
type seconds float64

// DecodeYAML implements [strictyaml.Unmarshaler].
func (s *seconds) DecodeYAML(file string, node ast.Node) error {
	return decodeNumber(file, node, "a time", platform.ParseTime, (*float64)(s))
}

// speed is in flop/s.
type speed float64

// DecodeYAML implements [strictyaml.Unmarshaler].
func (s *speed) DecodeYAML(file string, node ast.Node) error {
	return decodeNumber(file, node, "a speed", platform.ParseSpeed, (*float64)(s))
}

// probability is a number from 0 to 1, or a percentage.
type probability float64

// DecodeYAML implements [strictyaml.Unmarshaler].
func (p *probability) DecodeYAML(file string, node ast.Node) error {
	return decodeNumber(file, node, "a probability", platform.ParseProbability, (*float64)(p))
}

// offset is a difference of times, in nanoseconds; it may be negative.
type offset int64

// DecodeYAML implements [strictyaml.Unmarshaler].
func (o *offset) DecodeYAML(file string, node ast.Node) error {
	text, _ := strictyaml.Text(node)
	text, negative := strings.CutPrefix(text, "-")
	t, err := ParseTime(strings.TrimPrefix(text, "+"))
	if err != nil {
		return strictyaml.Errorf(file, node, "%v", err)
	}
	if *o = offset(t); negative {
		*o = -*o
	}
	return nil
}
