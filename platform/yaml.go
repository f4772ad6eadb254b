package platform

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/simterpose/simterpose/internal/strictyaml"
)

// maxPairs bounds the table of routes of an inline platform: all pairs of two
// thousand hosts, which take a quarter of a gigabyte.
const maxPairs = 5_000_000

// inline is the YAML form of a platform.
type inline struct {
	At     strictyaml.Position
	Hosts  []inlineHost  `yaml:"hosts"`
	Links  []inlineLink  `yaml:"links"`
	Routes []inlineRoute `yaml:"routes"`
	Switch *inlineSwitch `yaml:"switch"`
	Graph  *inlineGraph  `yaml:"graph"`
	// ShortestPath is Shadow's, for a graph only.
	ShortestPath *bool `yaml:"use_shortest_path"`
}

type inlineHost struct {
	At         strictyaml.Position
	Name       string             `yaml:"name,required"`
	Speed      strictyaml.Strings `yaml:"speed"`
	Cores      *int               `yaml:"cores"`
	Address    strictyaml.Strings `yaml:"address"`
	Disks      []inlineDisk       `yaml:"disks"`
	Properties orderedText        `yaml:"properties"`
	// Of a host on a graph.
	Node *int64  `yaml:"network_node_id"`
	Up   *string `yaml:"bandwidth_up"`
	Down *string `yaml:"bandwidth_down"`
}

type inlineDisk struct {
	At    strictyaml.Position
	Name  string `yaml:"name,required"`
	Read  string `yaml:"read,required"`
	Write string `yaml:"write,required"`
}

type inlineLink struct {
	At        strictyaml.Position
	Name      string `yaml:"name,required"`
	Bandwidth string `yaml:"bandwidth,required"`
	Latency   string `yaml:"latency"`
	Policy    string `yaml:"policy"`
	Loss      string `yaml:"loss"`
	Jitter    string `yaml:"jitter"`
	Duplicate string `yaml:"duplicate"`
	Reorder   string `yaml:"reorder"`
	Corrupt   string `yaml:"corrupt"`
}

type inlineRoute struct {
	At        strictyaml.Position
	From      string   `yaml:"from,required"`
	To        string   `yaml:"to,required"`
	Links     []string `yaml:"links,required"`
	Symmetric *bool    `yaml:"symmetrical"`
}

type inlineSwitch struct {
	At        strictyaml.Position
	Bandwidth string `yaml:"bandwidth,required"`
	Latency   string `yaml:"latency"`
	Loss      string `yaml:"loss"`
	Jitter    string `yaml:"jitter"`
	Duplicate string `yaml:"duplicate"`
	Reorder   string `yaml:"reorder"`
	Corrupt   string `yaml:"corrupt"`
}

// orderedText is a mapping of texts in the order of the file.
type orderedText Properties

// DecodeYAML implements [strictyaml.Unmarshaler].
func (o *orderedText) DecodeYAML(file string, node ast.Node) error {
	var values map[string]string
	if err := strictyaml.Decode(file, node, &values); err != nil {
		return err
	}
	pairs := []*ast.MappingValueNode{}
	switch n := node.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = append(pairs, n)
	}
	for _, pair := range pairs {
		key, _ := strictyaml.Text(pair.Key)
		*o = append(*o, Property{key, values[key]})
	}
	return nil
}

// ReadYAML reads the inline form of a platform from a file of its own: either
// the mapping of hosts, links, routes and switch itself, or one with the key
// platform that holds it.
func ReadYAML(file string, text []byte) (*Platform, error) {
	node, err := strictyaml.Parse(file, text)
	if err != nil {
		return nil, err
	}
	var pairs []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	}
	for _, pair := range pairs {
		if key, _ := strictyaml.Text(pair.Key); key == "platform" && pair.Value != nil {
			return FromYAML(file, pair.Value)
		}
	}
	return FromYAML(file, node)
}

// FromYAML reads the inline form of a platform: the value of the key platform
// of an experiment. The node must come from [strictyaml.Parse].
func FromYAML(file string, node ast.Node) (*Platform, error) {
	var in inline
	if err := strictyaml.Decode(file, node, &in); err != nil {
		return nil, err
	}
	y := &yamlReader{assembly: newAssembly(file)}
	if err := y.read(&in); err != nil {
		return nil, err
	}
	p, err := y.finish()
	if err != nil {
		return nil, at(in.At, err)
	}
	return p, nil
}

