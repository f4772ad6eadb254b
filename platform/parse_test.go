package platform

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNumbersAreThoseOfC(t *testing.T) {
	for text, want := range map[string]float64{
		"1": 1, " 1": 1, "\t+1": 1, "-1": -1, "1.": 1, ".5": 0.5, "1e3": 1000, "1E+3": 1000, "1e-3": 1e-3,
		"0x10": 16, "0x.8": 0.5, "0x1p4": 16, "0X1P-1": 0.5, "0": 0, "0e999": 0, "0.000e-999": 0, "0x0p-9999": 0,
	} {
		if got, rest, err := strtod(text); err != nil || rest != "" || got != want {
			t.Errorf("%q is %v and %q (%v)", text, got, rest, err)
		}
	}
	for text, rest := range map[string]string{"1e": "e", "1ex": "ex", "1e+": "e+", "0x": "x", "0xg": "xg", "1.2.3": ".3", "12Mf": "Mf", "0x1p": "p"} {
		if _, got, err := strtod(text); err != nil || got != rest {
			t.Errorf("%q leaves %q (%v), want %q", text, got, err, rest)
		}
	}
	for _, text := range []string{"", " ", "x", ".", "+", "-.", "e5", "1e400", "-1e400", "1e-400", "0x1p-2000", "4.9e-324"} {
		if v, _, err := strtod(text); err == nil {
			t.Errorf("%q is %v", text, v)
		}
	}
}

func TestRadicals(t *testing.T) {
	for text, want := range map[string]string{
		"0-3": "[0 1 2 3]", "5": "[5]", "0-1,7,10-12": "[0 1 7 10 11 12]", "3-1": "[]", "1,1": "[1 1]",
		"01-03": "[1 2 3]", " 1 - 2": "[1 2]", "2x": "[2]",
	} {
		if got, err := parseRadical(text); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%q is %v (%v), want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", ",", "0-", "-3", "1-2-3", "a", "0-4000000000", "0-2000000"} {
		if got, err := parseRadical(text); err == nil {
			t.Errorf("%q is %d numbers", text, len(got))
		}
	}
}

func TestRanges(t *testing.T) {
	for text, want := range map[string]string{
		"a": "a", "a[1-3]": "a1 a2 a3", "a[08-10]": "a08 a09 a10", "[1,3]b": "1b 3b", "a[1-2]-[5-6]": "a1-5 a1-6 a2-5 a2-6", "a[7]": "a7",
	} {
		if got, err := ExpandRange(text); err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q is %v (%v), want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "a b", "a[", "a]", "a[]", "a[1-]", "a[3-1]", "a[x]", "a[1-2", "a[-1]", "a[1-2000000][1-2]"} {
		if got, err := ExpandRange(text); err == nil {
			t.Errorf("%q is %d names", text, len(got))
		}
	}
}

// events prints the first events of a profile as date=value.
func events(p *Profile, most int) string {
	var list []string
	walk := p.Events(rand.NewPCG(1, 2))
	for range most {
		e, more := walk.Next()
		if !more {
			return strings.Join(append(list, "end"), " ")
		}
		list = append(list, fmt.Sprintf("%g=%g", e.Date, e.Value))
	}
	return strings.Join(list, " ")
}

