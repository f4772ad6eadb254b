package experiment

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/simterpose/simterpose/internal/strictyaml"
	"github.com/simterpose/simterpose/network"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// What an experiment is when its file does not say.
var (
	defaultSeed  = uint64(1)
	defaultEpoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
)

// loader is an experiment under construction.
type loader struct {
	problems
	*Experiment
	path string // of the file, as given
	// placed tells that the platform is that of the command line already.
	placed bool
	// eventNodes are read last: they name processes. mediationNode names hosts of
	// the platform that the command line may give.
	eventNodes    []ast.Node
	mediationNode ast.Node
}

func newLoader(path string) *loader {
	absolute, err := filepath.Abs(path)
	if err != nil { // the working directory is gone
		absolute = path
	}
	base := filepath.Base(path)
	return &loader{path: path, Experiment: &Experiment{
		File: absolute, Name: strings.TrimSuffix(base, filepath.Ext(base)),
		Seed: defaultSeed, Epoch: defaultEpoch, Stop: sim.Never,
		CPU: CPUOptions{Model: "none"},
	}}
}

// Load reads an experiment file, or a SimGrid platform that holds actors
// itself.
func Load(path string, overrides Overrides) (*Experiment, error) {
	if strings.EqualFold(filepath.Ext(path), ".xml") {
		return LoadDeployment(path, path, overrides)
	}
	l, d, err := readDocument(path)
	if err != nil {
		return nil, err
	}
	if d.Processes == nil {
		l.addf(Position(d.At), `at least one process expected (key "processes")`)
	}
	l.section(d, overrides)
	if l.Platform != nil {
		if len(l.Platform.Actors) > 0 {
			l.warnf("%s: its %d actors are not run: an experiment file names its own processes", l.Platform.File, len(l.Platform.Actors))
		}
		l.processes(d.Processes)
		l.clocks(d.Clocks)
		l.files(d.Files, d.Collect)
		l.eventNodes = d.Events
		l.mediationNode = d.Mediation
	}
	return l.finish(overrides)
}

// readDocument reads an experiment file as far as its outermost keys.
func readDocument(path string) (*loader, *document, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	node, err := strictyaml.Parse(path, text)
	if err != nil {
		return nil, nil, err
	}
	d := new(document)
	if err := strictyaml.Decode(path, node, d); err != nil {
		return nil, nil, err
	}
	return newLoader(path), d, nil
}

func (l *loader) warnf(format string, arguments ...any) {
	l.Warnings = append(l.Warnings, fmt.Sprintf(format, arguments...))
}

// decode decodes the value of a key, if it is given.
func (l *loader) decode(node ast.Node, into any) (given bool) {
	if node == nil {
		return false
	}
	if err := strictyaml.Decode(l.path, node, into); err != nil {
		l.add(err)
		return false
	}
	return true
}

// section reads everything but the processes.
func (l *loader) section(d *document, o Overrides) {
	p, err := l.loadPlatform(d, o)
	l.add(err)
	l.Platform = p
	l.decode(d.Seed, &l.Seed)
	l.counter(d.TSC)
	if d.Interceptor != nil {
		l.Interceptor, _ = strictyaml.Text(d.Interceptor)
		if err := checkInterceptor(l.Interceptor); err != nil {
			l.addf(l.at(d.Interceptor), "%v", err)
		}
	}
	var epoch calendar
	if l.decode(d.Epoch, &epoch) {
		l.Epoch = time.Time(epoch)
	}
	var stop duration
	if l.decode(d.Stop, &stop) {
		l.Stop = sim.Time(stop)
		if stop == 0 {
			l.addf(l.at(d.Stop), "stop: a time after 0 s expected")
		}
	}
	var n networkSection
	if l.decode(d.Network, &n) {
		l.network(n, l.at(d.Network))
	}
	if d.CPU != nil {
		l.cpu(d.CPU)
	}
	if d.Disks != nil {
		l.disks(d.Disks)
	}
}

// disks reads whether accesses of disks take time.
func (l *loader) disks(node ast.Node) {
	switch text, _ := strictyaml.Text(node); text {
	case "free":
	case "timed":
		l.TimedDisks = true
	default:
		l.addf(l.at(node), "disks: free or timed expected")
	}
}

