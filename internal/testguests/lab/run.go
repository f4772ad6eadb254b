package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Run is what a run of an experiment left behind.
type Run struct {
	Output   string // the output folder
	Terminal string // what the command printed, and its errors
	Exit     int
	Real     time.Duration
	Summary  Summary
}

// Summary is what tests read of summary.json.
type Summary struct {
	SimulatedSeconds float64   `json:"simulated_seconds"`
	AsExpected       bool      `json:"as_expected"`
	Processes        []Process `json:"processes"`
}

// Process is one line of the summary.
type Process struct {
	Host     string   `json:"host"`
	Name     string   `json:"name"`
	Start    *float64 `json:"start"` // simulated seconds
	End      *float64 `json:"end"`
	ExitCode *int     `json:"exit_code"`
	Signal   *string  `json:"signal"`
	Verdict  string   `json:"verdict"`
	// Processor is the real processor time used, in seconds.
	Processor float64 `json:"processor_seconds"`
}

// Process returns the line of a process, which must be there.
func (s *Summary) Process(t testing.TB, host, name string) Process {
	t.Helper()
	for _, p := range s.Processes {
		if p.Host == host && p.Name == name {
			return p
		}
	}
	t.Fatalf("summary.json has no process %s on %s", name, host)
	panic("unreachable")
}

// Limit is how long a run may take before the test gives it up. Experiments of
// minutes of simulated time take seconds; what takes this long hangs. A test of
// hundreds of hosts may set it before it runs any.
var Limit = 2 * time.Minute

// Experiment runs an experiment file into a new output folder. It fails the test
// when the command does not end by itself; the exit status is the caller's
// matter.
func Experiment(t testing.TB, file string, flags ...string) *Run {
	t.Helper()
	return Runner{}.Experiment(t, file, filepath.Join(t.TempDir(), "output"), flags...)
}

// interceptor is what the tests run everything under that does not say so.
var interceptor = flag.String("interceptor", "", "run experiments by `NAME`, notify or ptrace")

// Experiment is the function of that name, run by the runner.
func (r Runner) Experiment(t testing.TB, file, output string, flags ...string) *Run {
	t.Helper()
	arguments := []string{"run", file, "--output", output}
	if *interceptor != "" {
		arguments = append(arguments, "--interceptor", *interceptor)
	}
	terminal, exit, real := command(t, r.credential, Simterpose(t), append(arguments, flags...)...)
	return outcome(t, output, terminal, exit, real)
}

// outcome reads what a run left behind.
func outcome(t testing.TB, output, terminal string, exit int, real time.Duration) *Run {
	t.Helper()
	r := &Run{Output: output, Terminal: terminal, Exit: exit, Real: real}
	text, err := os.ReadFile(filepath.Join(output, "summary.json"))
	if err == nil {
		err = json.Unmarshal(text, &r.Summary)
	}
	if err != nil {
		t.Fatalf("%v; simterpose exited with %d and printed:\n%s", err, exit, terminal)
	}
	return r
}

// Command runs a program and returns what it printed on both outputs together,
// its exit status and how long it took. When it hangs, it and its children are
// killed and the test fails.
func Command(t testing.TB, path string, arguments ...string) (terminal string, exit int, real time.Duration) {
	t.Helper()
	return command(t, nil, path, arguments...)
}

func command(t testing.TB, credential *syscall.Credential, path string, arguments ...string) (terminal string, exit int, real time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Limit)
	defer cancel()
	c := exec.CommandContext(ctx, path, arguments...)
	var text bytes.Buffer
	c.Stdout, c.Stderr = &text, &text
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: credential}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = 5 * time.Second
	begin := time.Now()
	err := c.Run()
	real = time.Since(begin)
	var ended *exec.ExitError
	switch {
	case ctx.Err() != nil:
		t.Fatalf("%s does not end; it printed:\n%s", c, &text)
	case err != nil && !errors.As(err, &ended):
		t.Fatal(err)
	}
	return text.String(), c.ProcessState.ExitCode(), real
}

// Stdout returns what a process of the experiment printed.
func (r *Run) Stdout(t testing.TB, host, name string) string {
	t.Helper()
	return r.read(t, host, name+".stdout")
}

// Stderr returns what a process of the experiment printed on its standard error.
func (r *Run) Stderr(t testing.TB, host, name string) string {
	t.Helper()
	return r.read(t, host, name+".stderr")
}

func (r *Run) read(t testing.TB, host, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.Output, "hosts", host, file))
	if err != nil {
		t.Fatalf("%v; simterpose exited with %d and printed:\n%s", err, r.Exit, r.Terminal)
	}
	return string(text)
}

// Quote writes a text as a YAML string.
func Quote(text string) string { return strconv.Quote(text) }
