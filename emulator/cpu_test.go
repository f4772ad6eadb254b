package emulator_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/simterpose/simterpose/emulator"
	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// reference is what the tests take the machine's cores for.
const reference = 1e9

// measured runs compute on hosts, as many processes of as many threads, and
// returns what they printed by HOST/NAME.
func measured(t *testing.T, hosts string, processes, threads, loops int) map[string][2]float64 {
	t.Helper()
	p, err := platform.ReadYAML("test.yaml", []byte("hosts: ["+hosts+"]\nswitch: {bandwidth: 1Gbps, latency: 1ms}\n"))
	if err != nil {
		t.Fatal(err)
	}
	return measuredOn(t, p, processes, threads, loops)
}

func measuredOn(t *testing.T, p *platform.Platform, processes, threads, loops int) map[string][2]float64 {
	t.Helper()
	return computeOn(t, p, experiment.CPUOptions{Model: "measured", ReferenceSpeed: reference}, nil, processes, threads, loops)
}

func computeOn(t *testing.T, p *platform.Platform, cpu experiment.CPUOptions, events []experiment.Event, processes, threads, loops int) map[string][2]float64 {
	t.Helper()
	program := filepath.Join(t.TempDir(), "compute")
	if out, err := exec.Command("gcc", "-O2", "-pthread", "-o", program, "testdata/compute.c").CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	e := &experiment.Experiment{
		Platform: p, Seed: 1, Epoch: time.Unix(1893456000, 0), Stop: sim.Never,
		Network: experiment.NetworkOptions{Model: "tcp"}, CPU: cpu, Events: events,
	}
	for _, h := range p.Hosts {
		for i := range processes {
			e.Processes = append(e.Processes, experiment.Process{
				Host: h, Name: fmt.Sprintf("p%d", i), Argv: []string{program, fmt.Sprint(threads), fmt.Sprint(loops)}, Stop: sim.Never,
			})
		}
	}
	output := t.TempDir()
	r, err := emulator.Run(context.Background(), e, emulator.Options{Output: output})
	if err != nil {
		t.Fatal(err)
	}
	printed := map[string][2]float64{}
	for _, p := range r.Processes {
		text, err := os.ReadFile(filepath.Join(output, "hosts", p.Host, p.Name+".stdout"))
		if err != nil {
			t.Fatal(err)
		}
		var v [2]float64
		if _, err := fmt.Sscan(string(text), &v[0], &v[1]); err != nil || !p.AsExpected {
			t.Fatalf("%+v printed %q: %v", p, text, err)
		}
		printed[p.Host+"/"+p.Name] = v
	}
	return printed
}

// near tells whether a value is another but for a part of it.
func near(value, want, part float64) bool { return value >= want*(1-part) && value <= want*(1+part) }

// The machine may be busy: what other programs take of its caches makes the
// kernel slower on one host than on another.
const busy = 0.5

func TestMeasuredTimeFollowsTheSpeedOfTheHost(t *testing.T) {
	got := measured(t, "{name: same, speed: 1Gf}, {name: slow, speed: 100Mf}, {name: fast, speed: 10Gf}", 1, 1, 30_000_000)
	for host, ratio := range map[string]float64{"slow": 10, "fast": 0.1} {
		v := got[host+"/p0"]
		if want := got["same/p0"][0] * ratio; !near(v[0], want, busy) {
			t.Errorf("%s: %v s, want %v s", host, v[0], want)
		}
		if !near(v[1], v[0], 0.02) { // one thread alone
			t.Errorf("%s: %v s of processor time in %v s", host, v[1], v[0])
		}
	}
}

func TestMeasuredThreadsShareCores(t *testing.T) {
	got := measured(t, "{name: c1, speed: 1Gf}, {name: c2, speed: 1Gf, cores: 2}, {name: c4, speed: 1Gf, cores: 4}", 1, 4, 10_000_000)
	for cores, host := range map[float64]string{1: "c1", 2: "c2", 4: "c4"} {
		// The work of each thread may differ on a busy machine; with fewer
		// cores than threads that evens out.
		part := 0.1
		if cores > 1 {
			part = busy
		}
		if v := got[host+"/p0"]; !near(v[0]*cores, v[1], part) {
			t.Errorf("%s: %v s of processor time in %v s", host, v[1], v[0])
		}
	}
}

func TestMeasuredProcessesShareCores(t *testing.T) {
	got := measured(t, "{name: c1, speed: 1Gf}, {name: c2, speed: 1Gf, cores: 2}", 2, 1, 20_000_000)
	for _, name := range []string{"p0", "p1"} {
		if v := got["c1/"+name]; !near(v[0], 2*v[1], busy) {
			t.Errorf("one core, %s: %v s of processor time in %v s", name, v[1], v[0])
		}
		if v := got["c2/"+name]; !near(v[0], v[1], 0.05) {
			t.Errorf("two cores, %s: %v s of processor time in %v s", name, v[1], v[0])
		}
	}
}

