// Command mpi-sweep records an MPI program once, replays it on twenty platforms
// and plots its makespan over their bandwidth, a line for each latency.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/simterpose/simterpose/network"
	"github.com/simterpose/simterpose/replay"
	"github.com/simterpose/simterpose/trace"
)

func main() {
	folder := flag.String("folder", "examples/mpi-sweep", "where the experiment is")
	simterpose := flag.String("simterpose", "", "the program that records (default: built from this source tree)")
	output := flag.String("output", "mpi-sweep.out", "folder of the trace, the table and the plot")
	flag.Parse()
	if err := sweep(*folder, *simterpose, *output); err != nil {
		fmt.Fprintln(os.Stderr, "mpi-sweep:", err)
		os.Exit(1)
	}
}

func sweep(folder, simterpose, output string) error {
	if err := os.MkdirAll(output, 0o777); err != nil {
		return err
	}
	recorded := filepath.Join(output, "heat.trace")
	if err := record(folder, simterpose, output, recorded); err != nil {
		return err
	}
	t, err := trace.Open(recorded)
	if err != nil {
		return err
	}
	ranks, err := ranksOf(t)
	if err != nil {
		return err
	}
	makespans := make([][]float64, len(latencies))
	for i, latency := range latencies {
		for _, bandwidth := range bandwidths {
			makespan, err := replayOn(t, ranks, bandwidth, latency)
			if err != nil {
				return err
			}
			makespans[i] = append(makespans[i], makespan)
		}
	}
	if err := os.WriteFile(filepath.Join(output, "makespans.txt"), []byte(table(makespans)), 0o666); err != nil {
		return err
	}
	fmt.Print(table(makespans))
	return draw(makespans, filepath.Join(output, "makespans.svg"))
}

// record compiles and runs the program, unless there is a trace of it.
func record(folder, simterpose, output, recorded string) error {
	if _, err := os.Stat(recorded); err == nil {
		return nil
	}
	var commands [][]string
	if simterpose == "" {
		simterpose = filepath.Join(output, "simterpose")
		commands = append(commands, []string{"go", "build", "-o", simterpose, "github.com/simterpose/simterpose/cmd/simterpose"})
	}
	commands = append(commands, [][]string{
		{"mpicc.openmpi", "-O1", "-o", filepath.Join(folder, "program", "heat"), filepath.Join(folder, "program", "heat.c"), "-lm"},
		{
			simterpose, "record", "--force", "--output", filepath.Join(output, "run"), "--trace", recorded + ".part",
			filepath.Join(folder, "experiment.yaml"),
		},
	}...)
	for _, command := range commands {
		c := exec.Command(command[0], command[1:]...)
		c.Stderr = os.Stderr
		if out, err := c.Output(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
		}
	}
	return os.Rename(recorded+".part", recorded)
}

// ranksOf are the names that a replay gives to the processes of the ranks.
func ranksOf(t *trace.Trace) (map[string]bool, error) {
	jobs := t.Jobs()
	if len(jobs) != 1 {
		return nil, fmt.Errorf("one run of an MPI program in the trace expected, found %d", len(jobs))
	}
	names := map[string]bool{}
	for _, actor := range jobs[0].Actors {
		r := t.Actors[actor][0]
		names[fmt.Sprintf("%s/%s[%d]", r.Name, r.Label, r.PID)] = true
	}
	return names, nil
}

// replayOn is the time from the first rank's start to the last one's end, in
// seconds.
func replayOn(t *trace.Trace, ranks map[string]bool, bandwidth, latency float64) (float64, error) {
	p, err := star(bandwidth, latency)
	if err != nil {
		return 0, err
	}
	model, err := network.ModelByName("tcp")
	if err != nil {
		return 0, err
	}
	result, err := replay.Run(t, replay.Options{Platform: p, Model: model, Seed: 1})
	if err != nil {
		return 0, err
	}
	first, last := result.Makespan, 0.0
	for _, a := range result.Actors {
		if !ranks[a.Name] {
			continue
		}
		if a.Blocked != "" {
			return 0, fmt.Errorf("%s waits in vain: %s", a.Name, a.Blocked)
		}
		first, last = min(first, a.Start), max(last, a.End)
	}
	return last - first, nil
}
