package testguests

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/simterpose/simterpose/internal/testguests/lab"
)

var update = flag.Bool("update", false, "write the golden files from the native runs")

func TestMain(m *testing.M) {
	flag.Parse()
	lab.Main(m)
}

// singles returns the names of the programs of one host, in order.
func singles(t *testing.T) []string {
	t.Helper()
	sources, err := filepath.Glob("c/*.c")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no guests in c/: %v", err)
	}
	var names []string
	for _, source := range sources {
		names = append(names, strings.TrimSuffix(filepath.Base(source), ".c"))
	}
	return names
}

var (
	built   = map[string]string{} // source to program
	builtMu sync.Mutex
)

// program builds a C program when it is asked for the first time.
func program(t *testing.T, source string) string {
	t.Helper()
	builtMu.Lock()
	defer builtMu.Unlock()
	if path, ok := built[source]; ok {
		return path
	}
	path := filepath.Join(lab.Folder(), strings.TrimSuffix(filepath.Base(source), ".c"))
	lab.BuildC(t, source, path)
	built[source] = path
	return path
}

// golden compares what a program printed with its golden file, or writes it.
func golden(t *testing.T, name, printed string, mayUpdate bool) {
	t.Helper()
	path := filepath.Join("golden", name+".txt")
	if mayUpdate && *update {
		if err := os.WriteFile(path, []byte(printed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(printed, "\n")); difference != "" {
		t.Errorf("%s (-want +printed):\n%s", path, difference)
	}
}
