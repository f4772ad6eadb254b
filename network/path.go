package network

import (
	"math"
	"math/rand/v2"

	"github.com/simterpose/simterpose/platform"
)

// path is the way from a host to another with all that guests' traffic needs
// to know of it; it is looked up once.
type path struct {
	src, dst          *platform.Host
	forward, backward []*platform.Link
	platformLatency   float64 // as the platform gives it
	platformReturn    float64
	latency           float64 // seconds there, at present
	roundTrip         float64 // seconds there and back, at present
	faults            platform.DatagramFaults
	datagrams         *datagrams // nil until used
	stream            *rand.Rand // nil until something is drawn
}

// pathKey has nil hosts for the loopback interface of any host.
type pathKey struct{ src, dst *platform.Host }

// path returns the way from src to dst. Both nil means a host's loopback
// interface, which is SimGrid's loopback link.
func (n *Network) path(src, dst *platform.Host) (*path, error) {
	key := pathKey{src, dst}
	if p := n.paths[key]; p != nil {
		return p, nil
	}
	p := &path{src: src, dst: dst}
	if err := n.findWays(p); err != nil {
		return nil, err
	}
	n.combineFaults(p)
	n.refresh(p)
	n.paths[key] = p
	return p, nil
}

// findWays fills in the links of p. A host that has no route to itself reaches
// itself through the loopback link.
func (n *Network) findWays(p *path) (err error) {
	if p.src != nil {
		p.forward, p.platformLatency, err = n.Router.AppendRoute(nil, p.src, p.dst)
		if err == nil {
			p.backward, p.platformReturn, err = n.Router.AppendRoute(nil, p.dst, p.src)
		}
		if err == nil || p.src != p.dst {
			return err
		}
	}
	loopback := n.Links.At(0)
	p.forward = []*platform.Link{loopback}
	p.backward = p.forward
	p.platformLatency, p.platformReturn = loopback.Latency, loopback.Latency
	return nil
}

// refresh computes the latencies again.
func (n *Network) refresh(p *path) {
	p.latency = n.currentLatency(p.forward, p.platformLatency)
	p.roundTrip = p.latency + n.currentLatency(p.backward, p.platformReturn)
}

// forgetLatencies makes the paths take up changed latencies.
func (n *Network) forgetLatencies() {
	for _, p := range n.paths {
		n.refresh(p)
	}
}

// lost is the probability that a datagram does not arrive intact: one that is
// damaged fails its checksum.
func (p *path) lost() float64 { return 1 - (1-p.faults.Loss)*(1-p.faults.Corrupt) }

// draw returns a number in [0, 1) of the path's own random stream.
func (n *Network) draw(p *path) float64 {
	if p.stream == nil {
		name := "path loopback"
		if p.src != nil {
			name = "path " + p.src.Name + " " + p.dst.Name
		}
		p.stream = rand.New(n.Seed.Stream(name))
	}
	return p.stream.Float64()
}

// up tells whether streams can go the way of p: both hosts and all links there
// and back are on.
func (n *Network) up(p *path) bool {
	if p.src != nil && (n.hosts[p.src.Index].off || n.hosts[p.dst.Index].off ||
		n.blocked[pathKey{p.src, p.dst}] > 0 || n.blocked[pathKey{p.dst, p.src}] > 0) {
		return false
	}
	for _, l := range p.forward {
		if n.links[l.Index].off {
			return false
		}
	}
	for _, l := range p.backward {
		if n.links[l.Index].off {
			return false
		}
	}
	return true
}

// bandwidth is the lowest bandwidth on the way, in bytes per second.
func (n *Network) bandwidth(p *path) float64 {
	lowest := math.Inf(1)
	for i, l := range p.forward {
		b := n.links[l.Index].bandwidth
		if l.Policy == platform.Wifi {
			end := p.src
			if i > 0 {
				end = p.dst
			}
			b = n.wifiRate(l, end)
		}
		lowest = min(lowest, b)
	}
	return lowest
}

// onPath prepares a transfer over p.
func (n *Network) onPath(p *path, size, amount, head, rate float64) start {
	s := start{
		src: p.src, dst: p.dst, forward: p.forward, latency: p.latency,
		head: head, size: size, amount: amount, rate: rate, penalty: n.penalty(p.forward, p.latency),
	}
	if n.Model.CrossTraffic {
		s.backward = p.backward
	}
	return s
}
