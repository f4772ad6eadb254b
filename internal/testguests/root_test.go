package testguests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

// TestRoot runs the guests that begin as root: they print the same natively, if
// the tests are root's, and on hosts, whoever runs simterpose. And simterpose
// tells the same of both runs, to the nanosecond.
func TestRoot(t *testing.T) {
	sources, err := filepath.Glob("root/*.c")
	if err != nil || len(sources) == 0 {
		t.Fatal(sources, err)
	}
	for _, source := range sources {
		name := title(source)
		program := filepath.Join(lab.Folder(), "root-"+name)
		lab.BuildC(t, source, program)
		if os.Getuid() == 0 {
			t.Run(name+"/native", func(t *testing.T) {
				native := exec.Command(program)
				// A network of its own: its settings are not this machine's.
				native.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{}, Unshareflags: syscall.CLONE_NEWNET}
				text, err := native.Output()
				if err != nil {
					t.Fatal(err)
				}
				golden(t, "root-"+name, string(text), true)
			})
		}
		var calls []string
		for _, who := range lab.Runners() {
			t.Run(name+"/"+who.Name, func(t *testing.T) {
				folder := who.Folder(t)
				file := filepath.Join(folder, "experiment.yaml")
				write(t, file, fmt.Sprintf("platform:\n  hosts: [{name: tester, speed: 1Gf}]\nprocesses:\n  - {host: tester, name: guest, command: [%s]}\n", program))
				r := who.Experiment(t, file, filepath.Join(folder, "output"), "--strace")
				golden(t, "root-"+name, r.Stdout(t, "tester", "guest"), false)
				finish(t, r)
				noteTried(t, name, r.Output)
				text, err := os.ReadFile(filepath.Join(r.Output, "hosts/tester/guest.strace"))
				if err != nil {
					t.Fatal(err)
				}
				calls = append(calls, string(text))
			})
		}
		if len(calls) == 2 && calls[0] != calls[1] {
			one, two := strings.Split(calls[0], "\n"), strings.Split(calls[1], "\n")
			for i := range one {
				if i >= len(two) || one[i] != two[i] {
					t.Errorf("%s: root's and the user's runs differ in line %d: %q and %q", name, i+1, one[i], append(two, "the end")[min(i, len(two))])
					break
				}
			}
		}
	}
}
