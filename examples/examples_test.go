// Package examples runs the examples, each twice, and checks what they are
// there to show.
package examples

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// check looks at a file of a run's output folder.
type check struct {
	file string // below hosts/
	want string // a regular expression for the whole of it
	test func(t *testing.T, match []string)
}

var examples = []struct {
	name   string
	within time.Duration // of real time, on a machine that does little else
	checks []check
}{
	{name: "http", within: 5 * time.Second, checks: []check{
		{"client/curl.stdout", `^200 10000000 ([0-9.]+)\n$`, between(8.2, 9.2)},
	}},
	{name: "redis", checks: []check{
		{"client-1/values.stdout", `^OK\n1\n1\nhello\nREADONLY You can't write against a read only replica.\n\n$`, nil},
		{"client-2/benchmark.stdout", `(?m)^"GET","([0-9.]+)"`, between(4900, 5000)},
		{"replica/redis-server.stdout", `MASTER <-> REPLICA sync: Finished with success`, nil},
	}},
	{name: "nginx", checks: []check{
		{"client/curl.stdout", `^hello\n$`, nil},
		{"client/wrk.stdout", `(?m)^Requests/sec: +([0-9.]+)$`, between(9500, 10000)},
	}},
	{name: "iperf3", checks: []check{
		{"client/tcp.stdout", `([0-9.]+) Mbits/sec +[0-9]+ +sender`, between(95, 105)},
		{"client/tcp.stdout", `([0-9.]+) Mbits/sec +receiver`, between(95, 105)},
		{"client/udp.stdout", `([0-9.]+) Mbits/sec .* 0/[0-9]+ \(0%\) +receiver`, between(49, 51)},
	}},
	{name: "go-http", checks: []check{
		{"client-1/client.stdout", `^slept 100ms in 180ms\nslept 200ms in 280ms\nslept 1s in 1.08s\nslept 3s in 3.08s\ndeadline exceeded after 5s\n$`, nil},
		{"client-2/client.stdout", `^slept 100ms in 180ms\n`, nil},
	}},
	{name: "asyncio", checks: []check{
		{"client-1/client.stdout", `^slept 1 1.08\nslept 2.5 2.58\ndeadline 5.04\n$`, nil},
		{"client-3/client.stdout", `^slept 1 1.08\nslept 2.5 2.58\ndeadline 5.04\n$`, nil},
	}},
	{name: "shell", within: 5 * time.Second, checks: []check{
		{"alpha/script.stdout", `(?s)^alpha\n2030-01-01T00:00:00Z\n5 4 3 2 1 \n2030-01-01T01:00:00Z\njob 1\njob 2\njob 3\ntrapped\n` +
			`timeout says 124\n2030-01-01T01:00:08Z\nfd00::a00:2 +beta\neth0@if1000 UP 10.0.0.1/8 \nPING .*3 received, 0% packet loss`, nil},
		{"alpha/script.stdout", `(?m)^rtt min/avg/max/mdev = ([0-9.]+)/`, between(40, 40.2)},
	}},
	{name: "prototype", checks: []check{
		{"Jupiter/client.stdout", `(?s)^.*answer 0\n.*answer 4\n.*passed\n$`, nil},
		{"../summary.json", `"host": "Jupiter",[^}]*"end": ([0-9.]+)`, between(3.06505, 3.06507)},
	}},
	{name: "faults", checks: []check{
		{"client/client.stdout", `(?s)4.012 x\n8.012 TimeoutError\n15.014 ConnectionRefusedError\n16.016 connected\n` +
			`.*21.028 x\n25.028 TimeoutError\n27.030 connected\n.*40.507 No space left on device\n.*43.513 x\n`, nil},
		{"server/server.stdout", `^nothing counted before\ncounted before: 5\n$`, nil},
		{"client/event-1.stdout", `^Tue Jan  1 02:00:47 UTC 2030\n`, nil},
	}},
	{name: "ssh", checks: []check{
		{"client/session.stdout", `^server\n2030-01-01\ndea9193b768319cbb4ff1a137ac03113  -\ndea9193b768319cbb4ff1a137ac03113  -\n$`, nil},
	}},
}

// between wants the first group of a match to be a number in a range.
func between(low, high float64) func(*testing.T, []string) {
	return func(t *testing.T, match []string) {
		t.Helper()
		if v, err := strconv.ParseFloat(match[1], 64); err != nil || v < low || v > high {
			t.Errorf("%s, want a number from %v to %v", match[1], low, high)
		}
	}
}

// again is how guests are stopped when an example runs the second time.
var again = flag.String("again", "notify", "run examples the second time under this `interceptor`")

