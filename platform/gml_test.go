package platform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// triangle has two ways of 20 ms from 0 to 2, the direct one with more loss.
const triangle = `# three cities
graph [
  directed 0
  node [ id 0 label "paris" host_bandwidth_up "100 Mbit" host_bandwidth_down "1 Gbit" ]
  node [ id 1 label "two words" ]
  node [ id 7 ]
  edge [ source 0 target 0 latency "1 ms" ]
  edge [ source 0 target 1 latency "5 ms" packet_loss 0.01 jitter "1 ms" ]
  edge [ source 1 target 7 latency "15 milliseconds" ]
  edge [ source 7 target 0 latency "20 ms" packet_loss 0.02 ]
  edge [ source 7 target 0 latency "21 ms" ]
]
`

// routeText tells a route as a line.
func routeText(t *testing.T, p *Platform, from, to string) string {
	t.Helper()
	if p.Host(from) == nil || p.Host(to) == nil {
		t.Fatalf("no host %s or %s", from, to)
	}
	r, err := p.Route(p.Host(from), p.Host(to))
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, l := range r.Links {
		b.WriteString(l.Name() + " ")
	}
	return b.String() + quantityText(r.Latency)
}

func TestGMLNodesAreHosts(t *testing.T) {
	p, err := ReadGML("cities.gml", []byte(triangle))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := routeText(t, p, "paris", "node-7"), "paris_UP edge_0_1 edge_1_7 node-7_DOWN 0.02"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := routeText(t, p, "node-7", "node-1"), "node-7_UP edge_1_7 node-1_DOWN 0.015"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if up, down := p.Link("paris_UP").Bandwidth, p.Link("paris_DOWN").Bandwidth; up != 12.5e6 || down != 125e6 {
		t.Errorf("bandwidths %v and %v", up, down)
	}
	if f := p.Link("edge_0_1").DatagramFaults(); f.Loss != 0.01 || f.Jitter != 1e-3 {
		t.Errorf("%+v", f)
	}
	if p.Link("edge_7_0.2") == nil {
		t.Error("no second edge from 7 to 0")
	}
}

func TestHostsOnNodesOfAGraph(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "cities.gml"), []byte(triangle), 0o644); err != nil {
		t.Fatal(err)
	}
	const list = `
hosts:
  - {name: server, network_node_id: 7, speed: 2Gf, address: 11.0.0.9, bandwidth_down: 1 Mbit}
  - {name: "client-[1-2]", network_node_id: 0}
`
	indented := "  " + strings.ReplaceAll(strings.TrimSpace(triangle), "\n", "\n  ")
	for name, graph := range map[string]string{
		"name":        "graph: cities.gml",
		"as Shadow":   "graph: {type: gml, file: {path: cities.gml}}",
		"inline text": "graph: |\n" + indented,
		"inline":      "graph:\n  type: gml\n  inline: |\n  " + strings.ReplaceAll(indented, "\n", "\n  "),
	} {
		t.Run(name, func(t *testing.T) {
			p, err := ReadYAML(filepath.Join(dir, "lab.yaml"), []byte(graph+list))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{
				"client-1 client-2: client-1_UP edge_0_0 client-2_DOWN 0.001",
				"client-2 server: client-2_UP edge_0_1 edge_1_7 server_DOWN 0.02",
				"client-1 client-1: __loopback__ 0",
			} {
				pair, way, _ := strings.Cut(want, ": ")
				from, to, _ := strings.Cut(pair, " ")
				if got := routeText(t, p, from, to); got != way {
					t.Errorf("%s to %s: %s, want %s", from, to, got, way)
				}
			}
			if v4, _ := p.Host("server").Addresses(); v4.String() != "11.0.0.9" || p.Link("server_DOWN").Bandwidth != 125e3 || p.Link("client-2_UP").Bandwidth != 12.5e6 {
				t.Errorf("the server has %v, %v B/s", v4, p.Link("server_DOWN").Bandwidth)
			}
		})
	}
	p, err := ReadYAML("lab.yaml", []byte("graph: {type: 1_gbit_switch}\nhosts: [{name: 'h[1-2]', network_node_id: 0}]\n"))
	if err != nil || routeText(t, p, "h1", "h2") != "h1_UP edge_0_0 h2_DOWN 0.001" {
		t.Error(err)
	}
}

