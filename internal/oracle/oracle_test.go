package oracle

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/simterpose/simterpose/network"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/scenario"
	"github.com/simterpose/simterpose/sim"
)

var (
	cases   = flag.Int("cases", 330, "number of random cases to compare with SimGrid")
	oneSeed = flag.Int64("seed", -1, "compare only the case of this seed")
	keep    = flag.String("keep", "", "folder to leave the files of a failing case in")
	shared  = flag.String("platforms", "", "folder of further platform files to compare over")
)

// setting is how a model runs in both.
type setting struct {
	model        string
	crossTraffic bool
}

func (s setting) options() []string {
	cross := "1"
	if !s.crossTraffic {
		cross = "0"
	}
	// The 3.32 default "host model default" turns cross-traffic on; naming the
	// network model would turn it off unless it is asked for.
	return []string{
		"--cfg=network/model:" + s.model, "--cfg=network/crosstraffic:" + cross,
		"--cfg=contexts/stack-size:64", "--log=root.thresh:critical",
	}
}

func (s setting) network(p *platform.Platform) (*network.Network, error) {
	m, err := network.ModelByName(s.model)
	if err != nil {
		return nil, err
	}
	if err := m.Configure(p.Config); err != nil {
		return nil, err
	}
	m.CrossTraffic = s.crossTraffic
	return network.New(network.Config{
		Model: m, Hosts: p.Hosts, Links: &p.Links, Router: p, Seed: sim.NewSource(1), AsSimGrid: true,
	}), nil
}

// answer is what SimGrid says of one item.
type answer struct {
	state         string
	start, finish float64
	latency       float64
	links         []string
}

type answers struct {
	items         []answer
	clock         float64
	seconds       float64
	peakKilobytes int64
}

// errGivesUp is an assertion of SimGrid's: on Wifi links, whose usage is often
// below its solver's precision, it finds activities without rate, and changes of
// links make penalties negative of what has them on the way back only.
var errGivesUp = errors.New("SimGrid gives up")

// errTooSlow is a run of SimGrid's that was given up.
var errTooSlow = errors.New("SimGrid was not done after")

