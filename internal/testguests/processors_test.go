package testguests

import (
	"fmt"
	"testing"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

// TestProcessorsOfTheHost asks, in several ways, for the processors of hosts with
// other numbers of cores than this machine has.
func TestProcessorsOfTheHost(t *testing.T) {
	const script = `cd /sys/devices/system/cpu
nproc; cat online; ls -d cpu[0-9]* | wc -l; grep -c ^processor /proc/cpuinfo
cat cpu0/topology/package_cpus cpu0/topology/thread_siblings_list ../node/node0/cpulist
lscpu -p=CPU,CORE,SOCKET | tail -n 1`
	for _, c := range []struct {
		cores int
		want  string
	}{
		{1, "1\n0\n1\n1\n1\n0\n0\n0,0,0\n"},
		{40, "40\n0-39\n40\n40\nff,ffffffff\n0\n0-39\n39,39,0\n"},
	} {
		file := experiment(t, fmt.Sprintf(`platform:
  hosts: [{name: tester, speed: 1Gf, cores: %d}]
processes:
  - {host: tester, name: guest, command: [/bin/sh, -c, %s]}
`, c.cores, lab.Quote(script)))
		r := lab.Experiment(t, file)
		finish(t, r)
		if got := r.Stdout(t, "tester", "guest"); got != c.want {
			t.Errorf("a host of %d cores tells of %q, not %q", c.cores, got, c.want)
		}
	}
}
