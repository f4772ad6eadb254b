package main

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

func (c comparison) print() {
	fmt.Printf("%-16s %5d pass natively, %5d of them emulated: %.2f %%\n", c.suite, c.native, c.emulated, c.percent())
	for _, d := range c.unknown {
		fmt.Printf("  %s: %s\n", d.name, d.emulated)
	}
	for _, d := range c.agree {
		fmt.Printf("  %s: passes, though it is listed as different\n", d.name)
	}
}

// writeResults writes a line "SUITE CASE OUTCOME" for each result.
func writeResults(name, suite string, all []Result) error {
	var text strings.Builder
	for _, r := range all {
		fmt.Fprintln(&text, suite, r.Case, string(r.Outcome))
	}
	return os.WriteFile(name, []byte(text.String()), 0o644)
}

// readResults reads what writeResults wrote.
func readResults(name string) ([]Result, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var all []Result
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		words := strings.SplitN(lines.Text(), " ", 3)
		if len(words) != 3 {
			return nil, fmt.Errorf("%s: no result: %s", name, lines.Text())
		}
		all = append(all, Result{Case: words[1], Outcome: Outcome(words[2])})
	}
	return all, lines.Err()
}

// The parts of docs/conformance.md that the figures replace.
const (
	figuresBegin     = "<!-- figures: begin -->\n"
	figuresEnd       = "<!-- figures: end -->\n"
	differencesBegin = "<!-- differences: begin -->\n"
	differencesEnd   = "<!-- differences: end -->\n"
)

// writeFigures puts the rates of suites that ran into the table of a document,
// and all differences into its list.
func writeFigures(name string, done []comparison, list []difference, now time.Time) error {
	old, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	text := string(old)
	table, err := between(text, figuresBegin, figuresEnd)
	if err != nil {
		return err
	}
	rows := map[string]string{}
	for line := range strings.Lines(table) {
		if name, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ = strings.Cut(name, "`")
			rows[name] = line
		}
	}
	for _, c := range done {
		rows[c.suite] = fmt.Sprintf("| `%s` | %d | %d | %.2f %% | %s |\n", c.suite, c.native, c.emulated, c.percent(), now.Format(time.DateOnly))
	}
	changed := "| suite | pass natively | and emulated | | on |\n| --- | ---: | ---: | ---: | --- |\n"
	for _, s := range suites() {
		changed += rows[s.Name]
	}
	text = strings.Replace(text, figuresBegin+table, figuresBegin+changed, 1)
	before, err := between(text, differencesBegin, differencesEnd)
	if err != nil {
		return err
	}
	text = strings.Replace(text, differencesBegin+before, differencesBegin+listed(list), 1)
	return os.WriteFile(name, []byte(text), 0o644)
}

// listed writes the differences, those with one reason together.
func listed(list []difference) string {
	var reasons []string
	cases := map[string][]string{}
	for _, d := range list {
		if !slices.Contains(reasons, d.reason) {
			reasons = append(reasons, d.reason)
		}
		cases[d.reason] = append(cases[d.reason], "`"+d.suite+" "+d.name+"`")
	}
	var text strings.Builder
	for _, reason := range reasons {
		fmt.Fprintf(&text, "- %s: %s\n", strings.Join(cases[reason], ", "), reason)
	}
	return text.String()
}

func between(text, begin, end string) (string, error) {
	_, rest, ok := strings.Cut(text, begin)
	inside, _, ends := strings.Cut(rest, end)
	if !ok || !ends {
		return "", fmt.Errorf("the document lacks %q and %q", begin, end)
	}
	return inside, nil
}
