package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/simterpose/simterpose/emulator"
	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/sim"
)

// recordCommand is run --record with a name for the trace.
func recordCommand() *cobra.Command {
	f := runFlags{pauseAt: sim.Never}
	c := &cobra.Command{
		Use:   "record EXPERIMENT.yaml | PLATFORM.xml DEPLOYMENT.xml",
		Short: "Run an experiment and record what its programs do",
		Long: `Record runs an experiment, as run does, and writes what its programs do,
whatever the platform: computations in flops, what they send and receive, sleeps,
and which process or thread waited for which. simterpose replay lets the same
happen on another platform, without the programs.`,
		Example: `  simterpose record lab.yaml
  simterpose replay lab.trace --platform other.xml`,
		Args:              experimentFiles,
		ValidArgsFunction: completeFiles,
		RunE: func(c *cobra.Command, arguments []string) error {
			e, err := f.load(arguments)
			if err != nil {
				return err
			}
			if f.output == "" {
				f.output = e.Name + ".out"
			}
			if f.record == "" {
				f.record = e.Name + ".trace"
			}
			return f.run(c, e)
		},
	}
	f.addFlags(c)
	c.Flags().StringVarP(&f.output, "output", "o", "", "put what comes of the run into `DIR` (default NAME.out)")
	c.Flags().StringVar(&f.record, "trace", "", "write the trace to `FILE` (default NAME.trace)")
	return c
}

// emulateRecorded is emulate with a record of the guests, if one is asked for.
func (f *runFlags) emulateRecorded(e *experiment.Experiment, output string, screen io.Writer, o emulator.Options) (*emulator.Result, error) {
	if f.record == "" {
		return f.emulate(e, output, screen, o)
	}
	file, err := os.Create(f.record)
	if err != nil {
		return nil, err
	}
	o.Record = file
	result, err := f.emulate(e, output, screen, o)
	if closing := file.Close(); err == nil {
		err = closing
	}
	return result, err
}
