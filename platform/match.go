package platform

import (
	"path"
	"strings"
)

// MatchLinks returns the links that a pattern names: a name, that of a link of
// two directions (NAME_UP and NAME_DOWN), a name with ranges such as l[1-3], or
// one with the wildcards * and ?. There may be none.
func (p *Platform) MatchLinks(pattern string) []*Link {
	patterns, err := ExpandRange(pattern)
	if err != nil {
		return nil
	}
	var links []*Link
	for _, one := range patterns {
		found := false
		for _, name := range []string{one, one + "_UP", one + "_DOWN"} {
			if l := p.Link(name); l != nil {
				links = append(links, l)
				found = true
			}
		}
		if found || !strings.ContainsAny(one, "*?") {
			continue
		}
		for l := range p.Links.All() {
			if l.Index == 0 { // SimGrid's loopback
				continue
			}
			if ok, err := path.Match(escapeSlash.Replace(one), escapeSlash.Replace(l.Name())); ok && err == nil {
				links = append(links, l)
			}
		}
	}
	return links
}

// ParseProbability reads a number from 0 to 1, or with a percent sign to 100.
func ParseProbability(text string) (float64, error) { return probability(text) }
