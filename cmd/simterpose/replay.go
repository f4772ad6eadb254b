package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/network"
	"github.com/simterpose/simterpose/replay"
	"github.com/simterpose/simterpose/trace"
)

// replaying holds the flags of replay.
type replaying struct {
	platform string
	model    string
	hosts    []string
	seed     uint64
	json     bool
}

func replayCommand() *cobra.Command {
	var r replaying
	c := &cobra.Command{
		Use:   "replay TRACE --platform FILE",
		Short: "Replay a recorded trace on a platform, without programs",
		Long: `Replay lets what a trace tells happen on a platform, in the simulator alone, and
prints when each actor began and ended, and the makespan. A trace is one that
simterpose record has made, or a time-independent trace of MPI ranks, SimGrid's
or ours, replayed as smpirun -replay does.

Hosts of the trace are those of the same names in the platform, unless --map says
otherwise; ranks go round the platform's hosts. docs/replay.md tells when a
replay cannot be right.`,
		Example: `  simterpose replay web.trace --platform wan.xml
  simterpose replay web.trace --platform wan.xml --map client=Tremblay --map server=Jupiter
  simterpose replay ranks.trace --platform cluster.xml --network SMPI`,
		Args: func(_ *cobra.Command, arguments []string) error {
			if len(arguments) != 1 {
				return fmt.Errorf("one TRACE expected, found %d arguments (see simterpose replay --help)", len(arguments))
			}
			return nil
		},
		ValidArgsFunction: completeFiles,
		RunE:              func(c *cobra.Command, arguments []string) error { return r.run(c, arguments[0]) },
	}
	f := c.Flags()
	f.StringVar(&r.platform, "platform", "", "platform `FILE`, or an experiment's")
	f.StringVar(&r.model, "network", "", "time communications by `MODEL`: "+strings.Join(network.ModelNames, ", ")+" (default: the recording's, or SMPI)")
	f.StringSliceVar(&r.hosts, "map", nil, "put hosts of the trace, or ranks by number, on hosts of the platform: `A=B,...`; may be repeated")
	f.Uint64Var(&r.seed, "seed", 1, "take losses, jitter and stochastic profiles from seed `N` (default: the recording's, or 1)")
	f.Lookup("seed").DefValue = "0" // pflag would add its own to that
	f.BoolVar(&r.json, "json", false, "print JSON, with all digits")
	_ = c.MarkFlagRequired("platform")
	return c
}

func (r *replaying) run(c *cobra.Command, file string) error {
	t, err := trace.Open(file)
	if err != nil {
		return err
	}
	o, err := r.options(c, t)
	if err != nil {
		return err
	}
	result, err := replay.Run(t, o)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if r.json {
		out := json.NewEncoder(c.OutOrStdout())
		out.SetIndent("", "  ")
		err = out.Encode(result)
	} else {
		err = printReplay(c.OutOrStdout(), result)
	}
	if err == nil && result.Blocked() > 0 {
		return status(exitUnexpected)
	}
	return err
}

// options are the flags over what the trace's header says.
func (r *replaying) options(c *cobra.Command, t *trace.Trace) (o replay.Options, err error) {
	p, err := experiment.LoadPlatform(r.platform)
	if err != nil {
		return o, err
	}
	warn(c, p)
	name := r.model
	if name == "" {
		name = t.Header.Get("network")
	}
	if name == "" {
		name = "SMPI"
	}
	if o.Model, err = network.ModelByName(name); err != nil {
		return o, err
	}
	if err := o.Model.Configure(p.Config); err != nil {
		return o, fmt.Errorf("%s: %w", r.platform, err)
	}
	o.Platform, o.Seed = p, r.seed
	if text := t.Header.Get("seed"); text != "" && !c.Flags().Changed("seed") {
		if _, err := fmt.Sscan(text, &o.Seed); err != nil {
			return o, fmt.Errorf("seed in the trace's header: a number expected, found %q", text)
		}
	}
	o.HandshakeFree = t.Header.Get("handshake") == "free"
	o.Map = make(map[string]string)
	for _, pair := range r.hosts {
		from, to, ok := strings.Cut(pair, "=")
		if !ok {
			return o, fmt.Errorf("--map: HOST=HOST expected, found %q", pair)
		}
		if p.Host(to) == nil {
			return o, fmt.Errorf("--map: no host %q in %s", to, r.platform)
		}
		o.Map[from] = to
	}
	return o, nil
}

func printReplay(out io.Writer, r *replay.Result) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ACTOR\tHOST\tSTART\tEND\t")
	for _, a := range r.Actors {
		blocked := ""
		if a.Blocked != "" {
			blocked = "blocked: " + a.Blocked
		}
		fmt.Fprintf(table, "%s\t%s\t%.6f\t%.6f\t%s\n", a.Name, a.Host, a.Start, a.End, blocked)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\nmakespan %.6f s\n", r.Makespan)
	return err
}