// at gives an error a place unless it has one.
func at(place strictyaml.Position, err error) error {
	var ours *Error
	var theirs *strictyaml.Error
	if err == nil || errors.As(err, &ours) || errors.As(err, &theirs) {
		return err
	}
	return &Error{Position(place), err.Error()}
}

type yamlReader struct {
	*assembly
	full  *fullRouting
	pairs int // of hosts that routes have joined
	star  *starRouting
	graph *gmlReader
}

func (y *yamlReader) read(in *inline) error {
	if in.Graph != nil {
		return y.readGraph(in)
	}
	if in.ShortestPath != nil {
		return at(in.At, errors.New("use_shortest_path: a graph expected as well"))
	}
	if len(in.Hosts) == 0 {
		return at(in.At, errors.New("at least one host expected (key \"hosts\")"))
	}
	var r routing
	kind := "Full"
	if in.Switch != nil {
		y.star = new(starRouting)
		r, kind = y.star, "Star"
		if in.Links != nil || in.Routes != nil {
			return at(in.Switch.At, errors.New("either a switch or links and routes expected, found both"))
		}
	} else {
		y.full = new(fullRouting)
		r = y.full
	}
	// No host is without a name, so that none can have the zone's.
	if _, err := y.beginZone("", kind, r); err != nil {
		return at(in.At, err)
	}
	for i := range in.Hosts {
		if err := y.host(&in.Hosts[i], in.Switch); err != nil {
			return at(in.Hosts[i].At, err)
		}
	}
	for i := range in.Links {
		if err := y.link(&in.Links[i]); err != nil {
			return at(in.Links[i].At, err)
		}
	}
	for i := range in.Routes {
		if err := y.route(&in.Routes[i]); err != nil {
			return at(in.Routes[i].At, err)
		}
	}
	return at(in.At, y.endZone())
}

// quantity reads a value with a unit that must not be negative.
func quantity(t *unitTable, name, text string) (float64, error) {
	value, err := t.parse(text)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return value, notNegative(name, value)
}

func (y *yamlReader) host(in *inlineHost, s *inlineSwitch) error {
	speeds := []float64{1e9}
	if in.Speed != nil {
		speeds = nil
		for _, text := range in.Speed {
			speed, err := quantity(speedUnits, "speed", text)
			if err != nil {
				return err
			}
			speeds = append(speeds, speed)
		}
		if len(speeds) == 0 {
			return errors.New("speed: at least one expected")
		}
	}
	cores := 1
	if in.Cores != nil {
		cores = *in.Cores
	}
	var disks []Disk
	for _, d := range in.Disks {
		read, err := quantity(bandwidthUnits, "read", d.Read)
		if err != nil {
			return at(d.At, err)
		}
		write, err := quantity(bandwidthUnits, "write", d.Write)
		if err != nil {
			return at(d.At, err)
		}
		disks = append(disks, Disk{Name: d.Name, ReadBandwidth: read, WriteBandwidth: write})
	}
	names, err := ExpandRange(in.Name)
	if err != nil {
		return err
	}
	if len(names) > 1 && len(in.Address) > 0 {
		return fmt.Errorf("address: a single host expected, %q stands for %d", in.Name, len(names))
	}
	for _, name := range names {
		h, err := y.inlineHost(in, name, speeds, cores)
		if err != nil {
			return err
		}
		if disks != nil || in.Properties != nil {
			h.details().disks, h.details().properties = disks, Properties(in.Properties)
		}
		addresses := append(append([]string(nil), in.Address...), propertyAddresses(Properties(in.Properties))...)
		if err := y.setAddresses(h, addresses); err != nil {
			return err
		}
		if s != nil {
			if err := y.plug(h, s); err != nil {
				return at(s.At, err)
			}
		}
	}
	return nil
}

// plug joins a host to the switch by a full-duplex link of its own.
func (y *yamlReader) plug(h *Host, s *inlineSwitch) error {
	bandwidth, err := quantity(bandwidthUnits, "bandwidth", s.Bandwidth)
	if err != nil {
		return err
	}
	latency, err := latencyOf(s.Latency)
	if err != nil {
		return err
	}
	up, down, err := y.addSplit("switch_"+h.Name, bandwidth, latency)
	if err != nil {
		return err
	}
	y.star.join(&h.Node, up, down)
	properties := faultProperties(s.Loss, s.Jitter, s.Duplicate, s.Reorder, s.Corrupt)
	return setFaults(properties, up, down)
}

