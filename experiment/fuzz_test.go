package experiment

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/simterpose/simterpose/platform"
)

// checkLoaded holds what is true of every experiment that loads, and of every
// refusal.
func checkLoaded(t *testing.T, e *Experiment, err error) {
	t.Helper()
	if err != nil {
		if e != nil || err.Error() == "" {
			t.Errorf("%v with the error %q", e, err)
		}
		return
	}
	names := make(map[*platform.Host]map[string]bool)
	for _, p := range e.Processes {
		if p.Host == nil || p.Host != e.Platform.Host(p.Host.Name) {
			t.Fatalf("process %q on no host of the platform", p.Name)
		}
		if names[p.Host] == nil {
			names[p.Host] = make(map[string]bool)
		}
		switch {
		case names[p.Host][p.Name]:
			t.Errorf("two processes %q on host %q", p.Name, p.Host.Name)
		case checkName(p.Name) != nil || checkHostname(p.Host.Name) != nil:
			t.Errorf("process %q on host %q", p.Name, p.Host.Name)
		case len(p.Argv) == 0 || p.Argv[0] == "" || strings.Contains(strings.Join(append(p.Argv, p.Env...), ""), "\x00"):
			t.Errorf("%q, %q cannot be executed", p.Argv, p.Env)
		case p.Start < 0 || p.Stop <= p.Start || p.StopSignal == 0:
			t.Errorf("%+v", p)
		}
		names[p.Host][p.Name] = true
	}
}

// largeRange finds what stands for so many hosts that it only costs time.
var largeRange = regexp.MustCompile(`\[[^]]*[0-9]{4}|(\[[^]]*[0-9]{2}.*){2}`)

func FuzzExperiment(f *testing.F) {
	f.Add(hosts + "processes:\n  - {host: server, command: [sh]}\n")
	f.Add(hosts + `seed: 1
epoch: 2030-01-01
stop: 60s
network: {model: tcp, handshake: free}
cpu: {model: none}
processes:
  - hosts: [server, "client-*"]
    name: x
    command: ls
    env: {LANG: C}
    start: 0s
    stop: 30s
    signal: INT
    daemon: true
    expect: {exit: 0}
  - {host: &h server, command: [sh, *h], expect: running}
`)
	f.Add("&a x: *a\n b\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2000 || strings.Contains(text, "/") || largeRange.MatchString(text) {
			return
		}
		t.Chdir(t.TempDir()) // a platform may be the name of a file, here only of one beside
		if err := os.WriteFile("lab.yaml", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		e, err := Load("lab.yaml", Overrides{})
		checkLoaded(t, e, err)
	})
}

func FuzzDeployment(f *testing.F) {
	f.Add(`<actor host="a" function="sh"/>`)
	f.Add(`<process host="b" function="sh" start_time="3" kill_time="10" on_failure="RESTART"><argument value="1"/>
<prop id="simterpose/expect" value="TERM"/><prop id="simterpose/daemon" value="true"/><prop id="A" value="b"/></process>`)
	const twoHosts = `<platform version="4.1"><zone id="z" routing="Full"><host id="a" speed="1Gf"/><host id="b" speed="1Gf"/></zone></platform>`
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2000 {
			return
		}
		t.Chdir(t.TempDir())
		const head = "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
		for name, content := range map[string]string{
			"p.xml": head + twoHosts, "d.xml": head + `<platform version="4.1">` + text + "</platform>\n",
		} {
			if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		e, err := LoadDeployment("p.xml", "d.xml", Overrides{})
		checkLoaded(t, e, err)
	})
}
