package oracle

import (
	"os"
	"strings"
	"testing"

	"github.com/simterpose/simterpose/network"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/scenario"
	"github.com/simterpose/simterpose/sim"
)

// TestConfigOptions compares over platforms whose <config> chooses a model and
// its constants.
func TestConfigOptions(t *testing.T) {
	random := NewRand(5)
	body, _ := Platform("full", random)
	_, body, _ = strings.Cut(body, `<platform version="4.1">`)
	for _, options := range []string{
		"network/model=CM02",
		"network/model=SMPI",
		"network/model=SMPI network/latency-factor=7 network/bandwidth-factor=0.1 network/weight-S=1",
		"network/model=SMPI smpi/lat-factor=2000:3;0:2;100000:4 smpi/bw-factor=0:0.5;1500000:0.7",
		"network/latency-factor=2 network/bandwidth-factor=0.5 network/weight-S=100",
		"network/TCP-gamma=1000",
		"network/crosstraffic=no",
		"maxmin/concurrency-limit=2",
		"network/loopback-bw=1000 network/loopback-lat=0.5",
		"network/model=Constant network/latency-factor=3",
	} {
		t.Run(options, func(t *testing.T) {
			var config strings.Builder
			for o := range strings.FieldsSeq(options) {
				name, value, _ := strings.Cut(o, "=")
				config.WriteString(`<prop id="` + name + `" value="` + value + `"/>`)
			}
			content := body
			if strings.Contains(options, "Constant") { // SimGrid then refuses links
				content = `<zone id="z" routing="None"><host id="a" speed="1Gf"/><host id="b" speed="1Gf"/></zone></platform>`
			}
			dir := t.TempDir()
			platformFile := write(t, dir, "platform.xml", `<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1"><config id="General">`+config.String()+`</config>`+content)
			p, err := platform.Load(platformFile)
			if err != nil {
				t.Fatal(err)
			}
			text := "comm 0 a b 1000000\ncomm 0.5 b a 2000000\n"
			if p.Host("a") == nil {
				text = Scenario("example", p, NewRand(6), 40)
				switch {
				case strings.Contains(options, "loopback"):
					text = "comm 0 h0 h0 1000\ncomm 0.1 h0 h0 3000\n"
				case strings.Contains(options, "concurrency"):
					text = "comm 0 h0 h1 1000000\ncomm 0 h0 h1 2000000\ncomm 0.001 h0 h1 3000000\ncomm 0.002 h1 h0 1000000\n"
				}
			}
			scenarioFile := write(t, dir, "scenario.txt", text)
			theirs, err := ask(platformFile, scenarioFile, "--log=root.thresh:critical")
			if err != nil {
				t.Fatal(err)
			}
			ours := playConfigured(t, p, scenarioFile)
			for i, a := range theirs.items {
				if r := ours[i]; a.links == nil && (r.State.String() != a.state || r.Finish-a.finish > tolerance(a.finish) || a.finish-r.Finish > tolerance(a.finish)) {
					t.Errorf("item %d: %s at %.9f, SimGrid's %s at %.9f", i, r.State, r.Finish, a.state, a.finish)
				}
			}
		})
	}
}

// playConfigured plays a scenario with what the platform's <config> says.
func playConfigured(t *testing.T, p *platform.Platform, scenarioFile string) []scenario.Result {
	t.Helper()
	name := p.Config["network/model"]
	if name == "" {
		name = "LV08"
	}
	m, err := network.ModelByName(name)
	if err == nil {
		err = m.Configure(p.Config)
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(scenarioFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	items, err := scenario.Parse(scenarioFile, f, p)
	if err != nil {
		t.Fatal(err)
	}
	results, _ := scenario.Run(network.New(network.Config{
		Model: m, Hosts: p.Hosts, Links: &p.Links, Router: p, Seed: sim.NewSource(1), AsSimGrid: true,
	}), items)
	return results
}
