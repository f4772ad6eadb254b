package platform

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// abuse is a set of inputs that ask for more than there is. SimGrid's own limit
// is the memory; ours are errors.
func abuse() map[string]func() error {
	xml := func(text string) func() error {
		return func() error {
			_, err := ReadXML("abuse.xml", document(text))
			return err
		}
	}
	cluster := func(attributes string) func() error {
		return func() error {
			_, err := ReadXML("abuse.xml", strings.Replace(
				`<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd"><platform version="4.1"><cluster id="c" prefix="n" suffix="" speed="1Gf" bw="1GBps" lat="1us" @/></platform>`,
				"@", attributes, 1))
			return err
		}
	}
	yaml := func(text string) func() error {
		return func() error {
			_, err := ReadYAML("abuse.yaml", []byte(text))
			return err
		}
	}
	gml := func(text string) func() error {
		return func() error {
			_, err := ReadGML("abuse.gml", []byte(text))
			return err
		}
	}
	var bomb strings.Builder
	bomb.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&bomb, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return map[string]func() error{
		"radical of 4 000 000 000":     cluster(`radical="0-4000000000"`),
		"radical of 2 000 000 000":     cluster(`radical="0-2000000000"`),
		"many radicals":                cluster(`radical="` + strings.Repeat("0-1999999,", 100) + `0"`),
		"dragonfly of 1e9 hosts":       cluster(`radical="0-9" topology="DRAGONFLY" topo_parameters="1000,1;1000,1;1000,1;1"`),
		"dragonfly of many links":      cluster(`radical="0-99999" topology="DRAGONFLY" topo_parameters="1,1;100000,1;1,1;1"`),
		"torus of 1e12 hosts":          cluster(`radical="0-9" topology="TORUS" topo_parameters="10000,10000,10000"`),
		"torus that overflows":         cluster(`radical="0-9" topology="TORUS" topo_parameters="2147483647,2147483647,2147483647"`),
		"torus of many dimensions":     cluster(`radical="0-9" topology="TORUS" topo_parameters="` + strings.Repeat("1,", 1_000_000) + `1"`),
		"fat tree of 1e9 hosts":        cluster(`radical="0-9" topology="FAT_TREE" topo_parameters="3;1000,1000,1000;1,1,1;1,1,1"`),
		"fat tree of many switches":    cluster(`radical="0-999" topology="FAT_TREE" topo_parameters="2;1,1000;1,1000000;1,1"`),
		"fat tree of many cables":      cluster(`radical="0-999" topology="FAT_TREE" topo_parameters="2;1000,1;1,1000;10000,10000"`),
		"fat tree of many ports":       cluster(`radical="0-0" topology="FAT_TREE" topo_parameters="1;1;2000000;2000000"`),
		"fat tree of many levels":      cluster(`radical="0-0" topology="FAT_TREE" topo_parameters="100000;` + strings.TrimSuffix(strings.Repeat("1,", 100000), ",") + ";" + strings.TrimSuffix(strings.Repeat("1,", 100000), ",") + ";" + strings.TrimSuffix(strings.Repeat("1,", 100000), ",") + `"`),
		"zones nested deep":            xml(strings.Repeat(`<zone id="z" routing="Full">`, 100_000)),
		"elements nested deep":         xml(strings.Repeat(`<host id="a" speed="1f">`, 100_000)),
		"Floyd of many hosts":          xml(`</zone><zone id="f" routing="Floyd">` + strings.Repeat(`<router id="r"/>`, 10)),
		"cores":                        xml(`<host id="a" speed="1f" core="99999999999999999999"/>`),
		"text without end":             xml(`<host id="` + strings.Repeat("a", 1_000_000)),
		"many attributes":              xml(`<host ` + strings.Repeat(`id="a" `, 100_000)),
		"different attributes":         xml(`<host ` + manyAttributes(20_000)),
		"range of names":               yaml("hosts: [{name: 'a[0-2000000000]'}]"),
		"ranges that multiply":         yaml("hosts: [{name: 'a[1-1000][1-1000][1-1000]'}]"),
		"wide numbers":                 yaml("hosts: [{name: 'a[" + strings.Repeat("0", 100_000) + "1-100000]'}]"),
		"long names":                   yaml("hosts: [{name: '" + strings.Repeat("a", 1_000_000) + "[1-1000000]'}]"),
		"ranges of ranges":             yaml("hosts: [{name: 'a[" + strings.Repeat("1-1999999,", 90) + "5]'}]"),
		"routes of all pairs":          yaml("hosts: [{name: 'a[1-100000]'}]\nlinks: [{name: l, bandwidth: 1MBps}]\nroutes: [{from: 'a*', to: 'a*', links: [l]}]"),
		"routes of many patterns":      yaml("hosts: [{name: 'a[1-1000000]'}]\nlinks: [{name: l, bandwidth: 1MBps}]\nroutes: [" + strings.Repeat("{from: 'a*', to: a1, links: [l]}, ", 1000) + "]"),
		"pattern that backtracks":      yaml("hosts: [{name: " + strings.Repeat("a", 1000) + "}, {name: b}]\nlinks: [{name: l, bandwidth: 1MBps}]\nroutes: [{from: '" + strings.Repeat("*a", 500) + "b', to: b, links: [l]}]"),
		"aliases that multiply":        yaml(bomb.String() + "hosts: *a11\n"),
		"lists nested deep":            yaml("hosts: " + strings.Repeat("[", 100_000)),
		"mappings nested deep":         yaml(strings.Repeat("{a: ", 100_000)),
		"blocks nested deep":           yaml(strings.Repeat("- ", 100_000)),
		"GML nested deep":              gml(strings.Repeat("graph [ ", 100_000)),
		"GML number without end":       gml("graph [ node [ id " + strings.Repeat("1", 1_000_000)),
		"GML node that overflows":      gml("graph [ node [ id 99999999999999999999 ] ]"),
		"profile of many lines":        func() error { _, err := ParseProfile("p", strings.Repeat("0 1\n", 300_000)+"x", 0); return err },
		"profile of a word":            func() error { _, err := ParseProfile("p", strings.Repeat("9", 1_000_000), 0); return err },
		"number of a million digits":   func() error { _, err := ParseTime(strings.Repeat("9", 1_000_000) + "x"); return err },
		"number of a million zeros":    func() error { _, err := ParseTime("0." + strings.Repeat("0", 1_000_000) + "x"); return err },
		"exponent of a million digits": func() error { _, err := ParseTime("1e" + strings.Repeat("9", 1_000_000) + "s"); return err },
	}
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `a%d="" `, i)
	}
	return b.String()
}

// TestAbuseEndsInErrors wants each to be refused for little memory.
func TestAbuseEndsInErrors(t *testing.T) {
	const most = 400 << 20
	all := abuse()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		read := all[name]
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := read()
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Error("accepted")
			} else if len(err.Error()) > 1000 || strings.Contains(err.Error(), "\n") {
				t.Errorf("an error of %d bytes: %.200s", len(err.Error()), err)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > most {
				t.Errorf("took %d MiB in all, want at most %d", took>>20, most>>20)
			}
		})
	}
}
