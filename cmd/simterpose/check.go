package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/sim"
)

func checkCommand() *cobra.Command {
	var in input
	c := &cobra.Command{
		Use:   "check EXPERIMENT.yaml | PLATFORM.xml DEPLOYMENT.xml",
		Short: "Validate an experiment and print what would run",
		Example: `  simterpose check lab.yaml
  simterpose check small_platform.xml deployment.xml`,
		Args:              experimentFiles,
		ValidArgsFunction: completeFiles,
		RunE: func(c *cobra.Command, arguments []string) error {
			e, err := in.load(arguments)
			if err != nil {
				return err
			}
			for _, warning := range e.Warnings {
				fmt.Fprintln(c.ErrOrStderr(), "warning:", warning)
			}
			return printPlan(c.OutOrStdout(), e)
		},
	}
	in.addFlags(c)
	return c
}

// printPlan says what an experiment will do.
func printPlan(out io.Writer, e *experiment.Experiment) error {
	stop := "when every process that is no daemon has ended"
	if e.Stop != sim.Never {
		stop = "at " + e.Stop.String()
	}
	model := e.Network.Model
	if e.Network.HandshakeFree {
		model += ", handshake free"
	}
	// The first link is the loopback that every platform has.
	fmt.Fprintf(out, "platform: %d hosts, %d links\nseed: %d\nepoch: %s\nstops: %s\nnetwork: %s\ncpu: %s\nmediation: %s\n\n",
		len(e.Platform.Hosts), e.Platform.Links.Len()-1, e.Seed, e.Epoch.Format(time.RFC3339), stop, model, e.CPU.Model, e.Mediation)
	if len(e.Places) > 0 {
		fmt.Fprintf(out, "hosts of %s:\n", e.Platform.File)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, place := range e.Places {
			fmt.Fprintf(w, "  %s\tis %s\n", place.Host, place.On)
		}
		if err := w.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(out)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "HOST\tNAME\tSTART\tSTOP\tEXPECTED\tCOMMAND")
	for i := range e.Processes {
		p := &e.Processes[i]
		stop := "-"
		if p.Stop != sim.Never {
			stop = p.Stop.String()
		}
		fmt.Fprintf(w, "%s\t%s\t%v\t%s\t%s\t%s\n", p.Host.Name, p.Name, p.Start, stop, p.Expect, commandLine(p.Argv))
	}
	return w.Flush()
}

// commandLine writes a command as one would type it in a shell, on one line.
func commandLine(argv []string) string {
	words := make([]string, len(argv))
	for i, word := range argv {
		words[i] = quote(word)
	}
	return strings.Join(words, " ")
}

// quote puts a word in quotes when a shell would not take it as it is.
func quote(word string) string {
	plain := func(c rune) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_./:=,+@%", c)
	}
	if word != "" && strings.IndexFunc(word, func(c rune) bool { return !plain(c) }) < 0 {
		return word
	}
	if strings.ContainsFunc(word, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		escaped := strconv.Quote(word)
		escaped = strings.NewReplacer(`\"`, `"`, `\\`, `\\`, "'", `\'`).Replace(escaped[1 : len(escaped)-1])
		return "$'" + escaped + "'"
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
