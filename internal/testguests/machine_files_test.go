package testguests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

// TestMachineFiles reads what the machine's kernel tells of itself, of its mounts
// and disks: a host tells the same in each run, and nothing of the output folder.
func TestMachineFiles(t *testing.T) {
	file := experiment(t, `platform:
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

// TestMountsOfTheRun has the output folder beside a program, where hosts see it, and
// other users run it: no mount tells of that, or the runs would differ.
func TestMountsOfTheRun(t *testing.T) {
	first := ""
	for _, runner := range lab.Runners() {
		folder := runner.Folder(t)
		program, file := filepath.Join(folder, "look"), filepath.Join(folder, "experiment.yaml")
		if err := os.WriteFile(program, []byte("#!/bin/sh\ncat /proc/self/mountinfo\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, file, "platform:\n  hosts: [{name: host, speed: 1Gf}]\nprocesses:\n  - {host: host, name: look, command: ["+program+"]}\n")
		r := runner.Experiment(t, file, filepath.Join(folder, "output"))
		out := r.Stdout(t, "host", "look")
		if strings.Contains(out, "output") || !strings.Contains(out, " /etc ") {
			t.Errorf("a host tells of its mounts:\n%s", out)
		}
		if first == "" {
			first = out
		}
		if out != first {
			t.Errorf("mounts are\n%snot\n%s", out, first)
		}
		finish(t, r)
	}
}
