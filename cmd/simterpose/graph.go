package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/platform"
)

// drawPlatform writes a graph of hosts and links. SVG is left to Graphviz: a
// copy of it in this program, translated to WebAssembly, would make it half as
// large again for something that few ask for.
func drawPlatform(screen io.Writer, p *platform.Platform, file string) error {
	if len(p.Hosts) > mostDrawn {
		fmt.Fprintf(screen, "warning: only the first %d of %d hosts are drawn\n", mostDrawn, len(p.Hosts))
	}
	switch filepath.Ext(file) {
	case ".dot":
		return os.WriteFile(file, []byte(graphOf(p)), 0o644)
	case ".svg":
		dot := exec.Command("dot", "-Tsvg", "-o", file)
		dot.Stdin = strings.NewReader(graphOf(p))
		out, err := dot.CombinedOutput()
		if errors.Is(err, exec.ErrNotFound) {
			return &guest.MissingError{What: "Graphviz, which draws .svg files, is not installed", How: "apt-get install graphviz, or ask for a .dot file"}
		}
		if err != nil {
			return fmt.Errorf("dot: %w: %s", err, out)
		}
		return nil
	}
	return fmt.Errorf("--graph: a file name that ends in .dot or .svg expected, found %q", file)
}

const (
	// mostDrawn is how many hosts a graph may have: it asks for the routes of
	// all pairs.
	mostDrawn = 300
	// carefullyDrawn is up to how many nodes neato ends within seconds; sfdp
	// is less exact and draws thousands.
	carefullyDrawn = 100
)

// drawing joins hosts and links in the order of routes: neighbours on a route
// are neighbours in the graph.
type drawing struct {
	platform *platform.Platform
	nodes    strings.Builder
	edges    strings.Builder
	count    int
	drawn    map[string]bool
	joined   map[[2]string]bool
}

func graphOf(p *platform.Platform) string {
	d := &drawing{platform: p, drawn: make(map[string]bool), joined: make(map[[2]string]bool)}
	hosts := p.Hosts[:min(len(p.Hosts), mostDrawn)]
	for _, h := range hosts {
		d.count++
		fmt.Fprintf(&d.nodes, "\t%s [shape=box, style=filled, fillcolor=lightyellow];\n", dotQuote(h.Name))
	}
	for i, src := range hosts {
		for _, dst := range hosts[i+1:] {
			r, err := p.Route(src, dst)
			if err != nil {
				continue // nothing joins them
			}
			last := dotQuote(src.Name)
			for _, l := range r.Links {
				node := d.link(l)
				d.join(last, node)
				last = node
			}
			d.join(last, dotQuote(dst.Name))
		}
	}
	layout := "layout=neato, overlap=false, splines=true"
	if d.count > carefullyDrawn {
		layout = "layout=sfdp, overlap=prism, splines=line"
	}
	return fmt.Sprintf("graph platform {\n\tgraph [%s, outputorder=edgesfirst];\n"+
		"\tnode [fontname=sans, fontsize=10];\n%s%s}\n", layout, d.nodes.String(), d.edges.String())
}

// link draws a link once, the halves of a full-duplex link as one.
func (d *drawing) link(l *platform.Link) (node string) {
	name := l.Name()
	for _, end := range []string{"_UP", "_DOWN"} {
		base, found := strings.CutSuffix(name, end)
		if found && d.platform.Link(base+"_UP") != nil && d.platform.Link(base+"_DOWN") != nil {
			name = base
			break
		}
	}
	node = dotQuote("link " + name)
	if !d.drawn[node] {
		d.drawn[node] = true
		d.count++
		fmt.Fprintf(&d.nodes, "\t%s [shape=ellipse, style=filled, fillcolor=white, label=%s];\n", node,
			strings.TrimSuffix(dotQuote(name), `"`)+fmt.Sprintf(`\n%sBps %s"`, quantity(l.Bandwidth), shortTime(l.Latency)))
	}
	return node
}

func (d *drawing) join(x, y string) {
	if x > y {
		x, y = y, x
	}
	if x != y && !d.joined[[2]string{x, y}] {
		d.joined[[2]string{x, y}] = true
		fmt.Fprintf(&d.edges, "\t%s -- %s;\n", x, y)
	}
}

// dotQuote writes a name as a string of Graphviz's language.
func dotQuote(name string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ").Replace(name) + `"`
}

// shortTime prints a latency in the unit that suits it.
func shortTime(seconds float64) string {
	for _, unit := range []struct {
		name string
		size float64
	}{{"s", 1}, {"ms", 1e-3}, {"us", 1e-6}} {
		if seconds >= unit.size {
			return fmt.Sprintf("%.6g%s", seconds/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%.6gns", seconds/1e-9)
}
