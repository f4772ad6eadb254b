package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestSignalsEndARun sends signals to a run whose guests ignore all they can,
// and looks for survivors.
func TestSignalsEndARun(t *testing.T) {
	for _, test := range []struct {
		name    string
		signals []unix.Signal
		status  int
		summary bool // left in any case
	}{
		{"interrupt", []unix.Signal{unix.SIGINT}, exitInterrupted, true},
		{"terminate", []unix.Signal{unix.SIGTERM}, exitInterrupted, true},
		{"interrupt twice", []unix.Signal{unix.SIGINT, unix.SIGINT}, exitInterrupted, false},
		{"kill", []unix.Signal{unix.SIGKILL}, -1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			marker := "marker-" + filepath.Base(filepath.Dir(folder)) + "-" + strings.ReplaceAll(test.name, " ", "-")
			experiment := filepath.Join(folder, "lab.yaml")
			text := `platform: {hosts: [{name: a}]}
processes:
  - {host: a, name: loop, command: [sh, -c, "trap '' INT TERM HUP; echo ready; while :; do sleep 1; done", ` + marker + `]}
  - {host: a, command: [sh, -c, "trap '' INT TERM HUP; while :; do :; done", ` + marker + `], start: 1s}
`
			if err := os.WriteFile(experiment, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			output := filepath.Join(folder, "out")
			command := exec.Command("simterpose", "run", "-o", output, experiment)
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			await(t, "the guest", func() bool {
				text, _ := os.ReadFile(filepath.Join(output, "hosts/a/loop.stdout"))
				return bytes.Contains(text, []byte("ready"))
			})
			for _, signal := range test.signals {
				if err := command.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
			}
			// Wait's error is the status, which is compared.
			_ = command.Wait()
			if got := command.ProcessState.ExitCode(); got != test.status {
				t.Errorf("exit status %d, want %d", got, test.status)
			}
			if _, err := os.Stat(filepath.Join(output, summaryFile)); test.summary && err != nil {
				t.Error(err)
			}
			await(t, "the guests' end", func() bool { return len(processesWith(t, marker)) == 0 })
		})
	}
}

// await waits until done, and fails when that takes too long.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for begin := time.Now(); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Since(begin) > 20*time.Second {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// processesWith returns the processes whose command line has the word.
func processesWith(t *testing.T, word string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		// A process that is gone meanwhile is none.
		if text, err := os.ReadFile(file); err == nil && bytes.Contains(text, []byte("\x00"+word+"\x00")) {
			found = append(found, filepath.Dir(file))
		}
	}
	return found
}
