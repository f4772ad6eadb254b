package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/platform"
)

// platformCommand describes a platform.
func platformCommand() *cobra.Command {
	var route bool
	var graph string
	c := &cobra.Command{
		Use:   "platform FILE | platform FILE --route A B",
		Short: "Describe a platform",
		Long: `Platform describes a platform file, or the platform of an experiment: its zones,
and its hosts with speed, cores and addresses. With --route it tells the links,
latency and bandwidth of the way from one host to another; with --graph it draws
the hosts and the links between them: as a .dot file, or as an .svg one, for
which Graphviz must be installed (apt-get install graphviz).`,
		Example: `  simterpose platform small_platform.xml
  simterpose platform small_platform.xml --route Tremblay Jupiter
  simterpose platform cluster.xml --graph cluster.svg`,
		Args: func(_ *cobra.Command, arguments []string) error {
			switch {
			case route && graph != "":
				return errors.New("either --route or --graph expected, found both")
			case route && len(arguments) != 3:
				return errors.New("a platform file and the names of two hosts expected with --route (see simterpose platform --help)")
			case !route && len(arguments) != 1:
				return errors.New("a platform file expected (see simterpose platform --help)")
			}
			return nil
		},
		ValidArgsFunction: completeFiles,
		RunE: func(c *cobra.Command, arguments []string) error {
			p, err := experiment.LoadPlatform(arguments[0])
			if err != nil {
				return err
			}
			warn(c, p)
			switch {
			case route:
				return printRoute(c.OutOrStdout(), p, arguments[1], arguments[2])
			case graph != "":
				return drawPlatform(c.ErrOrStderr(), p, graph)
			}
			return printPlatform(c.OutOrStdout(), p)
		},
	}
	c.Flags().BoolVar(&route, "route", false, "tell the route between two hosts")
	c.Flags().StringVar(&graph, "graph", "", "draw into `FILE`.dot or FILE.svg")
	return c
}

func printPlatform(out io.Writer, p *platform.Platform) error {
	// The first link is the loopback that every platform has.
	fmt.Fprintf(out, "%d hosts, %d links, %d zones\n\n", len(p.Hosts), p.Links.Len()-1, countZones(p.Root))
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
	name := z.Name
	if name == "" { // of a YAML file or a graph
		name = "of all"
	}
	fmt.Fprintf(out, "%szone %s (%s)\n", indent, name, z.Routing)
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
			_, err := p.Match(name) // which knows similar names
			if err == nil {
				err = fmt.Errorf("no host %q", name)
			}
			return fmt.Errorf("%s: %w", p.File, err)
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
		fmt.Fprintf(table, "%s\t%sBps\t%.9gs\n", l.Name(), quantity(l.Bandwidth), l.Latency)
	}
	total := fmt.Sprintf("%d links", len(r.Links))
	if len(r.Links) == 0 {
		fmt.Fprintf(table, "%s\t-\t%.9gs\n", total, r.Latency)
	} else {
		fmt.Fprintf(table, "%s\t%sBps\t%.9gs\n", total, quantity(least), r.Latency)
	}
	return table.Flush()
}
