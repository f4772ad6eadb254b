package platform

import (
	"errors"
	"math"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/simterpose/simterpose/internal/strictyaml"
)

// large finds numbers that stand for so many hosts that they only cost time.
var large = regexp.MustCompile(`[0-9]{4}|[0-9][eE]|([0-9]{2}[^0-9]*){4}`)

// checkLoaded holds what is true of every platform that loads, and of every
// refusal.
func checkLoaded(t *testing.T, p *Platform, err error) {
	t.Helper()
	if err != nil {
		var ours *Error
		var theirs *strictyaml.Error
		if p != nil || !errors.As(err, &ours) && !errors.As(err, &theirs) || strings.Contains(err.Error(), "\n") {
			t.Fatalf("%v with the error %q", p, err)
		}
		return
	}
	addresses := make(map[netip.Addr]bool)
	for i, h := range p.Hosts {
		v4, v6 := h.Addresses()
		if p.Host(h.Name) != h || int(h.Index) != i || p.HostByAddress(v4) != h || p.HostByAddress(v6) != h || addresses[v4] || addresses[v6] {
			t.Fatalf("host %q is not found by its name and addresses %v and %v", h.Name, v4, v6)
		}
		addresses[v4], addresses[v6] = true, true
		if h.Cores < 1 || !(h.Speed() >= 0) {
			t.Fatalf("host %q has %d cores of %v", h.Name, h.Cores, h.Speed())
		}
	}
	i := 0
	for l := range p.Links.All() {
		if p.Link(l.Name()) != l || int(l.Index) != i || !(l.Bandwidth >= 0) || !(l.Latency >= 0) {
			t.Fatalf("link %q: %v B/s, %v s", l.Name(), l.Bandwidth, l.Latency)
		}
		i++
	}
	some := p.Hosts[:min(len(p.Hosts), 10)]
	for _, src := range some {
		for _, dst := range some {
			r, err := p.Route(src, dst)
			if err == nil && (len(r.Links) == 0 && r.Latency == 0 || !(r.Latency >= 0)) {
				t.Fatalf("from %q to %q: %v", src.Name, dst.Name, r)
			}
		}
	}
}

func FuzzReadXML(f *testing.F) {
	archive, err := txtar.ParseFile(filepath.Join("testdata", "routes.txtar"))
	if err != nil {
		f.Fatal(err)
	}
	for i := 0; i < len(archive.Files); i += 2 {
		f.Add(string(archive.Files[i].Data))
	}
	f.Add(document(`<host id="a" speed="1Gf,2f" pstate="1"><prop id="ip" value="10.0.0.1"/><disk read_bw="1Bps" write_bw="1Bps"/></host>
<trace id="t" periodicity="1">0 1</trace><trace_connect kind="SPEED" trace="t" element="a"/>`))
	f.Fuzz(func(t *testing.T, text string) {
		if large.MatchString(text) {
			return
		}
		p, err := ReadXML("fuzz.xml", text)
		checkLoaded(t, p, err)
	})
}

// FuzzElements spares the fuzzer the writing of what is around them.
func FuzzElements(f *testing.F) {
	f.Add(`<host id="a" speed="1Gf"/><host id="b" speed="1Gf"/><link id="l" bandwidth="1Bps"/><route src="a" dst="b"><link_ctn id="l"/></route>`)
	f.Add(`</zone><zone id="x" routing="Floyd">`)
	f.Fuzz(func(t *testing.T, elements string) {
		if large.MatchString(elements) {
			return
		}
		p, err := ReadXML("fuzz.xml", document(elements))
		checkLoaded(t, p, err)
	})
}

