package main

import (
	"fmt"
	"log/slog"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/network"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// input is what says which experiment to run.
type input struct{ overrides experiment.Overrides }

// addFlags declares the flags that replace settings of the experiment.
func (in *input) addFlags(c *cobra.Command) {
	f := c.Flags()
	f.Var(optional[uint64]{&in.overrides.Seed, "N", func(s string) (uint64, error) { return strconv.ParseUint(s, 0, 64) }},
		"seed", "take all random numbers from seed `N`")
	f.Var(optional[sim.Time]{&in.overrides.Stop, "TIME", parseStop}, "stop", "end at this simulated `TIME`, such as 60s")
	text := func(s string) (string, error) { return s, nil }
	f.Var(optional[string]{&in.overrides.Network, "MODEL", text}, "network", "time communications by `MODEL`: tcp, LV08, CM02, SMPI or constant")
	f.Var(optional[string]{&in.overrides.CPU, "MODEL", text}, "cpu", "time computations by `MODEL`: none, measured or fixed")
	f.Var(optional[string]{&in.overrides.Mediation, "WAY", text}, "mediation", "let data cross between guests this `WAY`: full or translation")
	f.Var(optional[float64]{&in.overrides.ReferenceSpeed, "SPEED", parseReference}, "reference-speed", "what one core of this machine does, such as 10Gf, for --cpu measured")
	f.Var(optional[string]{&in.overrides.Interceptor, "NAME", text}, "interceptor", "stop guests at their calls by `NAME`: notify or ptrace (default notify, where it is possible)")
	f.StringVar(&in.overrides.Platform, "platform", "", "run on the platform in `FILE` instead of the experiment's, whose hosts are placed on it")
	f.Var(&placeFlag{&in.overrides.Place}, "place", "place hosts of the experiment on these of the platform: `HOST=NODE,...`")
	complete(c, "network", network.ModelNames...)
	complete(c, "cpu", experiment.CPUModels...)
	complete(c, "mediation", experiment.Mediations...)
	complete(c, "interceptor", experiment.Interceptors...)
}

// parseReference reads the speed of a core.
func parseReference(text string) (float64, error) {
	speed, err := platform.ParseSpeed(text)
	if err == nil && !(speed > 0) {
		err = fmt.Errorf("a speed above 0 expected, such as 10Gf, found %q", text)
	}
	return speed, err
}

// complete offers the possible values of a flag to the shell.
func complete(c *cobra.Command, flag string, values ...string) {
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic("simterpose: " + err.Error())
	}
}

func parseStop(text string) (sim.Time, error) {
	t, err := experiment.ParseTime(text)
	if err == nil && t == 0 {
		err = fmt.Errorf("a time after 0 s expected")
	}
	return t, err
}

// load reads EXPERIMENT.yaml, or PLATFORM.xml and DEPLOYMENT.xml.
func (in *input) load(arguments []string) (*experiment.Experiment, error) {
	if len(arguments) == 2 {
		return experiment.LoadDeployment(arguments[0], arguments[1], in.overrides)
	}
	return experiment.Load(arguments[0], in.overrides)
}

// experimentFiles accepts the arguments of [input.load].
func experimentFiles(c *cobra.Command, arguments []string) error {
	if len(arguments) < 1 || len(arguments) > 2 {
		return fmt.Errorf("EXPERIMENT.yaml, or PLATFORM.xml and DEPLOYMENT.xml expected (see simterpose %s --help)", c.Name())
	}
	return nil
}

// completeFiles offers the files that an argument can be.
func completeFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"yaml", "yml", "xml"}, cobra.ShellCompDirectiveFilterFileExt
}

// optional is a flag that may not be given.
type optional[T any] struct {
	value **T
	kind  string
	parse func(string) (T, error)
}

var _ pflag.Value = optional[string]{}

func (o optional[T]) Set(text string) error {
	value, err := o.parse(text)
	if err == nil {
		*o.value = &value
	}
	return err
}

func (o optional[T]) String() string {
	if o.value == nil || *o.value == nil {
		return ""
	}
	return fmt.Sprint(**o.value)
}

func (o optional[T]) Type() string { return o.kind }

// levelFlag declares --log-level.
func levelFlag(c *cobra.Command, level *slog.Level) {
	c.Flags().TextVar(level, "log-level", slog.LevelInfo, "write messages from this `LEVEL` to the log: debug, info, warn or error")
	complete(c, "log-level", "debug", "info", "warn", "error")
}

// placeFlag is --place, which may be given several times.
type placeFlag struct{ list *[]experiment.Place }

func (p *placeFlag) Set(text string) error {
	more, err := experiment.ParsePlaces(text)
	*p.list = append(*p.list, more...)
	return err
}

func (p *placeFlag) String() string { return "" }

func (p *placeFlag) Type() string { return "HOST=NODE,..." }
