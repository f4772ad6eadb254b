package network

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/simterpose/simterpose/fluid"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// world is a platform made by hand: the links of the route between each pair
// of hosts, the same in both directions.
type world struct {
	hosts  []*platform.Host
	links  platform.Links
	routes map[[2]int][]*platform.Link
}

func (w *world) AppendRoute(links []*platform.Link, src, dst *platform.Host) ([]*platform.Link, float64, error) {
	route, ok := w.routes[[2]int{int(src.Index), int(dst.Index)}]
	if !ok {
		return links, 0, platform.ErrNoRoute
	}
	latency := 0.0
	for _, l := range route {
		latency += l.Latency
	}
	return append(links, route...), latency, nil
}

// newWorld has so many hosts and the loopback as its link 0.
func newWorld(hosts int) *world {
	w := &world{routes: make(map[[2]int][]*platform.Link)}
	for i := range hosts {
		h := &platform.Host{Index: int32(i), Hardware: &platform.Hardware{Speeds: []float64{1e9, 5e8}, Cores: 1}}
		h.Name = string(rune('a' + i))
		w.hosts = append(w.hosts, h)
	}
	w.link(1e10, 0, platform.FatPipe)
	return w
}

func (w *world) link(bandwidth, latency float64, policy platform.Policy) *platform.Link {
	return w.links.Add(&platform.Cable{Bandwidth: bandwidth, Latency: latency, Policy: policy})
}

func (w *world) route(a, b int, links ...*platform.Link) {
	w.routes[[2]int{a, b}] = links
	w.routes[[2]int{b, a}] = links
}

func (w *world) network(t *testing.T, model string, change ...func(*Config)) *Network {
	t.Helper()
	m, err := ModelByName(model)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Model: m, Hosts: w.hosts, Links: &w.links, Router: w, Seed: sim.NewSource(1)}
	for _, f := range change {
		f(&c)
	}
	return New(c)
}

// guests attaches a queue.
func guests(n *Network) *sim.Queue {
	q := &sim.Queue{}
	n.Attach(q)
	return q
}

func drain(t *testing.T, q *sim.Queue) {
	t.Helper()
	for range 10_000_000 {
		if !q.Step() {
			return
		}
	}
	t.Fatal("the simulation does not come to an end")
}

// pair is two hosts joined by one link.
func pair(bandwidth, latency float64) *world {
	w := newWorld(2)
	w.route(0, 1, w.link(bandwidth, latency, platform.Shared))
	return w
}

func TestExchangeOfThePrototype(t *testing.T) {
	n := pair(1e9, 5e-4).network(t, "LV08")
	q := guests(n)
	left := 10
	var ends []*Direction
	reply := func(i int) func(int) {
		return func(got int) {
			if got != 128 {
				t.Errorf("%d bytes arrived at once, want 128", got)
			}
			if left--; left > 0 {
				// As a guest would: later in the same instant.
				q.After(q.Now(), func() { ends[1-i].Write(128) })
			}
		}
	}
	for i := range 2 {
		d, err := n.Direction(n.Hosts[i], n.Hosts[1-i], reply(i))
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, d)
	}
	q.After(3e9, func() { ends[0].Write(128) })
	drain(t, q)
	if us := q.Now() / 1000; us != 3_065_051 {
		t.Errorf("ten messages ended at %d us, want 3065051", us)
	}
}

func TestStreamUnderTCPReachesTheBandwidth(t *testing.T) {
	n := pair(1.25e6, 0.05).network(t, "tcp")
	q := guests(n)
	total, calls := 0, 0
	d, err := n.Direction(n.Hosts[0], n.Hosts[1], func(got int) { total += got; calls++ })
	if err != nil {
		t.Fatal(err)
	}
	d.Write(10_000_000)
	drain(t, q)
	if total != 10_000_000 || d.InFlight() != 0 {
		t.Fatalf("%d bytes arrived, %d in flight", total, d.InFlight())
	}
	// 10 MB at 0.97*1.25 MB/s take 8.25 s, the latency is 0.05 s, and slow
	// start idles for most of four round trips of 0.1 s.
	if s := q.Now().Seconds(); s < 8.5 || s > 8.7 {
		t.Errorf("10 MB took %g s, want 8.5 to 8.7", s)
	}
	if calls > 400 {
		t.Errorf("%d reports of arrival", calls)
	}
}

