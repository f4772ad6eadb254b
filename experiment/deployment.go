package experiment

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// LoadDeployment reads SimGrid's pair of files: a platform and the actors to
// run on it. An actor's function is the program, looked up in PATH. When both
// paths are the same, the platform's file holds the actors.
func LoadDeployment(platformPath, deploymentPath string, overrides Overrides) (*Experiment, error) {
	l := newLoader(deploymentPath)
	p, err := platform.Load(platformPath)
	if err != nil {
		return nil, err
	}
	l.Platform = p
	actors := p.Actors
	if deploymentPath != platformPath {
		text, err := os.ReadFile(deploymentPath)
		if err != nil {
			return nil, err
		}
		more, err := p.ReadDeployment(deploymentPath, string(text))
		if err != nil {
			return nil, err
		}
		actors = append(actors[:len(actors):len(actors)], more...)
	}
	if len(actors) == 0 {
		return nil, fmt.Errorf("%s: no actors to run", deploymentPath)
	}
	for i := range actors {
		l.actor(&actors[i])
	}
	return l.finish(overrides)
}

// actor adds an actor as a process.
func (l *loader) actor(a *platform.Actor) {
	p := Process{
		Host: a.Host, Argv: append([]string{a.Function}, a.Arguments...), Position: Position(a.Position),
		Stop: sim.Never, StopSignal: unix.SIGTERM, Restart: a.Restart,
	}
	fail := func(format string, arguments ...any) { l.addf(p.Position, format, arguments...) }
	if a.Function == "" {
		fail("attribute function: the name of a program expected")
		return
	}
	var err error
	if a.StartTime > 0 {
		if p.Start, err = timeOf(a.StartTime); err != nil {
			fail("attribute start_time: %v", err)
		}
	}
	if a.KillTime >= 0 {
		if p.Stop, err = timeOf(a.KillTime); err != nil {
			fail("attribute kill_time: %v", err)
		}
		if p.Stop <= p.Start {
			fail("attribute kill_time: a time after the start at %v expected, found %v", p.Start, p.Stop)
		}
		// SimGrid kills what still runs then, and says nothing of the rest.
		p.StopSignal = unix.SIGKILL
		p.Expect = Expectation{Signal: unix.SIGKILL, Stopped: true}
	}
	for _, property := range a.Properties {
		if err := l.property(&p, property); err != nil {
			fail("property %s: %v", property.Name, err)
		}
	}
	if p.Daemon && p.Stop == sim.Never && p.Expect == (Expectation{}) {
		p.Expect.Running = true
	}
	l.Processes = append(l.Processes, p)
}

// property takes over a property of an actor: those whose name begins with
// simterpose/ are ours, any other becomes a variable of the environment.
func (l *loader) property(p *Process, property platform.Property) error {
	name, ours := strings.CutPrefix(property.Name, "simterpose/")
	value := property.Value
	switch {
	case !ours:
		if !isVariable(name) {
			l.warnf("%s: property %s is not used: no variable of the environment can have its name", p.Position, name)
			return nil
		}
		p.Env = append(p.Env, name+"="+value)
	case name == "name":
		p.Name = value
		return checkName(value)
	case name == "daemon":
		daemon, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("true or false expected, found %q", value)
		}
		p.Daemon = daemon
	case name == "signal":
		if p.StopSignal = parseSignal(value); p.StopSignal == 0 {
			return fmt.Errorf("the name of a signal expected, such as TERM, found %q", value)
		}
		if p.Expect.Stopped {
			p.Expect.Signal = p.StopSignal
		}
	case name == "expect":
		e, err := parseExpectation(value)
		if err != nil {
			return err
		}
		p.Expect = e
	default:
		return fmt.Errorf("simterpose/name, simterpose/daemon, simterpose/signal or simterpose/expect expected")
	}
	return nil
}

// parseExpectation reads an exit status, the name of a signal, or running.
func parseExpectation(text string) (Expectation, error) {
	if text == "running" {
		return Expectation{Running: true}, nil
	}
	if n, err := strconv.ParseUint(text, 10, 8); err == nil {
		return Expectation{Exit: int(n)}, nil
	}
	if s := parseSignal(text); s != 0 {
		return Expectation{Signal: s}, nil
	}
	return Expectation{}, fmt.Errorf("an exit status, the name of a signal or running expected, found %q", text)
}

// isVariable tells whether a shell could set a variable of that name.
func isVariable(name string) bool {
	for i, c := range name {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
