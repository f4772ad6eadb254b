package platform

import (
	"errors"
	"net/netip"
)

// Platform is a loaded simulated world. It is immutable and may be read by
// several goroutines, except that [Platform.AppendRoute] and [Platform.Route]
// must not run at the same time as each other: they share a scratch area and
// the caches of Dijkstra zones.
type Platform struct {
	// File is the path of the file that described the platform, as given.
	File string
	// Hosts and Links are in order of creation, which is SimGrid's; an
	// element's Index is its position here. Links[0] is SimGrid's loopback,
	// which hosts of some zones use to reach themselves.
	Hosts []*Host
	Links Links
	// Root is the outermost zone; nil when the file has none.
	Root *Zone
	// Config holds the options of the file's <config> element.
	Config map[string]string
	// Actors is the deployment found in the platform's own file.
	Actors []Actor
	// Warnings are remarks about the file that do not prevent its use, each
	// with its position.
	Warnings []string

	names   index[string] // of nodes: see nodeName
	links   index[string]
	by4     index[uint32]
	by6     map[netip.Addr]*Host // only those that the file gives
	nodes   []*Node              // routers and zones; hosts are found in Hosts
	builder builder
}

// ErrNoRoute tells that the platform has no route between two hosts.
var ErrNoRoute = errors.New("no route")

// Position is a place in an input file.
type Position struct {
	File         string
	Line, Column int
}

// Property is one <prop> of an element, or one key of a YAML mapping.
type Property struct{ Name, Value string }

// Properties are an element's properties in the order of the file.
type Properties []Property

// Get returns the value of the named property.
func (p Properties) Get(name string) (value string, ok bool) {
	for _, q := range p {
		if q.Name == name {
			return q.Value, true
		}
	}
	return "", false
}

// Actor is one process of a SimGrid deployment.
type Actor struct {
	Host      *Host
	Function  string
	Arguments []string
	// StartTime is in seconds; 0 or less starts at once.
	StartTime float64
	// KillTime is in seconds; negative means never.
	KillTime float64
	// Restart is on_failure="RESTART": the actor starts again when its host
	// is turned on again.
	Restart    bool
	Properties Properties
	Position   Position
}

// Host returns the named host, or nil.
func (p *Platform) Host(name string) *Host {
	if n := p.names.find(name); n >= 0 && n&1 == 0 {
		return p.Hosts[n>>1]
	}
	return nil
}

// Link returns the named link, or nil.
func (p *Platform) Link(name string) *Link {
	if n := p.links.find(name); n >= 0 {
		return p.Links.At(int(n))
	}
	return nil
}

// node returns the named host, router or zone, or nil.
func (p *Platform) node(name string) *Node {
	n := p.names.find(name)
	switch {
	case n < 0:
		return nil
	case n&1 == 0:
		return &p.Hosts[n>>1].Node
	}
	return p.nodes[n>>1]
}

// nodeName is the name of the node with the given number in p.names: twice its
// position in p.Hosts, or twice its position in p.nodes plus one.
func (p *Platform) nodeName(n int32) string {
	if n&1 == 0 {
		return p.Hosts[n>>1].Name
	}
	return p.nodes[n>>1].Name
}