func TestRefillingTheWindowKeepsTheStreamBusy(t *testing.T) {
	for model, least := range map[string]float64{"tcp": 0.94, "LV08": 0.89, "CM02": 0.94, "SMPI": 0.85} {
		n := pair(1.25e8, 1e-3).network(t, model)
		q := guests(n)
		const size = 50_000_000
		written, total := 0, 0
		var d *Direction
		fill := func() {
			for written < size && d.InFlight() < d.Window() {
				k := min(1000, size-written)
				written += k
				d.Write(k)
			}
		}
		d, err := n.Direction(n.Hosts[0], n.Hosts[1], func(got int) {
			total += got
			q.After(q.Now().Add(200), fill)
		})
		if err != nil {
			t.Fatal(err)
		}
		fill()
		drain(t, q)
		rate := size / q.Now().Seconds()
		if total != size || rate < least*1.25e8 || rate > 1.25e8 {
			t.Errorf("%s: %d bytes at %g B/s", model, total, rate)
		}
	}
}

func TestWritesWhileBusyJoin(t *testing.T) {
	n := pair(1e6, 0.1).network(t, "CM02")
	q := guests(n)
	var at []sim.Time
	d, err := n.Direction(n.Hosts[0], n.Hosts[1], func(int) { at = append(at, q.Now()) })
	if err != nil {
		t.Fatal(err)
	}
	d.Write(1000)
	q.After(5e7, func() { d.Write(1000) })
	drain(t, q)
	// With cross-traffic the rate is 1e6/1.05. The second write joins the
	// communication and yet cannot arrive before its own latency has passed.
	if len(at) != 2 || at[0] != 101_050_000 || at[1] != 150_000_000 {
		t.Errorf("arrivals at %v", at)
	}
}

func TestDatagramsShareTheLink(t *testing.T) {
	const size, bandwidth = 1470, 1.25e6
	for _, c := range []struct {
		name       string
		load       float64
		least, max float64 // of what is sent
	}{
		{"half of the bandwidth", 0.5, 1, 1},
		{"twice the bandwidth", 2, 0.47, 0.51},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := pair(bandwidth, 0.01).network(t, "tcp")
			q := guests(n)
			sent, got := 0, 0
			interval := sim.Time(size / (c.load * bandwidth) * 1e9)
			for at := sim.Time(0); at < 10e9; at += interval {
				sent++
				q.After(at, func() {
					if err := n.Packet(n.Hosts[0], n.Hosts[1], size, false, func() { got++ }); err != nil {
						t.Error(err)
					}
				})
			}
			drain(t, q)
			if r := float64(got) / float64(sent); r < c.least || r > c.max {
				t.Errorf("%g of the datagrams arrived, want %g to %g", r, c.least, c.max)
			}
		})
	}
}

func TestIsolatedDatagramTakesSimGridsTime(t *testing.T) {
	n := pair(1e9, 5e-4).network(t, "LV08")
	q := guests(n)
	var at sim.Time
	if err := n.Packet(n.Hosts[0], n.Hosts[1], 128, false, func() { at = q.Now() }); err != nil {
		t.Fatal(err)
	}
	drain(t, q)
	// 13.01*5e-4 s + 128 B/(0.97*1e9/1.05 B/s), rounded up: 6505138.56 ns;
	// the window, 4194304/(2*5e-4), does not limit.
	if at != 6_505_139 {
		t.Errorf("arrived at %d ns", at)
	}
}

