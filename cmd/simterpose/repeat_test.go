package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRunsRepeat runs an experiment twice and compares all that it leaves.
func TestRunsRepeat(t *testing.T) {
	folder := t.TempDir()
	experiment := filepath.Join(folder, "lab.yaml")
	text := `platform:
  hosts: [{name: a}, {name: b}]
  switch: {bandwidth: 10Mbps, latency: 1ms}
seed: 3
stop: 1m
processes:
  - {host: a, command: "echo $$ $RANDOM; for i in 1 2 3; do (sleep 0.$i; date +%N; echo $i) & done; wait"}
  - {host: a, command: [bash, -c, "echo $RANDOM $$; head -c 16 /dev/urandom | od; getent hosts b"]}
  - {host: b, command: [sleep, "100"], daemon: true}
  - {host: b, command: "exit 4", expect: {exit: 4}}
`
	if err := os.WriteFile(experiment, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var outputs []map[string]string
	for _, name := range []string{"first", "second"} {
		output := filepath.Join(folder, name)
		if text, err := exec.Command("simterpose", "run", "--log-level", "debug", "--strace", "-o", output, experiment).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		outputs = append(outputs, contents(t, output))
	}
	if d := cmp.Diff(outputs[0], outputs[1]); d != "" {
		t.Error(d)
	}
}

// contents returns all files of an output folder, without what is real in the
// summary.
func contents(t *testing.T, output string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(output, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(output, path)
		files[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var s summary
	if err := json.Unmarshal([]byte(files[summaryFile]), &s); err != nil {
		t.Fatal(err)
	}
	if s.Real.Seconds <= 0 || s.Real.Begin.IsZero() || s.Real.Kernel == "" {
		t.Errorf("real: %+v", s.Real)
	}
	s.Real = realSummary{}
	rest, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	files[summaryFile] = string(rest)
	return files
}
