package platform

import (
	"os"
	"path/filepath"
	"testing"
)

// TestMessages holds what a user is told of each kind of fault. The elements
// stand on the fourth line of lab.xml and after.
func TestMessages(t *testing.T) {
	const (
		two   = `<host id="a" speed="1Gf"/><host id="b" speed="1Gf"/><link id="l" bandwidth="1Bps" latency="1s"/>` + "\n"
		nodes = "lab.xml:5: "
	)
	for elements, want := range map[string]string{
		two + `<host id="c"/>`:                                                                                     nodes + `element <host>: attribute speed is missing`,
		two + `<host id="c" speed="1Gf" colour="red"/>`:                                                            nodes + `element <host>: unknown attribute colour (known: id, speed, core, availability_file, speed_file, state_file, coordinates, pstate)`,
		two + `<host id="c" sped="1Gf"/>`:                                                                          nodes + `element <host>: unknown attribute sped (did you mean speed?)`,
		two + `<hots id="c" speed="1Gf"/>`:                                                                         nodes + `unknown element <hots> (did you mean <host>?)`,
		two + `<host id="a" speed="1Gf"/>`:                                                                         nodes + `element <host>: a second host named "a"`,
		two + `<host id="c" speed="1GF"/>`:                                                                         nodes + `element <host>: attribute speed: unknown unit "GF" of speed in "1GF" (expected a number and a unit such as 1Gf)`,
		two + `<host id="c" speed="fast"/>`:                                                                        nodes + `element <host>: attribute speed: speed expected, such as 1Gf: "fast" does not begin with a number`,
		two + `<host id="c" speed="1Gf" core="x"/>`:                                                                nodes + `element <host>: attribute core: an integer expected, found "x"`,
		two + `<host id="c" speed="1Gf" core="0"/>`:                                                                nodes + `element <host>: at least one core expected, found 0`,
		two + `<host id="c" speed="1Gf,2Gf" pstate="2"/>`:                                                          nodes + `element <host>: attribute pstate: a number from 0 to 1 expected, found "2"`,
		two + `<host id="c" speed="1Gf" coordinates="1 2"/>`:                                                       nodes + `element <host>: attribute coordinates: three numbers expected, as in "25.5 9.4 1.4", found "1 2"`,
		two + `<link id="l" bandwidth="1Bps"/>`:                                                                    nodes + `element <link>: a second link named "l"`,
		two + `<link id="m" bandwidth="1Bps" latency="1 parsec"/>`:                                                 nodes + `element <link>: attribute latency: unknown unit " parsec" of time in "1 parsec" (expected a number and a unit such as 50ms)`,
		two + `<link id="m" bandwidth="1Bps" sharing_policy="NONE"/>`:                                              nodes + `element <link>: attribute sharing_policy: SHARED or SPLITDUPLEX or FULLDUPLEX or FATPIPE or WIFI expected, found "NONE"`,
		two + `<route src="a" dst="c"><link_ctn id="l"/></route>`:                                                  nodes + `element <route>: attribute dst: the name of a host, router or zone expected, found "c"`,
		two + `<route src="a" dst="b"><link_ctn id="m"/></route>`:                                                  nodes + `element <link_ctn>: attribute id: the name of a link expected, found "m"`,
		two + `<route src="a" dst="b"/>`:                                                                           nodes + `element <route>: <link_ctn> expected: a route needs at least one link`,
		two + `<route src="a" dst="b"><link_ctn id="l"/></route>` + "\n" + `<host id="c" speed="1f"/>`:             `lab.xml:6: element <zone>: <route>, <bypassRoute>, <trace>, <trace_connect> or </zone> expected, found <host>`,
		two + `<route src="a" dst="b"><link_ctn id="l"/></route><route src="b" dst="a"><link_ctn id="l"/></route>`: nodes + `element <route>: the route from "b" to "a" exists already (routes are symmetrical unless symmetrical="NO")`,
		two + `<trace_connect trace="t" element="a"/>`:                                                             nodes + `element <trace_connect>: attribute trace: the id of a <trace> before this place expected, found "t"`,
		two + `<include file="x.xml"/>`:                                                                            nodes + `element <include>: was removed from the format in SimGrid 3.18; put the content here`,
		two + "some text":                                                                                          nodes + `element <zone>: an element or </zone> expected, found "some"`,
		two + `<host id="c" speed="1f"`:                                                                            `lab.xml:6: element <host>: an attribute or > expected, found "</zone></platform>"`,
		two + `</AS>`:                                                                                              nodes + `</zone> expected, found </AS>`,
		two + `</zone><zone id="y" routing="Full">`:                                                                nodes + `element <zone>: one outermost zone expected, found "y" beside "zone" (put both into one)`,
		two + `<host id="c" speed="1f" speed_file="none.profile"/>`:                                                nodes + `element <host>: attribute speed_file: no file "none.profile" here or in "."`,
		`</zone><cluster id="c" prefix="" suffix="" radical="0-x" speed="1f" bw="1Bps" lat="1s"/><zone id="y" routing="Full">`: `lab.xml:4: element <cluster>: a number or a range such as 0-99 expected in the radical, found "0-x"`,
		`<trace id="t" periodicity="1">` + "\n0 1\nx y\n</trace>":                                                              `lab.xml:6: a date expected, found "x"`,
		two + `<host id="c" speed="1f"><prop id="ip" value="10.0.0.300"/></host>`:                                              nodes + `element <host>: an IPv4 or IPv6 address of a host expected, found "10.0.0.300"`,
		two + `<link id="m" bandwidth="1Bps"><prop id="loss" value="120%"/></link>`:                                            nodes + `element <link>: property loss: a probability such as 0.01 or 1% expected, found "120%"`,
	} {
		_, err := ReadXML("lab.xml", document(elements))
		if err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", elements, err, want)
		}
	}
}

