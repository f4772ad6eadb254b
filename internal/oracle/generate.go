// Package oracle compares the simulation kernel with SimGrid 3.32: random
// platforms of every routing kind and random scenarios are played by both, and
// the dates and routes must agree. The tests compile small programs against
// libsimgrid-dev; see docs/simulation.md for what is compared and how closely.
package oracle

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// Kinds are the platforms that Platform makes.
var Kinds = []string{
	"full", "floyd", "dijkstra", "dijkstra-cache", "cluster", "star", "torus",
	"fat-tree", "dragonfly", "vivaldi", "wifi", "nested", "profiles", "machines",
}

// generator writes a platform.
type generator struct {
	*rand.Rand
	strings.Builder
	files map[string]string // beside the platform: profiles by file name
}

// NewRand returns the random numbers of a seed.
func NewRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x51)) }

// Platform returns a random platform file of the given kind, and the profiles
// that belong beside it by file name.
func Platform(kind string, random *rand.Rand) (text string, profiles map[string]string) {
	g := &generator{Rand: random, files: make(map[string]string)}
	g.line(`<?xml version='1.0'?>`)
	g.line(`<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">`)
	g.line(`<platform version="4.1">`)
	switch kind {
	case "full":
		g.graph("world", "Full", "h", 2+g.IntN(6))
	case "floyd":
		g.graph("world", "Floyd", "h", 2+g.IntN(14))
	case "dijkstra":
		g.graph("world", "Dijkstra", "h", 2+g.IntN(14))
	case "dijkstra-cache":
		g.graph("world", "DijkstraCache", "h", 2+g.IntN(14))
	case "cluster":
		g.cluster("c", "n", 2+g.IntN(30), g.flat())
	case "star":
		g.star("s")
	case "torus":
		g.cluster("t", "n", 0, g.torus())
	case "fat-tree":
		g.cluster("f", "n", 0, g.fatTree())
	case "dragonfly":
		g.cluster("d", "n", 0, g.dragonfly())
	case "vivaldi":
		g.vivaldi()
	case "wifi":
		g.wifi()
	case "nested":
		g.nested()
	case "profiles":
		g.profiles()
	case "machines":
		g.machines()
	default:
		panic("oracle: unknown kind of platform " + kind)
	}
	g.line(`</platform>`)
	return g.String(), g.files
}

func (g *generator) line(format string, arguments ...any) {
	fmt.Fprintf(&g.Builder, format+"\n", arguments...)
}

// between draws on a logarithmic scale, with four digits.
func (g *generator) between(low, high float64) float64 {
	x := low * math.Pow(high/low, g.Float64())
	scale := math.Pow(10, math.Floor(math.Log10(x))-3)
	return math.Round(x/scale) * scale
}

func (g *generator) chance(p float64) bool { return g.Float64() < p }

func (g *generator) pick(choices ...string) string { return choices[g.IntN(len(choices))] }

func (g *generator) bandwidth() string {
	return g.pick(
		fmt.Sprintf("%gBps", g.between(1e5, 1e10)),
		fmt.Sprintf("%gMbps", g.between(1, 1e5)),
		fmt.Sprintf("%gMiBps", g.between(0.1, 1e4)),
		fmt.Sprintf("%gkBps", g.between(100, 1e7)))
}

func (g *generator) latency() string {
	return g.pick(fmt.Sprintf("%gus", g.between(1, 1e4)), fmt.Sprintf("%gms", g.between(0.01, 50)), fmt.Sprintf("%gs", g.between(1e-6, 0.05)))
}

func (g *generator) host(name string, attributes string) {
	g.line(`<host id="%s" speed="%gMf" core="%d"%s/>`, name, g.between(10, 1e4), 1+g.IntN(4), attributes)
}

