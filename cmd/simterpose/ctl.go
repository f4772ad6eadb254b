package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/simterpose/simterpose/control"
	"github.com/simterpose/simterpose/emulator"
)

// ctlCommand steers a run that has a control socket.
func ctlCommand() *cobra.Command {
	var socket string
	root := &cobra.Command{
		Use:   "ctl --control SOCKET COMMAND",
		Short: "Steer a run that has a control socket",
		Long: `Ctl looks at a run that was started with --control SOCKET, lets its simulated
time stand still and go on, and makes events happen. What is made to happen is
recorded: ctl events prints it for the experiment's file.`,
		Example: `  simterpose run --control /tmp/lab --pause-at 10s lab.yaml &
  simterpose ctl --control /tmp/lab status
  simterpose ctl --control /tmp/lab crash node-1
  simterpose ctl --control /tmp/lab until 20s`,
	}
	root.PersistentFlags().StringVar(&socket, "control", "", "the `SOCKET` that the run was given")
	if err := root.MarkPersistentFlagRequired("control"); err != nil {
		panic("simterpose: " + err.Error())
	}
	client := func() *control.Client { return control.Dial(socket) }
	add := func(use, short string, arguments cobra.PositionalArgs, run func(c *cobra.Command, arguments []string) error) {
		root.AddCommand(&cobra.Command{Use: use, Short: short, Args: arguments, RunE: run, Example: "  simterpose ctl --control /tmp/lab " + use})
	}
	happen := func(event map[string]any) error { return client().Post("/events", event, nil) }

	add("status", "Tell how the run stands", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		var s emulator.Status
		if err := client().Get("/status", &s); err != nil {
			return err
		}
		return printStatus(c, &s)
	})
	add("pause", "Let simulated time stand still", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		var s emulator.Status
		if err := client().Post("/pause", nil, &s); err != nil {
			return err
		}
		return printPaused(c, &s)
	})
	add("resume", "Let it go on", cobra.NoArgs, func(*cobra.Command, []string) error { return client().Post("/resume", nil, nil) })
	add("step [EVENTS]", "Let one event, or so many, happen", cobra.MaximumNArgs(1), func(c *cobra.Command, arguments []string) error {
		step := control.Step{Events: 1}
		if len(arguments) == 1 {
			var err error
			if step.Events, err = strconv.Atoi(arguments[0]); err != nil {
				return fmt.Errorf("a number of events expected, found %q", arguments[0])
			}
		}
		var s emulator.Status
		if err := client().Post("/step", step, &s); err != nil {
			return err
		}
		_, err := fmt.Fprintf(c.OutOrStdout(), "at %.9f s\n", s.SimulatedSeconds)
		return err
	})
	add("until TIME", "Go on to an instant, and pause there", cobra.ExactArgs(1), func(c *cobra.Command, arguments []string) error {
		var s emulator.Status
		if err := client().Post("/until", control.Until{Time: arguments[0]}, &s); err != nil {
			return err
		}
		return printPaused(c, &s)
	})
	add("set link|host NAME KEY=VALUE...", "Change a link or a host, with an event's keys", cobra.MinimumNArgs(3), func(_ *cobra.Command, arguments []string) error {
		if !slices.Contains([]string{"link", "host"}, arguments[0]) {
			return fmt.Errorf("link or host expected, found %q", arguments[0])
		}
		event := map[string]any{arguments[0]: arguments[1]}
		for _, a := range arguments[2:] {
			key, value, ok := strings.Cut(a, "=")
			if !ok {
				return fmt.Errorf("KEY=VALUE expected, found %q", a)
			}
			event[key] = value
			if strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[") {
				var v any
				if err := yaml.Unmarshal([]byte(value), &v); err != nil {
					return fmt.Errorf("%s: a YAML value expected, found %q", key, value)
				}
				event[key] = v
			}
		}
		return happen(event)
	})
	for _, state := range []string{"crash", "boot"} {
		add(state+" HOST", "Let a host "+state, cobra.ExactArgs(1), func(_ *cobra.Command, arguments []string) error {
			return happen(map[string]any{"host": arguments[0], "state": state})
		})
	}
	add("signal HOST/PROCESS SIGNAL", "Send a signal to a process", cobra.ExactArgs(2), func(_ *cobra.Command, arguments []string) error {
		return happen(map[string]any{"process": arguments[0], "signal": arguments[1]})
	})
	add("exec HOST -- COMMAND...", "Run a command on a host", cobra.MinimumNArgs(2), func(c *cobra.Command, arguments []string) error {
		var x emulator.Executed
		if err := client().Post("/execute", control.Execute{Host: arguments[0], Command: arguments[1:]}, &x); err != nil {
			return err
		}
		fmt.Fprint(c.OutOrStdout(), x.Stdout)
		fmt.Fprint(os.Stderr, x.Stderr)
		if x.Status != 0 {
			return status(x.Status)
		}
		return nil
	})
	add("attach HOST/PROCESS", "Pause, and tell how to attach a debugger", cobra.ExactArgs(1), func(c *cobra.Command, arguments []string) error {
		var a control.Attached
		if err := client().Post("/attach", control.Attach{Process: arguments[0]}, &a); err != nil {
			return err
		}
		_, err := fmt.Fprintf(c.OutOrStdout(), "simulated time stands still; detach before it goes on\ngdb -p %d\n", a.MachinePID)
		return err
	})
	add("events", "Print what was made to happen, for the experiment's file", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		var text string
		if err := client().Get("/events", &text); err != nil {
			return err
		}
		_, err := fmt.Fprint(c.OutOrStdout(), text)
		return err
	})
	root.RunE = func(c *cobra.Command, arguments []string) error {
		if len(arguments) > 0 {
			return fmt.Errorf("unknown command %q (see simterpose ctl --help)", arguments[0])
		}
		return errors.New("a command expected (see simterpose ctl --help)")
	}
	root.Args = cobra.ArbitraryArgs
	return root
}

func printPaused(c *cobra.Command, s *emulator.Status) error {
	_, err := fmt.Fprintf(c.OutOrStdout(), "paused at %.9f s\n", s.SimulatedSeconds)
	return err
}

func printStatus(c *cobra.Command, s *emulator.Status) error {
	how := "running"
	if s.Paused {
		how = "paused"
	}
	fmt.Fprintf(c.OutOrStdout(), "%.9f s, %s\n", s.SimulatedSeconds, how)
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "HOST\tNAME\tPID\tMACHINE PID\tCALL\tWAITS FOR")
	for _, h := range s.Hosts {
		if !h.Up {
			fmt.Fprintf(w, "%s\t(down)\t\t\t\t\n", h.Name)
		}
	}
	for _, p := range s.Processes {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\n", p.Host, p.Name, p.PID, p.MachinePID, p.Call, p.For)
	}
	return w.Flush()
}