func (l *loader) at(node ast.Node) Position { return Position(strictyaml.At(l.path, node)) }

func (l *loader) network(n networkSection, at Position) {
	if n.Model != "" {
		l.Network.Model = n.Model
		if _, err := network.ModelByName(n.Model); err != nil {
			l.addf(at, "%v", err)
		}
	}
	switch n.Handshake {
	case "", "timed":
	case "free":
		l.Network.HandshakeFree = true
	default:
		l.addf(at, "handshake: timed or free expected, found %q", n.Handshake)
	}
}

// loadPlatform reads a platform from the file that the experiment names, or
// from the experiment itself. An experiment without one takes that of the
// command line.
func (l *loader) loadPlatform(d *document, o Overrides) (*platform.Platform, error) {
	path, node := l.path, d.Platform
	if node == nil && o.Platform != "" {
		p, err := platform.Load(o.Platform)
		if err == nil {
			if err = l.rename(p, o.Place); err != nil {
				err = fmt.Errorf("--place: %w", err)
			}
		}
		l.placed = true
		return p, err
	}
	if node == nil {
		return nil, fmt.Errorf("%s: %w", Position(d.At), errNoPlatform)
	}
	file, ok := strictyaml.Text(node)
	var section platformFile
	switch {
	case ok:
	case hasKey(node, "file"):
		if err := strictyaml.Decode(path, node, &section); err != nil {
			return nil, err
		}
		file = section.File
	default:
		return platform.FromYAML(path, node)
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(filepath.Dir(path), file)
	}
	p, err := platform.Load(file)
	if problem := (*fs.PathError)(nil); errors.As(err, &problem) {
		return nil, strictyaml.Errorf(path, node, "platform: %v", err)
	}
	if err == nil {
		if err = l.rename(p, section.Place); err != nil {
			err = strictyaml.Errorf(path, node, "place: %v", err)
		}
	}
	return p, err
}

// finish applies what the command line replaces, and checks the whole.
func (l *loader) finish(o Overrides) (*Experiment, error) {
	commandLine := func(flag string, err error) {
		if err != nil {
			l.add(fmt.Errorf("--%s: %w", flag, err))
		}
	}
	if o.Seed != nil {
		l.Seed = *o.Seed
	}
	if o.Stop != nil {
		l.Stop = *o.Stop
	}
	if l.DaemonsAlone() && l.Stop == sim.Never {
		l.addf(l.Processes[0].Position, `all processes are daemons: key "stop" expected as well (or --stop), as the experiment would not end`)
	}
	if o.CPU != nil {
		l.CPU.Model = *o.CPU
		if *o.CPU != "fixed" {
			l.CPU.PerCPUSecond, l.CPU.Costs = 0, ""
		}
		if *o.CPU == "none" {
			l.CPU.PerCall = 0
		}
		commandLine("cpu", checkCPU(*o.CPU))
	}
	if o.ReferenceSpeed != nil {
		l.CPU.ReferenceSpeed = *o.ReferenceSpeed
	}
	if o.Interceptor != nil {
		l.Interceptor = *o.Interceptor
		commandLine("interceptor", checkInterceptor(*o.Interceptor))
	}
	if o.Network != nil {
		l.Network.Model = *o.Network
		_, err := network.ModelByName(*o.Network)
		commandLine("network", err)
	}
	if o.Mediation != nil {
		translation, err := parseMediation(*o.Mediation)
		l.Mediation = MediationOptions{Translation: translation}
		l.mediationNode = nil
		if err != nil {
			l.add(fmt.Errorf("--mediation: full or translation expected, found %q", *o.Mediation))
		}
	}
	switch {
	case o.Platform == "" && len(o.Place) > 0:
		l.add(errors.New("--place: another platform expected as well (--platform FILE)"))
	case o.Platform != "" && l.Platform != nil && !l.placed:
		l.add(l.move(o))
	}
	if l.Platform != nil {
		l.configure()
		l.name()
		l.events(l.eventNodes)
		l.mediation(l.mediationNode)
		l.checkPrograms()
		l.checkStarts()
	}
	if err := l.err(); err != nil {
		return nil, err
	}
	l.Warnings = slices.Concat(l.Platform.Warnings, l.Warnings, l.missingRoutes())
	return l.Experiment, nil
}