// TestExamples runs each example twice, with full mediation and with address
// translation, which must make no difference.
func TestExamples(t *testing.T) {
	simterpose := filepath.Join(t.TempDir(), "simterpose")
	prepare(t, simterpose)
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			first := filepath.Join(t.TempDir(), "out")
			begin := time.Now()
			run(t, simterpose, e.name, first)
			// Twice the time, because CI's machines do other things too.
			if took := time.Since(begin); e.within > 0 && took > 2*e.within {
				t.Errorf("took %v, want at most %v", took, e.within)
			}
			look(t, first, e.checks)
			// The output path is the same for both: guests can see it.
			kept := first + ".first"
			if err := os.Rename(first, kept); err != nil {
				t.Fatal(err)
			}
			trace := first + ".trace"
			run(t, simterpose, e.name, first, "--record", trace, "--mediation", "translation", "--interceptor", *again)
			compare(t, kept, first)
			if e.name != "faults" { // a trace has no events
				replayed(t, simterpose, e.name, trace, first)
			}
		})
	}
}

// prepare builds simterpose and what some examples need.
func prepare(t *testing.T, simterpose string) {
	t.Helper()
	build(t, "..", simterpose, "./cmd/simterpose")
	build(t, "go-http", "go-http", ".")
	compile(t, filepath.Join("..", "internal", "testguests", "pairs", "exchange.c"), filepath.Join("prototype", "exchange"))
}

// look makes the checks on a run's output folder.
func look(t *testing.T, output string, checks []check) {
	t.Helper()
	for _, c := range checks {
		content, err := os.ReadFile(filepath.Join(output, "hosts", c.file))
		if err != nil {
			t.Error(err)
			continue
		}
		match := regexp.MustCompile(c.want).FindStringSubmatch(string(content))
		if match == nil {
			t.Errorf("%s does not match %s:\n%s", c.file, c.want, content)
		} else if c.test != nil {
			c.test(t, match)
		}
	}
}

func build(t *testing.T, folder, output, target string) {
	t.Helper()
	command := exec.Command("go", "build", "-o", output, target)
	command.Dir = folder
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", target, err, out)
	}
}

func compile(t *testing.T, source, output string) {
	t.Helper()
	compileWith(t, "cc", source, output)
}

func compileWith(t *testing.T, compiler, source, output string) {
	t.Helper()
	if out, err := exec.Command(compiler, "-O1", "-o", output, source).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", compiler, source, err, out)
	}
}

// run runs an example, and again if a thread was preempted: the emulator says
// itself that such a run is not repeatable, and on a machine that is held up by
// others it may happen to a program that computes for a moment.
func run(t *testing.T, simterpose, name, output string, flags ...string) {
	t.Helper()
	arguments := append([]string{"run", "--force", "--output", output, filepath.Join(name, "experiment.yaml")}, flags...)
	for range 3 {
		out, err := exec.Command(simterpose, arguments...).CombinedOutput()
		log, _ := os.ReadFile(filepath.Join(output, "log"))
		if err != nil {
			t.Fatalf("simterpose run: %v\n%s%s", err, out, log)
		}
		if !bytes.Contains(log, []byte("is stopped for others")) {
			return
		}
		t.Logf("%s is run again: %s", name, log)
	}
}

// compare wants two output folders to have the same content, but for what
// summary.json says of real time.
func compare(t *testing.T, a, b string) {
	t.Helper()
	files := contents(t, a)
	again := contents(t, b)
	for name, content := range files {
		if !bytes.Equal(content, again[name]) {
			t.Errorf("%s differs between two runs:\n%s", name, cmp.Diff(string(content), string(again[name])))
		}
		delete(again, name)
	}
	for name := range again {
		t.Errorf("%s is only there the second time", name)
	}
}

func contents(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if name == "summary.json" {
			content, err = withoutReal(content)
		}
		files[name] = content
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// withoutReal drops the one object of a summary that tells of real time.
func withoutReal(summary []byte) ([]byte, error) {
	var all map[string]any
	if err := json.Unmarshal(summary, &all); err != nil {
		return nil, err
	}
	if all["real"] == nil {
		return nil, errors.New("summary.json has no object named real")
	}
	delete(all, "real")
	return json.Marshal(all)
}

// TestVerify runs three examples twenty times on one processor of a machine that
// is kept busy, and compares every call and all outputs. scripts/verify does so
// with all of them.
func TestVerify(t *testing.T) {
	simterpose := filepath.Join(t.TempDir(), "simterpose")
	prepare(t, simterpose)
	busy := exec.Command("sh", "-c", "while :; do :; done")
	if err := busy.Start(); err != nil {
		t.Fatal(err)
	}
	defer busy.Wait()
	defer busy.Process.Kill()
	for _, name := range []string{"prototype", "go-http", "ssh"} {
		output := filepath.Join(t.TempDir(), "out")
		out, err := exec.Command("taskset", "-c", "0", simterpose, "run", "--verify", "20", "--output", output,
			filepath.Join(name, "experiment.yaml")).CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("20 runs, all the same")) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
