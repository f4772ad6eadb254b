package experiment

import (
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/simterpose/simterpose/internal/strictyaml"
	"github.com/simterpose/simterpose/platform"
)

// Mediations are the ways in which data cross between two guests: full lets the
// emulator copy them, translation lets large ones through the machine's kernel.
// Guests cannot tell one from the other.
var Mediations = []string{"full", "translation"}

// MediationOptions say how data cross between two hosts. The zero value is full
// mediation everywhere.
type MediationOptions struct {
	// Translation is for hosts of which Pairs say nothing.
	Translation bool
	// Pairs are in the order of the file; a later one comes before an earlier.
	Pairs []MediationPair
}

// MediationPair is how data cross between each host of one set and each of
// another, both ways.
type MediationPair struct {
	A, B        []*platform.Host
	Translation bool
}

// Translated tells whether data between two hosts go through the machine's
// kernel.
func (m MediationOptions) Translated(a, b *platform.Host) bool {
	for _, p := range slices.Backward(m.Pairs) {
		if slices.Contains(p.A, a) && slices.Contains(p.B, b) || slices.Contains(p.A, b) && slices.Contains(p.B, a) {
			return p.Translation
		}
	}
	return m.Translation
}

// Anywhere tells whether some data of a host do.
func (m MediationOptions) Anywhere(h *platform.Host) bool {
	return m.Translation || slices.ContainsFunc(m.Pairs, func(p MediationPair) bool {
		return p.Translation && (slices.Contains(p.A, h) || slices.Contains(p.B, h))
	})
}

// String prints the options for people.
func (m MediationOptions) String() string {
	name := mediationName(m.Translation)
	if n := len(m.Pairs); n > 0 {
		name += fmt.Sprintf(", pairs of hosts with their own: %d", n)
	}
	return name
}

func mediationName(translation bool) string {
	if translation {
		return "translation"
	}
	return "full"
}

func parseMediation(name string) (translation bool, err error) {
	if !slices.Contains(Mediations, name) {
		return false, fmt.Errorf("mediation: full or translation expected, found %q", name)
	}
	return name == "translation", nil
}

type mediationSection struct {
	Default string     `yaml:"default"`
	Pairs   []ast.Node `yaml:"pairs"`
}

type mediationPairSection struct {
	At      strictyaml.Position
	Between []string `yaml:"between,required"`
	Use     string   `yaml:"use,required"`
}

// mediation reads the name of one, or {default: NAME, pairs: [...]}.
func (l *loader) mediation(node ast.Node) {
	if node == nil {
		return
	}
	var s mediationSection
	if name, ok := strictyaml.Text(node); ok {
		s.Default = name
	} else if !l.decode(node, &s) {
		return
	}
	if s.Default != "" || s.Pairs == nil {
		var err error
		if l.Mediation.Translation, err = parseMediation(s.Default); err != nil {
			l.addf(l.at(node), "%v", err)
		}
	}
	for _, n := range s.Pairs {
		var p mediationPairSection
		if !l.decode(n, &p) {
			continue
		}
		if len(p.Between) != 2 {
			l.addf(Position(p.At), "between: two names of hosts, or patterns, expected, found %d", len(p.Between))
			continue
		}
		translation, err := parseMediation(p.Use)
		if err != nil {
			l.addf(Position(p.At), "%v", err)
			continue
		}
		var sets [2][]*platform.Host
		for i, pattern := range p.Between {
			if sets[i], err = l.Platform.Match(pattern); err != nil {
				l.addf(Position(p.At), "between: %v", err)
			}
		}
		l.Mediation.Pairs = append(l.Mediation.Pairs, MediationPair{sets[0], sets[1], translation})
	}
}