func latencyOf(text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	return quantity(timeUnits, "latency", text)
}

// faultProperties writes what a link does to datagrams as properties, as a
// SimGrid file has them.
func faultProperties(loss, jitter, duplicate, reorder, corrupt string) Properties {
	var properties Properties
	for _, q := range []Property{
		{"loss", loss}, {"jitter", jitter}, {"duplicate", duplicate}, {"reorder", reorder}, {"corrupt", corrupt},
	} {
		if q.Value != "" {
			properties = append(properties, q)
		}
	}
	return properties
}

func setFaults(properties Properties, links ...*Link) error {
	if properties == nil {
		return nil
	}
	faults, err := datagramFaults(properties)
	if err != nil {
		return err
	}
	for _, l := range links {
		l.details().properties, l.details().datagrams = properties, faults
	}
	return nil
}

func (y *yamlReader) link(in *inlineLink) error {
	bandwidth, err := quantity(bandwidthUnits, "bandwidth", in.Bandwidth)
	if err != nil {
		return err
	}
	latency, err := latencyOf(in.Latency)
	if err != nil {
		return err
	}
	names, err := ExpandRange(in.Name)
	if err != nil {
		return err
	}
	properties := faultProperties(in.Loss, in.Jitter, in.Duplicate, in.Reorder, in.Corrupt)
	for _, name := range names {
		var links []*Link
		switch strings.ToUpper(in.Policy) {
		case "", "SHARED", "FATPIPE":
			c := Cable{Bandwidth: bandwidth, Latency: latency}
			if strings.EqualFold(in.Policy, "FATPIPE") {
				c.Policy = FatPipe
			}
			link, err := y.addCable(name, c)
			if err != nil {
				return err
			}
			links = []*Link{link}
		case "SPLITDUPLEX":
			up, down, err := y.addSplit(name, bandwidth, latency)
			if err != nil {
				return err
			}
			links = []*Link{up, down}
		default:
			return fmt.Errorf("policy: SHARED, SPLITDUPLEX or FATPIPE expected, found %q", in.Policy)
		}
		if err := setFaults(properties, links...); err != nil {
			return err
		}
	}
	return nil
}

// route declares the routes between all hosts of two patterns.
func (y *yamlReader) route(in *inlineRoute) error {
	there := make([]*Link, len(in.Links))
	back := make([]*Link, len(in.Links))
	for i, name := range in.Links {
		forth, against, err := y.linkNamed(name)
		if err != nil {
			return err
		}
		there[i], back[len(back)-1-i] = forth, against
	}
	if len(there) == 0 {
		return errors.New("links: at least one link expected")
	}
	sources, err := y.match("from", in.From)
	if err != nil {
		return err
	}
	targets, err := y.match("to", in.To)
	if err != nil {
		return err
	}
	if y.pairs += len(sources) * len(targets); y.pairs > maxPairs {
		return fmt.Errorf("the routes join more than %d pairs of hosts (a switch joins any number)", maxPairs)
	}
	symmetrical := in.Symmetric == nil || *in.Symmetric
	forth, against := &way{links: there}, &way{links: back}
	done := make(map[edge]bool)
	for _, src := range sources {
		for _, dst := range targets {
			key, reverse := edge{src.local, dst.local}, edge{dst.local, src.local}
			if src == dst && len(sources)+len(targets) > 2 || done[key] {
				continue
			}
			if err := y.full.declare(&src.Node, &dst.Node, forth); err != nil {
				return err
			}
			done[key] = true
			if symmetrical && src != dst {
				if err := y.full.declare(&dst.Node, &src.Node, against); err != nil {
					return err
				}
				done[reverse] = true
			}
		}
	}
	return nil
}

// linkNamed returns the link crossed there and the one crossed on the way
// back. A full-duplex link L may be named L, which means L_UP there.
func (y *yamlReader) linkNamed(name string) (there, back *Link, err error) {
	if up, down := y.split(name); up != nil {
		return up, down, nil
	}
	l := y.Link(name)
	if l == nil {
		var known []string
		for l := range y.Links.All() {
			known = append(known, l.Name())
		}
		if near := strictyaml.Nearest(name, known); near != "" {
			return nil, nil, fmt.Errorf("unknown link %q (did you mean %q?)", name, near)
		}
		return nil, nil, fmt.Errorf("unknown link %q", name)
	}
	switch l.half {
	case upHalf:
		return l, y.Links.At(int(l.Index) + 1), nil
	case downHalf:
		return l, y.Links.At(int(l.Index) - 1), nil
	}
	return l, l, nil
}

