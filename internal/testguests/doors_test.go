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

// doors are the guests that ask every door by which a program learns the time, or
// what differs from run to run, in four languages, and whether all tell the same.
var doors = []struct {
	name    string
	command func(t *testing.T) []string
	// closed are those of allDoors that the language does not reach, and why.
	closed map[string]string
}{
	{name: "doors-c", command: func(t *testing.T) []string { return command(t, "doors/doors.c") }},
	{name: "doors-rdtsc", command: func(t *testing.T) []string { return command(t, "doors/rdtsc.c") }},
	{name: "doors-go", command: func(t *testing.T) []string { return command(t, "doors/godoors") }, closed: map[string]string{
		"clock":                "of the C library, which a Go program has not got",
		"__vdso_clock_gettime": "Go's runtime alone calls the vDSO: time.Now, with which all else is compared",
		"__vdso_gettimeofday":  "Go's runtime does not use it",
		"__vdso_time":          "Go's runtime does not use it",
		"__vdso_clock_getres":  "Go's runtime does not use it",
		"__vdso_getcpu":        "Go's runtime does not use it",
		"__vdso_getrandom":     "Go's runtime alone calls it: crypto/rand",
	}},
	{name: "doors-python", command: func(t *testing.T) []string { return command(t, "doors/doors.py") }},
	{name: "doors-java", command: javaDoors},
}

// allDoors are those that each guest has to ask.
var allDoors = []string{
	"CLOCK_REALTIME, by a call", "CLOCK_REALTIME_COARSE", "CLOCK_REALTIME_ALARM", "CLOCK_TAI",
	"CLOCK_MONOTONIC_COARSE", "CLOCK_MONOTONIC_RAW, by a call", "CLOCK_BOOTTIME, by a call", "CLOCK_BOOTTIME_ALARM",
	"CLOCK_PROCESS_CPUTIME_ID, by a call", "CLOCK_THREAD_CPUTIME_ID, by a call", "clock_getcpuclockid", "clock_getres",
	"gettimeofday", "gettimeofday, by a call", "time", "time, by a call", "adjtimex", "clock_adjtime",
	"clock_settime", "settimeofday", "TFD_TIMER_CANCEL_ON_SET",
	"a timerfd", "a POSIX timer", "setitimer", "ITIMER_PROF", "clock_nanosleep",
	"times", "clock", "getrusage of the process", "getrusage of the thread", "getrusage of children", "sysinfo",
	"/proc/self/stat", "/proc/stat", "btime in /proc/stat", "/proc/uptime", "/proc/loadavg",
	"a new file", "a new folder", "write", "utimensat", "chmod", "birth", "SO_TIMESTAMPNS",
	"__vdso_clock_gettime", "__vdso_gettimeofday", "__vdso_time", "__vdso_clock_getres", "__vdso_getcpu", "__vdso_getrandom",
	"rdtsc", "rdtscp", "AT_RANDOM", "getrandom", "/dev/urandom", "/dev/random", "boot_id", "uuid", "RDRAND", "RDSEED",
}

func javaFolder() string { return filepath.Join(lab.Folder(), "java") }

// javaDoors compiles the guest and its native code, for which the JDK's own folder has
// the headers.
func javaDoors(t *testing.T) []string {
	folder := javaFolder()
	run := func(words ...string) {
		if text, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", words, err, text)
		}
	}
	run("/usr/bin/javac", "-d", folder, "doors/Doors.java")
	compiler, err := filepath.EvalSymlinks("/usr/bin/javac")
	if err != nil {
		t.Fatal(err)
	}
	headers := filepath.Join(filepath.Dir(filepath.Dir(compiler)), "include")
	run("gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I", headers, "-I", filepath.Join(headers, "linux"),
		"-o", filepath.Join(folder, "libdoors.so"), "doors/Native.c")
	// Without a second compiler and collector thread it starts sooner.
	return []string{
		"/usr/bin/java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto",
		"-Djava.library.path=" + folder, "-cp", folder, "Doors",
	}
}

// TestDoors runs them natively, and emulated on hosts whose clock is right and
// wrong, with the machine's time stamp counter and a simulated one, and with a cost
// of each call. What is random must differ from the machine's, and be the same in
// the emulated runs.
func TestDoors(t *testing.T) {
	for _, d := range doors {
		command := d.command(t)
		// The folder of the classes is not one that hosts see; the experiment's is.
		list := strings.ReplaceAll(words(command), javaFolder(), "/run/experiment")
		t.Run(d.name, func(t *testing.T) {
			native := exec.Command(command[0], command[1:]...)
			native.Dir = t.TempDir()
			var text, errors strings.Builder
			native.Stdout, native.Stderr = &text, &errors
			if err := native.Run(); err != nil {
				t.Fatalf("natively: %v\n%s%s", err, text.String(), errors.String())
			}
			golden(t, d.name, text.String(), true)
			tells(t, d.name, text.String(), d.closed)
			machine, first := randomOf(errors.String()), ""
			for _, clock := range []string{"tsc: simulated\n", "", "cpu: {fixed: {per_call: 2us}}\nclocks: [{host: tester, offset: 1000s, drift: -50ppm}]\n"} {
				counter := ""
				if strings.HasPrefix(clock, "tsc") {
					counter = ", GUEST_TSC: simulated"
				} else if d.name == "doors-rdtsc" {
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
					"  - {host: tester, name: guest, command: [%s], env: {GUEST_SLACK_NS: %q, GUEST_EPOCH: \"1893456000\"%s}}\n",
					clock, list, slack, counter))
				r := lab.Experiment(t, file)
				golden(t, d.name, r.Stdout(t, "tester", "guest"), false)
				finish(t, r)
				random := randomOf(r.Stderr(t, "tester", "guest"))
				if first == "" {
					first = random
				}
				if random != first {
					t.Errorf("%srandom is\n%snot\n%s", clock, random, first)
				}
			}
			if d.name == "doors-rdtsc" {
				return
			}
			for line := range strings.Lines(machine) {
				if strings.Contains(first, line) {
					t.Errorf("emulated as natively: %s", line)
				}
			}
		})
	}
}

// tells shows that a guest asks all doors but those that are closed to it.
func tells(t *testing.T, name, text string, closed map[string]string) {
	if name == "doors-rdtsc" {
		return // it is for this one door
	}
	for _, door := range allDoors {
		asked := strings.Contains(text, "ok   "+door+"\n")
		if reason, ok := closed[door]; ok == asked {
			t.Errorf("%s asks %s: %v %s", name, door, asked, reason)
		}
	}
}

// randomOf are the lines in which a guest tells random numbers.
func randomOf(text string) string {
	var lines strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "random: ") {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

// TestClocks shows that hosts' calendar clocks may be wrong, drift, and be set and
// adjusted by guests, and what waits for them follows.
func TestClocks(t *testing.T) {
	program := command(t, "doors/calendar.c")
	file := experiment(t, fmt.Sprintf(`platform:
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
