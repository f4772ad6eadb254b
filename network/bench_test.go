package network

import (
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/simterpose/simterpose/fluid"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// star is a cluster: each host has a link up and a link down.
type star struct {
	hosts []*platform.Host
	links platform.Links // the loopback, then two for each host
}

func newStar(n int) *star {
	s := new(star)
	s.links.Add(&platform.Cable{Bandwidth: 1e10, Policy: platform.FatPipe})
	cable := &platform.Cable{Bandwidth: 1.25e8, Latency: 5e-5}
	for i := range n {
		s.hosts = append(s.hosts, &platform.Host{Index: int32(i), Hardware: &platform.Hardware{Speeds: []float64{1e9}, Cores: 1}})
		for range 2 {
			s.links.Add(cable)
		}
	}
	return s
}

func (s *star) AppendRoute(links []*platform.Link, src, dst *platform.Host) ([]*platform.Link, float64, error) {
	return append(links, s.links.At(1+2*int(src.Index)), s.links.At(2+2*int(dst.Index))), 1e-4, nil
}

func (s *star) network(b *testing.B, model string) *Network {
	m, err := ModelByName(model)
	if err != nil {
		b.Fatal(err)
	}
	return New(Config{Model: m, Hosts: s.hosts, Links: &s.links, Router: s, Seed: sim.NewSource(1)})
}

// pairs are hosts of a star that send messages to each other without end.
type pairs struct {
	net     *Network
	count   int // messages that arrived
	senders []sender
}

// sender sends a message whenever the one before has arrived. It is three cache
// lines, so that little that is measured is the benchmark's own.
type sender struct {
	comm     Comm
	pairs    *pairs
	src, dst *platform.Host
	size     float64
	again    func()
	_        [24]byte
}

func (s *sender) send() {
	if err := s.pairs.net.Communicate(&s.comm, s.src, s.dst, s.size, 0); err != nil {
		panic(err)
	}
}

func (s *sender) arrived(*Comm, fluid.State) {
	s.pairs.count++
	engine := s.pairs.net.engine
	engine.Wake(engine.Now(), s.again)
}

// newPairs makes pairs of n hosts. What happens in them follows in the order of
// the hosts, or, when messages are of different sizes, in none.
func newPairs(b *testing.B, n int, inOrder bool) *pairs {
	star := newStar(n)
	p := &pairs{net: star.network(b, "LV08"), senders: make([]sender, n/2)}
	for i := range p.senders {
		size, start := 1e6, 9e-3*float64(2*i)/float64(n)
		if !inOrder {
			_, scattered := math.Modf(float64(2*i) * math.Phi)
			size, start = size*(1+scattered), 0
		}
		s := &p.senders[i]
		s.pairs, s.src, s.dst, s.size = p, star.hosts[2*i], star.hosts[2*i+1], size
		s.again, s.comm.Ended = s.send, s.arrived
		p.net.engine.Wake(start, s.again)
	}
	p.play(n)
	return p
}

// play lets so many messages arrive.
func (p *pairs) play(messages int) {
	for p.count = 0; p.count < messages; {
		p.net.engine.AdvanceTo(p.net.engine.Next())
	}
}

// BenchmarkCommunications measures messages that share no links on platforms of
// different sizes, each of which is three events: one after the other through
// the hosts, and in no order, where nothing of what an event needs lies in a
// cache. The sizes take short turns, and the fastest of each counts, so that
// other load counts little.
func BenchmarkCommunications(b *testing.B) {
	for _, inOrder := range []bool{true, false} {
		name := "scattered"
		if inOrder {
			name = "in-order"
		}
		b.Run(name, func(b *testing.B) { benchmarkPairs(b, inOrder) })
	}
}

func benchmarkPairs(b *testing.B, inOrder bool) {
	sizes := []int{1_000, 10_000, 100_000}
	const turn = 1_000
	all := make([]*pairs, len(sizes))
	fastest := make([]float64, len(sizes))
	for i, n := range sizes {
		all[i], fastest[i] = newPairs(b, n, inOrder), math.Inf(1)
	}
	runtime.GC()
	b.ReportAllocs()
	for b.Loop() {
		for i, p := range all {
			for range 10 {
				start := time.Now()
				p.play(turn)
				fastest[i] = min(fastest[i], float64(time.Since(start).Nanoseconds())/turn)
			}
		}
	}
	for i, n := range sizes {
		b.ReportMetric(fastest[i], fmt.Sprintf("ns/message-of-%d-hosts", n))
	}
	b.ReportMetric(fastest[2]/fastest[0], "ratio")
}

// BenchmarkDatagrams has one host send to another at a tenth, and at ten times
// the link's bandwidth.
func BenchmarkDatagrams(b *testing.B) {
	for _, load := range []float64{0.1, 10} {
		b.Run(fmt.Sprint(load), func(b *testing.B) {
			s := newStar(2)
			net := s.network(b, "tcp")
			q := &sim.Queue{}
			net.Attach(q)
			arrive := func() {}
			interval := sim.Time(1000 / (load * 1.25e8) * 1e9)
			var send sim.Event
			send.Fire = func() {
				if err := net.Packet(s.hosts[0], s.hosts[1], 1000, false, arrive); err != nil {
					b.Error(err)
				}
				q.Schedule(&send, q.Now()+interval)
			}
			q.Schedule(&send, 0)
			sent := sim.Time(0)
			b.ReportAllocs()
			for b.Loop() {
				sent += interval
				for q.Next() <= sent {
					q.Step()
				}
			}
		})
	}
}

// BenchmarkStream has a host send without end, a kilobyte at a time.
func BenchmarkStream(b *testing.B) {
	s := newStar(2)
	net := s.network(b, "tcp")
	q := &sim.Queue{}
	net.Attach(q)
	var d *Direction
	d, err := net.Direction(s.hosts[0], s.hosts[1], func(int) {})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(1000)
	b.ReportAllocs()
	for b.Loop() {
		d.Write(1000)
		for d.InFlight() >= d.Window() {
			q.Step()
		}
	}
}