// ask has SimGrid play a scenario.
func ask(platformFile, scenarioFile string, arguments ...string) (answers, error) {
	var a answers
	limit := 5 * time.Minute
	if *long {
		// SimGrid plays 100 000 communications in 3 minutes of a quiet machine,
		// over a Dragonfly in 15.
		limit = 30 * time.Minute
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	run := exec.CommandContext(ctx, filepath.Join(programs, "oracle"), append([]string{platformFile, scenarioFile}, arguments...)...)
	var stderr bytes.Buffer
	run.Stderr = &stderr
	out, err := run.Output()
	if ctx.Err() != nil {
		return a, fmt.Errorf("%w %v", errTooSlow, limit)
	}
	if err != nil {
		for _, assertion := range []string{"The Impossible Did Happen", "Variable penalty should not be negative"} {
			if strings.Contains(stderr.String(), assertion) {
				return a, errGivesUp
			}
		}
		return a, fmt.Errorf("SimGrid: %w\n%s", err, stderr.String())
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	number := func(s string) float64 {
		x, e := strconv.ParseFloat(s, 64)
		if e != nil {
			err = e
		}
		return x
	}
	for lines.Scan() {
		f := strings.Split(lines.Text(), "\t")
		switch {
		case f[0] == "end":
			a.clock, a.seconds, a.peakKilobytes = number(f[1]), number(f[2]), int64(number(f[3]))
		case f[1] == "route":
			a.items = append(a.items, answer{state: "DONE", latency: number(f[2]), links: f[3:]})
		default:
			a.items = append(a.items, answer{state: f[1], start: number(f[2]), finish: number(f[3])})
		}
	}
	return a, err
}

// tolerance is how far two dates may be apart: 2e-6 s for the order of
// additions where several resources fill at the same level, and rounding.
func tolerance(date float64) float64 { return 2e-6 + 1e-9*math.Abs(date) }

// compare plays a scenario with both and returns the differences and the
// largest error of a date.
func compare(platformFile, scenarioFile string, s setting) (differences []string, worst float64, err error) {
	p, err := platform.Load(platformFile)
	if err != nil {
		return nil, 0, err
	}
	f, err := os.Open(scenarioFile)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	items, err := scenario.Parse(scenarioFile, f, p)
	if err != nil {
		return nil, 0, err
	}
	theirs, err := ask(platformFile, scenarioFile, s.options()...)
	if err != nil {
		return nil, 0, err
	}
	n, err := s.network(p)
	if err != nil {
		return nil, 0, err
	}
	results, _ := scenario.Run(n, items)
	if len(theirs.items) != len(items) {
		return nil, 0, fmt.Errorf("SimGrid answered %d items of %d", len(theirs.items), len(items))
	}
	for i, a := range theirs.items {
		r, item := results[i], items[i]
		differ := func(format string, arguments ...any) {
			differences = append(differences, fmt.Sprintf("line %d: %s %s: ", item.Line, item.Kind, item.Text)+fmt.Sprintf(format, arguments...))
		}
		if item.Kind == scenario.Route {
			var names []string
			for _, l := range r.Route {
				names = append(names, l.Name())
			}
			if ours, want := strings.Join(names, " "), strings.Join(a.links, " "); ours != want {
				differ("links are\n  %s\nSimGrid's\n  %s", ours, want)
			}
			if math.Abs(r.Latency-a.latency) > 1e-15+1e-12*a.latency {
				differ("latency %.17g, SimGrid's %.17g", r.Latency, a.latency)
			}
			continue
		}
		if r.State.String() != a.state {
			differ("%s at %.9f, SimGrid's %s at %.9f", r.State, r.Finish, a.state, a.finish)
			continue
		}
		if a.state == "CANCEL" {
			continue
		}
		worst = max(worst, math.Abs(r.Finish-a.finish))
		if math.Abs(r.Finish-a.finish) > tolerance(a.finish) || math.Abs(r.Start-a.start) > tolerance(a.start) {
			differ("%.12f to %.12f, SimGrid's %.12f to %.12f", r.Start, r.Finish, a.start, a.finish)
		}
	}
	return differences, worst, nil
}

// report fails the test with the first differences.
func report(t *testing.T, differences []string, reproduce string) {
	t.Helper()
	if len(differences) == 0 {
		return
	}
	shown := differences[:min(len(differences), 10)]
	t.Errorf("%d differences from SimGrid:\n%s\nTo reproduce: %s", len(differences), strings.Join(shown, "\n"), reproduce)
}

func write(t testing.TB, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestRandomCases compares completion times and routes over random platforms.
func TestRandomCases(t *testing.T) {
	worst, compared := map[string]float64{}, 0
	for i := range int64(*cases) {
		seed := i
		if *oneSeed >= 0 {
			seed = *oneSeed
		}
		kind := Kinds[int(seed)%len(Kinds)]
		name := fmt.Sprintf("%s/seed=%d", kind, seed)
		t.Run(name, func(t *testing.T) {
			random := NewRand(uint64(seed))
			s := setting{[]string{"LV08", "CM02", "SMPI"}[random.IntN(3)], random.IntN(2) == 0}
			dir := *keep
			if dir == "" {
				dir = t.TempDir()
			}
			text, profiles := Platform(kind, random)
			platformFile := write(t, dir, "platform.xml", text)
			for name, profile := range profiles {
				write(t, dir, name, profile)
			}
			p, err := platform.Load(platformFile)
			if err != nil {
				t.Fatal(err)
			}
			activities := 1 + random.IntN(60)
			if random.IntN(20) == 0 {
				activities = 1000
			}
			scenarioFile := write(t, dir, "scenario.txt", Scenario(kind, p, random, activities))
			differences, largest, err := compare(platformFile, scenarioFile, s)
			if errors.Is(err, errGivesUp) {
				t.Log(err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			compared++
			report(t, differences, fmt.Sprintf(
				"go test ./internal/oracle -run TestRandomCases -seed %d -keep /tmp  (%s, cross-traffic %v)", seed, s.model, s.crossTraffic))
			worst[kind] = max(worst[kind], largest)
		})
		if *oneSeed >= 0 {
			break
		}
	}
	for _, kind := range Kinds {
		t.Logf("%-16s largest error %.3g s", kind, worst[kind])
	}
	if *oneSeed < 0 && compared < *cases*10/11 {
		t.Errorf("only %d of %d cases could be compared", compared, *cases)
	}
}

// TestExamplePlatforms compares over the platform files of testdata, written in
// the manner of SimGrid's examples, and of the folder that -platforms names.
func TestExamplePlatforms(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if *shared != "" {
		more, err := filepath.Glob(filepath.Join(*shared, "*.xml"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, more...)
	}
	if len(files) == 0 {
		t.Fatal("no platform files")
	}
	for i, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			p, err := platform.Load(file)
			if err != nil {
				t.Fatal(err)
			}
			random := NewRand(uint64(i))
			s := setting{[]string{"LV08", "CM02", "SMPI"}[i%3], i%2 == 0}
			scenarioFile := write(t, t.TempDir(), "scenario.txt", Scenario("example", p, random, 60))
			differences, largest, err := compare(file, scenarioFile, s)
			if err != nil {
				t.Fatal(err)
			}
			report(t, differences, "go test ./internal/oracle -run TestExamplePlatforms/"+filepath.Base(file))
			t.Logf("%s: largest error %.3g s", s.model, largest)
		})
	}
}
