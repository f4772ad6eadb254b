package network

import (
	"slices"

	"github.com/simterpose/simterpose/platform"
)

// Faults is what a link does to datagrams and segments now.
func (n *Network) Faults(l *platform.Link) platform.DatagramFaults {
	if f, ok := n.faults[l]; ok {
		return f
	}
	return l.DatagramFaults()
}

// SetFaults changes what a link does to datagrams and segments from now on.
func (n *Network) SetFaults(l *platform.Link, f platform.DatagramFaults) {
	n.sync()
	if n.faults == nil {
		n.faults = map[*platform.Link]platform.DatagramFaults{}
	}
	n.faults[l] = f
	for _, p := range n.paths {
		if slices.Contains(p.forward, l) {
			n.combineFaults(p)
		}
	}
}

// combineFaults computes a path's faults from those of its links.
func (n *Network) combineFaults(p *path) {
	kept, single, ordered, intact := 1.0, 1.0, 1.0, 1.0
	p.faults.Jitter = 0
	for _, l := range p.forward {
		f := n.Faults(l)
		kept *= 1 - f.Loss
		single *= 1 - f.Duplicate
		ordered *= 1 - f.Reorder
		intact *= 1 - f.Corrupt
		p.faults.Jitter += f.Jitter
	}
	p.faults.Loss, p.faults.Duplicate = 1-kept, 1-single
	p.faults.Reorder, p.faults.Corrupt = 1-ordered, 1-intact
}

// Block stops everything from src to dst, until as many calls of Unblock.
// Streams stop in both directions: their acknowledgements do not come back.
func (n *Network) Block(src, dst *platform.Host) {
	n.sync()
	if n.blocked == nil {
		n.blocked = map[pathKey]int{}
	}
	n.blocked[pathKey{src, dst}]++
	var back *transfer // datagrams of the other direction go on
	if p := n.paths[pathKey{dst, src}]; p != nil && p.datagrams != nil {
		back = &p.datagrams.transfer
	}
	n.flows.EachAction(func(t any) {
		if t, ok := t.(*transfer); ok && t != back && (t.src == src && t.dst == dst || t.src == dst && t.dst == src) {
			t.action.Fail()
		}
	})
	n.engine.Touch()
}

// Unblock takes a Block back.
func (n *Network) Unblock(src, dst *platform.Host) {
	n.sync()
	key := pathKey{src, dst}
	if n.blocked[key]--; n.blocked[key] <= 0 {
		delete(n.blocked, key)
		n.retryDown()
	}
	n.engine.Touch()
}

// passes tells whether a datagram can go the way of p.
func (n *Network) passes(p *path) bool {
	if p.src == nil {
		return !n.links[p.forward[0].Index].off
	}
	if n.hosts[p.src.Index].off || n.hosts[p.dst.Index].off || n.blocked[pathKey{p.src, p.dst}] > 0 {
		return false
	}
	for _, l := range p.forward {
		if n.links[l.Index].off {
			return false
		}
	}
	return true
}
