package experiment

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/internal/strictyaml"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// file is the form of an experiment file.
type file struct {
	Platform  ast.Node      `yaml:"platform,required"`
	Seed      *uint64       `yaml:"seed"`
	Epoch     ast.Node      `yaml:"epoch"`
	Stop      ast.Node      `yaml:"stop"`
	Network   fileNetwork   `yaml:"network"`
	CPU       fileCPU       `yaml:"cpu"`
	Processes []fileProcess `yaml:"processes,required"`
}

type fileNetwork struct {
	Model     ast.Node `yaml:"model"`
	Handshake ast.Node `yaml:"handshake"`
}

type fileCPU struct {
	Model ast.Node `yaml:"model"`
}

type fileProcess struct {
	At      strictyaml.Position
	Host    ast.Node           `yaml:"host"`
	Hosts   strictyaml.Strings `yaml:"hosts"`
	Name    string             `yaml:"name"`
	Command ast.Node           `yaml:"command,required"`
	Env     map[string]string  `yaml:"env"`
	Start   ast.Node           `yaml:"start"`
	Stop    ast.Node           `yaml:"stop"`
	Signal  ast.Node           `yaml:"signal"`
	Daemon  bool               `yaml:"daemon"`
	Expect  ast.Node           `yaml:"expect"`
}

type fileExpect struct {
	Exit   *int     `yaml:"exit"`
	Signal ast.Node `yaml:"signal"`
}

// Models that may be asked for.
var (
	networkModels = []string{"tcp", "LV08", "CM02", "constant"}
	cpuModels     = []string{"none"}
)

// defaultEpoch is the calendar time of simulated time 0.
var defaultEpoch = time.Date(2030, time.January, 1, 0, 0, 0, 0, time.UTC)

// Load reads an experiment file. Errors have one line each, with the place in
// the file.
func Load(path string) (*Experiment, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, readError(path, err)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	node, err := strictyaml.Parse(path, text)
	if err != nil {
		return nil, err
	}
	l := loader{path: path, e: &Experiment{File: absolute, Seed: 1, Epoch: defaultEpoch, Stop: sim.Never}}
	return l.load(node)
}

// readError drops the name of the system call from an error about a file.
func readError(path string, err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// loader turns a file into an experiment and collects the errors.
type loader struct {
	path   string
	e      *Experiment
	errors []error
}

func (l *loader) complain(node ast.Node, format string, arguments ...any) {
	l.errors = append(l.errors, strictyaml.Errorf(l.path, node, format, arguments...))
}

func (l *loader) load(node ast.Node) (*Experiment, error) {
	var f file
	if err := strictyaml.Decode(l.path, node, &f); err != nil {
		return nil, err
	}
	var err error
	if l.e.Platform, err = l.platform(f.Platform); err != nil {
		return nil, err
	}
	if f.Seed != nil {
		l.e.Seed = *f.Seed
	}
	if f.Epoch != nil {
		text, _ := strictyaml.Text(f.Epoch)
		if l.e.Epoch, err = time.Parse(time.RFC3339, text); err != nil {
			l.complain(f.Epoch, "epoch: a time like 2030-01-01T00:00:00Z expected, found %q", text)
		}
	}
	l.e.Stop = l.time(f.Stop, sim.Never)
	l.e.Network.Model = l.choice(f.Network.Model, "network model", networkModels)
	l.e.Network.HandshakeFree = l.choice(f.Network.Handshake, "handshake", []string{"paid", "free"}) == "free"
	l.e.CPU.Model = l.choice(f.CPU.Model, "CPU model", cpuModels)
	for i := range f.Processes {
		l.process(&f.Processes[i])
	}
	if len(f.Processes) == 0 {
		l.complain(node, "processes: at least one expected")
	}
	if len(l.errors) > 0 {
		return nil, errors.Join(l.errors...)
	}
	l.e.finish()
	return l.e, nil
}

// platform reads the platform: a file's name, or the inline form.
func (l *loader) platform(node ast.Node) (*platform.Platform, error) {
	name, isText := strictyaml.Text(node)
	if !isText {
		return platform.FromYAML(l.path, node)
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(l.path), name)
	}
	if _, err := os.Stat(name); err != nil {
		return nil, strictyaml.Errorf(l.path, node, "platform %s: %v", name, errors.Unwrap(err))
	}
	return platform.Load(name)
}

// choice reads one of several words; the first is the default. Case does not
// matter.
func (l *loader) choice(node ast.Node, what string, choices []string) string {
	if node == nil {
		return choices[0]
	}
	text, _ := strictyaml.Text(node)
	for _, c := range choices {
		if strings.EqualFold(c, text) {
			return c
		}
	}
	l.complain(node, "%s: one of %s expected, found %q", what, strings.Join(choices, ", "), text)
	return choices[0]
}

func (l *loader) time(node ast.Node, otherwise sim.Time) sim.Time {
	if node == nil {
		return otherwise
	}
	text, _ := strictyaml.Text(node)
	t, err := ParseTime(text)
	if err != nil {
		l.complain(node, "%v", err)
		return otherwise
	}
	return t
}

// ParseTime reads an instant or a duration as SimGrid writes it: a number with
// a unit (ns, us, ms, s, m, h, d, w), seconds if there is none.
func ParseTime(text string) (sim.Time, error) {
	seconds, err := platform.ParseTime(text)
	if err != nil || seconds < 0 {
		return 0, fmt.Errorf("a time such as 10s or 500ms expected, found %q", text)
	}
	return sim.FromSeconds(seconds), nil
}

