package testguests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

// TestProcIsTheSame reads all of /proc and /sys in runs of an ordinary user's, of
// root's, and in another one with other permissions for new files: a host tells the
// same each time, and nothing of who runs it.
func TestProcIsTheSame(t *testing.T) {
	sweep, err := os.ReadFile("proc/sweep.py")
	if err != nil {
		t.Fatal(err)
	}
	runners := lab.Runners()
	var first *lab.Run
	for i, runner := range append(runners, runners[0]) {
		folder := runner.Folder(t)
		file := filepath.Join(folder, "experiment.yaml")
		write(t, filepath.Join(folder, "sweep.py"), string(sweep))
		write(t, file, `platform:
  hosts: [{name: host, speed: 1Gf, cores: 2}]
processes:
  - {host: host, name: sweep, command: /usr/bin/python3 $SIMTERPOSE_EXPERIMENT_DIR/sweep.py made}
  - host: host
    name: user
    start: 1s
    command: setpriv --reuid 1000 --regid 1000 --clear-groups /usr/bin/python3 $SIMTERPOSE_EXPERIMENT_DIR/sweep.py /var/tmp/made
`)
		if i == len(runners) {
			defer unix.Umask(unix.Umask(0o077))
		}
		r := runner.Experiment(t, file, filepath.Join(folder, "output"))
		finish(t, r)
		if first == nil {
			first = r
			for _, leak := range []string{folder, "memfd:clock", "simterpose-agent", "seccomp_do", "Seccomp:\t2"} {
				if strings.Contains(r.Stdout(t, "host", "sweep"), leak) {
					t.Errorf("a host tells of %q", leak)
				}
			}
			continue
		}
		lab.Same(t, first.Output, r.Output)
	}
}
