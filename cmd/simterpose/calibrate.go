package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/simterpose/simterpose/calibration"
	"github.com/simterpose/simterpose/emulator"
	"github.com/simterpose/simterpose/experiment"
)

func calibrateCommand() *cobra.Command {
	var duration time.Duration
	c := &cobra.Command{
		Use:   "calibrate",
		Short: "Measure this machine for the CPU model measured",
		Long: `Calibrate measures the reference speed: what one core of this machine does, in
flop/s, by multiplications and additions of float64 in eight chains; and what
it costs a guest to stop at the emulator, which is taken off its processor time.
The result is kept for later runs. Calibrate on a quiet machine.`,
		Example: "  simterpose calibrate",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cost, err := emulator.InterceptionCost()
			if err != nil {
				return err
			}
			r := calibration.Measure(duration)
			kept := calibration.Calibration{Machine: calibration.Machine(), Speed: r.Speed, Spread: r.Spread, Interception: cost}
			path, err := kept.Save()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "machine: %s\nreference speed: %.4gf (spread %.1f %%)\ninterception: %v\nkept in %s\n",
				kept.Machine, r.Speed, 100*r.Spread, cost, path)
			return err
		},
	}
	c.Flags().DurationVar(&duration, "for", 3*time.Second, "measure the speed for this `TIME`")
	return c
}

// calibrate finds out the reference speed if the experiment needs one and has
// none.
func calibrate(e *experiment.Experiment, screen io.Writer) error {
	if e.CPU.Model != "measured" || e.CPU.ReferenceSpeed > 0 {
		return nil
	}
	r, err := reference(screen)
	e.CPU.ReferenceSpeed, e.CPU.ReferenceSpread = r.Speed, r.Spread
	return err
}

// reference is the speed that is kept, or is measured now.
func reference(screen io.Writer) (calibration.Reference, error) {
	kept, err := calibration.Load()
	if err == nil {
		return calibration.Reference{Speed: kept.Speed, Spread: kept.Spread}, nil
	}
	if !errors.Is(err, calibration.ErrNone) {
		return calibration.Reference{}, err
	}
	r := calibration.Measure(time.Second)
	fmt.Fprintf(screen, "not calibrated: reference speed %.4gf (spread %.1f %%) measured now; simterpose calibrate keeps one\n", r.Speed, 100*r.Spread)
	return r, nil
}