// FuzzTopologies makes clusters of all kinds.
func FuzzTopologies(f *testing.F) {
	f.Add("0-3", "FLAT", "", "SHARED")
	f.Add("0-7", "TORUS", "2,2,2", "SPLITDUPLEX")
	f.Add("0-3", "FAT_TREE", "2;2,2;1,2;1,2", "FATPIPE")
	f.Add("0-7", "DRAGONFLY", "2,1;2,1;2,1;1", "SPLITDUPLEX")
	f.Fuzz(func(t *testing.T, radical, topology, parameters, policy string) {
		if large.MatchString(radical + " " + parameters) {
			return
		}
		p, err := ReadXML("fuzz.xml", `<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd"><platform version="4.1"><cluster id="c" prefix="n" suffix=""`+
			` speed="1Gf" bw="1GBps" lat="1us" limiter_link="1Bps" loopback_bw="1Bps" radical="`+radical+`" topology="`+topology+
			`" topo_parameters="`+parameters+`" sharing_policy="`+policy+`"/></platform>`)
		checkLoaded(t, p, err)
	})
}

func FuzzReadYAML(f *testing.F) {
	f.Add("hosts: [{name: a}]\nswitch: {bandwidth: 1Gbps, latency: 1ms, loss: 1%}")
	f.Add("hosts: [{name: 'a[1-3]', speed: [1Gf, 2Gf], cores: 2, disks: [{name: d, read: 1Bps, write: 1Bps}], properties: {x: y}}]\n" +
		"links: [{name: 'l[1-2]', bandwidth: 1Bps, policy: SPLITDUPLEX}]\nroutes: [{from: 'a*', to: a1, links: [l1, l2_UP], symmetrical: true}]")
	f.Add("platform:\n  graph: |\n    graph [ node [ id 0 ] edge [ source 0 target 0 latency \"1 ms\" ] ]\n  hosts: [{name: a, network_node_id: 0}]\n")
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		if large.MatchString(text) {
			return
		}
		p, err := ReadYAML("fuzz.yaml", []byte(text))
		checkLoaded(t, p, err)
	})
}

func FuzzReadGML(f *testing.F) {
	f.Add(triangle)
	f.Add("graph [ directed 1 node [ id 0 ] node [ id 1 ] edge [ source 0 target 1 latency \"1 ms\" ] ]")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ReadGML("fuzz.gml", []byte(text))
		checkLoaded(t, p, err)
	})
}

func FuzzUnits(f *testing.F) {
	for _, seed := range []string{"1.5ms", "0x1p3s", "1e9Bps", "10Mibps", "1gigaflops", "nan", "-inf", "1e400", " 5", "10 Mbit", "1%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, parse := range []func(string) (float64, error){
			ParseTime, ParseSpeed, ParseBandwidth, ParseSize, shadowTime, shadowBandwidth, probability,
		} {
			if v, err := parse(text); err != nil && (v != 0 || len(err.Error()) > 1000 && len(text) < 500) {
				t.Errorf("%v with the error %v", v, err)
			}
		}
	})
}

func FuzzRadical(f *testing.F) {
	for _, seed := range []string{"0-3,7", "3-1", "-1", "0-", "4000000000", "0-4000000000", "1 - 2", "a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if numbers, err := parseRadical(text); err == nil && len(numbers) > MaxHosts {
			t.Errorf("%d numbers", len(numbers))
		}
		if names, err := ExpandRange(text); err == nil && (len(names) == 0 || len(names) > MaxHosts) {
			t.Errorf("%d names", len(names))
		}
	})
}

func FuzzProfile(f *testing.F) {
	for _, seed := range []string{
		"0 1\n1 0.5\nPERIODICITY 3\n", "LOOPAFTER 1\n0 1\n", "STOCHASTIC LOOP\nEXP 1 NORM 1 2\nUNIF 0 1 DET 3\n", "# x\n% y\n", "PERIODICITY 1e308\n0 1\n1e308 1",
	} {
		f.Add(seed, 0.0)
	}
	f.Fuzz(func(t *testing.T, text string, period float64) {
		p, err := ParseProfile("fuzz", text, period)
		if err != nil {
			return
		}
		events, last := p.Events(rand.NewPCG(1, 2)), 0.0
		for range 1000 {
			e, more := events.Next()
			if !more {
				break
			}
			if !(e.Date >= last) || !(e.Value >= 0) || math.IsInf(e.Date, 0) {
				t.Fatalf("an event at %v s of value %v after one at %v s", e.Date, e.Value, last)
			}
			last = e.Date
		}
	})
}
