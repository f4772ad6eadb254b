package experiment

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/sim"
)

const hosts = `platform:
  hosts:
    - {name: server}
    - {name: "client-[1-3]"}
  switch: {bandwidth: 1Gbps, latency: 500us}
`

// write puts files into a folder that becomes the working directory.
func write(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func load(t *testing.T, text string) (*Experiment, error) {
	t.Helper()
	write(t, map[string]string{"lab.yaml": text})
	return Load("lab.yaml", Overrides{})
}

// plain is what tests compare of a process.
type plain struct {
	Host, Name  string
	Argv, Env   []string
	Start, Stop sim.Time
	Signal      unix.Signal
	Daemon      bool
	Expect      Expectation
	Restart     bool
	At          string
}

func plainProcesses(e *Experiment) []plain {
	var list []plain
	for _, p := range e.Processes {
		list = append(list, plain{
			p.Host.Name, p.Name, p.Argv, p.Env, p.Start, p.Stop, p.StopSignal, p.Daemon, p.Expect, p.Restart, p.Position.String(),
		})
	}
	return list
}

func TestLoadProcesses(t *testing.T) {
	e, err := load(t, hosts+`seed: 7
epoch: 2031-02-03T04:05:06+01:00
stop: 1m
network: {model: lv08, handshake: free}
cpu: {model: none}
processes:
  - host: server
    name: web
    command: [/bin/sh, -c, "exit 3"]
    env: {LANG: C, A: 1e3}
    start: 300ms
    stop: 30s
    signal: INT
    expect: {exit: 3}
  - hosts: client-*
    command: echo $HOME
  - hosts: [client-2, server]
    command: [sh]
    daemon: true
  - {host: server, command: [sleep, 010], expect: {signal: SIGKILL}}
  - {host: server, command: [sleep, "1"], stop: 1s, daemon: true}
  - {host: server, name: sleep.2, command: [./own]}
`)
	if err != nil {
		t.Fatal(err)
	}
	const never, second = sim.Never, sim.Time(time.Second)
	shell := []string{"/bin/sh", "-c", "echo $HOME"}
	want := []plain{
		{
			Host: "server", Name: "web", Argv: []string{"/bin/sh", "-c", "exit 3"}, Env: []string{"A=1e3", "LANG=C"},
			Start: 3 * second / 10, Stop: 30 * second, Signal: unix.SIGINT, Expect: Expectation{Exit: 3}, Restart: true, At: "lab.yaml:12:5",
		},
		{Host: "client-1", Name: "sh", Argv: shell, Stop: never, Signal: unix.SIGTERM, Restart: true, At: "lab.yaml:20:5"},
		{Host: "client-2", Name: "sh", Argv: shell, Stop: never, Signal: unix.SIGTERM, Restart: true, At: "lab.yaml:20:5"},
		{Host: "client-3", Name: "sh", Argv: shell, Stop: never, Signal: unix.SIGTERM, Restart: true, At: "lab.yaml:20:5"},
		{Host: "client-2", Name: "sh.2", Argv: []string{"sh"}, Stop: never, Signal: unix.SIGTERM, Daemon: true, Expect: Expectation{Running: true}, Restart: true, At: "lab.yaml:22:5"},
		{Host: "server", Name: "sh", Argv: []string{"sh"}, Stop: never, Signal: unix.SIGTERM, Daemon: true, Expect: Expectation{Running: true}, Restart: true, At: "lab.yaml:22:5"},
		{Host: "server", Name: "sleep", Argv: []string{"sleep", "010"}, Stop: never, Signal: unix.SIGTERM, Expect: Expectation{Signal: unix.SIGKILL}, Restart: true, At: "lab.yaml:25:5"},
		{Host: "server", Name: "sleep.3", Argv: []string{"sleep", "1"}, Stop: second, Signal: unix.SIGTERM, Daemon: true, Restart: true, At: "lab.yaml:26:5"},
		{Host: "server", Name: "sleep.2", Argv: []string{"./own"}, Stop: never, Signal: unix.SIGTERM, Restart: true, At: "lab.yaml:27:5"},
	}
	if d := cmp.Diff(want, plainProcesses(e)); d != "" {
		t.Error(d)
	}
	if !filepath.IsAbs(e.File) || filepath.Base(e.File) != "lab.yaml" || e.Name != "lab" {
		t.Errorf("file %q, name %q", e.File, e.Name)
	}
	if e.Seed != 7 || e.Stop != 60*second || e.Network != (NetworkOptions{"LV08", true}) || e.CPU.Model != "none" {
		t.Errorf("seed %d, stop %v, network %+v, cpu %+v", e.Seed, e.Stop, e.Network, e.CPU)
	}
	if got := e.Epoch.Format(time.RFC3339); got != "2031-02-03T03:05:06Z" {
		t.Errorf("epoch %s", got)
	}
}

func TestDefaults(t *testing.T) {
	e, err := load(t, hosts+"processes: [{host: server, command: [sh]}]\n")
	if err != nil {
		t.Fatal(err)
	}
	if e.Seed != 1 || e.Stop != sim.Never || e.Network != (NetworkOptions{Model: "tcp"}) || e.CPU.Model != "none" ||
		e.Epoch.Format(time.RFC3339) != "2030-01-01T00:00:00Z" || e.Warnings != nil {
		t.Errorf("%+v", e)
	}
}

func TestOverridesReplaceTheFile(t *testing.T) {
	write(t, map[string]string{"lab.yaml": hosts + "seed: 2\nstop: 5s\nnetwork: {model: LV08}\nprocesses: [{host: server, command: [sh]}]\n"})
	seed, stop, model, none := uint64(9), sim.Time(8), "cm02", "none"
	e, err := Load("lab.yaml", Overrides{Seed: &seed, Stop: &stop, Network: &model, CPU: &none})
	if err != nil {
		t.Fatal(err)
	}
	if e.Seed != 9 || e.Stop != 8 || e.Network.Model != "CM02" {
		t.Errorf("%+v", e)
	}
	model = "udp"
	if _, err = Load("lab.yaml", Overrides{Network: &model}); err == nil || !strings.HasPrefix(err.Error(), "--network: ") {
		t.Errorf("%v", err)
	}
}

// TestErrors gives the exact text, because the text is what users see.
func TestErrors(t *testing.T) {
	process := func(text string) string { return hosts + "processes:\n  - {host: server, " + text + "}\n" }
	for name, test := range map[string]struct{ text, want string }{
		"unknown key": {
			hosts + "processes:\n  - {hots: server, command: [sh]}\n",
			`lab.yaml:7:6: unknown key "hots" (did you mean "host"?)`,
		},
		"unknown section": {
			hosts + "proccesses: []\n",
			`lab.yaml:6:1: unknown key "proccesses" (did you mean "processes"?)`,
		},
		"no platform":       {"processes: [{host: a, command: [sh]}]\n", `lab.yaml:1:1: key "platform" is missing (or run with --platform FILE)`},
		"daemons alone":     {process("command: [sh], daemon: true"), `lab.yaml:7:5: all processes are daemons: key "stop" expected as well (or --stop), as the experiment would not end`},
		"no processes":      {hosts, `lab.yaml:1:1: at least one process expected (key "processes")`},
		"no command":        {process("name: a"), `lab.yaml:7:5: key "command" is missing`},
		"empty command":     {process("command: []"), `lab.yaml:7:29: the name of a program expected`},
		"unknown host":      {hosts + "processes:\n  - {host: serwer, command: [sh]}\n", `lab.yaml:7:5: no host "serwer" (did you mean "server"?)`},
		"no matching host":  {hosts + "processes:\n  - {hosts: x*, command: [sh]}\n", `lab.yaml:7:5: no host "x*"`},
		"no host":           {hosts + "processes:\n  - {command: [sh]}\n", `lab.yaml:7:5: either host or hosts expected`},
		"host twice":        {hosts + "processes:\n  - {hosts: [client-1, client-*], command: [sh]}\n", `lab.yaml:7:5: host "client-1" is named twice`},
		"program":           {process("command: [redsi-server]"), `lab.yaml:7:5: program "redsi-server" not found`},
		"absolute program":  {process("command: [/bin/redsi]"), `lab.yaml:7:5: program "/bin/redsi" not found`},
		"folder as program": {process("command: [/bin/]"), `lab.yaml:7:5: program "/bin/" expected, found a folder`},
		"not executable":    {process("command: [/etc/passwd]"), `lab.yaml:7:5: program "/etc/passwd" may not be executed (chmod +x)`},
		"host's long name": {
			"platform: {hosts: [{name: " + strings.Repeat("a", 65) + "}]}\nprocesses: [{host: a*, command: [sh]}]\n",
			`lab.yaml:2:13: host: at most 64 bytes expected, as Linux allows, found 65 ("` + strings.Repeat("a", 65) + `")`,
		},
		"program in own PATH": {process("command: [sh], env: {PATH: /nowhere}"), `lab.yaml:7:5: program "sh" not found`},
		"bad name":            {process("command: [sh], name: a/b"), `lab.yaml:7:5: name: a name without / and control characters expected, found "a/b"`},
		"bad start":           {process("command: [sh], start: 5parsecs"), `lab.yaml:7:42: unknown unit "parsecs" of time in "5parsecs" (expected a number and a unit such as 50ms)`},
		"negative start":      {process("command: [sh], start: -1s"), `lab.yaml:7:42: a time of 0 s or more expected, found -1 s`},
		"stop before start":   {process("command: [sh], start: 2s, stop: 1s"), `lab.yaml:7:5: stop: a time after the start at 2s expected, found 1s`},
		"signal alone":        {process("command: [sh], signal: INT"), `lab.yaml:7:5: signal: a time to send it expected as well (stop: TIME)`},
		"bad signal":          {process("command: [sh], stop: 1s, signal: TEMR"), `lab.yaml:7:53: the name of a signal expected, such as TERM, found "TEMR"`},
		"bad expectation":     {process("command: [sh], expect: stopped"), `lab.yaml:7:43: {exit: N}, {signal: NAME} or running expected, found "stopped"`},
		"two expectations":    {process("command: [sh], expect: {exit: 1, signal: KILL}"), `lab.yaml:7:43: either exit or signal expected`},
		"exit status":         {process("command: [sh], expect: {exit: 256}"), `lab.yaml:7:43: exit: a status from 0 to 255 expected, found 256`},
		"variable":            {process(`command: [sh], env: {"A=B": C}`), `lab.yaml:7:5: env: the name of a variable expected, found "A=B"`},
		"network":             {hosts + "network: {model: LV80}\nprocesses: [{host: server, command: [sh]}]\n", `lab.yaml:6:10: unknown network model "LV80" (known: tcp, LV08, CM02, SMPI, constant)`},
		"handshake":           {hosts + "network: {handshake: slow}\nprocesses: [{host: server, command: [sh]}]\n", `lab.yaml:6:10: handshake: timed or free expected, found "slow"`},
		"cpu":                 {hosts + "cpu: {model: fast}\nprocesses: [{host: server, command: [sh]}]\n", `lab.yaml:6:6: cpu model: none, measured, fixed expected, found "fast"`},
		"costs alone":         {hosts + "cpu: {fixed: {per_call: 1us, costs: file}}\nprocesses: [{host: server, command: [sh]}]\n", `lab.yaml:6:6: costs goes with per_cpu_second`},
		"epoch":               {hosts + "epoch: tomorrow\nprocesses: [{host: server, command: [sh]}]\n", `lab.yaml:6:8: a date such as 2030-01-01T00:00:00Z expected, found "tomorrow"`},
		"early epoch":         {hosts + "epoch: 1969-12-31\nprocesses: [{host: server, command: [sh]}]\n", `lab.yaml:6:8: a date from 1970 to 2199 expected, found "1969-12-31"`},
		"stop at once":        {hosts + "stop: 0\nprocesses: [{host: server, command: [sh]}]\n", `lab.yaml:6:7: stop: a time after 0 s expected`},
		"missing platform": {
			"platform: none.xml\nprocesses: [{host: server, command: [sh]}]\n",
			`lab.yaml:1:11: platform: open none.xml: no such file or directory`,
		},
		"several": {
			hosts + "seed: -1\nprocesses:\n  - {host: a, command: [sh]}\n  - {host: server, name: x, command: [sh]}\n  - {host: server, name: x, command: [nosuch]}\n",
			"lab.yaml:6:7: an integer expected, found \"-1\"\n" +
				"lab.yaml:8:5: no host \"a\"\n" +
				"lab.yaml:10:5: a second process named \"x\" on host \"server\", the first is at lab.yaml:9:5\n" +
				"lab.yaml:10:5: program \"nosuch\" not found",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, test.text)
			if err == nil {
				t.Fatal("no error")
			}
			if d := cmp.Diff(test.want, err.Error()); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestManyErrorsAreCut(t *testing.T) {
	_, err := load(t, hosts+"processes:\n"+strings.Repeat("  - {host: x, command: [sh]}\n", 30))
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != maxProblems+1 || lines[maxProblems] != "and 10 more errors" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

func TestWarnings(t *testing.T) {
	e, err := load(t, `platform:
  hosts: [{name: a}, {name: b}, {name: c}]
  links: [{name: l, bandwidth: 1MBps}]
  routes: [{from: a, to: b, links: [l]}]
stop: 1s
processes:
  - {hosts: [a, b, c], command: [sh]}
  - {host: a, command: [sh], start: 1s}
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`lab.yaml:8:5: process "sh.2" starts at 1s, but the experiment stops at 1s`,
		`no route from host "a" to host "c"`, `no route from host "b" to host "c"`,
		`no route from host "c" to host "a"`, `no route from host "c" to host "b"`,
	}
	if d := cmp.Diff(want, e.Warnings); d != "" {
		t.Error(d)
	}
}
