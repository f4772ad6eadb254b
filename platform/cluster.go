package platform

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unsafe"
)

// cluster is what a <cluster> element says.
type cluster struct {
	id, prefix, suffix string
	numbers            []int // its radical
	speeds             []float64
	cores              int
	bandwidth, latency float64
	policy             string // SHARED, SPLITDUPLEX or FATPIPE
	backboneBandwidth  float64
	backboneLatency    float64
	backbonePolicy     Policy
	loopbackBandwidth  float64
	loopbackLatency    float64
	limiter            float64
	router             string
	topology           string
	parameters         string
	properties         Properties
}

func (c *cluster) hasLoopback() bool { return c.loopbackBandwidth > 0 || c.loopbackLatency > 0 }
func (c *cluster) hasBackbone() bool { return c.backboneBandwidth > 0 || c.backboneLatency > 0 }
func (c *cluster) hasLimiter() bool  { return c.limiter > 0 }
func (c *cluster) isSplit() bool     { return c.policy == "SPLITDUPLEX" }

// addCluster adds the zone of a cluster with all that is in it.
func (a *assembly) addCluster(c *cluster) error {
	switch c.topology {
	case "TORUS":
		return a.addTorus(c)
	case "FAT_TREE":
		return a.addFatTree(c)
	case "DRAGONFLY":
		return a.addDragonfly(c)
	}
	return a.addFlatCluster(c)
}

// parseRadical reads numbers such as "0-99,101,200-210", as leniently as
// SimGrid's stoi does: what follows a number is ignored, and a range that ends
// before it begins is empty.
func parseRadical(text string) ([]int, error) {
	var numbers []int
	for group := range strings.SplitSeq(text, ",") {
		ends := strings.Split(group, "-")
		if len(ends) > 2 {
			return nil, fmt.Errorf("a number or a range such as 0-99 expected in the radical, found %q", group)
		}
		first, err := leadingInt(ends[0])
		last := first
		if err == nil && len(ends) == 2 {
			last, err = leadingInt(ends[1])
		}
		if err != nil {
			return nil, fmt.Errorf("a number or a range such as 0-99 expected in the radical, found %q", group)
		}
		if last >= first && last-first >= MaxHosts-len(numbers) {
			return nil, fmt.Errorf("the radical has more than %d numbers", MaxHosts)
		}
		numbers = grow(numbers, max(0, last-first+1))
		for n := first; n <= last; n++ {
			numbers = append(numbers, n)
		}
	}
	return numbers, nil
}

// leadingInt reads the integer that text begins with, as C++'s stoi.
func leadingInt(text string) (int, error) {
	text = strings.TrimLeft(text, " \t\n\v\f\r")
	end := 0
	if end < len(text) && (text[end] == '-' || text[end] == '+') {
		end++
	}
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	n, err := strconv.ParseInt(text[:end], 10, 32)
	if err != nil {
		return 0, fmt.Errorf("an integer expected, found %q", text)
	}
	return int(n), nil
}

// nameArena holds many names in one piece of memory.
type nameArena struct{ text []byte }

// name keeps the concatenation of the parts.
func (n *nameArena) name(prefix string, number int, suffix string) string {
	start := n.room(len(prefix) + 20 + len(suffix))
	n.text = appendName(n.text, prefix, number, suffix)
	return unsafe.String(&n.text[start], len(n.text)-start)
}

func appendName(text []byte, prefix string, number int, suffix string) []byte {
	return append(strconv.AppendInt(append(text, prefix...), int64(number), 10), suffix...)
}

// keep keeps a name.
func (n *nameArena) keep(name string) string {
	if name == "" {
		return ""
	}
	start := n.room(len(name))
	n.text = append(n.text, name...)
	return unsafe.String(&n.text[start], len(name))
}

// room makes room for so many bytes and returns where they begin. Arenas that
// are full are replaced, never moved, so that the names in them stay; the first
// is small, for most platforms are.
func (n *nameArena) room(need int) int {
	if cap(n.text)-len(n.text) < need {
		n.text = make([]byte, 0, max(need, min(1<<16, max(1<<8, 2*cap(n.text)))))
	}
	return len(n.text)
}

// member is what the hosts of a cluster have in common.
type member struct {
	*cluster
	hardware *Hardware
}

func (a *assembly) newMember(c *cluster) *member {
	m := &member{cluster: c, hardware: &Hardware{Speeds: c.speeds, Cores: int32(c.cores)}}
	if len(c.properties) > 0 {
		m.hardware.more = &hostDetails{properties: c.properties}
	}
	return m
}

// host adds the host of the given rank.
func (a *assembly) member(m *member, rank int) error {
	if rank >= len(m.numbers) {
		return fmt.Errorf("cluster %q needs at least %d hosts, its radical has %d", m.id, rank+1, len(m.numbers))
	}
	h, err := a.addHost(a.texts.name(m.prefix, m.numbers[rank], m.suffix), m.speeds, m.cores)
	if err != nil {
		return err
	}
	h.Hardware = m.hardware
	return a.setAddresses(h, propertyAddresses(m.properties))
}

// loopback adds the link by which a host of a cluster reaches itself.
func (a *assembly) loopback(m *member, number int) error {
	_, err := a.addCable(a.text(m.id+"_link_", number, "_loopback"), Cable{Bandwidth: m.loopbackBandwidth, Latency: m.loopbackLatency, Policy: FatPipe})
	return err
}

