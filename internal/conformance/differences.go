package main

import (
	"bufio"
	"bytes"
	"embed"
	"fmt"
	"strings"
)

// A difference is a case that passes natively and does not emulated, for a
// reason that is written down.
type difference struct {
	suite, name, reason string
}

//go:embed differences
var differenceFiles embed.FS

// differences reads differences/*.txt: lines "SUITE CASE: REASON", where the case
// may end in "*". Empty lines and those that begin with "#" say nothing.
func differences() ([]difference, error) {
	entries, err := differenceFiles.ReadDir("differences")
	if err != nil {
		return nil, err
	}
	var all []difference
	for _, e := range entries {
		text, err := differenceFiles.ReadFile("differences/" + e.Name())
		if err != nil {
			return nil, err
		}
		number := 0
		for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
			number++
			line := strings.TrimSpace(lines.Text())
			if line == "" || line[0] == '#' {
				continue
			}
			about, reason, ok := strings.Cut(line, ": ")
			suite, name, named := strings.Cut(about, " ")
			if !ok || !named || strings.Contains(name, " ") {
				return nil, fmt.Errorf("differences/%s:%d: SUITE CASE: REASON expected", e.Name(), number)
			}
			all = append(all, difference{suite, name, reason})
		}
	}
	return all, nil
}

func (d difference) is(suite, name string) bool {
	if prefix, ok := strings.CutSuffix(d.name, "*"); ok {
		return d.suite == suite && strings.HasPrefix(name, prefix)
	}
	return d.suite == suite && d.name == name
}
