package experiment

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/sim"
)

const prolog = `<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
`

const twoHosts = prolog + `<platform version="4.1">
  <config><prop id="network/model" value="CM02"/><prop id="precision/timing" value="1e-9"/></config>
  <zone id="z" routing="Full">
    <host id="Tremblay" speed="1Gf"/>
    <host id="Jupiter" speed="1Gf"/>
    <link id="l" bandwidth="1GBps" latency="500us"/>
    <route src="Tremblay" dst="Jupiter"><link_ctn id="l"/></route>
  </zone>
</platform>
`

func loadDeployment(t *testing.T, deployment string) (*Experiment, error) {
	t.Helper()
	write(t, map[string]string{"two.xml": twoHosts, "run.xml": prolog + deployment})
	return LoadDeployment("two.xml", "run.xml", Overrides{})
}

func TestLoadDeployment(t *testing.T) {
	e, err := loadDeployment(t, `<platform version="4.1">
  <actor host="Tremblay" function="sh" kill_time="9.5" on_failure="RESTART">
    <argument value="-c"/>
    <argument value="exit 0"/>
    <prop id="LANG" value="C"/>
    <prop id="network/x" value="1"/>
  </actor>
  <actor host="Jupiter" function="/bin/sh" start_time="3">
    <prop id="simterpose/name" value="client"/>
    <prop id="simterpose/expect" value="TERM"/>
  </actor>
  <actor host="Jupiter" function="sh"><prop id="simterpose/daemon" value="true"/></actor>
</platform>
`)
	if err != nil {
		t.Fatal(err)
	}
	const second = sim.Time(1e9)
	want := []plain{
		{
			Host: "Tremblay", Name: "sh", Argv: []string{"sh", "-c", "exit 0"}, Env: []string{"LANG=C"}, Stop: 19 * second / 2,
			Signal: unix.SIGKILL, Expect: Expectation{Signal: unix.SIGKILL, Stopped: true}, Restart: true, At: "run.xml:4",
		},
		{
			Host: "Jupiter", Name: "client", Argv: []string{"/bin/sh"}, Start: 3 * second, Stop: sim.Never,
			Signal: unix.SIGTERM, Expect: Expectation{Signal: unix.SIGTERM}, At: "run.xml:10",
		},
		{
			Host: "Jupiter", Name: "sh", Argv: []string{"sh"}, Stop: sim.Never,
			Signal: unix.SIGTERM, Daemon: true, Expect: Expectation{Running: true}, At: "run.xml:14",
		},
	}
	if d := cmp.Diff(want, plainProcesses(e)); d != "" {
		t.Error(d)
	}
	if e.Network.Model != "CM02" || e.Name != "run" {
		t.Errorf("network %q, name %q", e.Network.Model, e.Name)
	}
	warnings := []string{
		"run.xml:4: property network/x is not used: no variable of the environment can have its name",
		"two.xml: config option precision/timing is not used",
	}
	if d := cmp.Diff(warnings, e.Warnings); d != "" {
		t.Error(d)
	}
}

func TestOldDeployment(t *testing.T) {
	e, err := loadDeployment(t, `<platform version="3">
  <process host="Tremblay" function="sh"><argument value="-i"/></process>
</platform>
`)
	if err != nil {
		t.Fatal(err)
	}
	if p := e.Processes[0]; len(e.Processes) != 1 || p.Host.Name != "Tremblay" || len(p.Argv) != 2 {
		t.Errorf("%+v", e.Processes)
	}
}

func TestActorsInThePlatform(t *testing.T) {
	write(t, map[string]string{"all.xml": prolog + `<platform version="4.1">
  <zone id="z" routing="Full"><host id="a" speed="1Gf"/></zone>
  <actor host="a" function="sh"/>
</platform>
`})
	e, err := Load("all.xml", Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Processes) != 1 || e.Processes[0].Name != "sh" {
		t.Errorf("%+v", e.Processes)
	}
}

