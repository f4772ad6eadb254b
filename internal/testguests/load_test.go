package testguests

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

// TestLoadAverageIsSimulated has two threads of a slow host compute for some
// minutes, and looks meanwhile. On another host a process computes and ends: what
// it used stays used.
func TestLoadAverageIsSimulated(t *testing.T) {
	burn := filepath.Join(lab.Folder(), "burn")
	lab.BuildC(t, "cpu/burn.c", burn)
	file := experiment(t, fmt.Sprintf(`platform:
  hosts: [{name: host, speed: 1Mf, cores: 2}, {name: other, speed: 1Mf, cores: 2}]
cpu: {measured: {reference_speed: 1Gf}}
processes:
  - {host: host, name: busy, command: [%[1]s, "30000000", "2"]}
  - {host: host, name: look, start: 30s, command: "cat /proc/loadavg /proc/uptime"}
  - {host: other, name: ended, command: [%[1]s, "2000000"]}
  - {host: other, name: look, start: 1h, command: "cat /proc/uptime"}
`, burn))
	r := lab.Experiment(t, file)
	out := r.Stdout(t, "host", "look")
	var one, five, fifteen, up, idle float64
	var runs, threads, last int
	if _, err := fmt.Sscanf(out, "%f %f %f %d/%d %d\n%f %f", &one, &five, &fifteen, &runs, &threads, &last, &up, &idle); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	// Two threads compute, and then cat itself does too.
	least, most := 1-math.Exp(-up/60), 3*(1-math.Exp(-up/60))
	if one < least-0.1 || one > most+0.1 || five >= one || fifteen >= five {
		t.Errorf("after %.0f s the load was %s", up, out)
	}
	var begin, end, used float64
	if out := r.Stdout(t, "other", "ended"); !scans(out, "worker %f %f %f", &begin, &end, &used) {
		t.Fatalf("not what burn prints: %q", out)
	}
	if out := r.Stdout(t, "other", "look"); !scans(out, "%f %f", &up, &idle) || 2*up-idle < used {
		t.Errorf("after a computation of %.2f s uptime tells %q", used, out)
	}
}

func scans(text, format string, into ...any) bool {
	n, _ := fmt.Sscanf(text, format, into...)
	return n == len(into)
}