func TestMessagesAboutDocuments(t *testing.T) {
	const doctype = "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
	for text, want := range map[string]string{
		"":                                       `lab.xml:1: element <platform> expected, found the end of the file`,
		"{}":                                     `lab.xml:1: an XML file expected, found "{}"`,
		doctype:                                  `lab.xml:2: element <platform> expected, found the end of the file`,
		`<platform version="4.1"/>`:              `lab.xml:1: <!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd"> expected before the first element`,
		doctype + `<platform version="5"/>`:      `lab.xml:2: element <platform>: version 4.1 expected, found 5, which is newer than this program knows`,
		doctype + `<platform version="2"/>`:      `lab.xml:2: element <platform>: version 4.1 expected, found 2, which is too old (simgrid_update_xml converts such files)`,
		doctype + `<platform version="new"/>`:    `lab.xml:2: element <platform>: attribute version: a number such as 4.1 expected, found "new"`,
		doctype + "<platform version=\"4.1\">\n": `lab.xml:3: </platform> expected, found the end of the file`,
		doctype + `<zone id="z" routing="Full"/>`:                                    `lab.xml:2: element <platform> expected, found <zone>`,
		doctype + `<platform version="4.1"><zone id="z" routing="Fast"/></platform>`: `lab.xml:2: element <zone>: attribute routing: Cluster or Dijkstra or DijkstraCache or Floyd or Full or None or Vivaldi or Wifi expected, found "Fast"`,
	} {
		if _, err := ReadXML("lab.xml", text); err == nil || err.Error() != want {
			t.Errorf("%q\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestFaultsOfProfilesNameTheProfile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "p.profile"), []byte("# speeds\n0 1\n5 0.5\n3 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := ReadXML(filepath.Join(dir, "lab.xml"), document(`<host id="a" speed="1f" speed_file="p.profile"/>`))
	if want := filepath.Join(dir, "p.profile") + ":4: dates must not go back: 3 s after 5 s"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
