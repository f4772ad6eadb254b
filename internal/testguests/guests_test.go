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

// singles returns the sources of the programs of one host, in order: C programs,
// scripts, and folders of Go programs.
func singles(t *testing.T) []string {
	t.Helper()
	var sources []string
	for _, pattern := range []string{"c/*.c", "go/*", "script/*"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("no guests match %s: %v", pattern, err)
		}
		sources = append(sources, found...)
	}
	return sources
}

// title names a guest after its source.
func title(source string) string {
	return strings.TrimSuffix(filepath.Base(source), filepath.Ext(source))
}

// interpreters of the scripts, by suffix: Debian's own, not what PATH may hold.
var interpreters = map[string]string{".py": "/usr/bin/python3", ".rb": "/usr/bin/ruby", ".sh": "/bin/bash"}

// command returns the words that run a guest.
func command(t *testing.T, source string, arguments ...string) []string {
	t.Helper()
	source, err := filepath.Abs(source)
	if err != nil {
		t.Fatal(err)
	}
	if interpreter, ok := interpreters[filepath.Ext(source)]; ok {
		return append([]string{interpreter, source}, arguments...)
	}
	return append([]string{program(t, source)}, arguments...)
}

var (
	built   = map[string]string{} // source to program
	builtMu sync.Mutex
)

// program builds a C or Go program when it is asked for the first time.
func program(t *testing.T, source string) string {
	t.Helper()
	builtMu.Lock()
	defer builtMu.Unlock()
	if path, ok := built[source]; ok {
		return path
	}
	path := filepath.Join(lab.Folder(), title(source))
	if filepath.Ext(source) == ".c" {
		lab.BuildC(t, source, path)
	} else {
		lab.BuildGo(t, source, path)
	}
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
