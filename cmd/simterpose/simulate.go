package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/network"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/scenario"
	"github.com/simterpose/simterpose/sim"
)

// simulation holds the flags of simulate.
type simulation struct {
	model        string
	crossTraffic bool
	seed         uint64
	json         bool
}

// simulateCommand plays a scenario over a platform, without guests.
func simulateCommand() *cobra.Command {
	var s simulation
	c := &cobra.Command{
		Use:   "simulate PLATFORM SCENARIO",
		Short: "Play a scenario over a platform, without programs",
		Long: `Simulate plays a scenario over a platform and says when each of its items
ends. A scenario has one item a line; # begins a comment; a scenario named - is
read from the standard input. Times are in s, sizes in bytes, work in flops, as
plain numbers or with units (5ms, 10MB, 1Gf); a space in a name is written %20.

  comm  START SRC DST BYTES [RATE]          exec  START HOST FLOPS [THREADS] [BOUND]
  io    START HOST DISK read|write BYTES    sleep START HOST DURATION
  route SRC DST                             hosts | links
  link_off|link_on T LINK                   host_off|host_on T HOST
  link_bw T LINK BPS                        link_lat T LINK S
  pstate T HOST N                           wifi_rate LINK HOST LEVEL

It prints one line an item, in the scenario's order, and the last clock. States:
DONE, FAIL_NETWORK, FAIL_HOST, FAIL_STORAGE, CANCEL (would never end).`,
		Example: `  echo "comm 0 Tremblay Jupiter 1MB" | simterpose simulate small_platform.xml -`,
		Args: func(_ *cobra.Command, arguments []string) error {
			if len(arguments) != 2 {
				return fmt.Errorf("PLATFORM and SCENARIO expected, found %d arguments (see simterpose simulate --help)", len(arguments))
			}
			return nil
		},
		RunE: func(c *cobra.Command, arguments []string) error {
			return s.run(c, arguments[0], arguments[1])
		},
	}
	f := c.Flags()
	f.StringVar(&s.model, "network", "LV08", "network `model`: "+strings.Join(network.ModelNames, ", "))
	f.BoolVar(&s.crossTraffic, "crosstraffic", true, "let acknowledgements take 5 % on the way back")
	f.Uint64Var(&s.seed, "seed", 1, "seed of stochastic profiles")
	f.BoolVar(&s.json, "json", false, "print JSON, with all digits")
	return c
}

func (s *simulation) run(c *cobra.Command, platformFile, scenarioFile string) error {
	p, err := experiment.LoadPlatform(platformFile)
	if err != nil {
		return err
	}
	warn(c, p)
	if configured, ok := p.Config["network/model"]; ok && !c.Flags().Changed("network") {
		s.model = configured
	}
	m, err := network.ModelByName(s.model)
	if err != nil {
		return err
	}
	if err := m.Configure(p.Config); err != nil {
		return fmt.Errorf("%s: %w", platformFile, err)
	}
	if c.Flags().Changed("crosstraffic") {
		m.CrossTraffic = s.crossTraffic
	}
	items, err := readScenario(c.InOrStdin(), scenarioFile, p)
	if err != nil {
		return err
	}
	n := network.New(network.Config{
		Model: m, Hosts: p.Hosts, Links: &p.Links, Router: p, Seed: sim.NewSource(s.seed), AsSimGrid: true,
	})
	results, clock := scenario.Run(n, items)
	if s.json {
		return scenario.PrintJSON(c.OutOrStdout(), items, results, n, clock)
	}
	return scenario.Print(c.OutOrStdout(), items, results, n, clock)
}

// warn tells what is odd in a platform's file, and which of its options would
// change SimGrid's results but not ours.
func warn(c *cobra.Command, p *platform.Platform) {
	for _, warning := range p.Warnings {
		fmt.Fprintln(c.ErrOrStderr(), "warning:", warning)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Config)) {
		kind, _, _ := strings.Cut(name, "/")
		if slices.Contains(strings.Fields("cpu disk host network maxmin precision surf"), kind) &&
			!network.OptionUsed(name) && !slices.Contains(sameResults, name+"="+p.Config[name]) {
			fmt.Fprintf(c.ErrOrStderr(), "warning: %s: config option %s=%s does nothing here\n", p.File, name, p.Config[name])
		}
	}
}

// sameResults are options with which SimGrid computes what we compute.
var sameResults = strings.Fields(`
cpu/model=Cas01 cpu/optim=Lazy cpu/optim=Full cpu/optim=TI cpu/solver=maxmin
disk/model=default disk/model=S19 disk/solver=maxmin host/model=default host/model=compound host/solver=maxmin
network/optim=Lazy network/optim=Full network/solver=maxmin`)

func readScenario(stdin io.Reader, file string, p *platform.Platform) ([]scenario.Item, error) {
	if file == "-" {
		return scenario.Parse("standard input", stdin, p)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return scenario.Parse(file, f, p)
}