func TestDeploymentErrors(t *testing.T) {
	actor := func(attributes, inside string) string {
		return "<platform version=\"4.1\">\n  <actor " + attributes + ">" + inside + "</actor>\n</platform>\n"
	}
	for name, test := range map[string]struct{ text, want string }{
		"unknown host":    {actor(`host="Jupter" function="sh"`, ""), `run.xml:4: element <actor>: attribute host: the name of a host expected, found "Jupter"`},
		"unknown element": {"<platform version=\"4.1\">\n  <actr host=\"Jupiter\"/>\n</platform>", `run.xml:4: unknown element <actr> (did you mean <actor>?)`},
		"other element":   {"<platform version=\"4.1\">\n  <zone id=\"x\" routing=\"Full\"/>\n</platform>", `run.xml:4: element <zone>: <actor> expected: a deployment holds actors only`},
		"program":         {actor(`host="Jupiter" function="nosuch"`, ""), `run.xml:4: program "nosuch" not found`},
		"no program":      {actor(`host="Jupiter" function=""`, ""), `run.xml:4: attribute function: the name of a program expected`},
		"kill before start": {
			actor(`host="Jupiter" function="sh" start_time="5" kill_time="5"`, ""),
			`run.xml:4: attribute kill_time: a time after the start at 5s expected, found 5s`,
		},
		"property":    {actor(`host="Jupiter" function="sh"`, `<prop id="simterpose/deamon" value="1"/>`), `run.xml:4: property simterpose/deamon: simterpose/name, simterpose/daemon, simterpose/signal or simterpose/expect expected`},
		"daemon":      {actor(`host="Jupiter" function="sh"`, `<prop id="simterpose/daemon" value="maybe"/>`), `run.xml:4: property simterpose/daemon: true or false expected, found "maybe"`},
		"expectation": {actor(`host="Jupiter" function="sh"`, `<prop id="simterpose/expect" value="256"/>`), `run.xml:4: property simterpose/expect: an exit status, the name of a signal or running expected, found "256"`},
		"no actors":   {"<platform version=\"4.1\"/>\n", `run.xml: no actors to run`},
		"too old":     {"<platform version=\"2\"/>\n", `run.xml:3: element <platform>: version 4.1 expected, found 2, which is too old (simgrid_update_xml converts such files)`},
		"several": {
			"<platform version=\"4.1\">\n  <actor host=\"Jupiter\" function=\"x\"/>\n  <actor host=\"Jupiter\" function=\"y\"/>\n</platform>\n",
			"run.xml:4: program \"x\" not found\nrun.xml:5: program \"y\" not found",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := loadDeployment(t, test.text)
			if err == nil {
				t.Fatal("no error")
			}
			if d := cmp.Diff(test.want, err.Error()); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestLoadCommand(t *testing.T) {
	write(t, map[string]string{
		"two.xml":       twoHosts,
		"platform.yaml": "hosts: [{name: a}, {name: b}]\nlinks: []\n",
		"lab.yaml":      hosts + "stop: 1s\nseed: 5\nprocesses: [{host: nowhere, command: [nosuch]}]\n",
	})
	for _, test := range []struct{ file, host, want string }{
		{"two.xml", "", "Tremblay"},
		{"two.xml", "Jupiter", "Jupiter"},
		{"platform.yaml", "b", "b"},
		{"lab.yaml", "", "server"},
		{"lab.yaml", "client-3", "client-3"},
	} {
		e, err := LoadCommand(test.file, test.host, []string{"sh", "-c", "true"}, Overrides{})
		if err != nil {
			t.Errorf("%s %s: %v", test.file, test.host, err)
			continue
		}
		if p := e.Processes[0]; len(e.Processes) != 1 || p.Host.Name != test.want || p.Name != "sh" || e.Stop != sim.Never {
			t.Errorf("%s %s: %+v, stop %v", test.file, test.host, e.Processes, e.Stop)
		}
	}
	for _, test := range []struct{ file, host, program, want string }{
		{"two.xml", "Jupter", "sh", `--host: no host "Jupter" (did you mean "Jupiter"?)`},
		{"lab.yaml", "client-*", "sh", `--host: one host expected, "client-*" stands for 3`},
		{"two.xml", "", "nosuch", `command line: program "nosuch" not found`},
		{"none.yaml", "", "sh", `open none.yaml: no such file or directory`},
	} {
		if _, err := LoadCommand(test.file, test.host, []string{test.program}, Overrides{}); err == nil || err.Error() != test.want {
			t.Errorf("%s %s %s: %v", test.file, test.host, test.program, err)
		}
	}
}

func TestExpectationMet(t *testing.T) {
	killed := Expectation{Signal: unix.SIGKILL, Stopped: true}
	for _, test := range []struct {
		expect  Expectation
		running bool
		exit    int
		signal  unix.Signal
		want    bool
	}{
		{Expectation{}, false, 0, 0, true},
		{Expectation{}, false, 1, 0, false},
		{Expectation{}, true, 0, 0, false},
		{Expectation{}, false, 0, unix.SIGSEGV, false},
		{Expectation{Exit: 2}, false, 2, 0, true},
		{Expectation{Signal: unix.SIGTERM}, false, -1, unix.SIGTERM, true},
		{Expectation{Signal: unix.SIGTERM}, false, 0, 0, false},
		{Expectation{Running: true}, true, -1, 0, true},
		{Expectation{Running: true}, false, 0, 0, false},
		{killed, false, -1, unix.SIGKILL, true},
		{killed, false, 0, 0, true},
		{killed, false, 1, 0, false},
		{killed, true, -1, 0, false},
	} {
		if got := test.expect.Met(test.running, test.exit, test.signal); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}
