package main

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// goPackage is a package of Go's library whose tests are run.
type goPackage struct {
	name string
	// short are the tests of the short subset, as a regexp: all that take seconds
	// when computations take no time. Empty for none.
	short string
	// watches: the tests read the clock millions of times, which is slow where
	// computations take time.
	watches bool
}

var goPackages = []goPackage{
	{name: "context", short: "."},
	{name: "internal/poll", short: "."},
	{name: "net", short: "^Test(Accept|Close|Conn|Dial|File|Listen|Packet|ReadFrom|ResolveTCP|TCP[CL]|UDP|Unix|Write)"},
	{name: "net/http"},
	{name: "os"},
	{name: "os/exec", short: "."},
	{name: "os/signal"},
	{name: "sync"},
	{name: "time", short: "^Test(Tick|Sleep|After|Timer|Stop|Long|Load|Zone)", watches: true},
}

// goOutside are tests that ask name servers of the Internet, again and again for
// minutes. They fail on both machines.
var goOutside = []string{
	"TestCgoLookupCNAME", "TestLookupCNAME", "TestLookupGmailMX", "TestLookupGmailNS", "TestLookupGmailTXT",
	"TestLookupGoogleSRV", "TestLookupNoData", "TestLookupNoSuchHost",
}

func goSuites() []Suite {
	var all []Suite
	for _, p := range goPackages {
		all = append(all, Suite{
			Name:    "go/" + p.name,
			Short:   p.short != "",
			Prepare: p.prepare,
			Parse:   parseGo,
			Rest:    restGo,
		})
	}
	return all
}

// prepare compiles a package's tests. They run in the package's folder, where they
// look for their data. Many do something for a time, as fast as they can, and end
// sooner when computations take time.
func (p goPackage) prepare(into string) (Command, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return Command{}, fmt.Errorf("go env GOROOT: %w", err)
	}
	goroot := strings.TrimSpace(string(root))
	file := strings.ReplaceAll(p.name, "/", "_") + ".test"
	if text, err := exec.Command("go", "test", "-c", "-o", filepath.Join(into, file), p.name).CombinedOutput(); err != nil {
		return Command{}, fmt.Errorf("go test -c %s: %w\n%s", p.name, err, text)
	}
	c := Command{
		Directory:   filepath.Join(goroot, "src", p.name),
		Arguments:   []string{filepath.Join(folder, file), "-test.v", "-test.timeout=10m"},
		Environment: []string{"PATH=" + filepath.Join(goroot, "bin") + ":" + searchPath},
		Measured:    !*short && !p.watches,
		// The go command throws away what its cache has not used for five days.
		Epoch: "2026-01-01",
	}
	if *short {
		c.Arguments = append(c.Arguments, "-test.run="+p.short)
	}
	return restGo(c, nil), nil
}

// restGo skips the tests that are done. A test with one subtest that is not done
// counts as done: it would hang again.
func restGo(c Command, done []Result) Command {
	names := slices.Clone(goOutside)
	for _, r := range done {
		if !strings.Contains(r.Case, "/") {
			names = append(names, regexp.QuoteMeta(r.Case))
		}
	}
	c.Arguments = append(slices.Clone(c.Arguments), "-test.skip=^("+strings.Join(names, "|")+")$") // the last one counts
	return c
}

var (
	goBegins = regexp.MustCompile(`^=== RUN +(\S+)$`)
	goPaused = regexp.MustCompile(`^=== PAUSE +(\S+)$`)
	goGoesOn = regexp.MustCompile(`^=== CONT +(\S+)$`)
	// The line of a test may follow what the test printed without a newline.
	goEnds = regexp.MustCompile(`--- (PASS|FAIL|SKIP): (\S+) \([0-9.]+s\)$`)
)

// parseGo reads the output of a test with -test.v. Tests that wait for their turn
// to run in parallel count as not begun.
func parseGo(output io.Reader) ([]Result, error) {
	var order []string
	state := map[string]Outcome{}
	set := func(name string, o Outcome) {
		if _, ok := state[name]; !ok {
			order = append(order, name)
		}
		state[name] = o
	}
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		line := lines.Text()
		if m := goBegins.FindStringSubmatch(line); m != nil {
			set(m[1], Unfinished)
		} else if m := goPaused.FindStringSubmatch(line); m != nil {
			set(m[1], Missing)
		} else if m := goGoesOn.FindStringSubmatch(line); m != nil {
			set(m[1], Unfinished)
		} else if m := goEnds.FindStringSubmatch(line); m != nil {
			set(m[2], Outcome(strings.ToLower(m[1])))
		}
	}
	var results []Result
	for _, name := range order {
		results = append(results, Result{Case: name, Outcome: state[name]})
	}
	return results, lines.Err()
}
