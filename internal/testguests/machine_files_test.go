package testguests

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

// TestMachineFiles reads what the machine's kernel tells of itself, of its mounts
// and disks: a host tells the same in each run, and nothing of the output folder.
func TestMachineFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "experiment.yaml")
	write(t, file, `platform:
  hosts: [{name: host, speed: 1Gf, cores: 2}]
processes:
  - host: host
    name: look
    command: |
      ln -s /proc/self/mounts /tmp/mounts
      cd /proc
      cat self/mountinfo self/mounts self/mountstats /etc/mtab /tmp/mounts self/cgroup cgroups
      cat vmstat diskstats interrupts softirqs zoneinfo buddyinfo slabinfo pressure/* sys/fs/file-nr net/softnet_stat
      df --output=source,fstype,itotal,iavail,size,avail,target
      findmnt -n -o TARGET,FSTYPE -T /etc/passwd
      stat -f -c '%i %T %a %d' / /tmp /etc /proc
`)
	first, second := lab.Experiment(t, file, "--strace"), lab.Experiment(t, file, "--strace")
	noteTried(t, "machine_files", first.Output)
	lab.Same(t, first.Output, second.Output)
	out := first.Stdout(t, "host", "look")
	for _, leak := range []string{first.Output, "upperdir", "simterpose", "cgroup "} {
		if strings.Contains(out, leak) {
			t.Errorf("a host tells of %q:\n%s", leak, out)
		}
	}
	if got := strings.Count(out, "overlay /etc overlay rw,relatime 0 0\n"); got != 3 {
		t.Errorf("/etc is mounted in %d of mounts, mtab and a link:\n%s", got, out)
	}
	finish(t, first)
}
