package platform

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

// document wraps elements into a platform with one zone of Full routing.
func document(elements string) string {
	return `<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1"><zone id="zone" routing="Full">
` + elements + `
</zone></platform>`
}

func TestErrorsNameTheirPlace(t *testing.T) {
	const two = "<host id=\"a\" speed=\"1Gf\"/><host id=\"b\" speed=\"1Gf\"/>\n"
	for _, test := range []struct{ name, elements string }{
		{"host twice", two + `<host id="a" speed="1Gf"/>`},
		{"no speed", two + `<host id="c"/>`},
		{"bad unit", two + `<host id="c" speed="1Gx"/>`},
		{"unknown attribute", two + `<host id="c" speed="1Gf" colour="red"/>`},
		{"unknown element", two + `<computer id="c"/>`},
		{"negative bandwidth", two + `<link id="l" bandwidth="-1Bps"/>`},
		{"unknown link in a route", two + `<route src="a" dst="b"><link_ctn id="l"/></route>`},
		{"route of an unknown host", two + `<link id="l" bandwidth="1Bps"/><route src="a" dst="c"><link_ctn id="l"/></route>`},
		{"same address twice", `<host id="a" speed="1f"><prop id="ip" value="10.0.0.1"/></host>` + "\n" + `<host id="b" speed="1f"><prop id="ip" value="10.0.0.1"/></host>`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ReadXML("lab.xml", document(test.elements))
			if err == nil {
				t.Fatal("no error")
			}
			// The prologue has three lines; the fault is on the second after.
			if !strings.HasPrefix(err.Error(), "lab.xml:5") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestUnits(t *testing.T) {
	for _, test := range []struct {
		parse func(string) (float64, error)
		text  string
		want  float64
	}{
		{ParseTime, "1.5ms", 1.5e-3},
		{ParseTime, "2w", 14 * 86400},
		{ParseTime, "3", 3},
		{ParseSpeed, "98.095Mf", 98.095e6},
		{ParseBandwidth, "10Mbps", 10e6 / 8},
		{ParseBandwidth, "1KiBps", 1024},
		{ParseBandwidth, "1e9Bps", 1e9},
		{ParseSize, "10MB", 10e6},
		{ParseSize, "1MiB", 1 << 20},
	} {
		if got, err := test.parse(test.text); err != nil || got != test.want {
			t.Errorf("%s is %v (%v), want %v", test.text, got, err, test.want)
		}
	}
	for _, text := range []string{"", "x", "1 Gx", "--1s"} {
		if v, err := ParseTime(text); err == nil {
			t.Errorf("%q is a time of %v", text, v)
		}
	}
}

func TestAddressesAreGivenInOrderAroundThoseOfTheFile(t *testing.T) {
	p, err := ReadXML("lab.xml", document(`<host id="a" speed="1Gf"/><host id="b" speed="1Gf"><prop id="ip" value="10.0.0.2"/></host><host id="c" speed="1Gf"/>`))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"} {
		v4, v6 := p.Hosts[i].Addresses()
		if v4.String() != want {
			t.Errorf("host %s has %v, want %s", p.Hosts[i].Name, v4, want)
		}
		if p.HostByAddress(v4) != p.Hosts[i] || p.HostByAddress(v6) != p.Hosts[i] {
			t.Errorf("host %s is not found by its addresses", p.Hosts[i].Name)
		}
	}
}

func TestClusterRoute(t *testing.T) {
	p, err := ReadXML("cluster.xml", `<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1"><cluster id="c" prefix="n-" suffix="" radical="0-9" speed="1Gf" bw="125MBps" lat="50us" bb_bw="2.25GBps" bb_lat="500us"/></platform>`)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Route(p.Host("n-1"), p.Host("n-8"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range r.Links {
		names = append(names, l.Name())
	}
	if got := strings.Join(names, " "); got != "c_link_1_UP c_backbone c_link_8_DOWN" || math.Abs(r.Latency-600e-6) > 1e-12 {
		t.Errorf("%s, %v s", got, r.Latency)
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-15+1e-12*math.Abs(b) }

func quantityText(v float64) string { return strconv.FormatFloat(v, 'g', 9, 64) }
