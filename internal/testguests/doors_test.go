package testguests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

// doors are the guests that ask every door by which a program learns the time,
// in four languages, and whether all tell the same.
var doors = []struct {
	name    string
	command func(t *testing.T) []string
}{
	{"doors-c", func(t *testing.T) []string { return command(t, "doors/doors.c") }},
	{"doors-rdtsc", func(t *testing.T) []string { return command(t, "doors/rdtsc.c") }},
	{"doors-go", func(t *testing.T) []string { return command(t, "doors/godoors") }},
	{"doors-python", func(t *testing.T) []string { return command(t, "doors/doors.py") }},
	{"doors-java", javaDoors},
}

func javaFolder() string { return filepath.Join(lab.Folder(), "java") }

func javaDoors(t *testing.T) []string {
	folder := javaFolder()
	compiler := exec.Command("/usr/bin/javac", "-d", folder, "doors/Doors.java")
	if text, err := compiler.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	// Without a second compiler and collector thread it starts sooner.
	return []string{"/usr/bin/java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-cp", folder, "Doors"}
}

// TestDoors runs them natively, and emulated on hosts whose clock is right and
// wrong, with the machine's time stamp counter and a simulated one.
func TestDoors(t *testing.T) {
	for _, d := range doors {
		command := d.command(t)
		// The folder of the classes is not one that hosts see; the experiment's is.
		list := strings.ReplaceAll(words(command), javaFolder(), "/run/experiment")
		t.Run(d.name, func(t *testing.T) {
			native := exec.Command(command[0], command[1:]...)
			native.Dir = t.TempDir()
			text, err := native.CombinedOutput()
			if err != nil {
				t.Fatalf("natively: %v\n%s", err, text)
			}
			golden(t, d.name, string(text), true)
			for _, clock := range []string{"tsc: simulated\n", "", "clocks: [{host: tester, offset: 1000s, drift: -50ppm}]\n"} {
				if d.name == "doors-rdtsc" && clock != "tsc: simulated\n" {
					continue // the machine's counter runs in real time
				}
				folder := t.TempDir()
				if d.name == "doors-java" {
					if err := os.CopyFS(folder, os.DirFS(javaFolder())); err != nil {
						t.Fatal(err)
					}
				}
				file := filepath.Join(folder, "experiment.yaml")
				write(t, file, fmt.Sprintf("platform:\n  hosts: [{name: tester, speed: 1Gf}]\nstop: 1000s\n%sprocesses:\n"+
					"  - {host: tester, name: guest, command: [%s], env: {GUEST_SLACK_NS: %q, GUEST_EPOCH: \"1893456000\"}}\n",
					clock, list, slack))
				r := lab.Experiment(t, file)
				golden(t, d.name, r.Stdout(t, "tester", "guest"), false)
				finish(t, r)
			}
		})
	}
}

// TestClocks shows that hosts' calendar clocks may be wrong, drift, and be set and
// adjusted by guests, and what waits for them follows.
func TestClocks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "experiment.yaml")
	program := command(t, "doors/calendar.c")
	write(t, file, fmt.Sprintf(`platform:
  hosts: [{name: right, speed: 1Gf}, {name: wrong, speed: 1Gf}]
clocks: [{host: wrong, offset: 3s, drift: 20ppm}]
stop: 10000s
processes:
  - {host: right, name: date, command: "sleep 1000; date -u +%%FT%%T"}
  - {host: wrong, name: date, command: "date -u +%%FT%%T; sleep 1000; date -u +%%FT%%T.%%2N"}
  - {host: right, name: guest, start: 2000s, command: [%s]}
`, words(program)))
	r := lab.Experiment(t, file)
	finish(t, r)
	for process, want := range map[string]string{"right": "2030-01-01T00:16:40\n", "wrong": "2030-01-01T00:00:03\n2030-01-01T00:16:43.02\n"} {
		if got := r.Stdout(t, process, "date"); got != want {
			t.Errorf("on %s: %q, not %q", process, got, want)
		}
	}
	text := r.Stdout(t, "right", "guest")
	want, err := os.ReadFile("golden/calendar.txt")
	if *update {
		err = os.WriteFile("golden/calendar.txt", []byte(text), 0o644)
		want = []byte(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) || strings.Contains(text, "BAD") {
		t.Errorf("setting the clock printed:\n%s", text)
	}
}
