package platform

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"unsafe"
)

// The most that a platform may have, so that a slip of the pen in a radical
// does not fill the memory.
const (
	MaxHosts = 2_000_000
	MaxLinks = 20_000_000
	// maxDepth bounds the nesting of zones.
	maxDepth = 500
)

// assembly is a platform under construction, whatever it is read from.
type assembly struct {
	*Platform
	zone *Zone // the innermost open one
	// hosts are allocated together: one by one, the allocator's rounding would
	// cost as much as some of their fields.
	spareHosts []Host
	hardware   *Hardware // of the latest host, as it was added
	cables     [8]*Cable // of the latest links, as they were added
	oldest     int       // of them
	texts      nameArena // of the names of hosts
	linkNames  *linkNames
	scratch    []byte // of text

	// SimGrid numbers these over the whole process; a file is read into a
	// fresh one.
	fatTreeNodes, fatTreeLinks, dragonflyLinks int
}

func newAssembly(file string) *assembly {
	p := &Platform{File: file, Config: make(map[string]string)}
	p.names = newIndex(p.nodeName)
	p.links = newIndex(func(n int32) string { return p.Links.At(int(n)).Name() })
	p.by4 = newIndex(func(n int32) uint32 { return p.Hosts[n].addr4 })
	a := &assembly{Platform: p, linkNames: new(linkNames)}
	if _, err := a.addCable("__loopback__", Cable{Bandwidth: 10e9, Policy: FatPipe}); err != nil {
		panic("platform: " + err.Error())
	}
	return a
}

// beginZone opens a zone inside the current one.
func (a *assembly) beginZone(name, kind string, r routing) (*Zone, error) {
	if a.node(name) != nil {
		return nil, fmt.Errorf("the name %q already belongs to a host, router or zone", name)
	}
	z := &Zone{Routing: kind, routing: r}
	z.Node = Node{Name: name, Zone: a.zone, kind: zoneNode}
	if parent := a.zone; parent != nil {
		z.local = parent.size
		z.depth = parent.depth + 1
		if z.depth > maxDepth {
			return nil, fmt.Errorf("zones are nested more than %d deep", maxDepth)
		}
		parent.size++
		parent.Children = append(parent.Children, z)
	} else if a.Root == nil {
		a.Root = z
	} else {
		return nil, fmt.Errorf("one outermost zone expected, found %q beside %q (put both into one)", name, a.Root.Name)
	}
	a.addNode(&z.Node)
	a.zone = z
	return z, nil
}

// endZone closes the current zone.
func (a *assembly) endZone() error {
	z := a.zone
	a.zone = z.Zone
	if s, ok := z.routing.(sealer); ok {
		return s.seal(a.Platform, z)
	}
	return nil
}

// sealer is a routing that has work to do when all of its zone is known.
type sealer interface {
	seal(p *Platform, z *Zone) error
}

func (a *assembly) addNode(n *Node) {
	a.nodes = append(a.nodes, n)
	a.names.set(n.Name, int32(len(a.nodes)-1)<<1|1)
}

func (a *assembly) addRouter(name string) (*Node, error) {
	if a.node(name) != nil {
		return nil, fmt.Errorf("the name %q already belongs to a host, router or zone", name)
	}
	n := &Node{Name: name, Zone: a.zone, local: a.zone.size, kind: routerNode}
	a.zone.size++
	a.addNode(n)
	return n, nil
}

// reserve makes room for so many hosts and links at once.
func (a *assembly) reserve(hosts, links int) error {
	if len(a.Hosts)+hosts > MaxHosts {
		return fmt.Errorf("more than %d hosts", MaxHosts)
	}
	if a.Links.Len()+links > MaxLinks {
		return fmt.Errorf("more than %d links", MaxLinks)
	}
	a.Hosts = grow(a.Hosts, hosts)
	a.names.reserve(hosts)
	a.links.reserve(links)
	a.spareHosts = make([]Host, hosts)
	return nil
}

// grow is slices.Grow without its generosity when the slice has no room.
func grow[T any](s []T, n int) []T {
	if cap(s)-len(s) >= n {
		return s
	}
	t := make([]T, len(s), len(s)+n)
	copy(t, s)
	return t
}

// clip returns a slice without the room that it has left, if that is much.
func clip[T any](s []T) []T {
	if cap(s)-len(s) <= len(s)/32 {
		return s
	}
	return append(make([]T, 0, len(s)), s...)
}

