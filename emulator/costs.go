package emulator

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// CostsFile is in the output folder what computations cost with the model fixed.
const CostsFile = "costs"

// costs is what computations cost with the model fixed, in processor time that is
// rounded already. No machine measures the same twice; so each run writes what it
// has measured, and a run that is given that charges it again.
type costs struct {
	out strings.Builder
	// kept are those of an earlier run; nil when all are to be measured.
	kept map[computation]time.Duration
	// measured and charged are sums.
	measured, charged time.Duration
}

// computation names one: the thread, by its number on its host, and how many
// computations it has ended before. A run of the same experiment comes by the
// same ones, since all that happens between them is repeatable.
type computation struct {
	host   string
	thread int
	number int
}

// costsHead begins a file of costs.
const costsHead = "# What computations cost: the host, the number of the thread on it and of its computation,\n" +
	"# and seconds of processor time (docs/cpu.md).\n"

// readCosts reads a file that an earlier run has written.
func readCosts(path string) (map[computation]time.Duration, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	kept := map[computation]time.Duration{}
	line := 0
	for words := range strings.Lines(string(text)) {
		line++
		if strings.HasPrefix(words, "#") || strings.TrimSpace(words) == "" {
			continue
		}
		fields := strings.Fields(words)
		if len(fields) != 4 {
			return nil, fmt.Errorf("%s:%d: HOST THREAD COMPUTATION SECONDS expected", path, line)
		}
		thread, err1 := strconv.Atoi(fields[1])
		number, err2 := strconv.Atoi(fields[2])
		cost, err3 := time.ParseDuration(fields[3] + "s")
		if err1 != nil || err2 != nil || err3 != nil || cost < 0 {
			return nil, fmt.Errorf("%s:%d: HOST THREAD COMPUTATION SECONDS expected", path, line)
		}
		kept[computation{fields[0], thread, number}] = cost
	}
	return kept, nil
}

// of is what the computation costs that a thread has ended, given what was measured.
func (c *costs) of(th *thread, used time.Duration) time.Duration {
	one := computation{th.host.name, th.number, th.computations}
	th.computations++
	rounded := roundComputation(used)
	c.measured += rounded
	cost := rounded
	if c.kept != nil {
		cost = c.kept[one]
	}
	c.charged += cost
	if cost > 0 {
		fmt.Fprintf(&c.out, "%s %d %d %v\n", one.host, one.thread, one.number, cost.Seconds())
	}
	return cost
}

// prepareCosts reads the costs that the run is given, if there are some yet.
func (w *world) prepareCosts() error {
	if w.processor.rounded == 0 {
		return nil
	}
	c := &costs{}
	c.out.WriteString(costsHead)
	w.processor.costs = c
	given := w.options.Costs
	if given == "" {
		given = w.experiment.CPU.Costs
	}
	if given == "" {
		return nil
	}
	kept, err := readCosts(given)
	if errors.Is(err, fs.ErrNotExist) && w.options.Costs == "" {
		return nil // this run's are kept there
	}
	c.kept = kept
	return err
}

// keepCosts writes what computations have cost, into the output folder and where the
// experiment says.
func (w *world) keepCosts(interrupted bool) error {
	c := w.processor.costs
	if c == nil {
		return nil
	}
	text := []byte(c.out.String())
	if err := os.WriteFile(filepath.Join(w.options.Output, CostsFile), text, 0o644); err != nil {
		return err
	}
	if c.kept == nil {
		if w.experiment.CPU.Costs == "" || interrupted {
			return nil
		}
		return os.WriteFile(w.experiment.CPU.Costs, text, 0o644)
	}
	if w.options.Tell != nil && (c.measured > 4*c.charged+time.Second || c.charged > 4*c.measured+time.Second) {
		w.options.Tell(fmt.Sprintf("computations cost %v of processor time, as was kept, and took %v now: were the programs others, or the experiment?", c.charged, c.measured))
	}
	return nil
}
