package experiment

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/simterpose/simterpose/internal/strictyaml"
	"github.com/simterpose/simterpose/platform"
)

// Place says which host of another platform a host of the experiment is.
type Place struct{ Host, On string }

// ParsePlaces reads HOST=NODE pairs with commas between.
func ParsePlaces(text string) ([]Place, error) {
	var places []Place
	for pair := range strings.SplitSeq(text, ",") {
		host, on, ok := strings.Cut(pair, "=")
		if !ok || host == "" || on == "" {
			return nil, fmt.Errorf("HOST=NODE expected, found %q", pair)
		}
		places = append(places, Place{host, on})
	}
	return places, nil
}

// platformFile is a platform in a file of its own, with names that the
// experiment gives to its hosts.
type platformFile struct {
	File  string `yaml:"file,required"`
	Place places `yaml:"place"`
}

// places is a mapping of names in the order of the file.
type places []Place

// DecodeYAML implements [strictyaml.Unmarshaler].
func (p *places) DecodeYAML(file string, node ast.Node) error {
	var values map[string]string
	if err := strictyaml.Decode(file, node, &values); err != nil {
		return err
	}
	for _, host := range sortedKeys(values) {
		*p = append(*p, Place{host, values[host]})
	}
	return nil
}

// hasKey tells whether a node is a mapping with the given key.
func hasKey(node ast.Node, key string) bool {
	var pairs []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = append(pairs, n)
	}
	return slices.ContainsFunc(pairs, func(pair *ast.MappingValueNode) bool {
		text, ok := strictyaml.Text(pair.Key)
		return ok && text == key
	})
}

// rename gives hosts of a platform the names that the experiment has for them.
func (l *loader) rename(p *platform.Platform, list []Place) error {
	var placements []platform.Placement
	for _, one := range list {
		h, err := oneHost(p, one.On)
		if err != nil {
			return err
		}
		l.Places = append(l.Places, Place{one.Host, h.Name})
		placements = append(placements, platform.Placement{Host: h, Name: one.Host})
	}
	return p.Place(placements)
}

// oneHost returns the host that a name, and not a pattern, stands for.
func oneHost(p *platform.Platform, name string) (*platform.Host, error) {
	hosts, err := p.Match(name)
	if err == nil && len(hosts) > 1 {
		err = fmt.Errorf("one host expected, %q stands for %d", name, len(hosts))
	}
	if err != nil {
		return nil, err
	}
	return hosts[0], nil
}

// move takes the experiment to the platform that the command line names.
//
// The hosts with processes keep their names and addresses; all else is the new
// platform's. Each goes where it is told to go, else to the host of its own
// name, else to the first host that is left, in the order of the files.
func (l *loader) move(o Overrides) error {
	p, err := platform.Load(o.Platform)
	if err != nil {
		return err
	}
	var hosts []*platform.Host
	needed := make(map[*platform.Host]bool)
	target := make(map[*platform.Host]*platform.Host)
	l.Places = nil // on the platform that is left
	for i := range l.Processes {
		if h := l.Processes[i].Host; !needed[h] {
			needed[h] = true
			hosts = append(hosts, h)
		}
	}
	slices.SortFunc(hosts, func(a, b *platform.Host) int { return cmp.Compare(a.Index, b.Index) })
	if len(hosts) > len(p.Hosts) {
		return fmt.Errorf("--platform: %s has %d hosts, %d needed for the experiment's processes", o.Platform, len(p.Hosts), len(hosts))
	}
	taken := make(map[*platform.Host]bool)
	for _, one := range o.Place {
		h := l.Platform.Host(one.Host)
		if !needed[h] {
			return fmt.Errorf("--place: a host with processes expected, found %q", one.Host)
		}
		on, err := oneHost(p, one.On)
		switch {
		case err != nil:
			return fmt.Errorf("--place: %s: %w", o.Platform, err)
		case target[h] != nil:
			return fmt.Errorf("--place: host %q is placed twice", one.Host)
		case taken[on]:
			return fmt.Errorf("--place: a second host is placed on %q", one.On)
		}
		target[h], taken[on] = on, true
	}
	for _, h := range hosts {
		if on := p.Host(h.Name); on != nil && target[h] == nil && !taken[on] {
			target[h], taken[on] = on, true
		}
	}
	next := 0
	var placements []platform.Placement
	for _, h := range hosts {
		for ; target[h] == nil; next++ {
			if on := p.Hosts[next]; !taken[on] {
				target[h], taken[on] = on, true
			}
		}
		v4, v6 := h.Addresses()
		l.Places = append(l.Places, Place{h.Name, target[h].Name})
		placements = append(placements, platform.Placement{Host: target[h], Name: h.Name, Addresses: []netip.Addr{v4, v6}})
	}
	if err := p.Place(placements); err != nil {
		return fmt.Errorf("--platform: %s: %w", o.Platform, err)
	}
	l.Platform = p
	for i := range l.Processes {
		l.Processes[i].Host = target[l.Processes[i].Host]
	}
	return nil
}

// errNoPlatform tells that nothing says where to run.
var errNoPlatform = errors.New(`key "platform" is missing (or run with --platform FILE)`)
