// Conformance runs test suites that others wrote, natively and on an emulated
// host, and compares them case by case. See docs/conformance.md.
//
// A family of suites is a file (gotest.go) with a function that [suites] calls;
// what differs for a reason is listed in differences/FAMILY.txt.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

var (
	short = flag.Bool("short", false, "only the suites that take seconds")
	run   = flag.String("run", "", "only the suites whose names match this `regexp`")
	work  = flag.String("work", "build/conformance", "the `folder` for programs, outputs and lists of results")
	limit = flag.Duration("limit", 10*time.Minute, "real `time` after which a suite is said to hang")
	write = flag.Bool("write", false, "write the figures to docs/conformance.md")
	reuse = flag.Bool("reuse", false, "take the native results of the last time, where there are any")
)

// document has the figures and the list of differences.
const document = "docs/conformance.md"

func main() {
	flag.Parse()
	if err := conformance(); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func conformance() error {
	if *short && *write {
		return errors.New("the figures are those of whole suites, not of -short")
	}
	wanted, err := regexp.Compile(*run)
	if err != nil {
		return err
	}
	list, err := differences()
	if err != nil {
		return err
	}
	base, err := filepath.Abs(*work)
	if err != nil {
		return err
	}
	m := emulated{filepath.Join(base, "simterpose")}
	build := exec.Command("go", "build", "-o", m.simterpose, "./cmd/simterpose")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, text)
	}
	var done []comparison
	differ := 0
	for _, s := range suites() {
		if !wanted.MatchString(s.Name) || *short && !s.Short {
			continue
		}
		c, err := s.compare(m, base, list)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		c.print()
		differ += len(c.unknown)
		done = append(done, c)
	}
	if len(done) == 0 {
		return errors.New("no suite has such a name")
	}
	if *write {
		if err := writeFigures(document, done, list, time.Now()); err != nil {
			return err
		}
	}
	if differ > 0 {
		return fmt.Errorf("%d cases pass natively, not emulated, and are not in internal/conformance/differences", differ)
	}
	return nil
}

// compare runs a suite on both machines.
func (s Suite) compare(m machine, base string, list []difference) (comparison, error) {
	name := strings.ReplaceAll(s.Name, "/", "_")
	if *short {
		name += ".short"
	}
	place := filepath.Join(base, name)
	if err := os.MkdirAll(place, 0o755); err != nil {
		return comparison{}, err
	}
	command, err := s.Prepare(place)
	if err != nil {
		return comparison{}, err
	}
	saved := filepath.Join(base, name+".native.txt")
	natively, err := readResults(saved)
	if !*reuse || err != nil {
		natively, err = results(s, command, native{}, place, filepath.Join(base, name+".native"), *limit)
		if err != nil {
			return comparison{}, err
		}
		if err := writeResults(saved, s.Name, natively); err != nil {
			return comparison{}, err
		}
	}
	ours, err := results(s, command, m, place, filepath.Join(base, name+".emulated"), *limit)
	if err != nil {
		return comparison{}, err
	}
	if err := writeResults(filepath.Join(base, name+".emulated.txt"), s.Name, ours); err != nil {
		return comparison{}, err
	}
	return compare(s.Name, natively, ours, list), nil
}
