package platform

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// gmlValue is a value of GML (Himsolt: GML: A portable Graph File Format,
// 1997): a number, a string or a list of keys with values.
type gmlValue struct {
	text   string // of a number, or inside the quotes of a string
	string bool
	list   []gmlPair
	isList bool
}

type gmlPair struct {
	key   string
	value gmlValue
	line  int
}

// maxGMLDepth bounds the nesting of lists.
const maxGMLDepth = 50

// gmlScanner reads GML.
type gmlScanner struct {
	file, text string
	at, line   int
}

func (s *gmlScanner) errorf(format string, arguments ...any) error {
	return &Error{Position{File: s.file, Line: s.line}, fmt.Sprintf(format, arguments...)}
}

// skip moves past white space and comments.
func (s *gmlScanner) skip() {
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '\n':
			s.line++
		case c == '#':
			for s.at+1 < len(s.text) && s.text[s.at+1] != '\n' {
				s.at++
			}
		case !isSpace(c):
			return
		}
	}
}

// pairs reads keys with values up to the closing bracket, or the end of the
// file at depth 0.
func (s *gmlScanner) pairs(depth int) ([]gmlPair, error) {
	if depth > maxGMLDepth {
		return nil, s.errorf("lists are nested more than %d deep", maxGMLDepth)
	}
	var pairs []gmlPair
	for {
		s.skip()
		switch {
		case s.at == len(s.text) && depth == 0:
			return pairs, nil
		case s.at == len(s.text):
			return nil, s.errorf("] expected, found the end of the file")
		case s.text[s.at] == ']' && depth > 0:
			s.at++
			return pairs, nil
		}
		pair := gmlPair{key: s.key(), line: s.line}
		if pair.key == "" {
			return nil, s.errorf("a key expected, found %q", firstWord(s.text[s.at:]))
		}
		var err error
		if pair.value, err = s.value(pair.key, depth); err != nil {
			return nil, err
		}
		pairs = append(pairs, pair)
	}
}

func (s *gmlScanner) key() string {
	start := s.at
	for s.at < len(s.text) {
		c := s.text[s.at]
		if !('a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || s.at > start && isDigit(c)) {
			break
		}
		s.at++
	}
	return s.text[start:s.at]
}

func (s *gmlScanner) value(key string, depth int) (gmlValue, error) {
	s.skip()
	switch {
	case s.at == len(s.text):
		return gmlValue{}, s.errorf("a value expected after %s, found the end of the file", key)
	case s.text[s.at] == '[':
		s.at++
		list, err := s.pairs(depth + 1)
		return gmlValue{list: list, isList: true}, err
	case s.text[s.at] == '"':
		end := strings.IndexByte(s.text[s.at+1:], '"')
		if end < 0 {
			return gmlValue{}, s.errorf("the string after %s has no end", key)
		}
		text := s.text[s.at+1 : s.at+1+end]
		s.line += strings.Count(text, "\n")
		s.at += end + 2
		return gmlValue{text: text, string: true}, nil
	}
	start := s.at
	for s.at < len(s.text) && strings.IndexByte("+-.0123456789eE", s.text[s.at]) >= 0 {
		s.at++
	}
	text := s.text[start:s.at]
	if _, err := strconv.ParseFloat(text, 64); err != nil {
		return gmlValue{}, s.errorf("a number, a string in quotes or a list in brackets expected after %s, found %q",
			key, firstWord(s.text[start:]))
	}
	return gmlValue{text: text}, nil
}

// The bandwidth of nodes that have none, and of edges, which limit nothing:
// bytes per second.
const (
	gmlNodeBandwidth = 125e6
	gmlEdgeBandwidth = 1e15
)

// gmlReader builds a platform from a graph.
type gmlReader struct {
	*assembly
	file  string
	graph *graphRouting
	nodes map[int64]*Host
	pairs map[edge]bool
}

