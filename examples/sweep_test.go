package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestSweep records an MPI program once and wants its makespan on twenty
// platforms: shorter with more bandwidth, longer with more latency.
func TestSweep(t *testing.T) {
	simterpose := filepath.Join(t.TempDir(), "simterpose")
	build(t, "..", simterpose, "./cmd/simterpose")
	sweep := filepath.Join(t.TempDir(), "mpi-sweep")
	build(t, ".", sweep, "./mpi-sweep")
	output := filepath.Join(t.TempDir(), "out")
	run := func() string {
		t.Helper()
		c := exec.Command(sweep, "-folder", "mpi-sweep", "-simterpose", simterpose, "-output", output)
		c.Stderr = os.Stderr
		out, err := c.Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	table := run()
	lines := strings.Split(strings.TrimSpace(table), "\n")
	if len(lines) != 5 {
		t.Fatalf("a line for each of 4 latencies expected:\n%s", table)
	}
	var before []float64
	for _, line := range lines[1:] {
		var row []float64
		for _, word := range strings.Fields(line)[2:] {
			v, err := strconv.ParseFloat(word, 64)
			if err != nil {
				t.Fatal(err)
			}
			row = append(row, v)
		}
		if len(row) != 5 {
			t.Fatalf("a number for each of 5 bandwidths expected:\n%s", table)
		}
		for i, v := range row {
			// What is shared otherwise may cost a little.
			if i > 0 && v > 1.01*row[i-1] || before != nil && v < before[i]/1.01 {
				t.Errorf("%v s is out of order:\n%s", v, table)
			}
		}
		if row[0] < 1.2*row[4] {
			t.Errorf("10 Mbit/s makes no difference:\n%s", table)
		}
		before = row
	}
	if svg, err := os.ReadFile(filepath.Join(output, "makespans.svg")); err != nil || !strings.Contains(string(svg), "</svg>") {
		t.Errorf("no plot: %v", err)
	}
	// The trace is there: the program does not run again.
	if again := run(); again != table {
		t.Errorf("another replay gives\n%s\ninstead of\n%s", again, table)
	}
}