// addHost adds a host to the current zone. Speeds are in flop/s.
func (a *assembly) addHost(name string, speeds []float64, cores int) (*Host, error) {
	// A host may take the name of a router or zone, which is then no longer
	// found by it: SimGrid loads such files.
	if a.Host(name) != nil {
		return nil, fmt.Errorf("a second host named %q", name)
	}
	for _, s := range speeds {
		if err := notNegative("speed", s); err != nil {
			return nil, err
		}
	}
	switch {
	case cores < 1 || cores > math.MaxInt32:
		return nil, fmt.Errorf("at least one core expected, found %d", cores)
	case len(a.Hosts) == MaxHosts:
		return nil, fmt.Errorf("more than %d hosts", MaxHosts)
	}
	if len(a.spareHosts) == 0 {
		a.spareHosts = make([]Host, chunk(len(a.Hosts)))
	}
	h := &a.spareHosts[0]
	a.spareHosts = a.spareHosts[1:]
	*h = Host{
		Node:  Node{Name: name, Zone: a.zone, local: a.zone.size, kind: hostNode},
		Index: int32(len(a.Hosts)), Hardware: a.hardwareOf(speeds, int32(cores)),
	}
	a.zone.size++
	a.Hosts = append(a.Hosts, h)
	a.names.set(name, h.Index<<1)
	return h, nil
}

// hardwareOf returns the latest hardware again if it is like that.
func (a *assembly) hardwareOf(speeds []float64, cores int32) *Hardware {
	if h := a.hardware; h == nil || h.Cores != cores || !slices.Equal(h.Speeds, speeds) {
		a.hardware = &Hardware{Speeds: speeds, Cores: cores}
	}
	return a.hardware
}

// addLink adds a shared link; bandwidth in B/s, latency in s.
func (a *assembly) addLink(name string, bandwidth, latency float64) (*Link, error) {
	return a.addCable(name, Cable{Bandwidth: bandwidth, Latency: latency})
}

// addCable adds a link that is like c.
func (a *assembly) addCable(name string, c Cable) (*Link, error) {
	if a.Link(name) != nil {
		return nil, fmt.Errorf("a second link named %q", name)
	}
	if err := errors.Join(notNegative("bandwidth", c.Bandwidth), notNegative("latency", c.Latency)); err != nil {
		return nil, err
	}
	if a.Links.Len() == MaxLinks {
		return nil, fmt.Errorf("more than %d links", MaxLinks)
	}
	at := a.linkNames.add(name)
	if at == noName {
		return nil, errors.New("names of links take more than 4 GB")
	}
	l := a.Links.Add(a.cableOf(c))
	l.name = at
	a.links.set(name, l.Index)
	return l, nil
}

// chunk is how many hosts are allocated together when there are so many already:
// what fills 2 or 32 KiB of memory but for the eight bytes that Go keeps before the
// elements.
func chunk(have int) int {
	size := 2 << 10
	if have > 1000 {
		size = 32 << 10
	}
	return (size - 8) / int(unsafe.Sizeof(Host{}))
}

// cableOf returns the cable of one of the latest links again if it is like c.
func (a *assembly) cableOf(c Cable) *Cable {
	c.names = a.linkNames
	for _, latest := range a.cables {
		if latest != nil && *latest == c {
			return latest
		}
	}
	a.cables[a.oldest] = &c
	a.oldest = (a.oldest + 1) % len(a.cables)
	return &c
}

// text is a name of these parts, until the next call.
func (a *assembly) text(prefix string, number int, suffix string) string {
	a.scratch = appendName(a.scratch[:0], prefix, number, suffix)
	return unsafe.String(unsafe.SliceData(a.scratch), len(a.scratch))
}

// addSplit adds the two halves of a full-duplex link.
func (a *assembly) addSplit(name string, bandwidth, latency float64) (up, down *Link, err error) {
	c := Cable{Bandwidth: bandwidth, Latency: latency, half: upHalf}
	if up, err = a.addCable(name+"_UP", c); err != nil {
		return nil, nil, err
	}
	c.half = downHalf
	down, err = a.addCable(name+"_DOWN", c)
	return up, down, err
}

// split returns the halves of the full-duplex link of the given name, or nil.
func (a *assembly) split(name string) (up, down *Link) {
	up = a.Link(name + "_UP")
	if up == nil || up.half != upHalf {
		return nil, nil
	}
	return up, a.Links.At(int(up.Index) + 1)
}

func notNegative(what string, value float64) error {
	if !(value >= 0) {
		return fmt.Errorf("%s must not be negative, found %v", what, value)
	}
	return nil
}

// finish completes the platform.
func (a *assembly) finish() (*Platform, error) {
	p := a.Platform
	if err := p.assignAddresses(); err != nil {
		return nil, err
	}
	p.builder.platform = p
	p.Hosts = clip(p.Hosts)
	p.names.clip()
	p.links.clip()
	return p, nil
}
