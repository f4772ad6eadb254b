package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseGo(t *testing.T) {
	got, err := parseGo(strings.NewReader(`=== RUN   TestOne
=== RUN   TestOne/part_of_it
--- PASS: TestOne (0.00s)
    --- SKIP: TestOne/part_of_it (0.00s)
=== RUN   TestWaits
=== PAUSE TestWaits
=== RUN   TestPrints
no newline--- FAIL: TestPrints (1.25s)
=== RUN   TestHangs
panic: test timed out after 10m0s
`))
	want := []Result{{"TestOne", Pass}, {"TestOne/part_of_it", Skip}, {"TestWaits", Missing}, {"TestPrints", Fail}, {"TestHangs", Unfinished}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestParsePython(t *testing.T) {
	got, err := parsePython(strings.NewReader(`printed without a newline
conformance: begin test.A.one

conformance: pass test.A.one
Traceback (most recent call last):

conformance: fail setUpClass_(test.B)

conformance: begin test.C.hangs
`))
	want := []Result{{"test.A.one", Pass}, {"setUpClass_(test.B)", Fail}, {"test.C.hangs", Unfinished}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	c := restPython(Command{Arguments: []string{"python3", "cases.py", "test.x", "earlier"}}, got)
	if diff := cmp.Diff([]string{"python3", "cases.py", "test.x", "test.C.hangs"}, c.Arguments); diff != "" {
		t.Error(diff)
	}
}

func TestRestSkipsWhatIsDone(t *testing.T) {
	c := restGo(Command{Arguments: []string{"x"}}, []Result{{"TestOne", Pass}, {"TestTwo/part", Pass}, {"TestHangs", Unfinished}})
	want := "-test.skip=^(" + strings.Join(goOutside, "|") + "|TestOne|TestHangs)$"
	if diff := cmp.Diff([]string{"x", want}, c.Arguments); diff != "" {
		t.Error(diff)
	}
}

func TestCompareCountsWhatPassesNatively(t *testing.T) {
	natively := []Result{{"A", Pass}, {"B", Pass}, {"C", Pass}, {"D", Pass}, {"E", Fail}, {"F", Skip}}
	emulated := []Result{{"A", Pass}, {"B", Fail}, {"C", Unfinished}, {"E", Pass}, {"F", Pass}}
	list := []difference{{"s", "A", "it was so"}, {"s", "B*", "it is so"}, {"other", "C", "elsewhere"}}
	c := compare("s", natively, emulated, list)
	want := comparison{
		suite: "s", native: 4, emulated: 1,
		known:   []deviation{{"B", Fail}},
		unknown: []deviation{{"C", Unfinished}, {"D", Missing}},
		agree:   list[:1],
	}
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(comparison{}, deviation{}, difference{})); diff != "" {
		t.Error(diff)
	}
}

func TestDifferencesAreWellFormed(t *testing.T) {
	list, err := differences()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, s := range suites() {
		known[s.Name] = true
	}
	for _, d := range list {
		if !known[d.suite] || d.reason == "" {
			t.Errorf("%+v is of no suite or has no reason", d)
		}
	}
}

func TestFiguresReplaceOnlyWhatRan(t *testing.T) {
	name := filepath.Join(t.TempDir(), "conformance.md")
	text := "a\n" + figuresBegin + "| `go/net` | 1 | 1 | 100.00 % | 2020-01-01 |\n" + figuresEnd + "b\n" + differencesBegin + differencesEnd
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	ran := []comparison{{suite: "go/os", native: 8, emulated: 6}}
	list := []difference{{"go/os", "A", "why"}, {"go/os", "B", "why"}}
	if err := writeFigures(name, ran, list, time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(name)
	want := "a\n" + figuresBegin + `| suite | pass natively | and emulated | | on |
| --- | ---: | ---: | ---: | --- |
` + "| `go/net` | 1 | 1 | 100.00 % | 2020-01-01 |\n| `go/os` | 8 | 6 | 75.00 % | 2026-01-02 |\n" + figuresEnd + "b\n" +
		differencesBegin + "- `go/os A`, `go/os B`: why\n" + differencesEnd
	if diff := cmp.Diff(want, string(got)); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}
