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

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/guest"
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
	steps     int        // events to fire before the next pause; 0: no limit
	stepped   chan error // told of that pause
	pause     sim.Event
	reached   chan error // told of that pause, or why it does not come; nil if nobody waits
	recorded  []byHand
	happening bool // an event by hand is carried out
	// later are requests that make events happen. They wait until nothing is left
	// to happen at the same instant.
	later []func()
	// exact tells that nothing has happened at this instant but the experiment's own
	// events and those by hand.
	exact bool
}

// byHand is an event that was made to happen.
type byHand struct {
	fields  map[string]any
	command *process // that it runs, nil if none
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
	return s.request(func(w *world) { result <- f(w) }, result)
}

// doAlone has f called at an instant at which nothing else is about to happen.
func (s *Steering) doAlone(f func(*world) error) error {
	result := make(chan error, 1)
	return s.request(func(w *world) {
		s.later = append(s.later, func() { result <- f(w) })
	}, result)
}

func (s *Steering) request(f func(*world), result <-chan error) error {
	s.waiting.Add(1)
	select {
	case s.requests <- f:
		return s.await(result)
	case <-s.over:
		return ErrOver
	}
}

// await returns what comes, or tells that the run has ended before.
func (s *Steering) await(result <-chan error) error {
	select {
	case err := <-result:
		return err
	case <-s.over:
	}
	select {
	case err := <-result:
		return err
	default:
		return ErrOver
	}
}

// begin prepares the run.
func (s *Steering) begin(w *world) {
	s.pause.Fire = func() {
		s.paused, s.exact = true, true
		s.arrive(nil)
	}
	if s.PauseAt != sim.Never {
		w.queue.ScheduleFirst(&s.pause, s.PauseAt)
	}
}

// arrive tells who waits for a pause at an instant of it.
func (s *Steering) arrive(err error) {
	if s.reached != nil {
		s.reached <- err
		s.reached = nil
	}
}

// obey takes requests, and more of them as long as the run is paused.
func (s *Steering) obey(w *world, interrupted <-chan struct{}) {
	if s.steps > 0 {
		if s.steps--; s.steps == 0 {
			s.paused = true
			s.stepped <- nil
		}
	}
	for s.paused || s.waiting.Load() > 0 || len(s.later) > 0 {
		if len(s.later) > 0 {
			if !s.exact && w.queue.Next() <= w.queue.Now() {
				break
			}
			f := s.later[0]
			s.later = s.later[1:]
			f()
			continue
		}
		var look <-chan time.Time
		if chosen, _ := w.realm.Interceptor(); s.paused && chosen == guest.Notify {
			// Looking at many takes a small part of the time.
			begin := time.Now()
			w.lendAll()
			look = time.After(max(debuggerPatience, 10*time.Since(begin)))
		}
		select {
		case f := <-s.requests:
			s.waiting.Add(-1)
			f(w)
		case <-look:
		case <-interrupted:
			return
		}
	}
	s.exact = false
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
		s.arrive(errors.New("somebody else lets the run go on"))
		s.paused = false
		return nil
	})
}

// Step lets so many events happen, pauses, and returns then.
func (s *Steering) Step(events int) error {
	stepped := make(chan error, 1)
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
	return s.await(stepped)
}

// Until lets the run go on to an instant, pauses there, and returns then.
func (s *Steering) Until(t sim.Time) error {
	reached := make(chan error, 1)
	err := s.do(func(w *world) error {
		if t < w.queue.Now() {
			return fmt.Errorf("it is %v already", w.queue.Now())
		}
		s.arrive(errors.New("somebody else lets the run go on"))
		if s.paused = t == w.queue.Now(); s.paused {
			reached <- nil
			return nil
		}
		s.reached = reached
		w.queue.ScheduleFirst(&s.pause, t)
		return nil
	})
	if err != nil {
		return err
	}
	return s.await(reached)
}

// Happen makes an event happen now. It is given in the experiment file's form,
// as JSON without a time, and recorded.
func (s *Steering) Happen(event []byte) error {
	var fields map[string]any
	if err := json.Unmarshal(event, &fields); err != nil || fields == nil {
		return errors.New("an event as a JSON object expected")
	}
	for _, key := range []string{"at", "every", "jitter", "until"} {
		if _, given := fields[key]; given {
			return fmt.Errorf("%s: what is made to happen by hand happens now, and once", key)
		}
	}
	return s.doAlone(func(w *world) error {
		_, err := s.happen(w, fields)
		return err
	})
}

// happen makes an event happen. For the same to come of it when the experiment has
// it, nothing else may happen at the instant: the experiment's come first.
func (s *Steering) happen(w *world, fields map[string]any) (*process, error) {
	at := w.queue.Now()
	if !s.exact {
		at++
	}
	fields["at"] = strconv.FormatInt(int64(at), 10) + "ns"
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
	if e.Pick > 0 {
		// Those that are chosen now are chosen again.
		e.Hosts, e.Pick = pick(e.Hosts, e.Pick, rand.New(w.source.Stream("steering "+strconv.Itoa(len(s.recorded))))), 0
		delete(fields, "pick")
		var names []string
		for _, h := range e.Hosts {
			names = append(names, h.Name)
		}
		fields["host"] = names
	}
	w.queue.Advance(at)
	before := len(w.processes)
	s.happening = true
	defer func() { s.happening = false }()
	w.happen(&e, nil)
	r := byHand{fields: fields}
	if len(w.processes) > before {
		r.command = w.processes[before]
	}
	s.recorded = append(s.recorded, r)
	return r.command, s.keep(w.options.Output)
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
	for _, r := range s.recorded {
		b.WriteString("  - " + r.text() + "\n")
	}
	return b.String()
}

// text is the event in the experiment's form. A command is expected to end as it
// did.
func (r *byHand) text() string {
	if p := r.command; p != nil {
		switch {
		case !p.ended:
			r.fields["expect"] = "running"
		case p.status.Signaled():
			r.fields["expect"] = map[string]any{"signal": unix.SignalName(p.status.Signal())}
		case p.status.ExitStatus() != 0:
			r.fields["expect"] = map[string]any{"exit": p.status.ExitStatus()}
		default:
			delete(r.fields, "expect")
		}
	}
	text, err := json.Marshal(r.fields)
	if err != nil {
		panic("emulator: " + err.Error()) // they were decoded from JSON
	}
	return string(text)
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
	err := s.doAlone(func(w *world) error {
		h := w.byName[host]
		switch {
		case h == nil:
			return fmt.Errorf("no host %q with processes", host)
		case h.down:
			return fmt.Errorf("host %q is down", host)
		}
		p, err := s.happen(w, map[string]any{"host": host, "run": argv})
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
				x.Status = 127 // the reason is in its standard error
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
				return nil
			}
		}
		return fmt.Errorf("the experiment has no process %s/%s", host, name)
	})
	return pid, err
}