// link writes a link and returns what a route may contain: the link, or one
// direction of it.
func (g *generator) link(name string) string {
	policy := g.pick("SHARED", "SHARED", "SHARED", "SHARED", "FATPIPE", "SPLITDUPLEX")
	g.line(`<link id="%s" bandwidth="%s" latency="%s" sharing_policy="%s"/>`, name, g.bandwidth(), g.latency(), policy)
	if policy == "SPLITDUPLEX" {
		return fmt.Sprintf(`<link_ctn id="%s" direction="%s"/>`, name, g.pick("UP", "DOWN"))
	}
	return fmt.Sprintf(`<link_ctn id="%s"/>`, name)
}

// graph writes a zone of n hosts: with routing Full a route between each pair,
// else routes that connect all.
func (g *generator) graph(zone, routing, prefix string, n int) {
	g.line(`<zone id="%s" routing="%s">`, zone, routing)
	for i := range n {
		g.host(fmt.Sprintf("%s%d", prefix, i), "")
	}
	var links []string
	for i := range 1 + n + g.IntN(n) {
		links = append(links, g.link(fmt.Sprintf("%sl%d", prefix, i)))
	}
	route := func(a, b int, symmetrical string) {
		g.line(`<route src="%s%d" dst="%s%d" symmetrical="%s">`, prefix, a, prefix, b, symmetrical)
		for _, i := range g.Perm(len(links))[:1+g.IntN(min(3, len(links)))] {
			g.line(`  %s`, links[i])
		}
		g.line(`</route>`)
	}
	switch routing {
	case "Full":
		for a := range n {
			for b := range a {
				if g.chance(0.3) {
					route(a, b, "NO")
					route(b, a, "NO")
				} else {
					route(a, b, "YES")
				}
			}
		}
	default:
		done := map[[2]int]bool{}
		for a := 1; a < n; a++ {
			b := g.IntN(a)
			done[[2]int{a, b}] = true
			route(a, b, "YES")
		}
		for range g.IntN(n) {
			a, b := g.IntN(n), g.IntN(n)
			if a > b && !done[[2]int{a, b}] {
				done[[2]int{a, b}] = true
				route(a, b, "YES")
			}
		}
	}
	g.line(`</zone>`)
}

// cluster writes a cluster of n hosts named PREFIX-i-.
func (g *generator) cluster(id, prefix string, n int, topology string) {
	if n == 0 {
		n, topology = g.size(topology)
	}
	extra := ""
	if g.chance(0.3) {
		extra += fmt.Sprintf(` loopback_bw="%s" loopback_lat="%s"`, g.bandwidth(), g.latency())
	}
	if g.chance(0.3) {
		extra += fmt.Sprintf(` limiter_link="%s"`, g.bandwidth())
	}
	g.line(`<cluster id="%s" prefix="%s-" suffix="-%s" radical="0-%d" speed="%gMf" core="%d" bw="%s" lat="%s" sharing_policy="%s"%s%s/>`,
		id, prefix, id, n-1, g.between(10, 1e4), 1+g.IntN(4), g.bandwidth(), g.latency(),
		g.pick("SPLITDUPLEX", "SPLITDUPLEX", "SHARED", "FATPIPE"), topology, extra)
}

func (g *generator) flat() string {
	if g.chance(0.3) {
		return ""
	}
	return fmt.Sprintf(` bb_bw="%s" bb_lat="%s" bb_sharing_policy="%s"`, g.bandwidth(), g.latency(), g.pick("SHARED", "FATPIPE"))
}

// size returns the number of hosts that a topology has, which precedes it.
func (g *generator) size(topology string) (n int, attributes string) {
	if _, err := fmt.Sscanf(topology, "%d", &n); err != nil {
		panic("oracle: " + err.Error())
	}
	_, attributes, _ = strings.Cut(topology, " ")
	return n, " " + attributes
}

func (g *generator) torus() string {
	n := 1
	var dimensions []string
	for range 1 + g.IntN(3) {
		d := 2 + g.IntN(4)
		n *= d
		dimensions = append(dimensions, fmt.Sprint(d))
	}
	return fmt.Sprintf(`%d topology="TORUS" topo_parameters="%s"`, n, strings.Join(dimensions, ","))
}

