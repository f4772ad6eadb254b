package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/simterpose/simterpose/guest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"simterpose": main,
	})
}

// TestScripts runs the command line as users do.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, arguments []string){
			"exits": exits,
		},
	})
}

// exits runs a command and checks its exit status: exits 2 simterpose run.
func exits(ts *testscript.TestScript, neg bool, arguments []string) {
	if neg || len(arguments) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND...")
	}
	want, err := strconv.Atoi(arguments[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(arguments[1], arguments[2:]...); err != nil {
		status, ok := err.(interface{ ExitCode() int })
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = status.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func TestBytesText(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 1 << 62: "4.6 EB",
	} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestQuotedWordsAreReadBackByBash(t *testing.T) {
	for word, want := range map[string]string{
		"": `''`, "a-b": "a-b", "a b": `'a b'`, "it's": `'it'\''s'`, "a\nb": `$'a\nb'`, "'\"\\\t": `$'\'"\\\t'`, "$x": `'$x'`,
	} {
		if got := quote(word); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}

func TestRemoveOutputKeepsOtherFolders(t *testing.T) {
	folder := t.TempDir()
	// As /var, which must survive --force --output /var.
	for _, inside := range []string{"/log", "/hosts", "/thesis"} {
		if err := os.Mkdir(folder+inside, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := makeOutput(folder, true); err == nil {
		t.Error("replaced")
	}
	if _, err := os.Stat(folder + "/thesis"); err != nil {
		t.Error(err)
	}
}

func TestForceReplacesWhatARunWrote(t *testing.T) {
	folder := t.TempDir() + "/out"
	for range 2 {
		if _, err := makeOutput(folder, true); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(folder + "/left"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("left: %v", err)
		}
		if err := os.WriteFile(folder+"/left", nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestExitStatus(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, exitAsExpected},
		{status(exitUnexpected), exitUnexpected},
		{errors.New("bad input"), exitUsage},
		{fmt.Errorf("starting: %w", &guest.MissingError{What: "user namespaces", How: "sysctl"}), exitMissing},
		{errors.Join(&guest.MissingError{What: "seccomp"}, nil), exitMissing},
	} {
		if got := exitStatus(test.err); got != test.want {
			t.Errorf("%v: %d, want %d", test.err, got, test.want)
		}
	}
}