// ParseSignal reads a signal's name, with or without SIG, or number.
func ParseSignal(text string) (unix.Signal, error) {
	name := strings.ToUpper(text)
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	if s := unix.SignalNum(name); s != 0 {
		return s, nil
	}
	var n int
	if _, err := fmt.Sscanf(text, "%d", &n); err == nil && n >= 1 && n <= 64 {
		return unix.Signal(n), nil
	}
	return 0, fmt.Errorf("a signal such as TERM expected, found %q", text)
}

func (l *loader) signal(node ast.Node) unix.Signal {
	text, _ := strictyaml.Text(node)
	s, err := ParseSignal(text)
	if err != nil {
		l.complain(node, "%v", err)
	}
	return s
}

// process adds one entry of the list, for each of its hosts.
func (l *loader) process(f *fileProcess) {
	p := Process{Daemon: f.Daemon, StopSignal: unix.SIGTERM, Position: f.At}
	p.Argv = l.command(f.Command)
	if len(p.Argv) == 0 {
		return
	}
	names := make([]string, 0, len(f.Env))
	for name := range f.Env {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		p.Env = append(p.Env, name+"="+f.Env[name])
	}
	p.Start = l.time(f.Start, 0)
	p.Stop = l.time(f.Stop, sim.Never)
	if f.Signal != nil {
		p.StopSignal = l.signal(f.Signal)
	}
	p.Expect.Running = p.Daemon && p.Stop == sim.Never
	if f.Expect != nil {
		p.Expect = l.expect(f.Expect)
	}
	if err := findProgram(p.Argv[0], p.Env); err != nil {
		l.complain(f.Command, "%v", err)
	}
	p.Name = f.Name
	if strings.ContainsAny(p.Name, "/\x00") || p.Name == "." || p.Name == ".." {
		l.errors = append(l.errors, fmt.Errorf("%v: a name without slashes expected, found %q", f.At, p.Name))
		return
	}
	for _, h := range l.hosts(f) {
		p.Host = h
		name := p.Name
		if name == "" {
			name = l.e.defaultName(h, f.Command, p.Argv)
		} else if l.e.named(h, name) {
			l.errors = append(l.errors, fmt.Errorf("%v: host %s has another process named %q", f.At, h.Name, name))
			continue
		}
		q := p
		q.Name = name
		l.e.Processes = append(l.e.Processes, q)
	}
}

// command reads a list of words, or a line for the shell.
func (l *loader) command(node ast.Node) []string {
	if line, ok := strictyaml.Text(node); ok {
		if strings.TrimSpace(line) == "" {
			l.complain(node, "command: a program expected")
			return nil
		}
		return []string{"/bin/sh", "-c", line}
	}
	var words []string
	if err := strictyaml.Decode(l.path, node, &words); err != nil {
		l.errors = append(l.errors, err)
		return nil
	}
	if len(words) == 0 || words[0] == "" {
		l.complain(node, "command: a program expected")
		return nil
	}
	return words
}

func (l *loader) expect(node ast.Node) Expectation {
	if text, ok := strictyaml.Text(node); ok {
		if text != "running" {
			l.complain(node, "expect: running, {exit: N} or {signal: NAME} expected, found %q", text)
		}
		return Expectation{Running: true}
	}
	var f fileExpect
	if err := strictyaml.Decode(l.path, node, &f); err != nil {
		l.errors = append(l.errors, err)
		return Expectation{}
	}
	switch {
	case f.Exit != nil && f.Signal != nil || f.Exit == nil && f.Signal == nil:
		l.complain(node, "expect: either exit or signal expected")
	case f.Signal != nil:
		return Expectation{Signal: l.signal(f.Signal)}
	case *f.Exit < 0 || *f.Exit > 255:
		l.complain(node, "expect: an exit status from 0 to 255 expected, found %d", *f.Exit)
	default:
		return Expectation{Exit: *f.Exit}
	}
	return Expectation{}
}

// hosts are those on which to start a process, in the platform's order for each
// pattern.
func (l *loader) hosts(f *fileProcess) []*platform.Host {
	var patterns []string
	if f.Host != nil {
		text, ok := strictyaml.Text(f.Host)
		if !ok {
			l.complain(f.Host, "host: a name or a pattern expected; use hosts for a list")
			return nil
		}
		patterns = append(patterns, text)
	}
	patterns = append(patterns, f.Hosts...)
	if len(patterns) == 0 || f.Host != nil && len(f.Hosts) > 0 {
		l.errors = append(l.errors, fmt.Errorf("%v: either host or hosts expected", f.At))
		return nil
	}
	var list []*platform.Host
	for _, pattern := range patterns {
		matched, err := l.e.Platform.Match(pattern)
		if err != nil || len(matched) == 0 {
			l.errors = append(l.errors, unknownHost(f.At, pattern, l.e.Platform))
			continue
		}
		for _, h := range matched {
			if !slices.Contains(list, h) {
				list = append(list, h)
			}
		}
	}
	return list
}

func unknownHost(at strictyaml.Position, name string, p *platform.Platform) error {
	known := make([]string, 0, len(p.Hosts))
	for _, h := range p.Hosts {
		known = append(known, h.Name)
	}
	hint := ""
	if near := strictyaml.Nearest(name, known); near != "" {
		hint = fmt.Sprintf(" (did you mean %q?)", near)
	}
	return fmt.Errorf("%v: the platform has no host %q%s", at, name, hint)
}