func TestFaultsOfDatagrams(t *testing.T) {
	w := pair(1e9, 1e-3)
	n := w.network(t, "tcp")
	q := guests(n)
	p, err := n.path(w.hosts[0], w.hosts[1])
	if err != nil {
		t.Fatal(err)
	}
	p.faults = platform.DatagramFaults{Loss: 0.1, Duplicate: 0.05, Jitter: 1e-4}
	const sent = 10_000
	got, reliable := 0, 0
	for range sent {
		if err := n.Packet(w.hosts[0], w.hosts[1], 0, false, func() { got++ }); err != nil {
			t.Fatal(err)
		}
		if err := n.Packet(w.hosts[0], w.hosts[1], 0, true, func() { reliable++ }); err != nil {
			t.Fatal(err)
		}
	}
	drain(t, q)
	if want := sent * 0.9 * 1.05; math.Abs(float64(got)-want) > 200 {
		t.Errorf("%d datagrams arrived, want about %g", got, want)
	}
	if reliable != sent {
		t.Errorf("%d control segments arrived of %d", reliable, sent)
	}
}

func TestStreamWaitsForABrokenLink(t *testing.T) {
	w := pair(1e6, 0.01)
	n := w.network(t, "tcp")
	q := guests(n)
	total := 0
	d, err := n.Direction(w.hosts[0], w.hosts[1], func(got int) { total += got })
	if err != nil {
		t.Fatal(err)
	}
	d.Write(1_000_000)
	q.After(5e8, func() { n.SetLinkState(w.links.At(1), false) })
	q.After(20e8, func() { n.SetLinkState(w.links.At(1), true) })
	drain(t, q)
	if s := q.Now().Seconds(); total != 1_000_000 || s < 2.5 || s > 4.5 {
		t.Errorf("%d bytes had arrived at %g s", total, s)
	}
}

func TestClosedDirectionIsSilent(t *testing.T) {
	n := pair(1e6, 0.01).network(t, "tcp")
	q := guests(n)
	d, err := n.Direction(n.Hosts[0], n.Hosts[1], func(int) { t.Error("bytes arrived after Close") })
	if err != nil {
		t.Fatal(err)
	}
	d.Write(1000)
	q.After(10, d.Close)
	drain(t, q)
}

