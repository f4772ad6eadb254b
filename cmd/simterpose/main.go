// Command simterpose runs real programs on the hosts of a simulated platform.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/simterpose/simterpose/guest"
)

// Exit statuses.
const (
	exitAsExpected  = 0
	exitUnexpected  = 1 // some process did not end as expected
	exitUsage       = 2 // bad input or usage
	exitMissing     = 3 // the machine lacks something
	exitInterrupted = 130
)

// status is an exit status of simterpose that is no error of its own.
type status int

func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

func main() { os.Exit(execute(os.Args[1:])) }

// execute runs the command line and returns the exit status.
func execute(arguments []string) int {
	root := rootCommand()
	root.SetArgs(arguments)
	return exitStatus(root.Execute())
}

// exitStatus tells the user about an error and returns the exit status for it.
func exitStatus(err error) int {
	var known status
	var missing *guest.MissingError
	switch {
	case err == nil:
		return exitAsExpected
	case errors.As(err, &known):
		return int(known)
	case errors.As(err, &missing):
		complain(err)
		return exitMissing
	}
	complain(err)
	return exitUsage
}

// complain prints an error, each of its lines marked as ours. What it quotes of
// a file must not steer the terminal.
func complain(err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintln(os.Stderr, "simterpose:", strings.Map(func(c rune) rune {
			if unicode.IsControl(c) {
				return '?'
			}
			return c
		}, line))
	}
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "simterpose",
		Short: "Run real programs on a simulated platform",
		Long: `Simterpose runs unmodified Linux programs on the hosts of a simulated platform:
they talk over a simulated network, in simulated time.

Exit status: 0 when all processes ended as expected, 1 when some did not,
2 for bad input or usage, 3 when the machine lacks something, 130 when
interrupted.`,
		Example: `  simterpose run lab.yaml
  simterpose exec small_platform.xml -- ip addr`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return c.Help()
		},
	}
	root.AddCommand(
		runCommand(), recordCommand(),
		checkCommand(),
		execCommand(),
		platformCommand(),
		simulateCommand(), replayCommand(), traceCommand(),
		ctlCommand(), calibrateCommand(), benchCommand(), versionCommand(),
	)
	return root
}