// match returns the hosts whose names fit the pattern.
func (y *yamlReader) match(key, pattern string) ([]*Host, error) {
	if h := y.Host(pattern); h != nil {
		return []*Host{h}, nil
	}
	hosts, err := y.Match(pattern)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return hosts, nil
}

// Match returns the hosts that a pattern names: a name, a name with ranges
// such as node-[1-3], or one with the wildcards * and ?. It is an error when
// there is none.
func (p *Platform) Match(pattern string) ([]*Host, error) {
	patterns, err := ExpandRange(pattern)
	if err != nil {
		return nil, err
	}
	var hosts []*Host
	for _, one := range patterns {
		if h := p.Host(one); h != nil {
			hosts = append(hosts, h)
			continue
		}
		before := len(hosts)
		if strings.ContainsAny(one, "*?") {
			for _, h := range p.Hosts {
				if ok, err := path.Match(escapeSlash.Replace(one), escapeSlash.Replace(h.Name)); ok && err == nil {
					hosts = append(hosts, h)
				}
			}
		}
		if len(hosts) == before {
			return nil, p.noHost(one)
		}
	}
	return hosts, nil
}

// escapeSlash hides what path.Match gives a meaning of its own.
var escapeSlash = strings.NewReplacer("/", "\x00", "\\", "\x01", "[", "\x02", "]", "\x03")

func (p *Platform) noHost(name string) error {
	known := make([]string, min(len(p.Hosts), 1000))
	for i := range known {
		known[i] = p.Hosts[i].Name
	}
	if near := strictyaml.Nearest(name, known); near != "" {
		return fmt.Errorf("no host %q (did you mean %q?)", name, near)
	}
	return fmt.Errorf("no host %q", name)
}

// maxPattern bounds the length of names with ranges, which multiply it.
const maxPattern = 1000

// ExpandRange returns the names that a name with ranges such as client-[1-3]
// or rack[01-12]-node[1,4,7-9] stands for. A first number with leading zeros
// makes all of its range as wide.
func ExpandRange(name string) ([]string, error) {
	if len(name) > maxPattern {
		return nil, fmt.Errorf("a name of at most %d bytes expected, found %q", maxPattern, shorten(name, 60))
	}
	open := strings.IndexByte(name, '[')
	if open < 0 {
		if name == "" || strings.ContainsAny(name, " \t\n]") {
			return nil, fmt.Errorf("a name without blanks and brackets expected, found %q", name)
		}
		return []string{name}, nil
	}
	length := strings.IndexByte(name[open:], ']')
	if length < 0 {
		return nil, fmt.Errorf("] expected in %q", name)
	}
	var middles []string
	for part := range strings.SplitSeq(name[open+1:open+length], ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err1 := strconv.ParseUint(first, 10, 31)
		to, err2 := strconv.ParseUint(last, 10, 31)
		if err1 != nil || err2 != nil || to < from || to-from >= MaxHosts {
			return nil, fmt.Errorf("a range such as [1-3] expected in %q, found %q", name, part)
		}
		width := 0
		if first[0] == '0' {
			width = len(first)
		}
		if uint64(len(middles))+to-from >= MaxHosts {
			return nil, fmt.Errorf("%q stands for more than %d names", name, MaxHosts)
		}
		for n := from; n <= to; n++ {
			middles = append(middles, fmt.Sprintf("%0*d", width, n))
		}
	}
	suffixes := []string{""}
	if rest := name[open+length+1:]; rest != "" {
		var err error
		if suffixes, err = ExpandRange(rest); err != nil {
			return nil, err
		}
	}
	if len(middles)*len(suffixes) > MaxHosts {
		return nil, fmt.Errorf("%q stands for more than %d names", name, MaxHosts)
	}
	names := make([]string, 0, len(middles)*len(suffixes))
	for _, middle := range middles {
		for _, suffix := range suffixes {
			names = append(names, name[:open]+middle+suffix)
		}
	}
	return names, nil
}