func TestProfiles(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "end",
		"0 1\n5 0.5":                             "0=1 5=0.5 end",
		"# a\n% b\n\n 1\t1 \r\n":                 "1=1 end",
		"PERIODICITY 10\n0 1\n5 0.5":             "0=1 5=0.5 10=1 15=0.5 20=1 25=0.5",
		"1 1\n5 0.5\nPERIODICITY 10":             "1=1 5=0.5 11=1 15=0.5 21=1 25=0.5",
		"LOOPAFTER 2\n1 1\n5 0.5":                "1=1 5=0.5 8=1 12=0.5 15=1 19=0.5",
		"0 1\n1 -1\n2 0":                         "0=1 2=0 end",
		"0 1\n0 2\n0 3":                          "0=1 0=2 0=3 end",
		"LOOPAFTER 0\n0 1":                       "0=1 end",
		"STOCHASTIC\nDET 1 DET 0.5\nDET 1 DET 0": "1=0.5 2=0 end",
		"STOCHASTIC LOOP\nDET 1 DET 2\nDET 3 DET 4": "1=2 4=4 5=2 8=4 9=2 12=4",
	} {
		p, err := ParseProfile("p", text, -1)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if got := events(p, 6); got != want {
			t.Errorf("%q gives %s, want %s", text, got, want)
		}
	}
	p, err := ParseProfile("p", "0 1\n5 0.5", 6)
	if err != nil || events(p, 4) != "0=1 5=0.5 6=1 11=0.5" {
		t.Errorf("with a period: %s (%v)", events(p, 4), err)
	}
	for text, want := range map[string]string{
		"0 1\nx 1":                        `p:2: a date expected, found "x"`,
		"0":                               `p:1: a value expected after the date, found the end of the line`,
		"5 1\n0 1":                        `p:2: dates must not go back: 0 s after 5 s`,
		"-1 1":                            `p:1: a date of 0 s or more expected, found "-1"`,
		"PERIODICITY x":                   `p:1: a number of seconds expected after PERIODICITY, found "x"`,
		"PERIODICITY 3\n0 1\n5 1":         `p:3: the profile starts over 2 s before its last event`,
		"PERIODICITY 9\nLOOPAFTER 1\n0 1": `p:3: either PERIODICITY or LOOPAFTER expected, found both`,
		"STOCHASTIC\n1 DET 1":             `p:2: a date expected, found "1" (a stochastic profile needs DET, NORM, UNIF or EXP)`,
		"STOCHASTIC\nEXP 0 DET 1":         `p:2: a date expected, found EXP with a rate of 0`,
		"STOCHASTIC\nUNIF 1 DET 1":        `p:2: a date expected, found "DET"`,
	} {
		if _, err := ParseProfile("p", text, -1); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestStochasticProfilesDependOnTheirSeedOnly(t *testing.T) {
	p, err := ParseProfile("p", "STOCHASTIC LOOP\nEXP 0.5 UNIF 1 2\nNORM 3 1 DET 0", -1)
	if err != nil {
		t.Fatal(err)
	}
	if first, again := events(p, 20), events(p, 20); !p.Stochastic() || first != again {
		t.Errorf("two walks from one seed differ: %s, %s", first, again)
	}
	if strings.Contains(events(p, 20), "end") {
		t.Error("a profile that loops ends")
	}
}

func TestInlinePlatform(t *testing.T) {
	p, err := ReadYAML("lab.yaml", []byte(`
hosts:
  - {name: server, speed: [2Gf, 1Gf], cores: 4, address: [10.1.0.1, "fd01::1"], properties: {room: B12, a: z}}
  - {name: "client-[1-2]", disks: [{name: ssd, read: 500MBps, write: 400MBps}]}
links:
  - {name: lan, bandwidth: 100Mbps, latency: 5ms, policy: SPLITDUPLEX}
  - {name: radio, bandwidth: 2Mbps, latency: 20ms, loss: 1%, jitter: 3ms}
routes:
  - {from: server, to: "client-*", links: [lan, radio]}
  - {from: client-1, to: client-2, links: [radio], symmetrical: false}
`))
	if err != nil {
		t.Fatal(err)
	}
	for pair, want := range map[string]string{
		"server client-1":   "lan_UP radio 0.025",
		"client-2 server":   "radio lan_DOWN 0.025",
		"client-1 client-2": "radio 0.02",
		"client-2 client-1": `no route from "client-2" to "client-1"`,
		"server server":     "__loopback__ 0",
	} {
		from, to, _ := strings.Cut(pair, " ")
		if got := routeText(t, p, from, to); got != want {
			t.Errorf("%s: %s, want %s", pair, got, want)
		}
	}
	server := p.Host("server")
	if d := cmp.Diff(Properties{{"room", "B12"}, {"a", "z"}}, server.Properties()); d != "" || server.Cores != 4 || len(server.Speeds) != 2 {
		t.Error(d, server.Cores, server.Speeds)
	}
	if d := p.Host("client-2").Disks(); len(d) != 1 || d[0].Name != "ssd" || d[0].WriteBandwidth != 400e6 {
		t.Errorf("%+v", d)
	}
	if f := p.Link("radio").DatagramFaults(); f.Loss != 0.01 || f.Jitter != 3e-3 {
		t.Errorf("%+v", f)
	}
}

func TestMessagesAboutInlinePlatforms(t *testing.T) {
	for text, want := range map[string]string{
		"hosts: [{nam: a}]":                                                     `lab.yaml:1:10: unknown key "nam" (did you mean "name"?)`,
		"hosts: [{name: a}, {name: a}]":                                         `lab.yaml:1:20: a second host named "a"`,
		"hosts: [{name: a, speed: fast}]":                                       `lab.yaml:1:9: speed: speed expected, such as 1Gf: "fast" does not begin with a number`,
		"hosts: [{name: a, cores: 0}]":                                          `lab.yaml:1:9: at least one core expected, found 0`,
		"hosts: [{name: 'a[1-2]', address: 10.0.0.1}]":                          `lab.yaml:1:9: address: a single host expected, "a[1-2]" stands for 2`,
		"hosts: [{name: a}]\nswitch: {}":                                        `lab.yaml:2:9: key "bandwidth" is missing`,
		"hosts: [{name: a}]\nlinks: [{name: l, bandwidth: 1Bps, policy: WIFI}]": `lab.yaml:2:9: policy: SHARED, SPLITDUPLEX or FATPIPE expected, found "WIFI"`,
		"hosts: [{name: a}]\nlinks: [{name: l, bandwidth: 1Bps}]\nroutes: [{from: a, to: b, links: [l]}]":                 `lab.yaml:3:10: to: no host "b"`,
		"hosts: [{name: a}, {name: b}]\nlinks: [{name: link, bandwidth: 1Bps}]\nroutes: [{from: a, to: b, links: [lnk]}]": `lab.yaml:3:10: unknown link "lnk" (did you mean "link"?)`,
		"hosts: [{name: a}, {name: b}]\nlinks: [{name: l, bandwidth: 1Bps}]\nroutes: [{from: a, to: b, links: []}]":       `lab.yaml:3:10: links: at least one link expected`,
	} {
		if _, err := ReadYAML("lab.yaml", []byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q\n got %v\nwant %s", text, err, want)
		}
	}
}
