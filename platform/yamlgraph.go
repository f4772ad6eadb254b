package platform

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/simterpose/simterpose/internal/strictyaml"
)

// inlineGraph is the network graph of an inline platform: Shadow's
// network.graph, or in short the name of a file or the graph itself.
type inlineGraph struct {
	file string // where text stands
	line int
	text string
}

// oneSwitch is the graph that Shadow has built in as 1_gbit_switch.
const oneSwitch = `graph [
  directed 0
  node [ id 0 host_bandwidth_up "1 Gbit" host_bandwidth_down "1 Gbit" ]
  edge [ source 0 target 0 latency "1 ms" packet_loss 0.0 ]
]`

// DecodeYAML implements [strictyaml.Unmarshaler].
func (g *inlineGraph) DecodeYAML(file string, node ast.Node) error {
	if text, ok := strictyaml.Text(node); ok {
		switch {
		case text == "1_gbit_switch":
			return g.builtIn(file, node)
		case strings.Contains(text, "["):
			return g.inline(file, node)
		}
		return g.open(file, text, node)
	}
	var section struct {
		Type string `yaml:"type,required"`
		File *struct {
			Path        string `yaml:"path,required"`
			Compression string `yaml:"compression"`
		} `yaml:"file"`
		Inline ast.Node `yaml:"inline"`
	}
	if err := strictyaml.Decode(file, node, &section); err != nil {
		return err
	}
	switch {
	case section.Type == "1_gbit_switch":
		return g.builtIn(file, node)
	case section.Type != "gml":
		return strictyaml.Errorf(file, node, "type: gml or 1_gbit_switch expected, found %q", section.Type)
	case (section.File == nil) == (section.Inline == nil):
		return strictyaml.Errorf(file, node, "either file or inline expected")
	case section.Inline != nil:
		return g.inline(file, section.Inline)
	case section.File.Compression != "":
		return strictyaml.Errorf(file, node, "compression: an uncompressed file expected (unpack it with %s -d)", section.File.Compression)
	}
	return g.open(file, section.File.Path, node)
}

func (g *inlineGraph) builtIn(file string, node ast.Node) error {
	*g = inlineGraph{file, strictyaml.At(file, node).Line, oneSwitch}
	return nil
}

func (g *inlineGraph) inline(file string, node ast.Node) error {
	text, ok := strictyaml.Text(node)
	if !ok {
		return strictyaml.Errorf(file, node, "inline: a text expected")
	}
	line := strictyaml.At(file, node).Line
	if _, block := node.(*ast.LiteralNode); block {
		line++ // the text begins below the |
	}
	*g = inlineGraph{file, line, text}
	return nil
}

func (g *inlineGraph) open(file, path string, node ast.Node) error {
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(file), path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return strictyaml.Errorf(file, node, "graph: %v", err)
	}
	*g = inlineGraph{path, 1, string(text)}
	return nil
}

// readGraph reads a platform whose hosts are on the nodes of a graph.
func (y *yamlReader) readGraph(in *inline) error {
	switch {
	case in.Switch != nil || in.Links != nil || in.Routes != nil:
		return at(in.At, errors.New("either a graph, a switch or links and routes expected"))
	case len(in.Hosts) == 0:
		return at(in.At, errors.New("at least one host expected, with the network_node_id that it is on (key \"hosts\")"))
	}
	y.graph = newGMLReader(y.assembly, in.Graph.file)
	if err := y.graph.read(in.Graph.text, in.Graph.line); err != nil {
		return err
	}
	y.graph.graph.direct = in.ShortestPath != nil && !*in.ShortestPath
	for i := range in.Hosts {
		if err := y.host(&in.Hosts[i], nil); err != nil {
			return at(in.Hosts[i].At, err)
		}
	}
	return at(in.At, y.endZone())
}

// inlineHost adds one of the hosts that an element of the list stands for.
func (y *yamlReader) inlineHost(in *inlineHost, name string, speeds []float64, cores int) (*Host, error) {
	if y.graph == nil {
		if in.Node != nil || in.Up != nil || in.Down != nil {
			return nil, errors.New("network_node_id, bandwidth_up and bandwidth_down are for hosts on a graph")
		}
		return y.addHost(name, speeds, cores)
	}
	if in.Node == nil {
		return nil, errors.New("network_node_id: the id of a node of the graph expected")
	}
	node, known := y.graph.ids[*in.Node]
	if !known {
		return nil, fmt.Errorf("network_node_id: the graph has no node %d", *in.Node)
	}
	var bandwidths [2]float64
	for i, text := range []*string{in.Up, in.Down} {
		if text == nil {
			continue
		}
		var err error
		if bandwidths[i], err = shadowBandwidth(*text); err != nil || bandwidths[i] == 0 {
			return nil, fmt.Errorf("%s: a bandwidth such as \"100 Mbit\" expected, found %q", []string{"bandwidth_up", "bandwidth_down"}[i], *text)
		}
	}
	if err := y.graph.host(name, node, speeds, cores, bandwidths[0], bandwidths[1]); err != nil {
		return nil, err
	}
	return y.Host(name), nil
}
