package main

import "slices"

// A comparison is what became of a suite on both machines.
type comparison struct {
	suite            string
	native, emulated int          // cases that passed natively, and of those emulated
	known            []deviation  // that differ for a written reason
	unknown          []deviation  // that differ
	agree            []difference // that are listed and do not differ
}

// deviation is a case that passed natively and not emulated.
type deviation struct {
	name     string
	emulated Outcome
}

func compare(suite string, natively, emulated []Result, list []difference) comparison {
	c := comparison{suite: suite}
	outcome := map[string]Outcome{}
	for _, r := range emulated {
		outcome[r.Case] = r.Outcome
	}
	passed := map[string]bool{}
	for _, r := range natively {
		if r.Outcome != Pass {
			continue
		}
		c.native++
		became, ok := outcome[r.Case]
		if !ok {
			became = Missing
		}
		listed := slices.ContainsFunc(list, func(d difference) bool { return d.is(suite, r.Case) })
		switch {
		case became == Pass:
			c.emulated++
			passed[r.Case] = true
		case listed:
			c.known = append(c.known, deviation{r.Case, became})
		default:
			c.unknown = append(c.unknown, deviation{r.Case, became})
		}
	}
	for _, d := range list {
		if passed[d.name] && d.suite == suite {
			c.agree = append(c.agree, d)
		}
	}
	return c
}

// percent of the cases that pass natively pass emulated.
func (c comparison) percent() float64 {
	if c.native == 0 {
		return 100
	}
	return 100 * float64(c.emulated) / float64(c.native)
}
