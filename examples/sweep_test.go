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
		// In seconds: how long the ranks compute depends on how busy the machine is.
		if row[0] < row[4]+0.2 {
			t.Errorf("10 Mbit/s makes no difference:\n%s", table)
		}
		before = row
	}
	if svg, err := os.ReadFile(filepath.Join(output, "makespans.svg")); err != nil || !strings.Contains(string(svg), "</svg>") {
		t.Errorf("no plot: %v", err)
	}
	smpiReplays(t, simterpose, filepath.Join(output, "heat.trace"))
	// The trace is there: the program does not run again.
	if again := run(); again != table {
		t.Errorf("another replay gives\n%s\ninstead of\n%s", again, table)
	}
}

// smpiReplays wants SMPI's replay to read the ranks of a recorded run, and to say
// what ours says.
func smpiReplays(t *testing.T, simterpose, recorded string) {
	t.Helper()
	folder := t.TempDir()
	hosts := ""
	for i := range 8 {
		hosts += "node-" + strconv.Itoa(i) + "\n"
	}
	for name, content := range map[string]string{
		"hosts": hosts,
		"list":  "ranks.trace\n",
		"cluster.xml": `<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="c" prefix="node-" suffix="" radical="0-7" speed="1Gf" bw="125MBps" lat="50us"/>
</platform>`,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	recorded, err := filepath.Abs(recorded)
	if err != nil {
		t.Fatal(err)
	}
	run := func(command ...string) string {
		c := exec.Command(command[0], command[1:]...)
		c.Dir = folder
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
		}
		return string(out)
	}
	run(simterpose, "trace", "ranks", recorded, "--output", "ranks.trace")
	_, ours, _ := strings.Cut(run(simterpose, "replay", "ranks.trace", "--platform", "cluster.xml"), "makespan ")
	_, theirs, _ := strings.Cut(run("smpirun", "-np", "8", "-platform", "cluster.xml", "-hostfile", "hosts", "-replay", "list"), "Simulation time ")
	ours, _, _ = strings.Cut(ours, " s\n")
	if theirs = strings.TrimSpace(theirs); ours != theirs || ours == "" {
		t.Errorf("a replay of the ranks takes %q s, and SMPI's %q s", ours, theirs)
	}
}
