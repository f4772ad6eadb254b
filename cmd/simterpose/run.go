package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/control"
	"github.com/simterpose/simterpose/emulator"
	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/sim"
)

// runFlags are the flags of run and exec.
type runFlags struct {
	input
	output string
	force  bool
	strace bool
	level  slog.Level
	repeat int    // --verify
	record string // --record
	// pauseAt and control are run's alone.
	pauseAt sim.Time
	control string
}

func (f *runFlags) addFlags(c *cobra.Command) {
	f.input.addFlags(c)
	c.Flags().BoolVar(&f.force, "force", false, "replace an existing output folder")
	c.Flags().BoolVar(&f.strace, "strace", false, "write a line per emulated call to hosts/HOST/NAME.strace")
	levelFlag(c, &f.level)
}

func runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run EXPERIMENT.yaml | PLATFORM.xml DEPLOYMENT.xml",
		Short: "Run an experiment",
		Long: `Run runs an experiment file, or SimGrid's platform and deployment files.

The output folder (NAME.out in the working directory, for the experiment
NAME.yaml) gets hosts/HOST/NAME.stdout and .stderr of each process,
summary.json, and log, Simterpose's own messages.`,
		Example: `  simterpose run lab.yaml
  simterpose run --seed 7 --stop 60s --output /tmp/lab-7 lab.yaml
  simterpose run small_platform.xml deployment.xml --network LV08`,
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
			if c.Flags().Changed("verify") {
				if f.control != "" {
					return errors.New("--verify: a run that is steered by hand is not repeated")
				}
				if f.record != "" {
					return errors.New("--verify: one run is recorded, not several (--record)")
				}
				if f.repeat < 2 {
					return fmt.Errorf("--verify: 2 runs or more expected, found %d", f.repeat)
				}
				return f.verify(c, func() (*experiment.Experiment, error) { return f.load(arguments) })
			}
			return f.run(c, e)
		},
	}
	f.addFlags(c)
	c.Flags().StringVarP(&f.output, "output", "o", "", "put what comes of the run into `DIR` (default NAME.out)")
	c.Flags().StringVar(&f.record, "record", "", "write what the guests do to `FILE`, for simterpose replay")
	c.Flags().IntVar(&f.repeat, "verify", 0, "run `N` times and compare everything that comes of it, and every call")
	f.pauseAt = sim.Never
	c.Flags().Var(&timeFlag{&f.pauseAt}, "pause-at", "pause at this simulated `TIME`, for simterpose ctl")
	c.Flags().StringVar(&f.control, "control", "", "let simterpose ctl steer the run by this `SOCKET`")
	return c
}

// timeFlag is a flag with a simulated time.
type timeFlag struct{ t *sim.Time }

func (f *timeFlag) String() string { return "" }
func (f *timeFlag) Type() string   { return "TIME" }
func (f *timeFlag) Set(text string) (err error) {
	*f.t, err = experiment.ParseTime(text)
	return err
}

// steer opens the control socket, if there is to be one.
func (f *runFlags) steer() (s *emulator.Steering, closeSocket func(), err error) {
	if f.control == "" {
		if f.pauseAt != sim.Never {
			return nil, nil, errors.New("--pause-at: a control socket expected as well, or nobody could let the run go on (--control SOCKET)")
		}
		return nil, func() {}, nil
	}
	s = emulator.NewSteering()
	s.PauseAt = f.pauseAt
	server, err := control.Listen(f.control, s)
	if err != nil {
		return nil, nil, err
	}
	return s, func() { server.Close() }, nil
}

// run runs an experiment and tells what came of it.
func (f *runFlags) run(c *cobra.Command, e *experiment.Experiment) error {
	steering, closeSocket, err := f.steer()
	if err != nil {
		return err
	}
	defer closeSocket()
	output, err := makeOutput(f.output, f.force)
	if err != nil {
		return err
	}
	screen := newScreen(os.Stderr)
	result, err := f.emulateRecorded(e, output, screen, emulator.Options{Progress: screen.progress, Steering: steering})
	screen.Close()
	if err != nil {
		return err
	}
	if err := printResult(c.OutOrStdout(), result); err != nil {
		return err
	}
	printLastWords(c.OutOrStdout(), output, result)
	fmt.Fprintf(c.OutOrStdout(), "\n%s simulated in %.3f s, output in %s\n",
		instant(result.Simulated), result.Real.Seconds(), f.output)
	if result.Preemptions > 0 && e.CPU.Model != "measured" {
		fmt.Fprintf(c.OutOrStdout(), "not repeatable: %d times a thread computed so long without a call that another got its turn\n", result.Preemptions)
	}
	switch {
	case result.Interrupted:
		return status(exitInterrupted)
	case !allAsExpected(result):
		return status(exitUnexpected)
	}
	return nil
}

// emulate runs an experiment into an existing output folder. Errors in the log
// are shown on the screen as well; what guests ask for in vain is told at the
// end.
func (f *runFlags) emulate(e *experiment.Experiment, output string, screen io.Writer, o emulator.Options) (*emulator.Result, error) {
	file, err := os.Create(filepath.Join(output, logFile))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	o.Output, o.Strace = output, f.strace
	o.Tell = func(line string) { fmt.Fprintln(screen, "simterpose:", line) }
	o.Log = slog.New(slog.NewMultiHandler(logHandler(file, f.level), logHandler(screen, slog.LevelError)))
	for _, warning := range e.Warnings {
		o.Log.Warn(warning)
		fmt.Fprintln(screen, "warning:", warning)
	}
	if err := calibrate(e, screen); err != nil {
		return nil, err
	}
	ctx, stop := interruptible(screen)
	defer stop()
	// Hosts' files have the modes that their users need. Whom the caller's umask keeps
	// out is kept out by the output folder, which is there already.
	defer unix.Umask(unix.Umask(0o022))
	begin := time.Now()
	result, err := emulator.Run(ctx, e, o)
	if missing := (*guest.MissingError)(nil); errors.As(err, &missing) {
		// Nothing has run: the next try need not be forced.
		return nil, errors.Join(err, emulator.RemoveAll(output))
	}
	if err != nil {
		complain(err)
		return nil, status(exitUnexpected)
	}
	result.Real = time.Since(begin)
	return result, summarize(e, result, begin).write(output)
}

// logHandler writes records without the real time, so that the logs of two runs
// are the same.
func logHandler(out io.Writer, level slog.Level) slog.Handler {
	return slog.NewTextHandler(out, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	})
}
