package experiment

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/internal/strictyaml"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// LoadDeployment reads SimGrid's two files, a platform and a deployment. An
// actor's function is the program, its arguments the program's.
func LoadDeployment(platformFile, deploymentFile string) (*Experiment, error) {
	if _, err := os.Stat(platformFile); err != nil {
		return nil, readError(platformFile, err)
	}
	p, err := platform.Load(platformFile)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(deploymentFile)
	if err != nil {
		return nil, readError(deploymentFile, err)
	}
	actors, err := p.ReadDeployment(deploymentFile, string(text))
	if err != nil {
		return nil, err
	}
	absolute, err := filepath.Abs(deploymentFile)
	if err != nil {
		return nil, err
	}
	e := New(p)
	e.File = absolute
	var problems []error
	for _, a := range append(p.Actors, actors...) {
		if err := e.addActor(a); err != nil {
			problems = append(problems, err)
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	if len(e.Processes) == 0 {
		return nil, fmt.Errorf("%s: at least one <actor> expected", deploymentFile)
	}
	e.finish()
	return e, nil
}

// New returns an experiment on a platform, without processes and with the
// options that a file without options has.
func New(p *platform.Platform) *Experiment {
	return &Experiment{
		Platform: p, Seed: 1, Epoch: defaultEpoch, Stop: sim.Never,
		Network: NetworkOptions{Model: networkModels[0]}, CPU: CPUOptions{Model: cpuModels[0]},
	}
}

func (e *Experiment) addActor(a platform.Actor) error {
	q := Process{
		Host: a.Host, Argv: append([]string{a.Function}, a.Arguments...), Stop: sim.Never, StopSignal: unix.SIGKILL, Restart: a.Restart,
		Position: strictyaml.Position{File: a.Position.File, Line: a.Position.Line},
	}
	if a.StartTime > 0 {
		q.Start = sim.FromSeconds(a.StartTime)
	}
	if a.KillTime >= 0 {
		q.Stop = sim.FromSeconds(a.KillTime)
		q.Expect = Expectation{Signal: unix.SIGKILL}
	}
	if err := findProgram(a.Function, nil); err != nil {
		return fmt.Errorf("%s:%d: %w", a.Position.File, a.Position.Line, err)
	}
	q.Name = e.freeName(a.Host, filepath.Base(a.Function))
	e.Processes = append(e.Processes, q)
	return nil
}

// AddCommand adds one more process on a host, which starts at once.
func (e *Experiment) AddCommand(h *platform.Host, argv []string) (*Process, error) {
	if err := findProgram(argv[0], nil); err != nil {
		return nil, err
	}
	e.Processes = append(e.Processes, Process{
		Host: h, Name: e.freeName(h, filepath.Base(argv[0])), Argv: argv, Stop: sim.Never, StopSignal: unix.SIGTERM,
	})
	return &e.Processes[len(e.Processes)-1], nil
}

// Override changes options after a file was read; nil and empty leave them.
type Override struct {
	Seed         *uint64
	Stop         *sim.Time
	Network, CPU string
}

// Apply changes the experiment's options.
func (e *Experiment) Apply(o Override) error {
	if o.Seed != nil {
		e.Seed = *o.Seed
	}
	if o.Stop != nil {
		e.Stop = *o.Stop
	}
	if err := choose(&e.Network.Model, "network", o.Network, networkModels); err != nil {
		return err
	}
	return choose(&e.CPU.Model, "cpu", o.CPU, cpuModels)
}
