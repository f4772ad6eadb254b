package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/kernel"
	"github.com/simterpose/simterpose/sim"
)

// Steering lets others than the experiment's file act on a run: look at it, let
// simulated time stand still, and make events happen. Its methods may be called
// from any goroutine; they act between two events of the run.
type Steering struct {
	// PauseAt is when the run is to pause first; sim.Never if not.
	PauseAt sim.Time

	requests chan func(*world)
	waiting  atomic.Int32 // requests that were not taken yet
	over     chan struct{}

	// The rest belongs to the run's goroutine.
	paused    bool
	steps     int           // events to fire before the next pause; 0: no limit
	stepped   chan struct{} // closed at that pause
	pause     sim.Event
	recorded  []string
	happening bool              // an event by hand is carried out
	attached  []*kernel.Process // that a debugger may stop during the pause
}

// ErrOver tells that the run has ended.
var ErrOver = errors.New("the run is over")

// NewSteering returns what Options.Steering takes.
func NewSteering() *Steering {
	return &Steering{PauseAt: sim.Never, requests: make(chan func(*world)), over: make(chan struct{})}
}

// do has f called between two events and waits for it.
func (s *Steering) do(f func(*world) error) error {
	result := make(chan error, 1)
	s.waiting.Add(1)
	select {
	case s.requests <- func(w *world) { result <- f(w) }:
		return <-result
	case <-s.over:
		return ErrOver
	}
}

// begin prepares the run.
func (s *Steering) begin(w *world) {
	s.pause.Fire = func() { s.paused = true }
	if s.PauseAt != sim.Never {
		w.queue.Schedule(&s.pause, s.PauseAt)
	}
}

// obey takes requests, and more of them as long as the run is paused.
func (s *Steering) obey(w *world, interrupted <-chan struct{}) {
	if s.steps > 0 {
		if s.steps--; s.steps == 0 {
			s.paused = true
			close(s.stepped)
		}
	}
	for s.paused || s.waiting.Load() > 0 {
		var look <-chan time.Time
		if len(s.attached) > 0 {
			look = time.After(debuggerPatience)
		}
		select {
		case f := <-s.requests:
			s.waiting.Add(-1)
			f(w)
		case <-look:
			for _, p := range s.attached {
				w.lend(p)
			}
		case <-interrupted:
			return
		}
	}
	s.attached = nil
}

// Status is how a run stands.
type Status struct {
	SimulatedSeconds float64         `json:"simulated_seconds"`
	Paused           bool            `json:"paused"`
	Hosts            []HostStatus    `json:"hosts"`
	Processes        []ProcessStatus `json:"processes"`
}

// HostStatus is how a host stands.
type HostStatus struct {
	Name string `json:"name"`
	Up   bool   `json:"up"`
}

// ProcessStatus is how one guest process stands.
type ProcessStatus struct {
	Host string `json:"host"`
	Name string `json:"name"` // the experiment's
	PID  int    `json:"pid"`  // as its host's processes see it
	// MachinePID is its number on the machine.
	MachinePID int `json:"machine_pid"`
	// Call is what its first thread does, and For what it waits.
	Call string `json:"call"`
	For  string `json:"waits_for,omitempty"`
}

// Status tells how the run stands.
func (s *Steering) Status() (status Status, err error) {
	err = s.do(func(w *world) error {
		status = Status{SimulatedSeconds: w.queue.Now().Seconds(), Paused: s.paused}
		for _, h := range w.hosts {
			status.Hosts = append(status.Hosts, HostStatus{h.name, !h.down})
		}
		for _, p := range w.kernel.Processes() {
			if p.Zombie() {
				continue
			}
			t := p.Tasks()[0]
			what, _ := t.WaitsFor()
			if !t.IsParked() {
				what = ""
			}
			status.Processes = append(status.Processes, ProcessStatus{p.Host().Name, p.Name, p.PID, p.TID, t.Call(), what})
		}
		return nil
	})
	return status, err
}

// Pause lets simulated time stand still.
func (s *Steering) Pause() error {
	return s.do(func(*world) error { s.paused = true; return nil })
}

// Resume lets it go on.
func (s *Steering) Resume() error {
	return s.do(func(w *world) error {
		w.queue.Cancel(&s.pause)
		s.paused = false
		return nil
	})
}

// Step lets so many events happen, pauses, and returns then.
func (s *Steering) Step(events int) error {
	stepped := make(chan struct{})
	err := s.do(func(*world) error {
		if s.steps > 0 {
			return errors.New("somebody else steps")
		}
		s.paused, s.steps, s.stepped = false, events, stepped
		return nil
	})
	if err != nil {
		return err
	}
	select {
	case <-stepped:
		return nil
	case <-s.over:
		return ErrOver
	}
}

