package testguests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

// slack is how much later than asked a sleep may end in simulated time, in
// nanoseconds (see check.h): what the calls around it cost, each some hundred.
const slack = "200000"

// different are the guests that show what is not covered yet, and why
// (docs/limits.md). One that behaves like Linux must be taken off the list.
var different = map[string]string{}

// otherWay are the flags of everything in the machinery that must not be seen.
var otherWay = []string{"--strace", "--mediation", "translation", "--interceptor", "ptrace"}

// TestEmulated runs each guest of one host under simterpose: it must print what
// it prints natively, and do the same twice, call by call, the second time with
// address translation and under the other interceptor.
func TestEmulated(t *testing.T) {
	for _, source := range singles(t) {
		t.Run(title(source), func(t *testing.T) {
			t.Parallel()
			name := title(source)
			file := experiment(t, fmt.Sprintf(`platform:
  hosts:
    - {name: tester, speed: 1Gf}
stop: 1000s
processes:
  - host: tester
    name: guest
    command: [%s]
    env: {GUEST_SLACK_NS: "%s"}
`, words(command(t, source)), slack))
			r := lab.Experiment(t, file, "--strace")
			noteTried(t, name, r.Output)
			if reason, ok := different[name]; ok {
				want, err := os.ReadFile(filepath.Join("golden", name+".txt"))
				if err != nil {
					t.Fatal(err)
				}
				if r.Exit == 0 && r.Stdout(t, "tester", "guest") == string(want) {
					t.Errorf("behaves like Linux now, though %s", reason)
				}
				return
			}
			lab.Same(t, r.Output, lab.Experiment(t, file, otherWay...).Output)
			golden(t, name, r.Stdout(t, "tester", "guest"), false)
			finish(t, r)
		})
	}
}

// twoHosts is the prototype's platform.
const twoHosts = `platform:
  hosts:
    - {name: Tremblay, speed: 98.095Mf}
    - {name: Jupiter, speed: 76.296Mf}
  links:
    - {name: link, bandwidth: 1e9Bps, latency: 500us}
  routes:
    - {from: Tremblay, to: Jupiter, links: [link]}
stop: 1000s
`

// TestEmulatedPairs runs each server on one host and its clients on another, the
// second time the other way.
func TestEmulatedPairs(t *testing.T) {
	for _, p := range pairs {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			var text strings.Builder
			text.WriteString(twoHosts + "processes:\n")
			process(&text, "Tremblay", "server", 0, "{exit: 0}", p.command(t, p.server, "Tremblay", "4000", 0))
			expect := "{exit: 0}"
			if p.ends == "signal: killed" {
				expect = "{signal: KILL}"
			}
			for i := range p.clients {
				process(&text, "Jupiter", fmt.Sprint("client", i), 3, expect, p.command(t, p.client, "Tremblay", "4000", 0))
			}
			file := experiment(t, text.String())
			r := lab.Experiment(t, file, "--strace")
			lab.Same(t, r.Output, lab.Experiment(t, file, otherWay...).Output)
			golden(t, p.name+".server", r.Stdout(t, "Tremblay", "server"), false)
			for i := range p.clients {
				golden(t, p.name+".client", r.Stdout(t, "Jupiter", fmt.Sprint("client", i)), false)
			}
			finish(t, r)
		})
	}
}

// process writes one process of an experiment.
func process(text *strings.Builder, host, name string, start int, expect string, command []string) {
	fmt.Fprintf(text, "  - {host: %s, name: %s, start: %ds, expect: %s, env: {GUEST_SLACK_NS: \"%s\"},\n     command: [%s]}\n",
		host, name, start, expect, slack, words(command))
}

// words writes a command as the elements of a YAML list.
func words(command []string) string {
	quoted := make([]string, len(command))
	for i, word := range command {
		quoted[i] = lab.Quote(word)
	}
	return strings.Join(quoted, ", ")
}

// finish fails the test unless all processes ended as expected.
func finish(t *testing.T, r *lab.Run) {
	t.Helper()
	if r.Exit != 0 || !r.Summary.AsExpected {
		t.Errorf("simterpose exited with %d and printed:\n%s", r.Exit, r.Terminal)
	}
}

// experiment is the path of a new experiment file of this content, in a folder of its
// own.
func experiment(t *testing.T, text string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "experiment.yaml")
	write(t, file, text)
	return file
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
