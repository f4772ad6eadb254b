package platform

import (
	"fmt"
	"strings"
)

// ParseProfile reads the text of a profile: SIMULATION.md B4. A period above 0
// makes it start over after so many seconds, as a line PERIODICITY does.
func ParseProfile(name, text string, period float64) (*Profile, error) {
	return parseProfile(name, text, period, 1)
}

// parseProfile reads text that begins on the given line of a file.
func parseProfile(name, text string, period float64, line int) (*Profile, error) {
	p := &Profile{Name: name, loop: period > 0}
	last, number := 0.0, line-1
	fail := func(format string, arguments ...any) (*Profile, error) {
		return nil, &Error{Position{File: name, Line: number}, fmt.Sprintf(format, arguments...)}
	}
	for line := range strings.SplitSeq(text, "\n") {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == '%' {
			continue
		}
		words := strings.Fields(line)
		switch {
		case (words[0] == "PERIODICITY" || words[0] == "LOOPAFTER") && len(words) > 1:
			value, _, err := strtod(words[1])
			if err != nil {
				return fail("a number of seconds expected after %s, found %q", words[0], words[1])
			}
			p.loop = true
			if words[0] == "PERIODICITY" {
				period = value
			} else {
				p.period = value
			}
			continue
		case line == "STOCHASTIC LOOP":
			p.stochastic, p.loop = true, true
			continue
		case line == "STOCHASTIC":
			p.stochastic = true
			continue
		}
		date, rest, err := parseDistribution(words, p.stochastic)
		if err != nil {
			return fail("a date expected, %v", err)
		}
		value, _, err := parseDistribution(rest, p.stochastic)
		if err != nil {
			return fail("a value expected after the date, %v", err)
		}
		if !p.stochastic {
			// The dates in the text are absolute, those kept are delays: SimGrid
			// adds them up again, with the same rounding.
			now := date.a
			switch {
			case date.law != constant || !(now >= 0):
				return fail("a date of 0 s or more expected, found %q", words[0])
			case now < last:
				return fail("dates must not go back: %v s after %v s", now, last)
			}
			date.a -= last
			last = now
		}
		p.points = append(p.points, point{date, value})
	}
	switch {
	case p.stochastic && period > 0:
		return fail("a stochastic profile has no PERIODICITY (use LOOPAFTER)")
	case period > 0 && p.period != 0:
		return fail("either PERIODICITY or LOOPAFTER expected, found both")
	case period > 0:
		p.period = period - last
	}
	if !(p.period >= 0) {
		return fail("the profile starts over %v s before its last event", -p.period)
	}
	return p, nil
}

// parseDistribution reads a number, or a law with its parameters.
func parseDistribution(words []string, stochastic bool) (d distribution, rest []string, err error) {
	if len(words) == 0 {
		return d, nil, fmt.Errorf("found the end of the line")
	}
	parameters := 1
	switch words[0] {
	case "DET":
	case "NORM", "NORMAL", "GAUSS", "GAUSSIAN":
		d.law, parameters = normal, 2
	case "UNIF", "UNIFORM":
		d.law, parameters = uniform, 2
	case "EXP", "EXPONENTIAL":
		d.law = exponential
	default:
		if stochastic {
			return d, nil, fmt.Errorf("found %q (a stochastic profile needs DET, NORM, UNIF or EXP)", words[0])
		}
		words = append([]string{""}, words...)
	}
	words = words[1:]
	if len(words) < parameters {
		return d, nil, fmt.Errorf("found the end of the line")
	}
	for i, into := range []*float64{&d.a, &d.b}[:parameters] {
		if *into, _, err = strtod(words[i]); err != nil || *into != *into {
			return d, nil, fmt.Errorf("found %q", words[i])
		}
	}
	if d.law == exponential && !(d.a > 0) {
		return d, nil, fmt.Errorf("found EXP with a rate of %v", d.a)
	}
	return d, words[parameters:], nil
}
