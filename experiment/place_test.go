package experiment

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	// lab names its hosts otherwise than tree does, but for one.
	lab = `platform:
  hosts: [{name: server, address: 10.0.0.2}, {name: idle}, {name: "client-[1-2]"}, {name: node-1}]
  switch: {bandwidth: 1Gbps}
processes:
  - {hosts: [client-*, node-1, server], command: [sh]}
`
	tree = `<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1"><cluster id="tree" prefix="node-" suffix="" radical="0-4" speed="2Gf" bw="125MBps" lat="50us"/></platform>
`
)

// hostsOf tells where processes run: the name, place and address of each host.
func hostsOf(e *Experiment) []string {
	var list []string
	for _, p := range e.Processes {
		v4, _ := p.Host.Addresses()
		list = append(list, p.Host.Name+" "+string(rune('0'+p.Host.Index))+" "+v4.String())
	}
	return list
}

func TestHostsArePlacedOnAnotherPlatformInOrder(t *testing.T) {
	write(t, map[string]string{"lab.yaml": lab, "tree.xml": tree})
	for _, test := range []struct {
		places []Place
		want   []string
	}{
		{nil, []string{"client-1 2 10.0.0.3", "client-2 3 10.0.0.4", "node-1 1 10.0.0.5", "server 0 10.0.0.2"}},
		{
			[]Place{{"server", "node-1"}, {"client-1", "node-4"}},
			[]string{"client-1 4 10.0.0.3", "client-2 0 10.0.0.4", "node-1 2 10.0.0.5", "server 1 10.0.0.2"},
		},
	} {
		e, err := Load("lab.yaml", Overrides{Platform: "tree.xml", Place: test.places})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(test.want, hostsOf(e)); d != "" {
			t.Error(d)
		}
		if e.Processes[0].Host.Speed() != 2e9 || e.Platform.File != "tree.xml" {
			t.Error("the platform is not that of the command line")
		}
	}
}

func TestPlatformFileWithNamesOfTheExperiment(t *testing.T) {
	files := map[string]string{"tree.xml": tree, "lab.yaml": `platform: {file: tree.xml, place: {server: node-3, client: node-0}}
processes: [{hosts: [server, client, node-1], command: [sh]}]
`}
	write(t, files)
	e, err := Load("lab.yaml", Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"server 3 10.0.0.4", "client 0 10.0.0.1", "node-1 1 10.0.0.2"}, hostsOf(e)); d != "" {
		t.Error(d)
	}
	// Without a platform of its own, the experiment runs on that of the command line.
	files["lab.yaml"] = "processes: [{hosts: [server, node-1], command: [sh]}]\n"
	write(t, files)
	e, err = Load("lab.yaml", Overrides{Platform: "tree.xml", Place: []Place{{"server", "node-2"}}})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"server 2 10.0.0.3", "node-1 1 10.0.0.2"}, hostsOf(e)); d != "" {
		t.Error(d)
	}
}

func TestPlaceErrors(t *testing.T) {
	for want, o := range map[string]Overrides{
		`--place: another platform expected as well (--platform FILE)`:             {Place: []Place{{"server", "node-0"}}},
		`--place: a host with processes expected, found "idle"`:                    {Platform: "tree.xml", Place: []Place{{"idle", "node-0"}}},
		`--place: tree.xml: no host "mode-0" (did you mean "node-0"?)`:             {Platform: "tree.xml", Place: []Place{{"server", "mode-0"}}},
		`--place: a second host is placed on "node-0"`:                             {Platform: "tree.xml", Place: []Place{{"server", "node-0"}, {"client-1", "node-0"}}},
		`--place: host "server" is placed twice`:                                   {Platform: "tree.xml", Place: []Place{{"server", "node-0"}, {"server", "node-2"}}},
		`--platform: two.xml has 2 hosts, 4 needed for the experiment's processes`: {Platform: "two.xml"},
		`open none.xml: no such file or directory`:                                 {Platform: "none.xml"},
	} {
		write(t, map[string]string{"lab.yaml": lab, "tree.xml": tree, "two.xml": strings.Replace(tree, "0-4", "0-1", 1)})
		if _, err := Load("lab.yaml", o); err == nil || err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
	if _, err := load(t, "platform: {file: two.xml, place: {x: y}}\nprocesses: [{host: x, command: [sh]}]\n"); err == nil ||
		!strings.HasPrefix(err.Error(), "lab.yaml:1:11: platform: open two.xml") {
		t.Error(err)
	}
}
