package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/simterpose/simterpose/emulator"
	"github.com/simterpose/simterpose/experiment"
)

// verify runs an experiment again and again and compares everything that a
// guest or an output can show: the calls of all hosts in their order, and all
// files of the output folder. The first run leaves the output folder, and the
// first one that differs a second one beside it. What computations cost with the
// model fixed is measured by the first run alone, unless the experiment says where
// it is kept.
func (f *runFlags) verify(c *cobra.Command, load func() (*experiment.Experiment, error)) error {
	output, err := makeOutput(f.output, f.force)
	if err != nil {
		return err
	}
	v := &verification{runFlags: f, first: output, again: output + ".again"}
	if err := v.prepare(); err != nil {
		return err
	}
	defer os.Remove(v.calls())
	for run := 1; run <= f.repeat; run++ {
		e, err := load()
		if err != nil {
			return err
		}
		same, err := v.run(c.OutOrStdout(), e, run)
		if err != nil {
			return err
		}
		if !same {
			fmt.Fprintf(c.OutOrStdout(), "outputs in %s and %s\n", v.first, v.again)
			return status(exitUnexpected)
		}
	}
	return v.conclude(c.OutOrStdout())
}

// verification is a series of runs.
type verification struct {
	*runFlags
	first, again string // output folders
	results      []*emulator.Result
	summary      *summary // of the first run
	counted      int      // calls of the first run
	costsOfFirst bool     // others charge what computations cost in the first
}

// calls is the file that holds the calls of the first run.
func (v *verification) calls() string { return v.first + ".calls" }

// prepare removes what an earlier series has left of a run that differed.
func (v *verification) prepare() error {
	if _, err := os.Lstat(v.again); err != nil {
		return nil
	}
	if !v.force {
		return fmt.Errorf("%s exists already: choose another folder with --output, or replace it with --force", v.again)
	}
	return removeOutput(v.again)
}

// run does a run of the series. It returns false when the run differs from the
// first one, which it tells to out.
func (v *verification) run(out io.Writer, e *experiment.Experiment, run int) (same bool, err error) {
	screen := newScreen(os.Stderr)
	defer screen.Close()
	options := emulator.Options{Progress: screen.progress}
	if e.CPU.Model == "measured" {
		return true, v.runMeasured(e, screen, options, run)
	}
	if run == 1 {
		file, err := os.Create(v.calls())
		if err != nil {
			return false, err
		}
		defer file.Close()
		lines := &lineCounter{to: bufio.NewWriterSize(file, 1<<16)}
		options.Calls = lines
		result, err := v.emulate(e, v.first, screen, options)
		if err != nil {
			return false, err
		}
		v.results, v.counted = append(v.results, result), lines.count
		if result.Interrupted {
			return false, status(exitInterrupted)
		}
		return true, lines.to.Flush()
	}
	file, err := os.Open(v.calls())
	if err != nil {
		return false, err
	}
	defer file.Close()
	calls := &follower{first: bufio.NewReaderSize(file, 1<<16)}
	options.Calls = calls
	if e.CPU.PerCPUSecond > 0 && e.CPU.Costs == "" {
		v.costsOfFirst = true
		options.Costs = filepath.Join(v.first, emulator.CostsFile)
	}
	if _, err := makeOutput(v.again, true); err != nil {
		return false, err
	}
	result, err := v.emulate(e, v.again, screen, options)
	if err != nil {
		return false, err
	}
	if result.Interrupted {
		return false, status(exitInterrupted)
	}
	calls.end(v.counted)
	files, err := compareFolders(v.first, v.again)
	if err != nil {
		return false, err
	}
	screen.Close()
	if calls.differs || len(files) > 0 {
		fmt.Fprintf(out, "run %d of %d differs from run 1\n", run, v.repeat)
		calls.tell(out, run)
		tellFiles(out, files)
		return false, nil
	}
	return true, emulator.RemoveAll(v.again)
}

// runMeasured does a run whose times are expected to differ.
func (v *verification) runMeasured(e *experiment.Experiment, screen io.Writer, options emulator.Options, run int) error {
	output := v.first
	if run > 1 {
		output = v.again
		if _, err := makeOutput(output, true); err != nil {
			return err
		}
		defer emulator.RemoveAll(output)
	}
	result, err := v.emulate(e, output, screen, options)
	if err != nil {
		return err
	}
	if result.Interrupted {
		return status(exitInterrupted)
	}
	v.results = append(v.results, result)
	if run == 1 {
		v.summary, err = readSummary(v.first)
	}
	return err
}

// conclude tells what the series came to, when no run differed.
func (v *verification) conclude(out io.Writer) error {
	result := v.results[0]
	if err := printResult(out, result); err != nil {
		return err
	}
	if v.summary != nil { // measured
		v.summary.Spread = spreadOf(v.results)
		v.summary.Spread.print(out)
		if err := v.summary.write(v.first); err != nil {
			return err
		}
	} else {
		digest, files, err := digestFolder(v.first)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "\n%d runs, all the same: %d calls, %d files, digest %s\n", v.repeat, v.counted, files, digest)
		if v.costsOfFirst {
			fmt.Fprintf(out, "computations cost in all of them what run 1 measured; another run that is to be the same needs %s\n", filepath.Join(filepath.Clean(v.output), emulator.CostsFile))
		}
	}
	fmt.Fprintf(out, "output in %s\n", filepath.Clean(v.output))
	for _, r := range v.results {
		if !allAsExpected(r) {
			return status(exitUnexpected)
		}
	}
	return nil
}
