package oracle

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/simterpose/simterpose/platform"
)

// Scenario returns a random scenario over p: communications that overlap, on
// platforms that allow it computations, disk accesses and changes, and routes
// of random pairs.
func Scenario(kind string, p *platform.Platform, random *rand.Rand, activities int) string {
	g := &generator{Rand: random}
	for range activities {
		g.activity(kind, p)
	}
	if kind != "profiles" && len(p.Hosts) > 1 && g.chance(0.4) {
		for range 1 + g.IntN(4) {
			g.change(kind, p)
		}
	}
	g.wifiRates(p)
	for range 30 {
		g.line("route %s %s", g.name(p), g.name(p))
	}
	return g.String()
}

func (g *generator) name(p *platform.Platform) string {
	return escape(p.Hosts[g.IntN(len(p.Hosts))].Name)
}

// selfRoutes tells whether hosts of the kind of platform reach themselves
// whatever its attributes.
func selfRoutes(kind string) bool {
	switch kind {
	case "torus", "fat-tree", "dragonfly", "wifi", "example":
		return false
	}
	return true
}

func escape(name string) string { return strings.ReplaceAll(name, " ", "%20") }

// start is a date: often one of a few, so that many activities start together.
func (g *generator) start() float64 {
	if g.chance(0.5) {
		return float64(g.IntN(4))
	}
	return float64(g.IntN(4_000_000)) / 1e6
}

func (g *generator) activity(kind string, p *platform.Platform) {
	h := p.Hosts[g.IntN(len(p.Hosts))]
	name := escape(h.Name)
	switch x := g.Float64(); {
	case kind == "machines" && x < 0.5:
		disk := h.Disks()[g.IntN(len(h.Disks()))]
		g.line("io %g %s %s %s %.0f", g.start(), name, disk.Name, g.pick("read", "write"), g.between(1e5, 1e9))
	case kind == "machines" || x < 0.15:
		switch g.IntN(4) {
		case 0:
			g.line("exec %g %s %g %d", g.start(), name, g.between(1e6, 1e10), 1+g.IntN(6))
		case 1:
			g.line("exec %g %s %g 1 %g", g.start(), name, g.between(1e6, 1e10), g.between(1e6, 1e9))
		default:
			g.line("exec %g %s %g", g.start(), name, g.between(1e6, 1e10))
		}
	case x < 0.2:
		g.line("sleep %g %s %g", g.start(), name, g.between(1e-3, 10))
	case len(p.Hosts) < 2:
	default:
		rate := ""
		if g.chance(0.1) {
			rate = fmt.Sprintf(" %g", g.between(1e4, 1e8))
		}
		size := g.between(1, 1e9)
		if g.chance(0.05) {
			size = 0
		}
		dst := g.name(p)
		for dst == name && !selfRoutes(kind) {
			dst = g.name(p)
		}
		g.line("comm %g %s %s %.0f%s", g.start(), name, dst, size, rate)
	}
}

// change alters the platform at a date of its own.
func (g *generator) change(kind string, p *platform.Platform) {
	date := 0.5 + float64(g.IntN(5_000_000))/1e6 + 3e-8
	host := p.Hosts[1+g.IntN(len(p.Hosts)-1)] // the first one stays on
	link := p.Links.At(g.IntN(p.Links.Len()))
	wired := link.Name() != "__loopback__" && link.Policy != platform.Wifi
	switch x := g.IntN(10); {
	case kind == "machines" && x < 6:
		g.line("pstate %.8f %s %d", date, escape(host.Name), g.IntN(3))
	case x < 2:
		g.line("host_off %.8f %s", date, escape(host.Name))
		if g.chance(0.5) {
			g.line("host_on %.8f %s", date+g.between(0.01, 1), escape(host.Name))
		}
	case !wired:
	case x >= 8 && strings.HasSuffix(link.Name(), "_limiter"):
		// SimGrid never counts the latency of most of these.
	case x < 5:
		g.line("link_off %.8f %s", date, escape(link.Name()))
		if g.chance(0.5) {
			g.line("link_on %.8f %s", date+g.between(0.01, 1), escape(link.Name()))
		}
	case x < 8:
		g.line("link_bw %.8f %s %g", date, escape(link.Name()), g.between(1e5, 1e9))
	default:
		g.line("link_lat %.8f %s %g", date, escape(link.Name()), g.between(1e-5, 1e-2))
	}
}

// wifiRates attaches the stations, which SimGrid's files cannot.
func (g *generator) wifiRates(p *platform.Platform) {
	for l := range p.Links.All() {
		if l.Policy != platform.Wifi {
			continue
		}
		for _, h := range p.Hosts {
			if strings.HasPrefix(h.Name, "station") {
				g.line("wifi_rate %s %s %d", l.Name(), h.Name, g.IntN(len(l.Levels())))
			}
		}
	}
}
