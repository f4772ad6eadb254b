package testguests

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

// TestSpliceToTerminal shows that a guest that fills a terminal does not stop the
// emulator. What terminals do is not repeatable, so it is no guest of TestEmulated.
func TestSpliceToTerminal(t *testing.T) {
	splice := program(t, "terminal/splice.c")
	p := native{path: []string{splice}, folder: t.TempDir()}
	p.start(t)
	if state := p.wait(t); state != "exit status 0" {
		t.Errorf("natively: %s\n%s", state, p.printed())
	}
	file := filepath.Join(t.TempDir(), "experiment.yaml")
	write(t, file, fmt.Sprintf(`platform: {hosts: [{name: tester}]}
processes: [{host: tester, name: guest, command: [%s]}]
`, lab.Quote(splice)))
	r := lab.Experiment(t, file)
	finish(t, r)
	if emulated := r.Stdout(t, "tester", "guest"); emulated != p.printed() {
		t.Errorf("natively:\n%semulated:\n%s", p.printed(), emulated)
	}
}