func TestLossLimitsTheRate(t *testing.T) {
	w := pair(1.25e8, 0.02)
	n := w.network(t, "tcp")
	q := guests(n)
	p, err := n.path(w.hosts[0], w.hosts[1])
	if err != nil {
		t.Fatal(err)
	}
	p.faults.Loss = 0.01
	d, err := n.Direction(w.hosts[0], w.hosts[1], func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	const size = 10_000_000
	d.Write(size)
	drain(t, q)
	want := mss / 0.04 * math.Sqrt(1.5/0.01) // Mathis et al.
	if rate := size / q.Now().Seconds(); math.Abs(rate-want) > 0.05*want {
		t.Errorf("rate %g B/s, want %g", rate, want)
	}
}

func TestConstantModel(t *testing.T) {
	n := pair(1, 10).network(t, "constant")
	q := guests(n)
	var at []sim.Time
	d, err := n.Direction(n.Hosts[0], n.Hosts[1], func(int) { at = append(at, q.Now()) })
	if err != nil {
		t.Fatal(err)
	}
	d.Write(1 << 30)
	q.After(5e8, func() { d.Write(1) })
	drain(t, q)
	if len(at) != 2 || at[0] != 1e9 || at[1] != 15e8 {
		t.Errorf("arrivals at %v", at)
	}
}

// run lets a network without guests come to its end.
func run(n *Network) {
	for next := n.engine.Next(); !math.IsInf(next, 1); next = n.engine.Next() {
		n.engine.AdvanceTo(next)
	}
}

func TestOneFlowClosedForm(t *testing.T) {
	for _, c := range []struct {
		model              string
		bandwidth, latency float64
		size, rate         float64
		want               float64
	}{
		{"LV08", 1e9, 5e-4, 128, 0, 13.01*5e-4 + 128/(0.97*1e9/1.05)},
		{"LV08", 1e9, 0.1, 1e9, 0, 13.01*0.1 + 1e9/(0.97*4194304/0.2)},
		{"LV08", 1e9, 5e-4, 0, 0, 13.01 * 5e-4},
		{"LV08", 1e9, 5e-4, 1e6, 1e5, 13.01*5e-4 + 1e6/1e5},
		{"CM02", 1e6, 0, 1e6, 0, 1.05},
		{"SMPI", 1e6, 1e-3, 1000, 0, 1.9503e-3 + 1000/(0.341987*1e6/1.05)},
		{"constant", 1e6, 1e-3, 1000, 0, 1},
		{"tcp", 1e6, 1e-3, 1e6, 0, 1e-3 + 1/0.97},
	} {
		n := pair(c.bandwidth, c.latency).network(t, c.model)
		var end float64
		comm := &Comm{Ended: func(_ *Comm, how fluid.State) {
			if how != fluid.Finished {
				t.Errorf("ended as %d", how)
			}
			end = n.engine.Now()
		}}
		if err := n.Communicate(comm, n.Hosts[0], n.Hosts[1], c.size, c.rate); err != nil {
			t.Fatal(err)
		}
		run(n)
		if math.Abs(end-c.want) > 1e-9 {
			t.Errorf("%s: %g bytes took %.9f s, want %.9f", c.model, c.size, end, c.want)
		}
	}
}

func TestBandwidthChangesReachStreams(t *testing.T) {
	w := pair(1e6, 1e-3)
	n := w.network(t, "tcp")
	q := guests(n)
	total := 0
	d, err := n.Direction(w.hosts[0], w.hosts[1], func(got int) { total += got })
	if err != nil {
		t.Fatal(err)
	}
	d.Write(3_000_000)
	q.After(1e9, func() { n.SetBandwidth(w.links.At(1), 0) })
	q.After(10e9, func() { n.SetBandwidth(w.links.At(1), 2e6) })
	drain(t, q)
	// 0.97 MB in the first second, nothing for nine, then 1.94 MB/s.
	if s := q.Now().Seconds(); total != 3_000_000 || math.Abs(s-(10+2.03/1.94)) > 0.02 {
		t.Errorf("%d bytes had arrived at %g s", total, s)
	}
}

// TestNoByteIsEarlierThanTheRoute writes at random to a direction of each model
// and checks that all arrives, in time.
func TestNoByteIsEarlierThanTheRoute(t *testing.T) {
	for _, model := range []string{"tcp", "LV08", "CM02", "SMPI", "constant"} {
		rapid.Check(t, func(rt *rapid.T) {
			const latency = 2e-3
			n := pair(1e6, latency).network(t, model)
			q := guests(n)
			var written []struct {
				end int
				at  sim.Time
			}
			end, got := 0, 0
			d, err := n.Direction(n.Hosts[0], n.Hosts[1], func(k int) {
				got += k
				for len(written) > 0 && written[0].end < got {
					written = written[1:]
				}
				// The last byte to arrive was written no later than the first
				// write that reaches it.
				if len(written) > 0 && q.Now() < written[0].at+sim.FromSeconds(latency) {
					rt.Fatalf("%s: byte %d, written at %v, arrived at %v", model, got, written[0].at, q.Now())
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			at := sim.Time(0)
			for range rapid.IntRange(1, 50).Draw(rt, "writes") {
				at += sim.Time(rapid.IntRange(0, 3_000_000).Draw(rt, "pause"))
				size := rapid.SampledFrom([]int{1, 100, 1448, 5000, 60_000}).Draw(rt, "size")
				q.After(at, func() {
					end += size
					written = append(written, struct {
						end int
						at  sim.Time
					}{end, q.Now()})
					d.Write(size)
				})
			}
			drain(t, q)
			if got != end || d.InFlight() != 0 || n.Busy() {
				rt.Fatalf("%s: %d of %d bytes arrived, %d in flight", model, got, end, d.InFlight())
			}
		})
	}
}
