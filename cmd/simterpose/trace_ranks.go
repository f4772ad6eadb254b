package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/simterpose/simterpose/trace"
)

// traceRanksCommand makes SimGrid's kind of trace of a recorded MPI run.
func traceRanksCommand() *cobra.Command {
	var output string
	var job int
	c := &cobra.Command{
		Use:   "ranks TRACE",
		Short: "Make a trace of MPI ranks, as SMPI's replay reads it",
		Long: `Ranks takes an MPI program's run out of a recorded trace and writes it as
SimGrid's time-independent trace: what each rank computes, its sleeps, and the
messages between ranks, which is what smpirun -replay and simterpose replay read.
A message is what a rank writes to another one's TCP connection at a time; what
passes between ranks and launchers is left out.`,
		Example: `  simterpose trace ranks mpi.trace --output ranks.trace
  echo ranks.trace > list
  smpirun -np 8 -platform cluster.xml -hostfile hosts -replay list`,
		Args: func(_ *cobra.Command, arguments []string) error {
			if len(arguments) != 1 {
				return fmt.Errorf("one TRACE expected, found %d arguments (see simterpose trace ranks --help)", len(arguments))
			}
			return nil
		},
		ValidArgsFunction: completeFiles,
		RunE: func(c *cobra.Command, arguments []string) error {
			t, err := trace.Open(arguments[0])
			if err != nil {
				return err
			}
			jobs := t.Jobs()
			switch {
			case len(jobs) == 0:
				return fmt.Errorf("%s: a process that a launcher of MPI started expected, found none (PMI_RANK, OMPI_COMM_WORLD_RANK)", arguments[0])
			case job < 0 || job >= len(jobs):
				return fmt.Errorf("--job: a number below %d expected, found %d", len(jobs), job)
			}
			ranks, err := t.Ranks(jobs[job])
			if err != nil {
				return fmt.Errorf("%s: %w", arguments[0], err)
			}
			return writeTrace(c.OutOrStdout(), output, ranks)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "write to `FILE` instead of the standard output")
	c.Flags().IntVar(&job, "job", 0, "take the `N`th run of an MPI program in the trace, from 0")
	return c
}

// writeTrace writes a trace into a file, or to out without one.
func writeTrace(out io.Writer, file string, t *trace.Trace) error {
	if file == "" {
		return t.Write(out)
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	err = t.Write(f)
	if closing := f.Close(); err == nil {
		err = closing
	}
	return err
}