// Until lets the run go on to an instant, and pauses there.
func (s *Steering) Until(t sim.Time) error {
	return s.do(func(w *world) error {
		if t < w.queue.Now() {
			return fmt.Errorf("it is %v already", w.queue.Now())
		}
		w.queue.Schedule(&s.pause, t)
		s.paused = false
		return nil
	})
}

// Happen makes an event happen now. It is given in the experiment file's form,
// as JSON without a time, and recorded.
func (s *Steering) Happen(event []byte) error {
	return s.do(func(w *world) error {
		_, err := s.happen(w, event)
		return err
	})
}

func (s *Steering) happen(w *world, event []byte) (*process, error) {
	var fields map[string]any
	if err := json.Unmarshal(event, &fields); err != nil {
		return nil, fmt.Errorf("an event as a JSON object expected: %w", err)
	}
	fields["at"] = strconv.FormatInt(int64(w.queue.Now()), 10) + "ns"
	text, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	e, err := w.experiment.ParseEvent(text)
	if err != nil {
		return nil, err
	}
	if losesUnsynced(e) && !w.losesUnsynced() {
		return nil, errors.New("unsynced: lost needs an event of the experiment that has it, for what is not synchronized to be known")
	}
	before := len(w.processes)
	s.happening = true
	defer func() { s.happening = false }()
	w.happen(&e, rand.New(w.source.Stream("steering "+strconv.Itoa(len(s.recorded)))))
	s.recorded = append(s.recorded, string(text))
	if len(w.processes) > before {
		return w.processes[before], nil
	}
	return nil, nil
}

// Events are the events that were made to happen so far, as an experiment's key
// events.
func (s *Steering) Events() (text string, err error) {
	err = s.do(func(*world) error {
		text = s.events()
		return nil
	})
	return text, err
}

func (s *Steering) events() string {
	var b strings.Builder
	b.WriteString("events:\n")
	for _, e := range s.recorded {
		b.WriteString("  - " + e + "\n")
	}
	return b.String()
}

// eventsFile is where the output folder has what was made to happen by hand.
const eventsFile = "events.yaml"

// keep writes down what was made to happen.
func (s *Steering) keep(output string) error {
	if len(s.recorded) == 0 {
		return nil
	}
	return os.WriteFile(filepath.Join(output, eventsFile), []byte(s.events()), 0o644)
}

// Executed is what came of a command.
type Executed struct {
	Status int    `json:"status"` // exit status, or 128 and the signal
	Stdout string `json:"stdout"`
	Stderr string `json:"stderr"`
}

// Execute runs a command on a host and waits for its end. A paused run goes on
// until then, and pauses again.
func (s *Steering) Execute(host string, argv []string) (*Executed, error) {
	done := make(chan *Executed, 1)
	err := s.do(func(w *world) error {
		h := w.byName[host]
		switch {
		case h == nil:
			return fmt.Errorf("no host %q with processes", host)
		case h.down:
			return fmt.Errorf("host %q is down", host)
		}
		event, err := json.Marshal(map[string]any{"host": host, "run": argv})
		if err != nil {
			return err
		}
		p, err := s.happen(w, event)
		if err != nil {
			return err
		}
		p.anyEnd = true
		again := s.paused
		s.paused = false
		p.whenEnded = func() {
			s.paused = again
			x := &Executed{Status: p.status.ExitStatus()}
			if p.status.Signaled() {
				x.Status = 128 + int(p.status.Signal())
			}
			if p.failure != nil {
				x.Status, x.Stderr = 127, p.failure.Error()+"\n"
			}
			for suffix, into := range map[string]*string{".stdout": &x.Stdout, ".stderr": &x.Stderr} {
				*into += h.outputText(p.Name + suffix)
			}
			done <- x
		}
		if p.ended {
			p.whenEnded()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	select {
	case x := <-done:
		return x, nil
	case <-s.over:
		return nil, ErrOver
	}
}

// Attach pauses the run and returns the machine's number of a process, for a
// debugger.
func (s *Steering) Attach(host, name string) (pid int, err error) {
	err = s.do(func(w *world) error {
		if chosen, _ := w.realm.Interceptor(); chosen == guest.Ptrace {
			return errors.New("no debugger can attach: ptrace stops the guests of this run (--interceptor notify leaves it free)")
		}
		for _, p := range w.processes {
			if p.host.name == host && p.Name == name {
				if p.process == nil || p.ended {
					return fmt.Errorf("process %s/%s does not run", host, name)
				}
				s.paused, pid = true, p.process.TID
				s.attached = append(s.attached, p.process)
				return nil
			}
		}
		return fmt.Errorf("the experiment has no process %s/%s", host, name)
	})
	return pid, err
}
