package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/simterpose/simterpose/interception"
)

func benchCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "bench",
		Short:   "Measure what this machine can do for simterpose",
		Example: "  simterpose bench interception",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return c.Help()
		},
	}
	c.AddCommand(benchInterceptionCommand(), goSubjectCommand())
	return c
}

func benchInterceptionCommand() *cobra.Command {
	var calls int
	var inJSON bool
	c := &cobra.Command{
		Use:   "interception",
		Short: "Compare the ways to intercept the calls of programs",
		Long: `Interception measures, on this machine, the ways to intercept the calls of
programs: ptrace, with seccomp, seccomp user notification, handlers of SIGSYS and
SIGSEGV, uprobes, LD_PRELOAD, GOT/PLT patching, vDSO rewriting and Valgrind. It
compiles small programs with cc that intercept getppid and clock_gettime, and
others that make these calls in all the ways that programs do, and prints
what a call costs, which rights are needed, and which calls are seen.

What the machine lacks is said beside what could not be tried. As root it also
tries which rights an ordinary user needs. Measure on a quiet machine.`,
		Example: `  simterpose bench interception
  simterpose bench interception --calls 100000 --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if calls < 1 || calls > 200_000 {
				return fmt.Errorf("--calls: a number from 1 to 200000 expected, found %d", calls)
			}
			self, err := os.Executable()
			if err != nil {
				return err
			}
			report, err := interception.Measure(interception.Options{
				Calls:     calls,
				GoSubject: []string{self, "bench", "subject"},
				Progress:  progress(os.Stderr),
			})
			if err != nil {
				return err
			}
			if inJSON {
				e := json.NewEncoder(c.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(report)
			}
			return printInterception(c.OutOrStdout(), report)
		},
	}
	c.Flags().IntVar(&calls, "calls", 5000, "make `N` calls in each round for a cost, up to 1000 for the other cells")
	c.Flags().BoolVar(&inJSON, "json", false, "print JSON")
	return c
}

// progress shows on a terminal what is done next, in a line that is written over.
func progress(screen *os.File) func(string) {
	if !term.IsTerminal(int(screen.Fd())) {
		return func(string) {}
	}
	return func(next string) { fmt.Fprintf(screen, "\r\x1b[K%s\r", next) }
}

// goSubjectCommand is the Go program whose calls are intercepted.
func goSubjectCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "subject call|clock COUNT",
		Short:  "Make calls for bench interception",
		Hidden: true,
		Args:   cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, arguments []string) error {
			count, err := strconv.Atoi(arguments[1])
			if err != nil {
				return errors.New("a number of calls expected")
			}
			return interception.GoSubject(c.OutOrStdout(), arguments[0], count)
		},
	}
}

// notes are reasons that are too long for a table's cell, numbered.
type notes []string

// add returns the mark of a reason.
func (n *notes) add(reason string) string {
	for i, known := range *n {
		if known == reason {
			return fmt.Sprintf("[%d]", i+1)
		}
	}
	*n = append(*n, reason)
	return fmt.Sprintf("[%d]", len(*n))
}

func (n *notes) print(out io.Writer) {
	for i, reason := range *n {
		fmt.Fprintf(out, "[%d] %s\n", i+1, reason)
	}
}