// profiled has a host that is slowed down to half its speed after 10 ms.
const profiled = `<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <zone id="world" routing="Full">
    <host id="full" speed="1Gf"/>
    <host id="half" speed="1Gf"/>
  </zone>
  <trace id="slower" periodicity="-1">
    0 1.0
    0.01 0.5
  </trace>
  <trace_connect kind="SPEED" trace="slower" element="half"/>
</platform>
`

func TestMeasuredTimeFollowsSpeedProfiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "profiled.xml")
	if err := os.WriteFile(file, []byte(profiled), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := platform.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	got := measuredOn(t, p, 1, 1, 30_000_000)
	full, half := got["full/p0"][0], got["half/p0"][0]
	if !near(half, 2*full-0.01, busy) || half < 1.2*full {
		t.Errorf("%v s at full speed, %v s at half", full, half)
	}
}

func TestMeasuredTimeFollowsPStates(t *testing.T) {
	p, err := platform.ReadYAML("test.yaml", []byte("hosts: [{name: full, speed: 1Gf}, {name: half, speed: [1Gf, 500Mf]}]\nswitch: {bandwidth: 1Gbps, latency: 1ms}\n"))
	if err != nil {
		t.Fatal(err)
	}
	slower := 1
	events := []experiment.Event{{At: sim.FromSeconds(0.01), Hosts: p.Hosts[1:], Host: experiment.HostChange{PState: &slower}}}
	got := computeOn(t, p, experiment.CPUOptions{Model: "measured", ReferenceSpeed: reference}, events, 1, 1, 30_000_000)
	full, half := got["full/p0"][0], got["half/p0"][0]
	if !near(half, 2*full-0.01, busy) || half < 1.2*full {
		t.Errorf("%v s at full speed, %v s at half", full, half)
	}
}

// TestFixedComputationsAreRounded has computations take ten times 10, 20, 40 ms
// and so on.
func TestFixedComputationsAreRounded(t *testing.T) {
	p, err := platform.ReadYAML("test.yaml", []byte("hosts: [{name: host, speed: 1Gf}]\nswitch: {bandwidth: 1Gbps, latency: 1ms}\n"))
	if err != nil {
		t.Fatal(err)
	}
	cpu := experiment.CPUOptions{Model: "fixed", PerCall: sim.FromSeconds(1e-6), PerCPUSecond: sim.FromSeconds(10)}
	took := computeOn(t, p, cpu, nil, 1, 1, 30_000_000)["host/p0"][0]
	if steps := math.Log2(took / 0.1); took < 0.1 || math.Abs(steps-math.Round(steps)) > 0.02 {
		t.Errorf("%v s is not 0.1 s times a power of two", took)
	}
}

// TestKeptCosts has a run keep what its computations cost, which another one charges
// again whatever it measures itself.
func TestKeptCosts(t *testing.T) {
	p, err := platform.ReadYAML("test.yaml", []byte("hosts: [{name: host, speed: 1Gf}]\nswitch: {bandwidth: 1Gbps, latency: 1ms}\n"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "costs")
	cpu := experiment.CPUOptions{Model: "fixed", PerCall: sim.FromSeconds(1e-6), PerCPUSecond: sim.FromSeconds(1), Costs: file}
	first := computeOn(t, p, cpu, nil, 1, 3, 30_000_000)["host/p0"]
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if again := computeOn(t, p, cpu, nil, 1, 3, 10_000_000)["host/p0"]; again != first {
		t.Errorf("%v s, then %v with the costs of\n%s", first, again, text)
	}
	if now, err := os.ReadFile(file); err != nil || string(now) != string(text) {
		t.Errorf("a run has changed the costs that it was given: %v\n%s", err, now)
	}
	dearer := regexp.MustCompile(`(?m) [0-9.]+$`).ReplaceAllString(string(text), " 100")
	if err := os.WriteFile(file, []byte(dearer), 0o644); err != nil {
		t.Fatal(err)
	}
	if took := computeOn(t, p, cpu, nil, 1, 3, 10_000_000)["host/p0"][0]; !near(took, 300, 0.01) {
		t.Errorf("%v s with three computations of 100 s on one core", took)
	}
	if err := os.WriteFile(file, []byte("host 0 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	e := &experiment.Experiment{Platform: p, Seed: 1, Network: experiment.NetworkOptions{Model: "tcp"}, CPU: cpu}
	_, err = emulator.Run(context.Background(), e, emulator.Options{Output: t.TempDir()})
	if want := file + ":1: HOST THREAD COMPUTATION SECONDS expected"; err == nil || err.Error() != want {
		t.Errorf("%v, not %s", err, want)
	}
}
