package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/emulator"
	"github.com/simterpose/simterpose/sim"
)

// printResult tells what became of a run.
func printResult(out io.Writer, r *emulator.Result) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "HOST\tNAME\tSTART\tEND\tSTATUS\tEXPECTED")
	for _, p := range r.Processes {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", p.Host, p.Name, instant(p.Start), endOf(p), statusOf(p), expected(p))
	}
	if len(r.Deadlock) > 0 {
		fmt.Fprintf(w, "\nDeadlock at %s: nothing can happen any more. Waiting:\n\nHOST\tPROCESS\tPID\tCALL\tSINCE\tFOR\n", instant(r.Simulated))
		for _, b := range r.Deadlock {
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", b.Host, b.Process, b.PID, b.Call, instant(b.Since), b.Peer)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(r.Unsupported) > 0 {
		fmt.Fprint(out, "\nGuests asked for what is not supported:\n\n")
		for _, u := range r.Unsupported {
			fmt.Fprintln(out, " ", u)
		}
	}
	return nil
}

// instant writes a simulated time in seconds, to the microsecond.
func instant(t sim.Time) string {
	if t == sim.Never {
		return "never"
	}
	return fmt.Sprintf("%.6f s", t.Seconds())
}

func endOf(p emulator.ProcessResult) string {
	if p.Running || p.Start == sim.Never {
		return "-"
	}
	return instant(p.End)
}

func statusOf(p emulator.ProcessResult) string {
	switch {
	case p.Start == sim.Never:
		return "not started"
	case p.HostDown:
		return "host down"
	case p.Running:
		return "running"
	case p.Signal != 0:
		return signalName(p.Signal)
	}
	return fmt.Sprintf("exit %d", p.ExitCode)
}

func expected(p emulator.ProcessResult) string {
	if p.AsExpected {
		return "yes"
	}
	return "no: " + p.Expected
}

func signalName(s unix.Signal) string {
	if name := unix.SignalName(s); name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", int(s))
}