// ReadGML reads a network graph as the Shadow simulator takes them
// (network_graph_spec). Each node becomes a host with an access link of its
// bandwidths, named by the node's label, or node-ID when it has none; each edge
// becomes a link of unlimited bandwidth with the edge's latency and loss. The
// route between two hosts is that of the least latency, and of these that of
// the least loss.
func ReadGML(file string, text []byte) (*Platform, error) {
	s := &gmlScanner{file: file, text: string(text), line: 1}
	top, err := s.pairs(0)
	if err != nil {
		return nil, err
	}
	g := &gmlReader{assembly: newAssembly(file), file: file, nodes: make(map[int64]*Host), pairs: make(map[edge]bool)}
	for _, pair := range top {
		if pair.key != "graph" {
			continue
		}
		switch {
		case g.graph != nil:
			return nil, g.fail(pair, fmt.Errorf("one graph expected, found a second"))
		case !pair.value.isList:
			return nil, g.fail(pair, fmt.Errorf("a list in brackets expected"))
		}
		if err := g.read(pair.value.list); err != nil {
			return nil, err
		}
	}
	if len(g.Hosts) == 0 {
		return nil, &Error{Position{File: file, Line: 1}, "graph [ node [ id 0 ] ... ] expected: there is no node"}
	}
	return g.finish()
}

func (g *gmlReader) fail(pair gmlPair, err error) error {
	return &Error{Position{File: g.file, Line: pair.line}, fmt.Sprintf("%s: %v", pair.key, err)}
}

