package platform

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// written is a platform of many hosts in one of the ways in which files give them.
type written struct {
	name string
	read func() (*Platform, error)
}

// largeOf returns such platforms of n hosts, or a few more.
func largeOf(n int) []written {
	side := int(math.Cbrt(float64(n)))
	return []written{
		{"cluster", readXML(func(b *strings.Builder) {
			fmt.Fprintf(b, `<cluster id="c" prefix="n" suffix="" radical="0-%d" speed="1Gf" bw="1GBps" lat="50us" bb_bw="10GBps" bb_lat="1us"/>`, n-1)
		})},
		{"dragonfly", readXML(func(b *strings.Builder) {
			a := 8
			if n > 50_000 {
				a = 16
			}
			nodes := n/(a*a*a) + 1
			fmt.Fprintf(b, `<cluster id="c" prefix="n" suffix="" radical="0-%d" speed="1Gf" bw="1GBps" lat="50us" topology="DRAGONFLY" topo_parameters="%d,2;%d,2;%d,2;%d"/>`, a*a*a*nodes-1, a, a, a, nodes)
		})},
		{"peers", readXML(func(b *strings.Builder) {
			b.WriteString(`<zone id="z" routing="Vivaldi">` + "\n")
			for i := range n {
				fmt.Fprintf(b, `<peer id="n%d" speed="1Gf" bw_in="10MBps" bw_out="1MBps" coordinates="%d %d 1"/>`+"\n", i, i%317, i%211)
			}
			b.WriteString(`</zone>`)
		})},
		{"hosts", readXML(func(b *strings.Builder) {
			b.WriteString(`<zone id="z" routing="Full">` + "\n")
			for i := range n {
				fmt.Fprintf(b, `<host id="n%d" speed="1Gf"/>`+"\n", i)
			}
			b.WriteString(`</zone>`)
		})},
		{"host-links", readXML(func(b *strings.Builder) {
			b.WriteString(`<zone id="z" routing="Cluster">` + "\n")
			for i := range n {
				fmt.Fprintf(b, `<host id="n%d" speed="1Gf"/><link id="l%d" bandwidth="1GBps" latency="50us" sharing_policy="SPLITDUPLEX"/>`+"\n", i, i)
			}
			for i := range n {
				fmt.Fprintf(b, `<host_link id="n%d" up="l%d_UP" down="l%d_DOWN"/>`+"\n", i, i, i)
			}
			b.WriteString(`</zone>`)
		})},
		{"yaml-switch", func() (*Platform, error) {
			return ReadYAML("large.yaml", fmt.Appendf(nil, "hosts: [{name: 'n[0-%d]', speed: 1Gf}]\nswitch: {bandwidth: 1Gbps, latency: 500us}\n", n-1))
		}},
		{"fat-tree", readXML(func(b *strings.Builder) {
			a := side + 1
			fmt.Fprintf(b, `<cluster id="c" prefix="n" suffix="" radical="0-%d" speed="1Gf" bw="1GBps" lat="50us" topology="FAT_TREE" topo_parameters="3;%d,%d,%d;1,%d,%d;1,1,1"/>`, a*a*a-1, a, a, a, a/2+1, a/2+1)
		})},
		{"torus", readXML(func(b *strings.Builder) {
			a := side + 1
			fmt.Fprintf(b, `<cluster id="c" prefix="n" suffix="" radical="0-%d" speed="1Gf" bw="1GBps" lat="50us" topology="TORUS" topo_parameters="%d,%d,%d"/>`, a*a*a-1, a, a, a)
		})},
	}
}

func readXML(write func(*strings.Builder)) func() (*Platform, error) {
	text := ""
	return func() (*Platform, error) {
		if text == "" {
			var b strings.Builder
			write(&b)
			text = document(b.String())
		}
		return ReadXML("large.xml", text)
	}
}

// TestHostsAreSmall wants a host of a large platform, with its links, to take less
// than 200 bytes beyond the names, whatever way the platform is written. The
// pieces of memory in which hosts and links lie may have room left.
func TestHostsAreSmall(t *testing.T) {
	for _, c := range largeOf(20_000) {
		if _, err := c.read(); err != nil { // writes the text, too
			t.Fatal(err)
		}
		before := inUse()
		p, err := c.read()
		if err != nil {
			t.Fatal(err)
		}
		hosts, links := float64(len(p.Hosts)), float64(p.Links.Len())
		limit := 200 + (128<<10)/hosts
		if perHost := float64(beyondNames(p, before)) / hosts; perHost >= limit {
			t.Errorf("%s: a host takes %.1f bytes", c.name, perHost)
		} else {
			t.Logf("%s: a host takes %.1f bytes, with %.2f links", c.name, perHost, links/hosts)
		}
		runtime.KeepAlive(p)
	}
}

// BenchmarkLoad reads platforms of 100 000 hosts: the fastest of three turns, the
// processor time of that, and the memory that stays in use, without the names,
// for each host.
func BenchmarkLoad(b *testing.B) {
	for _, c := range largeOf(100_000) {
		b.Run(c.name, func(b *testing.B) {
			if _, err := c.read(); err != nil {
				b.Fatal(err)
			}
			fastest, least, perHost := time.Hour, time.Hour, 0.0
			for b.Loop() {
				for range 3 {
					before := inUse()
					start, used := time.Now(), processorTime(b)
					p, err := c.read()
					if err != nil {
						b.Fatal(err)
					}
					fastest, least = min(fastest, time.Since(start)), min(least, processorTime(b)-used)
					perHost = float64(beyondNames(p, before)) / float64(len(p.Hosts))
					runtime.KeepAlive(p)
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(fastest.Seconds(), "s")
			b.ReportMetric(least.Seconds(), "cpu-s")
			b.ReportMetric(perHost, "bytes/host")
		})
	}
}

// beyondNames is what p takes of memory, but for the text of its names, when so
// much was in use before it was read.
func beyondNames(p *Platform, before int64) int64 {
	bytes := inUse() - before
	for _, h := range p.Hosts {
		bytes -= int64(len(h.Name))
	}
	for l := range p.Links.All() {
		bytes -= int64(len(l.Name()))
	}
	return bytes
}

// inUse is the memory that is in use.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