func TestDirectWaysOnly(t *testing.T) {
	text := strings.Replace(triangle, `  edge [ source 7 target 0 latency "21 ms" ]`+"\n", "", 1)
	lab := "use_shortest_path: false\ngraph: |\n  " + strings.ReplaceAll(text, "\n", "\n  ") + "\nhosts: [{name: a, network_node_id: 7}, {name: b, network_node_id: 0}]\n"
	p, err := ReadYAML("lab.yaml", []byte(lab))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := routeText(t, p, "a", "b"), "a_UP edge_7_0 b_DOWN 0.02"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestGMLErrorsNameTheirPlace(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "cities.gml:1: graph [ node [ id 0 ] ... ] expected: there is no node",
		"graph [":                               "cities.gml:1: ] expected, found the end of the file",
		"graph [\n node [ id 0 ":                "cities.gml:2: ] expected, found the end of the file",
		"graph 1":                               "cities.gml:1: graph: a list in brackets expected",
		"graph [ directed 2 ]":                  "cities.gml:1: directed: 0 or 1 expected",
		"graph [\n node [ id \"x\" ]]":          "cities.gml:2: node: id: an integer expected, found \"x\"",
		"graph [ node [ id 1 ]\nnode [ id 1 ]]": "cities.gml:2: node: a second node with id 1",
		"graph [ node [ id 1 host_bandwidth_up \"1 Zbit\" ]]":                                                           "cities.gml:1: node: host_bandwidth_up: a bandwidth such as 100 Mbit expected, found \"1 Zbit\"",
		"graph [ node [ id 1 ]\nedge [ source 1 target 2 latency \"1 ms\" ]]":                                           "cities.gml:2: edge: target: there is no node 2",
		"graph [ node [ id 1 ]\nedge [ source 1 target 1 ]]":                                                            "cities.gml:2: edge: latency is missing",
		"graph [ node [ id 1 ]\nedge [ source 1 target 1 latency 5 ]]":                                                  "cities.gml:2: edge: latency: a time in quotes expected, such as \"10 ms\", found 5",
		"graph [ node [ id 1 ]\nedge [ source 1 target 1 latency \"5 parsec\" ]]":                                       "cities.gml:2: edge: latency: a time such as 50 ms expected, found \"5 parsec\"",
		"graph [ node [ id 1 ]\nedge [ source 1 target 1 latency \"-5 ms\" ]]":                                          "cities.gml:2: edge: latency: a number of 0 or more with a unit expected, found \"-5 ms\"",
		"graph [ node [ id 1 ]\nedge [ source 1 target 1 latency \"5 ms\" packet_loss 2 ]]":                             "cities.gml:2: edge: packet_loss: a probability such as 0.01 or 1% expected, found \"2\"",
		"graph [ node [ id 1 ]\n] graph [ ]":                                                                            "cities.gml:2: graph: one graph expected, found a second",
		"graph [ node [ id 1 ]\n 5 ]":                                                                                   "cities.gml:2: a key expected, found \"5\"",
		"graph [ node [ id 1\n label \"x ]]":                                                                            "cities.gml:2: the string after label has no end",
		"graph [ node [ id 1 ]\nedge [ source 1 target 1 latency \"5 ms\" latency \"6 ms\" ]]":                          "cities.gml:2: edge: latency: one value expected",
		strings.Repeat("graph [ ", 60):                                                                                  "cities.gml:1: lists are nested more than 50 deep",
		"graph [ node [ id 1 ] edge [ source 1 target 1 latency \"1 s\" ] edge [ source 1 target 1 latency \"1 s\" ] ]": "cities.gml:1: one edge from node 1 to node 1 expected, found several",
	} {
		if _, err := ReadGML("cities.gml", []byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
	}
}

func TestGraphErrorsInAnExperiment(t *testing.T) {
	graph := "graph: |\n  " + strings.ReplaceAll(triangle, "\n", "\n  ") + "\n"
	for text, want := range map[string]string{
		graph:                        "lab.yaml:1:1: at least one host expected, with the network_node_id that it is on (key \"hosts\")",
		graph + "hosts: [{name: a}]": "lab.yaml:15:9: network_node_id: the id of a node of the graph expected",
		graph + "hosts: [{name: a, network_node_id: 3}]":                                                          "lab.yaml:15:9: network_node_id: the graph has no node 3",
		graph + "hosts: [{name: 'a[1-2]', network_node_id: 7}]":                                                   "lab.yaml:1:1: two hosts are on node 7, but no edge leads from the node to itself to say how they reach each other",
		graph + "hosts: [{name: a, network_node_id: 7, bandwidth_up: fast}]":                                      "lab.yaml:15:9: bandwidth_up: a bandwidth such as \"100 Mbit\" expected, found \"fast\"",
		graph + "switch: {bandwidth: 1Gbps}\nhosts: [{name: a, network_node_id: 7}]":                              "lab.yaml:1:1: either a graph, a switch or links and routes expected",
		graph + "use_shortest_path: false\nhosts: [{name: a, network_node_id: 7}, {name: b, network_node_id: 0}]": "lab.yaml:1:1: one edge from node 0 to node 7 expected, found several",
		"graph: |\n  graph [\n    node [ id x ]\n  ]\nhosts: [{name: a}]":                                         "lab.yaml:3: a number, a string in quotes or a list in brackets expected after id, found \"x\"",
		"graph: none.gml\nhosts: [{name: a}]":                                                                     "lab.yaml:1:8: graph: open none.gml: no such file or directory",
		"graph: {type: dot}\nhosts: [{name: a}]":                                                                  "lab.yaml:1:8: type: gml or 1_gbit_switch expected, found \"dot\"",
		"graph: {type: gml}\nhosts: [{name: a}]":                                                                  "lab.yaml:1:8: either file or inline expected",
		"graph: {type: gml, file: {path: x, compression: xz}}\nhosts: [{name: a}]":                                "lab.yaml:1:8: compression: an uncompressed file expected (unpack it with xz -d)",
		"use_shortest_path: true\nhosts: [{name: a}]":                                                             "lab.yaml:1:1: use_shortest_path: a graph expected as well",
		"hosts: [{name: a, network_node_id: 1}]":                                                                  "lab.yaml:1:9: network_node_id, bandwidth_up and bandwidth_down are for hosts on a graph",
	} {
		if _, err := ReadYAML("lab.yaml", []byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
	}
}

func TestShadowUnits(t *testing.T) {
	for text, want := range map[string]float64{
		"10 ms": 10e-3, "10ms": 10e-3, "5": 5, "1 min": 60, "2 hrs": 7200, "7 us": 7e-6, "7 μs": 7e-6, "3 nanoseconds": 3e-9, "1 sec": 1,
	} {
		if got, err := shadowTime(text); err != nil || !near(got, want) {
			t.Errorf("%q is %v s (%v)", text, got, err)
		}
	}
	for text, want := range map[string]float64{
		"8 bit": 1, "8": 1, "1 Kbit": 125, "1 kilobit": 125, "100 Mbit": 12.5e6, "1 Gbit": 125e6, "1 Gibit": 1 << 27, "8 M": 1e6, "1 Tbits": 125e9, "1 gigabit": 125e6,
	} {
		if got, err := shadowBandwidth(text); err != nil || !near(got, want) {
			t.Errorf("%q is %v B/s (%v)", text, got, err)
		}
	}
	for _, text := range []string{"", "ms", "x", "1 mbit", "1 bitbit"} {
		if v, err := shadowBandwidth(text); err == nil {
			t.Errorf("%q is %v B/s", text, v)
		}
	}
}
