// Package repeatable makes property tests try the same cases at each run, so
// that a test which passes goes on passing. Other cases are tried with
//
//	go test ./kernel/pipe -rapid.seed 0 -rapid.checks 10000
package repeatable

import (
	"flag"
	"os"
	"testing"
)

// Main is a TestMain for packages whose tests use rapid.
func Main(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.seed" })
	if !given {
		if err := flag.Set("rapid.seed", "1"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
