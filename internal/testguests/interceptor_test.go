package testguests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

// TestInterceptorIsChosen runs simterpose under filters of seccomp that leave no
// user notification for it.
func TestInterceptorIsChosen(t *testing.T) {
	outer := filepath.Join(lab.Folder(), "outer")
	lab.BuildC(t, "outer/outer.c", outer)
	file := experiment(t, "platform: {hosts: [{name: host, speed: 1Gf}]}\nprocesses: [{host: host, name: echo, command: [echo, hello]}]\n")
	for filter, reason := range map[string]string{"refused": "invalid argument", "taken": "device or resource busy"} {
		t.Run(filter, func(t *testing.T) {
			output := filepath.Join(t.TempDir(), "output")
			run := []string{filter, lab.Simterpose(t), "run", file, "--output", output}
			terminal, exit, _ := lab.Command(t, outer, run...)
			said := "simterpose: seccomp user notification is not possible here (" + reason + "): interceptor ptrace is used\n"
			if exit != 0 || !strings.HasPrefix(terminal, said) {
				t.Errorf("exit status %d, printed:\n%s", exit, terminal)
			}
			summary, err := os.ReadFile(filepath.Join(output, "summary.json"))
			if err != nil || !strings.Contains(string(summary), `"interceptor": "ptrace"`) {
				t.Errorf("%v, summary:\n%s", err, summary)
			}
			const missing = 3
			terminal, exit, _ = lab.Command(t, outer, append(run, "--force", "--interceptor", "notify")...)
			if exit != missing || !strings.Contains(terminal, reason) || !strings.Contains(terminal, "--interceptor ptrace") {
				t.Errorf("notify: exit status %d, printed:\n%s", exit, terminal)
			}
		})
	}
	r := lab.Experiment(t, file, "--interceptor", "notify")
	if strings.Contains(r.Terminal, "interceptor") {
		t.Errorf("without need it says:\n%s", r.Terminal)
	}
}
