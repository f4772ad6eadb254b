package emulator_test

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/simterpose/simterpose/emulator"
	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// The benchmarks report the time of one operation as ns/op, each with its
// baseline beside it: compare them within one run only.
//
//	go test -bench . -benchtime 200000x ./emulator

func buildSpeed(b *testing.B) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), "speed")
	if out, err := exec.Command("gcc", "-O2", "-o", program, "testdata/speed.c").CombinedOutput(); err != nil {
		b.Fatalf("gcc: %v\n%s", err, out)
	}
	return program
}

// emulated runs a program on a host and returns the real time it took.
func emulated(b *testing.B, interceptor string, hosts int, argv ...string) time.Duration {
	b.Helper()
	yaml := fmt.Sprintf("hosts: [{name: 'h[1-%d]', speed: 1Gf}]\nswitch: {bandwidth: 1Gbps, latency: 1ms}\n", hosts)
	p, err := platform.ReadYAML("bench.yaml", []byte(yaml))
	if err != nil {
		b.Fatal(err)
	}
	e := &experiment.Experiment{Platform: p, Seed: 1, Epoch: time.Unix(1893456000, 0), Stop: sim.Never, Network: experiment.NetworkOptions{Model: "tcp"}, Interceptor: interceptor}
	for _, h := range p.Hosts {
		e.Processes = append(e.Processes, experiment.Process{Host: h, Name: "p", Argv: argv, Stop: sim.Never})
	}
	begin := time.Now()
	r, err := emulator.Run(context.Background(), e, emulator.Options{Output: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	for _, p := range r.Processes {
		if !p.AsExpected {
			b.Fatalf("%+v", p)
		}
	}
	return time.Since(begin)
}

// perOperation runs a program for 0 and for b.N operations and reports the
// difference.
func perOperation(b *testing.B, run func(n string) time.Duration) {
	base := run("0")
	whole := run(strconv.Itoa(b.N))
	b.ReportMetric(float64(max(0, whole-base))/float64(b.N), "ns/op")
}

func native(b *testing.B, argv ...string) time.Duration {
	b.Helper()
	begin := time.Now()
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		b.Fatalf("%v: %v\n%s", argv, err, out)
	}
	return time.Since(begin)
}

func BenchmarkCall(b *testing.B) {
	program := buildSpeed(b)
	for _, interceptor := range experiment.Interceptors {
		b.Run("emulated/"+interceptor, func(b *testing.B) {
			perOperation(b, func(n string) time.Duration { return emulated(b, interceptor, 1, program, "yield", n) })
		})
	}
	b.Run("futex-pingpong", func(b *testing.B) {
		perOperation(b, func(n string) time.Duration { return native(b, program, "pingpong", n) })
	})
	b.Run("strace", func(b *testing.B) {
		perOperation(b, func(n string) time.Duration {
			return native(b, "strace", "-f", "-o", "/dev/null", program, "yield", n)
		})
	})
	b.Run("native", func(b *testing.B) {
		perOperation(b, func(n string) time.Duration { return native(b, program, "yield", n) })
	})
}

func BenchmarkClock(b *testing.B) {
	program := buildSpeed(b)
	const times = 1000 // readings an operation
	more := func(n string) string { return n + "000" }
	b.Run("emulated", func(b *testing.B) {
		perOperation(b, func(n string) time.Duration { return emulated(b, "", 1, program, "clock", more(n)) / times })
	})
	b.Run("native", func(b *testing.B) {
		perOperation(b, func(n string) time.Duration { return native(b, program, "clock", more(n)) / times })
	})
}

func BenchmarkHosts(b *testing.B) {
	for _, interceptor := range experiment.Interceptors {
		for _, hosts := range []int{1, 100, 500} {
			b.Run(interceptor+"/"+strconv.Itoa(hosts), func(b *testing.B) {
				for b.Loop() {
					emulated(b, interceptor, hosts, "/bin/sleep", "60")
				}
			})
		}
	}
}
