package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/simterpose/simterpose/interception"
)

// measuredNames are the calls whose cost is measured.
var measuredNames = map[string]string{"call": "getppid", "clock": "clock_gettime", "tsc": "rdtsc"}

// printInterception prints what was measured as tables.
func printInterception(out io.Writer, r *interception.Report) error {
	m := r.Machine
	var n notes
	fmt.Fprintf(out, "%s, %s, %d processors, as %s, %s\n\n", m.Kernel, m.Processor, m.Processors, m.User, m.Time.Format("2006-01-02 15:04"))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "WITHOUT INTERCEPTION\tNS")
	for _, b := range []struct {
		name string
		cost *interception.Cost
	}{
		{"system call", r.Native.Call},
		{"clock by the vDSO", r.Native.Clock},
		{"rdtsc", r.Native.TSC},
		{"asking another process (futex)", r.Native.Ask},
	} {
		fmt.Fprintf(w, "%s\t%s\n", b.name, n.nanoseconds(*b.cost))
	}
	fmt.Fprintln(w, "\nMECHANISM\tCALL\tNS\tRATIO\tCOMPUTING\tIT\tRIGHTS")
	for _, row := range r.Mechanisms {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row.Name, measuredNames[row.Measured], n.nanoseconds(row.Cost), n.ratio(row.Cost),
			n.ratio(row.Computation), n.power(row.Power), n.rights(row.Rights))
	}
	fmt.Fprintln(w)
	for _, row := range r.Mechanisms {
		fmt.Fprintf(w, "%s\t%s\n", row.Name, row.About)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	n.printCells(out, "CALLS SEEN", r.Mechanisms, interception.CallCases, func(row *interception.Row) []interception.Cell { return row.Calls })
	n.printCells(out, "TIME SEEN", r.Mechanisms, interception.TimeCases, func(row *interception.Row) []interception.Cell { return row.Time })
	fmt.Fprintln(out)
	n.print(out)
	return nil
}

// printCells prints a table of what the mechanisms saw, and what its columns are.
func (n *notes) printCells(out io.Writer, title string, rows []*interception.Row, cases []interception.Case, of func(*interception.Row) []interception.Cell) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "\n", title)
	for _, c := range cases {
		fmt.Fprint(w, "\t", strings.ToUpper(c.Name))
	}
	fmt.Fprintln(w)
	for _, row := range rows {
		fmt.Fprint(w, row.Name)
		for _, c := range of(row) {
			fmt.Fprint(w, "\t", n.cell(c))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w)
	for _, c := range cases {
		fmt.Fprintf(w, "%s\t%s\n", strings.ToUpper(c.Name), c.About)
	}
	w.Flush()
}

func (n *notes) nanoseconds(c interception.Cost) string {
	switch {
	case c.Reason != "":
		return "not run " + n.add(c.Reason)
	case c.Nanoseconds < 100:
		return fmt.Sprintf("%.1f", c.Nanoseconds)
	}
	return fmt.Sprintf("%.0f", c.Nanoseconds)
}

func (n *notes) ratio(c interception.Cost) string {
	switch {
	case c.Reason != "":
		return "not run " + n.add(c.Reason)
	case c.Ratio == 0:
		return "unknown"
	case c.Ratio < 10:
		return fmt.Sprintf("%.2g", c.Ratio)
	}
	return fmt.Sprintf("%.0f", c.Ratio)
}

func (n *notes) power(power string) string {
	if power == interception.Answers || power == interception.Watches {
		return power
	}
	return "not run " + n.add(power)
}

// rights has what is not one word as a note.
func (n *notes) rights(rights string) string {
	first, rest, more := strings.Cut(rights, "; ")
	switch {
	case more:
		return first + " " + n.add(rest)
	case strings.Contains(rights, " "):
		return "see " + n.add(rights)
	}
	return rights
}

// cell tells how many calls were seen.
func (n *notes) cell(c interception.Cell) string {
	switch {
	case c.Reason != "":
		return "not run " + n.add(c.Reason)
	case c.Died != "" && len(c.Died) <= len("killed: SIGSEGV"):
		return c.Died
	case c.Died != "":
		return "died " + n.add(c.Died)
	case c.Seen == 0:
		return "none"
	case c.Seen >= c.Made:
		return "all"
	}
	return fmt.Sprintf("%d of %d", c.Seen, c.Made)
}