func (g *gmlReader) read(graph []gmlPair) error {
	g.graph = new(graphRouting)
	// No host is without a name, so that none can have the zone's.
	if _, err := g.beginZone("", "Graph", g.graph); err != nil {
		return err
	}
	for _, pair := range graph {
		if pair.key == "directed" {
			g.graph.directed = pair.value.text == "1"
			if pair.value.isList || pair.value.text != "0" && !g.graph.directed {
				return g.fail(pair, fmt.Errorf("0 or 1 expected"))
			}
		}
	}
	for _, key := range []string{"node", "edge"} {
		for _, pair := range graph {
			if pair.key != key {
				continue
			}
			if !pair.value.isList {
				return g.fail(pair, fmt.Errorf("a list in brackets expected"))
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
	return g.endZone()
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
	if g.nodes[id] != nil {
		return fmt.Errorf("a second node with id %d", id)
	}
	label, given, err := gmlGet(list, "label")
	if err != nil {
		return err
	}
	name := "node-" + strconv.FormatInt(id, 10)
	if given && label.text != "" && !strings.ContainsAny(label.text, " \t\r\n/") && utf8.ValidString(label.text) && g.Host(label.text) == nil {
		name = label.text
	}
	up, err := gmlBandwidth(list, "host_bandwidth_up", "bandwidth_up")
	if err != nil {
		return err
	}
	down, err := gmlBandwidth(list, "host_bandwidth_down", "bandwidth_down")
	if err != nil {
		return err
	}
	h, err := g.addHost(name, []float64{1e9}, 1)
	if err != nil {
		return err
	}
	g.nodes[id] = h
	out, in, err := g.addSplit(name, up, 0)
	if err != nil {
		return err
	}
	in.Bandwidth = down
	g.graph.access = append(g.graph.access, wire{out, in})
	g.graph.arcs = append(g.graph.arcs, nil)
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
			if err != nil {
				return 0, fmt.Errorf("%s: %w", key, err)
			}
			return bandwidth, nil
		}
	}
	return gmlNodeBandwidth, nil
}

func (g *gmlReader) edge(list []gmlPair) error {
	var ends [2]*Host
	var ids [2]int64
	for i, key := range []string{"source", "target"} {
		id, err := gmlInteger(list, key)
		if err != nil {
			return err
		}
		if ends[i], ids[i] = g.nodes[id], id; ends[i] == nil {
			return fmt.Errorf("%s: there is no node %d", key, id)
		}
	}
	value, given, err := gmlGet(list, "latency")
	if err != nil {
		return err
	}
	if !given {
		return fmt.Errorf("latency is missing")
	}
	latency, err := shadowTime(value.text)
	if err != nil {
		return fmt.Errorf("latency: %w", err)
	}
	faults := DatagramFaults{}
	if value, given, err = gmlGet(list, "packet_loss"); err != nil {
		return err
	} else if given {
		if faults.Loss, err = probability(value.text); err != nil {
			return fmt.Errorf("packet_loss: %w", err)
		}
	}
	if value, given, err = gmlGet(list, "jitter"); err != nil {
		return err
	} else if given {
		if faults.Jitter, err = shadowTime(value.text); err != nil {
			return fmt.Errorf("jitter: %w", err)
		}
	}
	s, t := ends[0].local, ends[1].local
	key := edge{s, t}
	if !g.graph.directed && s > t {
		key = edge{t, s}
	}
	if g.pairs[key] {
		return fmt.Errorf("a second edge from %d to %d", ids[0], ids[1])
	}
	g.pairs[key] = true
	l, err := g.addLink(fmt.Sprintf("edge_%d_%d", ids[0], ids[1]), gmlEdgeBandwidth, latency)
	if err != nil {
		return err
	}
	l.Policy = FatPipe
	if faults != (DatagramFaults{}) {
		l.more = &linkDetails{datagrams: faults}
	}
	g.graph.arcs[s] = append(g.graph.arcs[s], graphArc{t, l})
	if !g.graph.directed && s != t {
		g.graph.arcs[t] = append(g.graph.arcs[t], graphArc{s, l})
	}
	return nil
}

// shadowQuantity splits a number and a unit that may have a blank between.
func shadowQuantity(text string) (value float64, unit string, err error) {
	value, unit, err = strtod(text)
	if err != nil || !(value >= 0) {
		return 0, "", fmt.Errorf("a number of 0 or more with a unit expected, found %q", text)
	}
	return value, strings.TrimSpace(unit), nil
}

// shadowTime reads a time as Shadow writes it, in seconds. A bare number is in
// nanoseconds.
func shadowTime(text string) (float64, error) {
	value, unit, err := shadowQuantity(text)
	if err != nil {
		return 0, err
	}
	switch unit {
	case "", "ns", "nanosecond", "nanoseconds":
		return value * 1e-9, nil
	case "us", "μs", "µs", "microsecond", "microseconds":
		return value * 1e-6, nil
	case "ms", "millisecond", "milliseconds":
		return value * 1e-3, nil
	case "s", "sec", "secs", "second", "seconds":
		return value, nil
	case "m", "min", "mins", "minute", "minutes":
		return value * 60, nil
	case "h", "hr", "hrs", "hour", "hours":
		return value * 3600, nil
	}
	return 0, fmt.Errorf("a time such as 50 ms expected, found %q", text)
}

// shadowBandwidth reads a bandwidth as Shadow writes it, such as "100 Mbit",
// in bytes per second. A bare number is in bits per second.
func shadowBandwidth(text string) (float64, error) {
	value, unit, err := shadowQuantity(text)
	if err != nil {
		return 0, err
	}
	prefix, size := unit, 0.125
	for _, one := range []struct {
		name string
		size float64
	}{{"bits", 0.125}, {"bit", 0.125}, {"bytes", 1}, {"byte", 1}, {"B", 1}} {
		if before, found := strings.CutSuffix(unit, one.name); found {
			prefix, size = before, one.size
			break
		}
	}
	scale, known := map[string]float64{
		"": 1, "K": 1e3, "k": 1e3, "kilo": 1e3, "M": 1e6, "mega": 1e6, "G": 1e9, "giga": 1e9, "T": 1e12, "tera": 1e12,
		"Ki": 1 << 10, "kibi": 1 << 10, "Mi": 1 << 20, "mebi": 1 << 20, "Gi": 1 << 30, "gibi": 1 << 30,
		"Ti": 1 << 40, "tebi": 1 << 40,
	}[prefix]
	if !known || prefix == unit && unit != "" {
		return 0, fmt.Errorf("a bandwidth such as 100 Mbit expected, found %q", text)
	}
	return value * scale * size, nil
}
