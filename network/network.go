package network

import (
	"math"

	"github.com/simterpose/simterpose/fluid"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// Router finds routes; *platform.Platform is one.
type Router interface {
	// AppendRoute appends the links from src to dst, in order, and returns
	// the latency in seconds. Without a route the error is platform.ErrNoRoute.
	AppendRoute(links []*platform.Link, src, dst *platform.Host) ([]*platform.Link, float64, error)
}

// Config is what a Network is made of.
type Config struct {
	Model Model
	Hosts []*platform.Host
	// Links holds SimGrid's loopback as the first.
	Links  *platform.Links
	Router Router
	// Seed gives losses, jitter and stochastic profiles.
	Seed sim.Source
	// HandshakeFree tells Carriers that connections cost no round trip.
	HandshakeFree bool
	// AsSimGrid reproduces SimGrid 3.32 where it errs too: disk accesses go on
	// by whole bytes at each step, and see fluid.System.AsSimGrid.
	AsSimGrid bool
}

// Network is a platform in motion. Its methods are not for concurrent use.
type Network struct {
	Config
	// HostChanged, if set, is called when a host was turned off or on.
	HostChanged func(h *platform.Host, on bool)

	engine *fluid.Engine
	void   fluid.Constraint // of ways without links; none until used
	cpus   *fluid.Model
	flows  *fluid.Model
	disks  *fluid.Model

	links []linkState
	hosts []hostState
	// What few links have: latencies that have changed, by the link's index, and
	// the levels of Wifi stations that are not 0.
	latencies  map[int32]float64
	wifiLevels map[station]int

	forward, backward []*platform.Link // scratch of Communicate

	queue  *sim.Queue // nil without guests
	event  sim.Event
	firing bool
	paths  map[pathKey]*path
	down   []*Direction // cannot go on until something is turned on
	// What events have changed: nil until then.
	faults  map[*platform.Link]platform.DatagramFaults
	blocked map[pathKey]int
}

// linkState is half a cache line, so that the two directions of a host's link
// lie in one; the loopback, which is the first, has the end of another. On large
// platforms, waiting for memory is most of what an event costs.
type linkState struct {
	bandwidth  float64
	traffic    Traffic
	constraint fluid.Constraint // none until used
	off        bool
}

// station is a host on a Wifi link, both by index.
type station struct{ link, host int32 }

// hostState is a cache line.
type hostState struct {
	cpu      *fluid.CPU             // nil until used
	disks    map[string]*fluid.Disk // by name; those that were used
	scale    float64
	sent     Traffic
	received Traffic
	pstate   int32
	off      bool
}

// Traffic counts what crossed a link, left a host or was sent to it.
type Traffic struct {
	Bytes    int64
	Messages int64
}

const none = -1

// New returns the network of a platform, with the profiles' changes scheduled.
func New(c Config) *Network {
	e := &fluid.Engine{}
	n := &Network{
		Config: c, engine: e, void: none,
		cpus: e.NewModel(), flows: e.NewModel(), disks: e.NewModel(),
		links: make([]linkState, 1+c.Links.Len())[1:], // see linkState
		hosts: make([]hostState, len(c.Hosts)),
		paths: make(map[pathKey]*path),
	}
	if c.AsSimGrid {
		n.disks.RoundToBytes()
		for _, m := range []*fluid.Model{n.cpus, n.flows, n.disks} {
			m.System().AsSimGrid = true
		}
	}
	if limit := c.Model.concurrencyLimit; limit > 0 {
		for _, m := range []*fluid.Model{n.cpus, n.flows, n.disks} {
			m.System().LimitConcurrency(limit)
		}
	}
	for l := range c.Links.All() {
		n.links[l.Index] = linkState{bandwidth: l.Bandwidth, constraint: none}
		if l.Policy == platform.Wifi {
			n.links[l.Index].bandwidth = 1 // what SimGrid 3.32 takes it for in penalties
		}
	}
	for i, h := range c.Hosts {
		n.hosts[i] = hostState{pstate: h.PState, scale: 1}
	}
	n.flows.Ahead = n.ahead
	n.followProfiles()
	return n
}

// Engine is what computes dates.
func (n *Network) Engine() *fluid.Engine { return n.engine }

// constraint is the link's resource.
func (n *Network) constraint(l *platform.Link) fluid.Constraint {
	state := &n.links[l.Index]
	if state.constraint == none {
		bound, sharing := state.bandwidth, fluid.Shared
		switch l.Policy {
		case platform.FatPipe:
			sharing = fluid.FatPipe
		case platform.Wifi:
			bound = 1 // of the time on the air
		}
		state.constraint = n.flows.System().AddConstraint(bound, sharing)
		n.flows.System().SetOwner(state.constraint, l.Index)
	}
	return state.constraint
}

// CPU is the processor of h.
func (n *Network) CPU(h *platform.Host) *fluid.CPU {
	state := &n.hosts[h.Index]
	if state.cpu == nil {
		state.cpu = n.cpus.NewCPU(int(h.Cores), h.Speeds[state.pstate])
		if state.scale != 1 {
			state.cpu.SetScale(state.scale)
		}
		if state.off {
			state.cpu.TurnOff()
		}
	}
	return state.cpu
}

// Disk is the named disk of h, or nil.
func (n *Network) Disk(h *platform.Host, name string) *fluid.Disk {
	state := &n.hosts[h.Index]
	if disk := state.disks[name]; disk != nil {
		return disk
	}
	for _, d := range h.Disks() {
		if d.Name != name {
			continue
		}
		disk := n.disks.NewDisk(d.ReadBandwidth, d.WriteBandwidth)
		if state.off {
			disk.TurnOff()
		}
		if state.disks == nil {
			state.disks = make(map[string]*fluid.Disk)
		}
		state.disks[name] = disk
		return disk
	}
	return nil
}

// HostTraffic is what left h and what was sent to it.
func (n *Network) HostTraffic(h *platform.Host) (sent, received Traffic) {
	return n.hosts[h.Index].sent, n.hosts[h.Index].received
}

// LinkTraffic is what crossed l.
func (n *Network) LinkTraffic(l *platform.Link) Traffic { return n.links[l.Index].traffic }

// count notes that bytes crossed the links from src to dst; messages is 1 with
// the first bytes of a message.
func (n *Network) count(src, dst *platform.Host, links []*platform.Link, bytes, messages int64) {
	add := func(t *Traffic) { t.Bytes += bytes; t.Messages += messages }
	if src != nil {
		add(&n.hosts[src.Index].sent)
	}
	if dst != nil {
		add(&n.hosts[dst.Index].received)
	}
	for _, l := range links {
		add(&n.links[l.Index].traffic)
	}
}

// currentLatency corrects the latency of a route for links whose latency has
// changed since the platform was loaded.
func (n *Network) currentLatency(links []*platform.Link, latency float64) float64 {
	if len(n.latencies) > 0 {
		for _, l := range links {
			latency += n.Latency(l) - l.Latency
		}
		latency = math.Max(latency, 0)
	}
	return latency
}
