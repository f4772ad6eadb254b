package platform

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The bandwidth of hosts when neither they nor their node have one, and of
// edges, which limit nothing: bytes per second.
const (
	gmlHostBandwidth = 125e6
	gmlEdgeBandwidth = 1e15
)

// gmlReader builds a platform from a network graph as the Shadow simulator
// takes them (network_graph_spec). Each edge becomes a link of unlimited
// bandwidth with the edge's latency and loss, and each host has an access link
// of its own, with the bandwidths of its node unless it has others.
type gmlReader struct {
	*assembly
	file  string
	graph *graphRouting
	nodes []gmlNode
	ids   map[int64]int32 // of nodes
	pairs map[edge]int    // how many edges join two nodes
}

// gmlNode is a place in the network where hosts may be.
type gmlNode struct {
	id       int64
	label    string
	up, down float64 // bytes per second; 0 when the graph does not say
}

// ReadGML reads a network graph with one host on each node, named by the node's
// label, or node-ID when it has none. The route between two hosts is that of
// the least latency, and of these that of the least loss.
func ReadGML(file string, text []byte) (*Platform, error) {
	g := newGMLReader(newAssembly(file), file)
	if err := g.read(string(text), 1); err != nil {
		return nil, err
	}
	for i, n := range g.nodes {
		name := n.label
		if name == "" || g.Host(name) != nil {
			name = "node-" + strconv.FormatInt(n.id, 10)
		}
		if err := g.host(name, int32(i), []float64{1e9}, 1, 0, 0); err != nil {
			return nil, &Error{Position{File: file, Line: 1}, err.Error()}
		}
	}
	if err := g.endZone(); err != nil {
		return nil, &Error{Position{File: file, Line: 1}, err.Error()}
	}
	return g.finish()
}

func newGMLReader(a *assembly, file string) *gmlReader {
	return &gmlReader{assembly: a, file: file, ids: make(map[int64]int32), pairs: make(map[edge]int)}
}

// read takes the graph, whose text begins on the given line of the file, and
// opens a zone for its hosts.
func (g *gmlReader) read(text string, line int) error {
	s := &gmlScanner{file: g.file, text: text, line: line}
	top, err := s.pairs(0)
	if err != nil {
		return err
	}
	for _, pair := range top {
		if pair.key != "graph" {
			continue
		}
		switch {
		case g.graph != nil:
			return g.fail(pair, errors.New("one graph expected, found a second"))
		case !pair.value.isList:
			return g.fail(pair, errors.New("a list in brackets expected"))
		}
		if err := g.readGraph(pair.value.list); err != nil {
			return err
		}
	}
	if len(g.nodes) == 0 {
		return &Error{Position{File: g.file, Line: line}, "graph [ node [ id 0 ] ... ] expected: there is no node"}
	}
	return nil
}

func (g *gmlReader) fail(pair gmlPair, err error) error {
	return &Error{Position{File: g.file, Line: pair.line}, fmt.Sprintf("%s: %v", pair.key, err)}
}

func (g *gmlReader) readGraph(graph []gmlPair) error {
	g.graph = new(graphRouting)
	// No host is without a name, so that none can have the zone's.
	if _, err := g.beginZone("", "Graph", g.graph); err != nil {
		return err
	}
	for _, pair := range graph {
		if pair.key == "directed" {
			g.graph.directed = pair.value.text == "1"
			if pair.value.isList || pair.value.text != "0" && !g.graph.directed {
				return g.fail(pair, errors.New("0 or 1 expected"))
			}
		}
	}
	for _, key := range []string{"node", "edge"} {
		for _, pair := range graph {
			if pair.key != key {
				continue
			}
			if !pair.value.isList {
				return g.fail(pair, errors.New("a list in brackets expected"))
			}
			add := g.node
			if key == "edge" {
				add = g.edge
			}
			if err := add(pair.value.list); err != nil {
				return g.fail(pair, err)
			}
		}
	}
	return nil
}

// gmlGet returns the value of a key, which must be given once.
func gmlGet(list []gmlPair, key string) (value gmlValue, given bool, err error) {
	for _, pair := range list {
		if pair.key != key {
			continue
		}
		if given || pair.value.isList {
			return value, true, fmt.Errorf("%s: one value expected", key)
		}
		value, given = pair.value, true
	}
	return value, given, nil
}

func gmlInteger(list []gmlPair, key string) (int64, error) {
	value, given, err := gmlGet(list, key)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(value.text, 10, 64)
	if !given || err != nil || value.string {
		return 0, fmt.Errorf("%s: an integer expected, found %q", key, value.text)
	}
	return n, nil
}

