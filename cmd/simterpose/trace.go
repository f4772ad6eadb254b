package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/simterpose/simterpose/trace"
)

// traceCommand looks at traces.
func traceCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "trace",
		Short: "Look at a recorded trace",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(traceShowCommand(), traceRanksCommand())
	return c
}

func traceShowCommand() *cobra.Command {
	var lines bool
	var actor int
	c := &cobra.Command{
		Use:   "show TRACE",
		Short: "Tell what is in a trace",
		Long: `Show tells how a trace was recorded and, for each actor (a thread, or a rank of
MPI), what it did in all: actions, flops, bytes sent and received, seconds slept
and in calls, and waits for other threads. With --lines it prints the actions
themselves in words, with --actor only one actor's.`,
		Example: `  simterpose trace show web.trace
  simterpose trace show --actor 3 web.trace`,
		Args: func(_ *cobra.Command, arguments []string) error {
			if len(arguments) != 1 {
				return fmt.Errorf("one TRACE expected, found %d arguments (see simterpose trace show --help)", len(arguments))
			}
			return nil
		},
		ValidArgsFunction: completeFiles,
		RunE: func(c *cobra.Command, arguments []string) error {
			t, err := trace.Open(arguments[0])
			if err != nil {
				return err
			}
			if actor >= len(t.Actors) {
				return fmt.Errorf("--actor: a number below %d expected, found %d", len(t.Actors), actor)
			}
			if actor >= 0 || lines {
				return showLines(c.OutOrStdout(), t, actor)
			}
			return showTrace(c.OutOrStdout(), t)
		},
	}
	c.Flags().BoolVar(&lines, "lines", false, "print every action")
	c.Flags().IntVar(&actor, "actor", -1, "print every action of actor `N`")
	return c
}

// totals is what an actor did in all.
type totals struct {
	actions, waits int
	flops          float64
	sent, received float64
	slept, calls   float64
}

func showTrace(out io.Writer, t *trace.Trace) error {
	for _, pair := range t.Header {
		fmt.Fprintf(out, "%s: %s\n", pair[0], pair[1])
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "ACTOR\tACTIONS\tFLOPS\tSENT\tRECEIVED\tSLEPT\tIN CALLS\tWAITS\t  WHO")
	for i, records := range t.Actors {
		if len(records) == 0 {
			continue
		}
		sum := total(records)
		fmt.Fprintf(table, "%d\t%d\t%.4g\t%.0f\t%.0f\t%.6f\t%.6f\t%d\t  %s\n",
			i, sum.actions, sum.flops, sum.sent, sum.received, sum.slept, sum.calls, sum.waits, who(records))
	}
	return table.Flush()
}

// who names an actor: a thread by its host, process and numbers.
func who(records []trace.Record) string {
	r := &records[0]
	if r.Action != trace.Begin {
		return "a rank"
	}
	return fmt.Sprintf("%s/%s[%d] thread %d", r.Name, r.Label, r.PID, r.TID)
}

func total(records []trace.Record) (sum totals) {
	for i := range records {
		r := &records[i]
		sum.actions++
		size := max(r.Amount, 0) * trace.SizeOf(r.Type)
		switch r.Action {
		case trace.Compute:
			sum.flops += r.Amount
		case trace.Sleep:
			sum.slept += r.Amount
		case trace.Delay:
			sum.calls += r.Amount
		case trace.Write, trace.SendTo:
			sum.sent += r.Amount
		case trace.Read, trace.ReceiveFrom:
			sum.received += r.Amount
		case trace.Send, trace.ISend:
			sum.sent += size
		case trace.Recv, trace.IRecv:
			sum.received += size
		case trace.Reduce, trace.AllReduce:
			sum.flops += r.Amount2
		case trace.Await:
			sum.waits++
		}
	}
	return sum
}

// showLines prints actions one by one, of all actors if actor is negative.
func showLines(out io.Writer, t *trace.Trace, actor int) error {
	for i, records := range t.Actors {
		if actor >= 0 && i != actor || len(records) == 0 {
			continue
		}
		if _, err := fmt.Fprintf(out, "%d: %s\n", i, who(records)); err != nil {
			return err
		}
		for k := range records {
			if _, err := fmt.Fprintf(out, "  %s\n", records[k].Explain()); err != nil {
				return err
			}
		}
	}
	return nil
}
