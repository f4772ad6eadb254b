package interception

import (
	"cmp"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/calibration"
)

// Options of Measure.
type Options struct {
	// Calls are made for each cost. Up to a thousand are made for the other cells.
	Calls int
	// GoSubject is a command that calls GoSubject with its two last arguments.
	GoSubject []string
	// Progress is called with what is done next.
	Progress func(string)
}

// Report is what was measured.
type Report struct {
	Machine Machine
	// Native costs without interception, in ns: a system call, a reading of the
	// clock by the vDSO, the rdtsc instruction; and asking another process on the
	// same processor by a futex.
	Native     struct{ Call, Clock, TSC, Ask *Cost }
	Mechanisms []*Row
}

// Machine tells where and when.
type Machine struct {
	Kernel     string
	Processor  string
	Processors int // that may be used
	User       string
	Time       time.Time
}

// Cost is that of one call, or the reason why it is not known.
type Cost struct {
	Nanoseconds float64 `json:",omitempty"` // the lowest of the rounds' medians
	Ratio       float64 `json:",omitempty"` // to the same call without interception
	Reason      string  `json:",omitempty"`
}

// Row is a mechanism.
type Row struct {
	Name, About string
	// Measured is whose cost it is: call, clock or tsc.
	Measured string
	Cost     Cost
	// Computation is the cost of computing, with its ratio.
	Computation Cost
	// Power is what it can do: answers or watches, or the reason why that is not known.
	Power string
	// Rights are those that it needs.
	Rights string
	Calls  []Cell // as CallCases
	Time   []Cell // as TimeCases
}

// Cell tells how many of a subject's calls a mechanism saw, or why none: the subject
// died, or there is a reason why it was not run.
type Cell struct {
	Case                 string
	Made, Answered, Seen int
	Died, Reason         string `json:",omitempty"`
}

// Values of Row.Power.
const (
	Answers = "answers"
	Watches = "watches"
)

const (
	// rounds are taken over all mechanisms in turn, so that a noisy moment of the
	// machine meets all.
	rounds = 3
	// mostShown are the calls for a cell that tells no cost.
	mostShown = 1000
)

// Measure measures all mechanisms. What the machine lacks is a reason in the report;
// an error, that nothing could be measured.
func Measure(o Options) (*Report, error) {
	var processors unix.CPUSet
	if err := unix.SchedGetaffinity(0, &processors); err != nil {
		return nil, err
	}
	p, err := build()
	if err != nil {
		return nil, err
	}
	l := &laboratory{programs: p, own: nextProcessor(&processors, 0), goSubject: o.GoSubject}
	l.other = nextProcessor(&processors, l.own+1)
	r := &Report{Machine: machine(processors.Count())}
	r.measureCosts(l, o)
	for i := range mechanisms {
		m, row := &mechanisms[i], r.Mechanisms[i]
		o.Progress("what " + m.name + " sees")
		calls := min(o.Calls, mostShown)
		row.Calls, row.Time = l.show(m, CallCases, calls), l.show(m, TimeCases, calls)
		row.Power = power(append(row.Calls, row.Time...))
		row.Rights = l.rights(m, calls)
	}
	return r, p.remove()
}

// nextProcessor is the first one from a number on that may be used, or -1.
func nextProcessor(processors *unix.CPUSet, from int) int {
	for i := from; i < 64*len(processors); i++ {
		if processors.IsSet(i) {
			return i
		}
	}
	return -1
}

// measureCosts fills the costs of all rows.
func (r *Report) measureCosts(l *laboratory, o Options) {
	r.Native.Call, r.Native.Clock, r.Native.TSC, r.Native.Ask = new(Cost), new(Cost), new(Cost), new(Cost)
	computing := new(Cost)
	baselines := map[string]*Cost{"call": r.Native.Call, "clock": r.Native.Clock, "tsc": r.Native.TSC, "pingPong": r.Native.Ask, "compute": computing}
	for _, m := range mechanisms {
		r.Mechanisms = append(r.Mechanisms, &Row{Name: m.name, About: m.about, Measured: m.measured})
	}
	for range rounds {
		for _, what := range []string{"call", "clock", "tsc", "pingPong", "compute"} {
			l.measure(&native, what, o.Calls, baselines[what])
		}
		for i, row := range r.Mechanisms {
			o.Progress("cost of " + row.Name)
			l.measure(&mechanisms[i], row.Measured, o.Calls, &row.Cost)
			l.measure(&mechanisms[i], "compute", o.Calls, &row.Computation)
		}
	}
	for _, row := range r.Mechanisms {
		row.Cost.compare(baselines[row.Measured])
		row.Computation.compare(computing)
	}
}

// compare sets the ratio to a baseline, if both are known.
func (c *Cost) compare(baseline *Cost) {
	if baseline.Nanoseconds > 0 {
		c.Ratio = c.Nanoseconds / baseline.Nanoseconds
	}
}

// measure makes a round for a cost and keeps it if it is lower than those before.
func (l *laboratory) measure(m *mechanism, what string, calls int, cost *Cost) {
	if what == "compute" {
		calls = max(calls/200, 20) // each takes some 250 µs
	}
	function := map[string]string{"call": "getppid", "clock": "clock_gettime"}[what]
	c, err := m.launch(l, subject{program: "subject", what: what, function: function, calls: calls})
	if err == nil {
		var o outcome
		if o, err = c.run(); err == nil {
			if cost.Nanoseconds == 0 || o.cost < cost.Nanoseconds {
				*cost = Cost{Nanoseconds: o.cost}
			}
			return
		}
	}
	if cost.Nanoseconds == 0 {
		cost.Reason = err.Error()
	}
}

// show lets the subjects of cases be intercepted.
func (l *laboratory) show(m *mechanism, cases []Case, calls int) []Cell {
	var cells []Cell
	for _, c := range cases {
		cell := Cell{Case: c.Name, Made: calls}
		o, err := l.intercept(m, subject{c.program, c.what, c.function, calls, true}, nil)
		var death *diedError
		switch {
		case errors.As(err, &death):
			cell.Died = death.how
		case err != nil:
			cell.Reason = err.Error()
		}
		cell.Answered, cell.Seen = o.answered, max(o.seen, o.answered)
		cells = append(cells, cell)
	}
	return cells
}

// intercept runs a subject under a mechanism and counts what that saw.
func (l *laboratory) intercept(m *mechanism, s subject, capabilities *[]uintptr) (outcome, error) {
	c, err := m.launch(l, s)
	if err != nil {
		return outcome{}, err
	}
	c.capabilities = capabilities
	o, err := c.run()
	if err == nil && m.name == "Valgrind" {
		o.seen, err = l.traced(s.function)
	}
	return o, err
}

// power tells the most that a mechanism did.
func power(cells []Cell) string {
	best, reason := "", ""
	for _, c := range cells {
		switch {
		case c.Answered > 0:
			return Answers
		case c.Seen > 0:
			best = Watches
		}
		reason = cmp.Or(reason, c.Reason, c.Died)
	}
	return cmp.Or(best, reason, "nothing seen")
}

// machine describes the one at hand.
func machine(processors int) Machine {
	m := Machine{Kernel: kernel(), Processor: calibration.Machine(), Processors: processors, Time: time.Now()}
	m.User = "an ordinary user"
	if os.Geteuid() == 0 {
		m.User = "root"
	}
	return m
}

// kernel is its name and release.
func kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
}
