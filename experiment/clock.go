package experiment

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/simterpose/simterpose/internal/strictyaml"
	"github.com/simterpose/simterpose/platform"
)

// Clock is how wrong a host's calendar clock is from the beginning.
type Clock struct {
	Host *platform.Host
	ClockChange
}

// ClockChange makes a host's calendar clock wrong; what is nil stays.
type ClockChange struct {
	Offset *int64 // the difference to simulated time, in nanoseconds
	Drift  *int64 // what it gains, in parts per billion
}

// clockSection is {offset: TIME, drift: FRACTION}; both may be negative.
type clockSection struct {
	At     strictyaml.Position
	Offset *offset `yaml:"offset"`
	Drift  *drift  `yaml:"drift"`
}

func (s *clockSection) change() (c ClockChange, err error) {
	if s.Offset == nil && s.Drift == nil {
		return c, fmt.Errorf("clock: offset or drift expected")
	}
	return ClockChange{Offset: (*int64)(s.Offset), Drift: (*int64)(s.Drift)}, nil
}

// clockEntry is one element of the list of clocks.
type clockEntry struct {
	At     strictyaml.Position
	Host   strictyaml.Strings `yaml:"host,required"`
	Offset *offset            `yaml:"offset"`
	Drift  *drift             `yaml:"drift"`
}

// clocks takes over the list of clocks. A later element replaces an earlier one
// of the same host.
func (l *loader) clocks(nodes []ast.Node) {
	for _, node := range nodes {
		var e clockEntry
		if !l.decode(node, &e) {
			continue
		}
		section := clockSection{Offset: e.Offset, Drift: e.Drift}
		change, err := section.change()
		if err != nil {
			l.addf(Position(e.At), "%v", err)
			continue
		}
		for _, pattern := range e.Host {
			hosts, err := l.Platform.Match(pattern)
			if err != nil {
				l.addf(Position(e.At), "%v", err)
			}
			for _, h := range hosts {
				l.Clocks = append(l.Clocks, Clock{h, change})
			}
		}
	}
}

// drift is a fraction in parts per million (20ppm) or billion, kept in parts per
// billion.
type drift int64

// maxDrift keeps a clock going forward: 10 percent, what adjtimex's tick can
// correct.
const maxDrift = 100_000_000

// DecodeYAML implements [strictyaml.Unmarshaler].
func (d *drift) DecodeYAML(file string, node ast.Node) error {
	text, ok := strictyaml.Text(node)
	for _, unit := range []struct {
		name string
		ppb  float64
	}{{"ppm", 1000}, {"ppb", 1}} {
		number, found := strings.CutSuffix(text, unit.name)
		if !ok || !found {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || math.Abs(v*unit.ppb) > maxDrift {
			break
		}
		*d = drift(math.Round(v * unit.ppb))
		return nil
	}
	return strictyaml.Errorf(file, node, "a drift such as 20ppm or -500ppb expected, at most 100000ppm, found %q", text)
}

// counter takes over what rdtsc tells.
func (l *loader) counter(node ast.Node) {
	if node == nil {
		return
	}
	switch text, _ := strictyaml.Text(node); text {
	case "simulated":
		l.TrapTSC = true
	case "machine":
	default:
		l.add(strictyaml.Errorf(l.path, node, "tsc: simulated or machine expected"))
	}
}
