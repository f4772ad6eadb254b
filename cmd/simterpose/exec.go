package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/simterpose/simterpose/emulator"
	"github.com/simterpose/simterpose/experiment"
)

func execCommand() *cobra.Command {
	var f runFlags
	var host string
	c := &cobra.Command{
		Use:   "exec [--host NAME] EXPERIMENT|PLATFORM -- COMMAND...",
		Short: "Run one command on one host, on this terminal",
		Long: `Exec runs one command on a host of a platform, or of an experiment's platform,
with this terminal as its standard input, output and error. The exit status is
the command's, or 128 and the number of the signal that killed it.`,
		Example: `  simterpose exec small_platform.xml -- ip addr
  simterpose exec --host client-2 lab.yaml -- ping -c 3 server`,
		Args: func(c *cobra.Command, arguments []string) error {
			if c.ArgsLenAtDash() != 1 || len(arguments) < 2 {
				return errors.New("EXPERIMENT|PLATFORM -- COMMAND expected (see simterpose exec --help)")
			}
			return nil
		},
		ValidArgsFunction: completeFiles,
		RunE: func(c *cobra.Command, arguments []string) error {
			e, err := experiment.LoadCommand(arguments[0], host, arguments[1:], f.overrides)
			if err != nil {
				return err
			}
			return f.exec(e)
		},
	}
	f.addFlags(c)
	c.Flags().StringVar(&host, "host", "", "run on host `NAME` (default the first)")
	c.Flags().StringVarP(&f.output, "output", "o", "", "keep what comes of the run in `DIR`")
	return c
}

// exec runs an experiment of one process on the terminal.
func (f *runFlags) exec(e *experiment.Experiment) error {
	output, err := f.execOutput()
	if err != nil {
		return err
	}
	if f.output == "" {
		defer emulator.RemoveAll(output)
	}
	p := &e.Processes[0]
	result, err := f.emulate(e, output, os.Stderr, emulator.Options{Terminal: &emulator.Terminal{
		Host: p.Host.Name, Process: p.Name, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}})
	if err != nil {
		return err
	}
	for _, b := range result.Deadlock {
		fmt.Fprintf(os.Stderr, "simterpose: deadlock: %s[%d] waits in %s %s\n", b.Process, b.PID, b.Call, b.Peer)
	}
	for _, u := range result.Unsupported {
		fmt.Fprintln(os.Stderr, "simterpose: not supported:", u)
	}
	return execStatus(result)
}

// execOutput creates the output folder, which is a temporary one unless it is
// given.
func (f *runFlags) execOutput() (string, error) {
	if f.output == "" {
		return os.MkdirTemp("", "simterpose-")
	}
	return makeOutput(f.output, f.force)
}

// execStatus is the exit status that a shell would show for the command.
func execStatus(r *emulator.Result) error {
	const signalled = 128
	p := r.Processes[0]
	switch {
	case r.Interrupted:
		return status(exitInterrupted)
	case p.Running:
		return status(exitUnexpected)
	case p.Signal != 0:
		return status(signalled + int(p.Signal))
	case p.ExitCode != 0:
		return status(p.ExitCode)
	}
	return nil
}
