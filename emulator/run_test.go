package emulator

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

func TestBash(t *testing.T) {
	script := os.Getenv("SCRIPT")
	if script == "" {
		script = "hostname; date; echo $$; sleep 3600; date; for i in 1 2 3; do echo $i; done | (cat; sleep 1) | sort -r; sleep 5 & wait; date"
	}
	p, err := platform.ReadXML("p.xml", `<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1"><zone id="z" routing="Full"><host id="alpha" speed="1Gf" core="2"/><host id="beta" speed="1Gf"/>
<link id="lan" bandwidth="100Mbps" latency="5ms"/><route src="alpha" dst="beta"><link_ctn id="lan"/></route></zone></platform>`)
	if err != nil {
		t.Fatal(err)
	}
	h := p.Hosts[0]
	argv := []string{"/bin/bash", "-c", script}
	if a := os.Getenv("ARGV"); a != "" {
		argv = strings.Fields(a)
	}
	e := &experiment.Experiment{
		Platform: p,
		Seed:     1, Epoch: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), Stop: sim.Never,
		Network:   experiment.NetworkOptions{Model: "tcp"},
		Processes: []experiment.Process{{Host: h, Name: "bash", Argv: argv, Stop: sim.Never}},
	}
	out := os.Getenv("OUT")
	if out == "" {
		out = t.TempDir()
	}
	begin := time.Now()
	r, err := Run(context.Background(), e, Options{Output: out, Strace: os.Getenv("NOSTRACE") == "", Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v real, %v simulated %+v", time.Since(begin), r.Simulated, r.Processes)
	for _, b := range r.Deadlock {
		t.Logf("blocked: %+v", b)
	}
	for _, f := range []string{"bash.stdout", "bash.stderr"} {
		b, _ := os.ReadFile(filepath.Join(out, "hosts/alpha", f))
		t.Logf("%s:\n%s", f, b)
	}
	if os.Getenv("STRACE") != "" {
		b, _ := os.ReadFile(filepath.Join(out, "hosts/alpha", "bash.strace"))
		t.Logf("%s", b)
	}
}
