package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/simterpose/simterpose/emulator"
	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/native"
	"github.com/simterpose/simterpose/sim"
)

// recordCommand is run --record with a name for the trace.
func recordCommand() *cobra.Command {
	f := runFlags{pauseAt: sim.Never}
	var onMachine bool
	c := &cobra.Command{
		Use:   "record EXPERIMENT.yaml | PLATFORM.xml DEPLOYMENT.xml | --native -- COMMAND...",
		Short: "Run an experiment and record what its programs do",
		Long: `Record runs an experiment, as run does, and writes what its programs do,
whatever the platform: computations in flops, what they send and receive, sleeps,
and which process or thread waited for which. simterpose replay lets the same
happen on another platform, without the programs.

With --native it runs a command on this machine, as it is, and records what it and
its descendants do: each program of them is a host of the trace, named after it.`,
		Example: `  simterpose record lab.yaml
  simterpose replay lab.trace --platform other.xml
  simterpose record --native --trace pair.trace -- sh -c './server & ./client'
  simterpose replay pair.trace --platform wan.xml --map sh=A --map server=A --map client=B`,
		Args: func(c *cobra.Command, arguments []string) error {
			switch {
			case onMachine && len(arguments) == 0:
				return errors.New("--native: a COMMAND expected behind --, found none")
			case onMachine:
				return onlyFlags(c, "--native", "native", "trace")
			}
			return experimentFiles(c, arguments)
		},
		ValidArgsFunction: completeFiles,
		RunE: func(c *cobra.Command, arguments []string) error {
			if onMachine {
				return recordNative(c.ErrOrStderr(), f.record, arguments)
			}
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
	c.Flags().BoolVar(&onMachine, "native", false, "run a command on this machine and record it")
	return c
}

// onlyFlags tells of a flag that was given but means nothing beside another one.
func onlyFlags(c *cobra.Command, beside string, meaningful ...string) (err error) {
	c.Flags().Visit(func(f *pflag.Flag) {
		if err == nil && !slices.Contains(meaningful, f.Name) {
			err = fmt.Errorf("--%s: of an experiment's run, not with %s", f.Name, beside)
		}
	})
	return err
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

// recordNative runs a command on the machine and writes its trace.
func recordNative(screen io.Writer, file string, command []string) error {
	if file == "" {
		file = filepath.Base(command[0]) + ".trace"
	}
	r, err := reference(screen)
	if err != nil {
		return err
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	ended, err := native.Record(command, r.Speed, out)
	if closing := out.Close(); err == nil {
		err = closing
	}
	switch {
	case err != nil:
		return err
	case ended.Signaled():
		return fmt.Errorf("%s: killed by %v", command[0], ended.Signal())
	case ended.ExitStatus() != 0:
		return status(exitUnexpected)
	}
	return nil
}