func (g *gmlReader) node(list []gmlPair) error {
	id, err := gmlInteger(list, "id")
	if err != nil {
		return err
	}
	if _, twice := g.ids[id]; twice {
		return fmt.Errorf("a second node with id %d", id)
	}
	n := gmlNode{id: id}
	label, _, err := gmlGet(list, "label")
	if err != nil {
		return err
	}
	if !strings.ContainsAny(label.text, " \t\r\n/") && utf8.ValidString(label.text) {
		n.label = label.text
	}
	if n.up, err = gmlBandwidth(list, "host_bandwidth_up", "bandwidth_up"); err != nil {
		return err
	}
	if n.down, err = gmlBandwidth(list, "host_bandwidth_down", "bandwidth_down"); err != nil {
		return err
	}
	if len(g.nodes) == MaxHosts {
		return fmt.Errorf("more than %d nodes", MaxHosts)
	}
	g.ids[id] = int32(len(g.nodes))
	g.nodes = append(g.nodes, n)
	g.graph.ids = append(g.graph.ids, id)
	g.graph.arcs = append(g.graph.arcs, nil)
	g.graph.loops = append(g.graph.loops, nil)
	return nil
}

// gmlBandwidth reads a node's bandwidth in bytes per second, under its name or
// that of older versions of Shadow.
func gmlBandwidth(list []gmlPair, keys ...string) (float64, error) {
	for _, key := range keys {
		value, given, err := gmlGet(list, key)
		if err != nil {
			return 0, err
		}
		if given {
			bandwidth, err := shadowBandwidth(value.text)
			if err == nil && bandwidth == 0 {
				err = errors.New("a bandwidth above 0 expected")
			}
			if err != nil {
				return 0, fmt.Errorf("%s: %w", key, err)
			}
			return bandwidth, nil
		}
	}
	return 0, nil
}

func (g *gmlReader) edge(list []gmlPair) error {
	var ends [2]int32
	var ids [2]int64
	for i, key := range []string{"source", "target"} {
		id, err := gmlInteger(list, key)
		if err != nil {
			return err
		}
		n, known := g.ids[id]
		if !known {
			return fmt.Errorf("%s: there is no node %d", key, id)
		}
		ends[i], ids[i] = n, id
	}
	latency, faults, err := gmlProperties(list)
	if err != nil {
		return err
	}
	s, t := ends[0], ends[1]
	key := edge{s, t}
	if !g.graph.directed && s > t {
		key = edge{t, s}
	}
	g.pairs[key]++
	name := fmt.Sprintf("edge_%d_%d", ids[0], ids[1])
	if n := g.pairs[key]; n > 1 {
		g.graph.parallel = append(g.graph.parallel, key)
		name += "." + strconv.Itoa(n)
	}
	l, err := g.addCable(name, Cable{Bandwidth: gmlEdgeBandwidth, Latency: latency, Policy: FatPipe})
	if err != nil {
		return err
	}
	if faults != (DatagramFaults{}) {
		l.details().datagrams = faults
	}
	if s == t {
		if g.graph.loops[s] == nil {
			g.graph.loops[s] = l
		}
		return nil
	}
	g.graph.arcs[s] = append(g.graph.arcs[s], graphArc{t, l})
	if !g.graph.directed {
		g.graph.arcs[t] = append(g.graph.arcs[t], graphArc{s, l})
	}
	return nil
}

// gmlProperties reads what an edge does to what crosses it; the latency is in
// seconds.
func gmlProperties(list []gmlPair) (latency float64, faults DatagramFaults, err error) {
	for _, q := range []struct {
		key   string
		parse func(string) (float64, error)
		into  *float64
	}{{"latency", shadowTime, &latency}, {"jitter", shadowTime, &faults.Jitter}, {"packet_loss", probability, &faults.Loss}} {
		value, given, err := gmlGet(list, q.key)
		switch {
		case err != nil:
			return 0, faults, err
		case !given && q.key == "latency":
			return 0, faults, errors.New("latency is missing")
		case !given:
			continue
		case q.key != "packet_loss" && !value.string:
			return 0, faults, fmt.Errorf("%s: a time in quotes expected, such as \"10 ms\", found %s", q.key, value.text)
		}
		if *q.into, err = q.parse(value.text); err != nil {
			return 0, faults, fmt.Errorf("%s: %w", q.key, err)
		}
	}
	return latency, faults, nil
}

// host adds a host on a node, with an access link of the given bandwidths in
// bytes per second: 0 for those of the node.
func (g *gmlReader) host(name string, node int32, speeds []float64, cores int, up, down float64) error {
	if _, err := g.addHost(name, speeds, cores); err != nil {
		return err
	}
	n := g.nodes[node]
	for _, b := range []struct {
		into  *float64
		other float64
	}{{&up, n.up}, {&up, gmlHostBandwidth}, {&down, n.down}, {&down, gmlHostBandwidth}} {
		if *b.into == 0 {
			*b.into = b.other
		}
	}
	out, in, err := g.addSplit(name, up, 0)
	if err != nil {
		return err
	}
	in.Cable = g.cableOf(Cable{Bandwidth: down, half: downHalf})
	g.graph.access = append(g.graph.access, wire{out, in})
	g.graph.vertex = append(g.graph.vertex, node)
	return nil
}