func (g *generator) fatTree() string {
	levels := 1 + g.IntN(3)
	n := 1
	var children, parents, ports []string
	for i := range levels {
		c, p := 2+g.IntN(3), 1+g.IntN(2)
		if i == 0 {
			p = 1
		}
		n *= c
		children = append(children, fmt.Sprint(c))
		parents = append(parents, fmt.Sprint(p))
		ports = append(ports, fmt.Sprint(1+g.IntN(2)))
	}
	return fmt.Sprintf(`%d topology="FAT_TREE" topo_parameters="%d;%s;%s;%s"`,
		n, levels, strings.Join(children, ","), strings.Join(parents, ","), strings.Join(ports, ","))
}

func (g *generator) dragonfly() string {
	groups, chassis, nodes := 1+g.IntN(4), 1+g.IntN(3), 1+g.IntN(3)
	blades := groups + g.IntN(3)
	return fmt.Sprintf(`%d topology="DRAGONFLY" topo_parameters="%d,%d;%d,%d;%d,%d;%d"`,
		groups*chassis*blades*nodes, groups, 1+g.IntN(2), chassis, 1+g.IntN(2), blades, 1+g.IntN(2), nodes)
}

// star writes a zone of routing Cluster made by hand.
func (g *generator) star(id string) {
	n := 2 + g.IntN(8)
	g.line(`<zone id="%s" routing="Cluster">`, id)
	for i := range n {
		g.host(fmt.Sprintf("s%d", i), "")
		g.line(`<link id="s%d_link" bandwidth="%s" latency="%s" sharing_policy="SPLITDUPLEX"/>`, i, g.bandwidth(), g.latency())
	}
	for i := range n {
		g.line(`<host_link id="s%d" up="s%d_link_UP" down="s%d_link_DOWN"/>`, i, i, i)
	}
	if g.chance(0.6) {
		g.line(`<backbone id="bb" bandwidth="%s" latency="%s"/>`, g.bandwidth(), g.latency())
	}
	g.line(`</zone>`)
}

func (g *generator) vivaldi() {
	g.line(`<zone id="world" routing="Vivaldi">`)
	for i := range 2 + g.IntN(8) {
		g.line(`<peer id="p%d" speed="%gMf" bw_in="%s" bw_out="%s" coordinates="%.2f %.2f %.2f"/>`,
			i, g.between(10, 1e4), g.bandwidth(), g.bandwidth(), g.Float64()*100, g.Float64()*100-50, g.Float64()*5)
	}
	g.line(`</zone>`)
}

func (g *generator) wifi() {
	n := 2 + g.IntN(5)
	g.line(`<zone id="world" routing="Floyd">`)
	g.line(`<zone id="air" routing="Wifi">`)
	g.line(`<prop id="access_point" value="ap"/>`)
	var levels []string
	for range 1 + g.IntN(3) {
		levels = append(levels, fmt.Sprintf("%gMbps", g.between(5, 500)))
	}
	g.line(`<link id="air" sharing_policy="WIFI" bandwidth="%s" latency="0ms"/>`, strings.Join(levels, ","))
	for i := range n {
		g.host(fmt.Sprintf("station%d", i), "")
	}
	g.line(`<router id="ap"/>`)
	g.line(`</zone>`)
	g.line(`<zone id="wired" routing="Full">`)
	g.host("server", "")
	g.line(`</zone>`)
	g.line(`<link id="wire" bandwidth="%s" latency="%s" sharing_policy="%s"/>`, g.bandwidth(), g.latency(), g.pick("SHARED", "FATPIPE"))
	g.line(`<zoneRoute src="air" dst="wired" gw_src="ap" gw_dst="server"><link_ctn id="wire"/></zoneRoute>`)
	g.line(`</zone>`)
}