// flatCluster is the routing of a plain <cluster>: a star whose links lie
// one after another, so that the links of a host are found by its rank.
type flatCluster struct {
	first, stride            int // of the links of the first host, then of the second, ...
	loopback, limiter, split bool
	backbone                 *Link
	hosts                    int32
}

func (a *assembly) addFlatCluster(c *cluster) error {
	r := &flatCluster{loopback: c.hasLoopback(), limiter: c.hasLimiter(), split: c.isSplit(), hosts: int32(len(c.numbers))}
	z, err := a.beginZone(c.id, "Star", r)
	if err != nil {
		return err
	}
	z.Properties = c.properties
	r.stride = 1
	for _, more := range []bool{r.loopback, r.limiter, r.split} {
		if more {
			r.stride++
		}
	}
	if err := a.reserve(len(c.numbers), len(c.numbers)*r.stride+1); err != nil {
		return err
	}
	if c.hasBackbone() {
		cable := Cable{Bandwidth: c.backboneBandwidth, Latency: c.backboneLatency, Policy: c.backbonePolicy}
		if r.backbone, err = a.addCable(c.id+"_backbone", cable); err != nil {
			return err
		}
	}
	m := a.newMember(c)
	r.first = a.Links.Len()
	for rank, number := range c.numbers {
		if err := a.member(m, rank); err != nil {
			return err
		}
		if r.loopback {
			if err := a.loopback(m, number); err != nil {
				return err
			}
		}
		if r.limiter {
			if _, err := a.addLink(a.text(c.id+"_link_", number, "_limiter"), c.limiter, 0); err != nil {
				return err
			}
		}
		if err := a.clusterLink(m, m.id+"_link_", number, c.bandwidth, true); err != nil {
			return err
		}
	}
	router := c.router
	if router == "" {
		router = c.prefix + c.id + "_router" + c.suffix
	}
	if _, err := a.addRouter(router); err != nil {
		return err
	}
	return a.endZone()
}

// clusterLink adds a link, or two when the cluster's links are full-duplex.
// Routes may name the two as one when named is true.
func (a *assembly) clusterLink(m *member, prefix string, number int, bandwidth float64, named bool) error {
	if !m.isSplit() {
		_, err := a.addLink(a.text(prefix, number, ""), bandwidth, m.latency)
		return err
	}
	up := Cable{Bandwidth: bandwidth, Latency: m.latency}
	down := up
	if named {
		up.half, down.half = upHalf, downHalf
	}
	if _, err := a.addCable(a.text(prefix, number, "_UP"), up); err != nil {
		return err
	}
	_, err := a.addCable(a.text(prefix, number, "_DOWN"), down)
	return err
}

// of returns the links of a host: the loopback, the limiter, the way up and
// the way down; those that the cluster has not are nil.
func (f *flatCluster) of(links *Links, rank int32) (loopback, limiter, up, down *Link) {
	at := f.first + int(rank)*f.stride
	last := at + f.stride - 1
	if f.loopback {
		loopback = links.At(at)
		at++
	}
	if f.limiter {
		limiter = links.At(at)
		at++
	}
	return loopback, limiter, links.At(at), links.At(last)
}

func (f *flatCluster) route(b *builder, src, dst *Node) (from, to *Node, err error) {
	start := len(b.links)
	if src.local < f.hosts {
		loopback, limiter, up, _ := f.of(&b.platform.Links, src.local)
		if src == dst && loopback != nil {
			b.link(loopback)
			return nil, nil, nil
		}
		b.hop(start, limiter)
		b.hop(start, up)
		b.hop(start, f.backbone)
	}
	if dst.local < f.hosts {
		_, limiter, _, down := f.of(&b.platform.Links, dst.local)
		b.hop(start, f.backbone)
		b.hop(start, down)
		b.hop(start, limiter)
	}
	return nil, nil, nil
}

// hop appends a link if there is one and it is not there yet since start.
func (b *builder) hop(start int, l *Link) {
	if l == nil {
		return
	}
	for _, have := range b.links[start:] {
		if have == l {
			return
		}
	}
	b.link(l)
}

// wire is a link of a torus, fat tree or dragonfly: one for each direction,
// which may be the same.
type wire struct{ up, down *Link }

// lastLink returns the link that was added last.
func (a *assembly) lastLink() *Link { return a.Links.At(a.Links.Len() - 1) }

// lastWire returns the link, or the two, that were added last.
func (a *assembly) lastWire(split bool) wire {
	up, down := a.lastLink(), a.lastLink()
	if split {
		up = a.Links.At(int(down.Index) - 1)
	}
	return wire{up, down}
}

// product multiplies the sizes of a topology; it fails when there are more
// hosts than a platform may have, or none.
func product(sizes ...int) (int, error) {
	p := 1
	for _, s := range sizes {
		if s < 1 {
			return 0, fmt.Errorf("every number of the topology must be greater than 0, found %d", s)
		}
		if s > math.MaxInt/p || s*p > MaxHosts {
			return 0, fmt.Errorf("the topology has more than %d nodes", MaxHosts)
		}
		p *= s
	}
	return p, nil
}

// intList reads integers with commas between.
func intList(text string) ([]int, error) {
	var list []int
	for part := range strings.SplitSeq(text, ",") {
		n, err := leadingInt(part)
		if err != nil {
			return nil, fmt.Errorf("topo_parameters: %w", err)
		}
		list = append(list, n)
	}
	return list, nil
}
