package testguests

import (
	"path/filepath"
	"testing"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

const withQueueFiles = `platform:
  hosts: [{name: h, speed: 1Gf}, {name: other, speed: 1Gf}]
  switch: {bandwidth: 1Gbps, latency: 1ms}
processes:
  - host: h
    name: p
    command: |
      cd /dev/mqueue; put=/run/experiment/put; nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
      $put /jobs
      stat -c '%n %A %U %G %s' *; cat jobs; $put /jobs >/dev/null; cat jobs
      $nobody cat jobs 2>&1; $nobody rm -f jobs 2>&1; chmod 644 jobs; $nobody cat jobs
      chown nobody:nogroup jobs; stat -c '%U %G' jobs
      rm jobs; ls; $put /jobs >/dev/null; cat jobs; rm jobs
      umask 022; touch touched; cat touched; $nobody $put /theirs >/dev/null; stat -c '%n %U' *
      stat -fc %T .; grep -c ' /dev/mqueue mqueue ' /proc/mounts
  - {host: other, name: p, start: 1s, command: ls -A /dev/mqueue}
`

const queueFilesSay = `ok   mq_send(queue, "hello", 5, 1) = 0
passed
jobs -rw-r----- root root 80
QSIZE:5          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     
QSIZE:10         NOTIFY:0     SIGNO:0     NOTIFY_PID:0     
cat: jobs: Permission denied
rm: cannot remove 'jobs': Operation not permitted
QSIZE:10         NOTIFY:0     SIGNO:0     NOTIFY_PID:0     
nobody nogroup
QSIZE:5          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     
QSIZE:0          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     
theirs nobody
touched root
mqueue
1
`

// TestQueuesAreFiles looks at POSIX message queues in /dev/mqueue, as
// mq_overview(7) says.
func TestQueuesAreFiles(t *testing.T) {
	for _, who := range lab.Runners() {
		t.Run(who.Name, func(t *testing.T) {
			t.Parallel()
			folder := who.Folder(t)
			file := filepath.Join(folder, "experiment.yaml")
			write(t, file, withQueueFiles)
			lab.BuildC(t, "c/mqueue.c", filepath.Join(folder, "put"))
			r := who.Experiment(t, file, filepath.Join(folder, "output"))
			finish(t, r)
			if got := r.Stdout(t, "h", "p"); got != queueFilesSay {
				t.Errorf("printed\n%swant\n%s", got, queueFilesSay)
			}
			if got := r.Stdout(t, "other", "p"); got != "" {
				t.Errorf("another host sees %q", got)
			}
		})
	}
}