// nested writes zones of several kinds inside one.
func (g *generator) nested() {
	g.line(`<zone id="world" routing="%s">`, g.pick("Full", "Floyd", "Dijkstra"))
	g.cluster("left", "l", 2+g.IntN(6), g.flat())
	g.cluster("right", "r", 2+g.IntN(6), g.flat())
	n := 2 + g.IntN(5)
	g.graph("middle", g.pick("Full", "Floyd", "Dijkstra"), "m", n)
	a, b, c := g.link("w0"), g.link("w1"), g.link("w2")
	gateway := g.IntN(n)
	g.line(`<zoneRoute src="left" dst="middle" gw_src="l-left_router-left" gw_dst="m%d">%s</zoneRoute>`, gateway, a)
	g.line(`<zoneRoute src="middle" dst="right" gw_src="m%d" gw_dst="r-right_router-right">%s</zoneRoute>`, gateway, b)
	if g.chance(0.5) {
		g.line(`<zoneRoute src="left" dst="right" gw_src="l-left_router-left" gw_dst="r-right_router-right">%s%s%s</zoneRoute>`, a, b, c)
	} else {
		g.line(`<zoneRoute src="right" dst="left" gw_src="r-right_router-right" gw_dst="l-left_router-left">%s%s</zoneRoute>`, c, b)
	}
	g.line(`</zone>`)
}

// profiles writes a platform that changes by itself.
func (g *generator) profiles() {
	n := 2 + g.IntN(4)
	// profile returns an attribute that names a new profile, or nothing.
	profile := func(attribute, name string, value func() float64) string {
		if g.chance(0.4) {
			return ""
		}
		var text strings.Builder
		date := 0.0
		for range 1 + g.IntN(5) {
			date += g.between(0.01, 4)
			fmt.Fprintf(&text, "%.7f %g\n", date, value())
		}
		if g.chance(0.5) {
			fmt.Fprintf(&text, "LOOPAFTER %g\n", g.between(0.1, 10))
		}
		file := name + ".profile"
		g.files[file] = text.String()
		return fmt.Sprintf(` %s="%s"`, attribute, file)
	}
	g.line(`<zone id="world" routing="Full">`)
	for i := range n {
		g.host(fmt.Sprintf("h%d", i), profile("speed_file", fmt.Sprintf("speed%d", i),
			func() float64 { return 0.1 + 0.9*g.between(0.1, 1) }))
	}
	for i := range n {
		attributes := profile("bandwidth_file", fmt.Sprintf("bandwidth%d", i), func() float64 { return g.between(1e6, 1e9) })
		if i == 0 {
			attributes += profile("latency_file", "latency", func() float64 { return g.between(1e-6, 1e-5) })
		}
		if i == 1 {
			attributes += profile("state_file", "state", func() float64 { return float64(g.IntN(2)) })
		}
		// Short latencies: see Scenario's changes.
		g.line(`<link id="l%d" bandwidth="%gMBps" latency="1us"%s/>`, i, g.between(1, 1000), attributes)
	}
	for a := range n {
		for b := range a {
			g.line(`<route src="h%d" dst="h%d"><link_ctn id="l%d"/><link_ctn id="l%d"/></route>`, a, b, a, b)
		}
	}
	g.line(`</zone>`)
}

// machines writes hosts with several speeds and with disks.
func (g *generator) machines() {
	g.line(`<zone id="world" routing="Full">`)
	for i := range 2 + g.IntN(3) {
		g.line(`<host id="h%d" speed="%gMf,%gMf,%gMf" core="%d" pstate="%d">`,
			i, g.between(1e3, 1e4), g.between(1e2, 1e3), g.between(10, 1e2), 1+g.IntN(8), g.IntN(3))
		for d := range 1 + g.IntN(2) {
			g.line(`<disk id="d%d" read_bw="%gMBps" write_bw="%gMBps"/>`, d, g.between(10, 1000), g.between(10, 1000))
		}
		g.line(`</host>`)
	}
	g.line(`</zone>`)
}
