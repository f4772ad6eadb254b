package oracle

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/scenario"
)

// playVariable makes the test program play a scenario by itself and print
// seconds and peak kilobytes, so that memory can be compared.
const playVariable = "SIMTERPOSE_ORACLE_PLAY"

// play is the program that playVariable asks for: its value is the model, its
// arguments the platform and the scenario.
func play(model, platformFile, scenarioFile string) error {
	p, err := platform.Load(platformFile)
	if err != nil {
		return err
	}
	f, err := os.Open(scenarioFile)
	if err != nil {
		return err
	}
	defer f.Close()
	items, err := scenario.Parse(scenarioFile, f, p)
	if err != nil {
		return err
	}
	n, err := setting{model, true}.network(p)
	if err != nil {
		return err
	}
	start := time.Now()
	_, clock := scenario.Run(n, items)
	seconds := time.Since(start).Seconds()
	kilobytes, err := peak()
	if err != nil {
		return err
	}
	fmt.Printf("%.17g %g %d\n", clock, seconds, kilobytes)
	return nil
}

// peak is the most memory that this process had, in kilobytes. (The maximum of
// getrusage is inherited through fork and exec.)
func peak() (kilobytes int64, err error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	_, err = fmt.Sscan(rest, &kilobytes)
	return kilobytes, err
}

// large returns a platform of at least n hosts and a scenario of n
// communications between neighbours that all overlap.
func large(topology string, n int) (platformText, scenarioText string) {
	g := &generator{Rand: NewRand(uint64(n))}
	hosts, attributes := n, ""
	switch topology {
	case "fat tree":
		a := map[int]int{1_000: 10, 10_000: 22, 100_000: 47}[n]
		hosts = a * a * a
		attributes = fmt.Sprintf(` topology="FAT_TREE" topo_parameters="3;%d,%d,%d;1,%d,%d;1,1,1"`, a, a, a, a/2, a/2)
	case "dragonfly":
		a := map[int]int{1_000: 4, 10_000: 8, 100_000: 16}[n]
		nodes := map[int]int{1_000: 16, 10_000: 20, 100_000: 25}[n]
		hosts = a * a * a * nodes
		attributes = fmt.Sprintf(` topology="DRAGONFLY" topo_parameters="%d,2;%d,2;%d,2;%d"`, a, a, a, nodes)
	}
	g.line(`<?xml version='1.0'?>`)
	g.line(`<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">`)
	g.line(`<platform version="4.1"><cluster id="c" prefix="n" suffix="" radical="0-%d" speed="1Gf" bw="125MBps" lat="50us"%s/></platform>`, hosts-1, attributes)
	platformText = g.String()
	g.Reset()
	for i := range n {
		g.line("comm %.6f n%d n%d %.0f", g.Float64(), i, i^1, g.between(2e8, 1e9))
	}
	return platformText, g.String()
}

// BenchmarkEndToEnd plays communications between all hosts of large platforms
// with both, each in a process of its own.
func BenchmarkEndToEnd(b *testing.B) {
	sizes := []int{1_000, 10_000}
	if *long {
		sizes = append(sizes, 100_000)
	}
	for _, topology := range []string{"cluster", "fat tree", "dragonfly"} {
		for _, n := range sizes {
			b.Run(fmt.Sprintf("%s/%d", strings.ReplaceAll(topology, " ", "-"), n), func(b *testing.B) {
				dir := b.TempDir()
				platformText, scenarioText := large(topology, n)
				platformFile, scenarioFile := filepath.Join(dir, "platform.xml"), filepath.Join(dir, "scenario.txt")
				write(b, dir, "platform.xml", platformText)
				write(b, dir, "scenario.txt", scenarioText)
				var ours, theirs answers
				for b.Loop() {
					ours = askOurselves(b, "LV08", platformFile, scenarioFile)
					var err error
					theirs, err = ask(platformFile, scenarioFile, append([]string{"--light"}, setting{"LV08", true}.options()...)...)
					if errors.Is(err, errTooSlow) {
						b.ReportMetric(ours.seconds, "s")
						b.ReportMetric(float64(ours.peakKilobytes)/1024, "MiB")
						b.Skip(err)
					}
					if err != nil {
						b.Fatal(err)
					}
				}
				if math.Abs(ours.clock-theirs.clock) > tolerance(theirs.clock) {
					b.Errorf("the last clock is %.9f, SimGrid's %.9f", ours.clock, theirs.clock)
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(ours.seconds, "s")
				b.ReportMetric(theirs.seconds, "simgrid-s")
				b.ReportMetric(ours.seconds/theirs.seconds, "time-ratio")
				b.ReportMetric(float64(ours.peakKilobytes)/1024, "MiB")
				b.ReportMetric(float64(theirs.peakKilobytes)/1024, "simgrid-MiB")
				b.ReportMetric(float64(ours.peakKilobytes)/float64(theirs.peakKilobytes), "memory-ratio")
			})
		}
	}
}

// askOurselves plays a scenario in a process of its own.
func askOurselves(b *testing.B, model, platformFile, scenarioFile string) (a answers) {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	run := exec.Command(self, platformFile, scenarioFile)
	run.Env = append(os.Environ(), playVariable+"="+model)
	out, err := run.CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	if _, err := fmt.Sscan(string(out), &a.clock, &a.seconds, &a.peakKilobytes); err != nil {
		b.Fatalf("%v in %q", err, out)
	}
	return a
}
