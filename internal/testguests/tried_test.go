package testguests

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/simterpose/simterpose/kernel"
)

// untried are the emulated calls that no guest of TestEmulated or TestRoot makes,
// and why.
var untried = map[string]string{
	"ptrace":            "refused on purpose: TestNothingLeaks tries it",
	"process_vm_readv":  "stops only for a process that is no guest: TestNothingLeaks",
	"process_vm_writev": "stops only for a process that is no guest: TestNothingLeaks",
	"add_key":           "refused on purpose: TestNothingLeaks",
	"request_key":       "refused on purpose, as by kernels without keyrings",
	"keyctl":            "refused on purpose: TestNothingLeaks",
	"io_uring_setup":    "refused on purpose, as by kernels without it",
	"rt_sigaction":      "stops only where rdtsc is trapped: TestDoors",
}

// tried are the calls that guests have made, and the guests that were run.
var tried = struct {
	sync.Mutex
	calls, guests map[string]bool
}{calls: map[string]bool{}, guests: map[string]bool{}}

// noteTried takes the names of calls from what --strace wrote.
func noteTried(t *testing.T, guest, output string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(output, "hosts", "*", "*.strace"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no list of calls in %s: %v", output, err)
	}
	tried.Lock()
	defer tried.Unlock()
	tried.guests[guest] = true
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			// Time, thread, call(arguments) = result.
			if fields := strings.SplitN(line, " ", 3); len(fields) == 3 {
				name, _, _ := strings.Cut(fields[2], "(")
				tried.calls[name] = true
			}
		}
	}
}

// TestTriedCalls runs behind TestEmulated and TestRoot: between them, guests that
// print the same natively and emulated have made each emulated call. After a part of
// the guests there is nothing to say.
func TestTriedCalls(t *testing.T) {
	guests := singles(t)
	roots, err := filepath.Glob("root/*.c")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range append(guests, roots...) {
		if !tried.guests[title(source)] {
			return
		}
	}
	for _, e := range kernel.Calls() {
		reason, excused := untried[e.Name()]
		switch {
		case e.Status != kernel.StatusEmulated:
		case !excused && !tried.calls[e.Name()]:
			t.Errorf("no guest makes the emulated call %s", e.Name())
		case excused && tried.calls[e.Name()]:
			t.Errorf("guests make the call %s, though %s", e.Name(), reason)
		}
	}
}
