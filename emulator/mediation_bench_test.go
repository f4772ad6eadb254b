package emulator_test

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/emulator"
	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// BenchmarkMediation sends messages of all sizes over connections, with both
// mediations and natively over loopback, all on one processor. It reports the
// processor time of everybody, which is the real time of a machine that does
// nothing else.
//
//	go test -run xxx -bench Mediation -benchtime 1x ./emulator
func BenchmarkMediation(b *testing.B) {
	program := filepath.Join(b.TempDir(), "stream")
	if out, err := exec.Command("gcc", "-O2", "-o", program, "testdata/stream.c").CombinedOutput(); err != nil {
		b.Fatalf("gcc: %v\n%s", err, out)
	}
	var points []stream
	for size := 64; size <= 64<<20; size *= 4 {
		points = append(points, stream{program, "write", size, 1})
	}
	for _, connections := range []int{10, 100, 1000} {
		for _, size := range []int{64, 64 << 10} {
			points = append(points, stream{program, "write", size, connections})
		}
	}
	for _, size := range []int{64 << 10, 1 << 20, 64 << 20} {
		points = append(points, stream{program, "sendfile", size, 1})
	}
	for _, p := range points {
		messages := max(4, min(20000, 256<<20/p.size))
		for _, way := range []string{"native", "full", "translation"} {
			b.Run(fmt.Sprintf("%s/%d/%d/%s", p.call, p.size, p.connections, way), func(b *testing.B) {
				run := func(messages int) time.Duration {
					if way == "native" {
						return p.native(b, messages)
					}
					return p.emulated(b, way == "translation", messages)
				}
				var used time.Duration
				for range b.N {
					used += max(0, run(messages)-run(0))
				}
				bytes := float64(messages) * float64(p.size) * float64(b.N)
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(bytes/used.Seconds()/1e6, "MB/s")
				b.ReportMetric(used.Seconds()/bytes*1e9, "s/GB")
				b.ReportMetric(float64(used.Nanoseconds())/float64(messages*b.N), "ns/message")
			})
		}
	}
}

// stream is what testdata/stream.c sends.
type stream struct {
	program, call     string
	size, connections int
}

// emulated returns the processor time of a run.
func (s stream) emulated(b *testing.B, translation bool, messages int) time.Duration {
	b.Helper()
	p, err := platform.ReadYAML("bench.yaml", []byte("hosts: [{name: server}, {name: client}]\nswitch: {bandwidth: 10Gbps, latency: 500us}\n"))
	if err != nil {
		b.Fatal(err)
	}
	address, _ := p.Host("server").Addresses()
	process := func(host string, start sim.Time, arguments ...any) experiment.Process {
		argv := []string{s.program}
		for _, a := range arguments {
			argv = append(argv, fmt.Sprint(a))
		}
		return experiment.Process{Host: p.Host(host), Name: "stream", Argv: argv, Start: start, Stop: sim.Never}
	}
	e := &experiment.Experiment{
		Platform: p, Seed: 1, Epoch: time.Unix(1893456000, 0), Stop: sim.Never,
		Network:   experiment.NetworkOptions{Model: "tcp"},
		Mediation: experiment.MediationOptions{Translation: translation},
		Processes: []experiment.Process{
			process("server", 0, "server", 4000, s.connections, s.size),
			process("client", sim.FromSeconds(1), s.call, address, 4000, s.connections, s.size, messages),
		},
	}
	before := processorTime(b)
	r, err := emulator.Run(context.Background(), e, emulator.Options{Output: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	for _, p := range r.Processes {
		if !p.AsExpected {
			b.Fatalf("%+v", p)
		}
	}
	return processorTime(b) - before
}

// native returns the processor time of the two programs over loopback, on one
// processor.
func (s stream) native(b *testing.B, messages int) time.Duration {
	b.Helper()
	before := processorTime(b)
	const port = "45454"
	server := exec.Command("taskset", "-c", "0", s.program, "server", port, strconv.Itoa(s.connections), strconv.Itoa(s.size))
	out, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		b.Fatal(err)
	}
	native(b, "taskset", "-c", "0", s.program, s.call, "127.0.0.1", port, strconv.Itoa(s.connections), strconv.Itoa(s.size), strconv.Itoa(messages))
	if err := server.Wait(); err != nil {
		b.Fatal(err)
	}
	return processorTime(b) - before
}

// processorTime is what this process and its children have used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var total time.Duration
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if err := unix.Getrusage(who, &u); err != nil {
			b.Fatal(err)
		}
		total += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return total
}
