package network

import (
	"fmt"
	"testing"

	"github.com/simterpose/simterpose/fluid"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// star is a cluster: each host has a link up and a link down.
type star struct {
	hosts []*platform.Host
	links []*platform.Link // the loopback, then two for each host
}

func newStar(n int) *star {
	s := &star{links: []*platform.Link{{Bandwidth: 1e10, Policy: platform.FatPipe}}}
	for i := range n {
		s.hosts = append(s.hosts, &platform.Host{Index: i, Speeds: []float64{1e9}, Cores: 1})
		for range 2 {
			s.links = append(s.links, &platform.Link{Index: len(s.links), Bandwidth: 1.25e8, Latency: 5e-5})
		}
	}
	return s
}

func (s *star) AppendRoute(links []*platform.Link, src, dst *platform.Host) ([]*platform.Link, float64, error) {
	return append(links, s.links[1+2*src.Index], s.links[2+2*dst.Index]), 1e-4, nil
}

func (s *star) network(b *testing.B, model string) *Network {
	m, err := ModelByName(model)
	if err != nil {
		b.Fatal(err)
	}
	return New(Config{Model: m, Hosts: s.hosts, Links: s.links, Router: s, Seed: sim.NewSource(1)})
}

// BenchmarkCommunications has pairs of hosts send messages of different sizes
// to each other without end: a communication is three events.
func BenchmarkCommunications(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := newStar(n)
			net := s.network(b, "LV08")
			count := 0
			for i := 0; i < n; i += 2 {
				size := 1e6 * (1 + float64(i)/float64(n))
				c := &Comm{}
				again := func() {
					if err := net.Communicate(c, s.hosts[i], s.hosts[i+1], size, 0); err != nil {
						b.Error(err)
					}
				}
				c.Ended = func(*Comm, fluid.State) {
					count++
					net.engine.Wake(net.engine.Now(), again)
				}
				again()
			}
			for count < n {
				net.engine.AdvanceTo(net.engine.Next())
			}
			count = 0
			b.ReportAllocs()
			for b.Loop() {
				for before := count; count == before; {
					net.engine.AdvanceTo(net.engine.Next())
				}
			}
		})
	}
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
