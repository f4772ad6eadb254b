package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/platform"
)

// platformCommand describes a platform.
func platformCommand() *cobra.Command {
	var route bool
	var graph string
	c := &cobra.Command{
		Use:   "platform FILE | platform FILE --route A B",
		Short: "Describe a platform",
		Long: `Platform describes a platform file: its zones, and its hosts with speed, cores
and addresses. With --route it tells the links, latency and bandwidth of the way
from one host to another; with --graph it draws the hosts and the links between
them, as a .dot file or, by Graphviz's dot, as an .svg one.`,
		Example: `  simterpose platform small_platform.xml
  simterpose platform small_platform.xml --route Tremblay Jupiter
  simterpose platform cluster.xml --graph cluster.svg`,
		Args: func(_ *cobra.Command, arguments []string) error {
			if want := map[bool]int{false: 1, true: 3}[route]; len(arguments) != want {
				return errors.New("a platform file expected, and with --route the names of two hosts")
			}
			return nil
		},
		ValidArgsFunction: completeFiles,
		RunE: func(c *cobra.Command, arguments []string) error {
			p, err := platform.Load(arguments[0])
			if err != nil {
				return err
			}
			switch {
			case route:
				return printRoute(c.OutOrStdout(), p, arguments[1], arguments[2])
			case graph != "":
				return drawPlatform(p, graph)
			}
			return printPlatform(c.OutOrStdout(), p)
		},
	}
	c.Flags().BoolVar(&route, "route", false, "tell the route between two hosts")
	c.Flags().StringVar(&graph, "graph", "", "draw into `FILE`.dot or FILE.svg")
	return c
}

func printPlatform(out io.Writer, p *platform.Platform) error {
	fmt.Fprintf(out, "%d hosts, %d links, %d zones\n\n", len(p.Hosts), len(p.Links), countZones(p.Root))
	if p.Root != nil {
		printZone(out, p.Root, "")
		fmt.Fprintln(out)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "HOST\tSPEED\tCORES\tIPV4\tIPV6")
	for _, h := range p.Hosts {
		v4, v6 := h.Addresses()
		fmt.Fprintf(table, "%s\t%sf\t%d\t%s\t%s\n", h.Name, quantity(h.Speed()), h.Cores, v4, v6)
	}
	return table.Flush()
}

func countZones(z *platform.Zone) int {
	if z == nil {
		return 0
	}
	n := 1
	for _, c := range z.Children {
		n += countZones(c)
	}
	return n
}

func printZone(out io.Writer, z *platform.Zone, indent string) {
	fmt.Fprintf(out, "%szone %s (%s)\n", indent, z.Name, z.Routing)
	for _, c := range z.Children {
		printZone(out, c, indent+"  ")
	}
}

// quantity prints a number with the prefix that SimGrid's units would have.
func quantity(v float64) string {
	for _, prefix := range []string{"", "k", "M", "G", "T", "P"} {
		if v < 1000 {
			return fmt.Sprintf("%.6g%s", v, prefix)
		}
		v /= 1000
	}
	return fmt.Sprintf("%.6gE", v)
}

func printRoute(out io.Writer, p *platform.Platform, from, to string) error {
	ends := make([]*platform.Host, 2)
	for i, name := range []string{from, to} {
		if ends[i] = p.Host(name); ends[i] == nil {
			return fmt.Errorf("the platform has no host %q", name)
		}
	}
	r, err := p.Route(ends[0], ends[1])
	if err != nil {
		return fmt.Errorf("from %s to %s: %w", from, to, err)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "LINK\tBANDWIDTH\tLATENCY")
	least := 0.0
	for i, l := range r.Links {
		if i == 0 || l.Bandwidth < least {
			least = l.Bandwidth
		}
		fmt.Fprintf(table, "%s\t%sBps\t%gs\n", l.Name, quantity(l.Bandwidth), l.Latency)
	}
	fmt.Fprintf(table, "%d links\t%sBps\t%.9gs\n", len(r.Links), quantity(least), r.Latency)
	return table.Flush()
}

// drawPlatform writes a graph of hosts and links for Graphviz.
func drawPlatform(p *platform.Platform, file string) error {
	text := graphOf(p)
	switch filepath.Ext(file) {
	case ".dot":
		return os.WriteFile(file, []byte(text), 0o644)
	case ".svg":
		dot := exec.Command("dot", "-Tsvg", "-o", file)
		dot.Stdin = strings.NewReader(text)
		out, err := dot.CombinedOutput()
		if errors.Is(err, exec.ErrNotFound) {
			return &guest.MissingError{What: "Graphviz's dot is not installed", How: "apt-get install graphviz, or ask for a .dot file"}
		}
		if err != nil {
			return fmt.Errorf("dot: %w: %s", err, out)
		}
		return nil
	}
	return fmt.Errorf("--graph: a file name that ends in .dot or .svg expected, found %q", file)
}

// mostDrawn is how many hosts a graph may have: it asks for the routes of all
// pairs.
const mostDrawn = 300

// graphOf joins hosts and links in the order of routes: neighbours on a route
// are neighbours in the graph.
func graphOf(p *platform.Platform) string {
	var b strings.Builder
	b.WriteString("graph platform {\n\tnode [fontname=sans];\n")
	hosts := p.Hosts[:min(len(p.Hosts), mostDrawn)]
	for _, h := range hosts {
		fmt.Fprintf(&b, "\t%q [shape=box];\n", h.Name)
	}
	seen := map[[2]string]bool{}
	join := func(x, y string) {
		if x > y {
			x, y = y, x
		}
		if !seen[[2]string{x, y}] {
			seen[[2]string{x, y}] = true
			fmt.Fprintf(&b, "\t%q -- %q;\n", x, y)
		}
	}
	drawn := map[*platform.Link]bool{}
	for i, src := range hosts {
		for _, dst := range hosts[i+1:] {
			r, err := p.Route(src, dst)
			if err != nil {
				continue // nothing joins them
			}
			last := src.Name
			for _, l := range r.Links {
				name := "link " + l.Name
				if !drawn[l] {
					drawn[l] = true
					fmt.Fprintf(&b, "\t%q [shape=ellipse, label=\"%s\\n%sBps %gs\"];\n", name, l.Name, quantity(l.Bandwidth), l.Latency)
				}
				join(last, name)
				last = name
			}
			join(last, dst.Name)
		}
	}
	b.WriteString("}\n")
	return b.String()
}
