package experiment

import (
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// Experiment is a validated experiment.
type Experiment struct {
	// File is the absolute path of the experiment's file, or of the
	// deployment.
	File string
	// Name is the base name of the file without its ending.
	Name     string
	Platform *platform.Platform
	// Places are the hosts that have other names in the platform's file.
	Places []Place
	// Seed is where all random streams come from.
	Seed uint64
	// Epoch is what calendars show at simulated time 0.
	Epoch time.Time
	// Stop ends the experiment; sim.Never when it lasts until every process
	// that is no daemon has ended.
	Stop    sim.Time
	Network NetworkOptions
	CPU     CPUOptions
	// Mediation says how data cross between guests.
	Mediation MediationOptions
	// TimedDisks lets reads and writes of files take the time that the
	// platform's disks need.
	TimedDisks bool
	// Processes are in the order of the file.
	Processes []Process
	// Files are put into hosts before the first process starts, and Collect is
	// kept at the end; hosts without processes have neither.
	Files   []File
	Collect []Collected
	// TrapTSC makes rdtsc tell simulated time.
	TrapTSC bool
	// Interceptor is one of Interceptors, or empty: the best that is possible.
	Interceptor string
	// Clocks are the hosts' clocks that are wrong, in the order of the file.
	Clocks []Clock
	// Events are in the order of the file.
	Events []Event
	// Warnings are remarks about the files that do not prevent a run.
	Warnings []string
}

// DaemonsAlone tells that no process keeps the experiment running: then it lasts
// until Stop, which is not sim.Never.
func (e *Experiment) DaemonsAlone() bool {
	return len(e.Processes) > 0 && !slices.ContainsFunc(e.Processes, func(p Process) bool { return !p.Daemon })
}

// NetworkOptions choose how communications are timed.
type NetworkOptions struct {
	// Model is one of network.ModelNames.
	Model string
	// HandshakeFree makes TCP connections take no time.
	HandshakeFree bool
}

// CPUOptions choose how computations are timed.
type CPUOptions struct {
	// Model is one of CPUModels.
	Model string
	// PerCall is the simulated time that an emulated call takes, besides what
	// is measured. 0 means the emulator's default.
	PerCall sim.Time
	// PerCPUSecond is what the model fixed charges for each second of the
	// processor's time that a computation uses, once that is rounded; 0 is
	// nothing.
	PerCPUSecond sim.Time
	// Costs, if not empty, is the file in which what computations cost with the
	// model fixed is kept: the first run writes it, and others read it.
	Costs string
	// NativeIOFree leaves the machine's system time out of what is measured.
	NativeIOFree bool
	// ReferenceSpeed is what one core of this machine does, in flop/s; 0 means
	// that it is to be measured.
	ReferenceSpeed float64
	// ReferenceSpread is how far the measurements of it lay apart, as a part of it;
	// 0 when it was given.
	ReferenceSpread float64
}

// CPUModels are the ways to time computations: none takes them for free,
// measured takes the processor time that they really use, converted by the
// ratio of the machines' speeds, and fixed gives each call, and each computation
// by its order of magnitude, a cost.
var CPUModels = []string{"none", "measured", "fixed"}

// Process is a program to run on a host.
type Process struct {
	Host *platform.Host
	// Name differs from that of every other process of the host, and is the
	// name of a file.
	Name string
	// Argv has at least the program.
	Argv []string
	// Env holds NAME=VALUE, added to what every guest finds.
	Env []string
	// Start is when the process starts.
	Start sim.Time
	// Stop is when the process gets StopSignal; sim.Never means not.
	Stop       sim.Time
	StopSignal unix.Signal
	// Daemon processes do not keep the experiment running.
	Daemon bool
	Expect Expectation
	// Restart starts the process anew when its host fails and comes back.
	Restart  bool
	Position Position
}

// Expectation says how a process should end.
type Expectation struct {
	// Exit is the expected exit status, unless Signal or Running is set.
	Exit int
	// Signal is the signal that should have killed the process.
	Signal unix.Signal
	// Running processes should not have ended when the experiment does.
	Running bool
	// Stopped processes may end by Signal or with the exit status: it depends
	// on whether they still run when they are stopped.
	Stopped bool
}

// String prints the expectation as tables show it: "exit 0", "SIGKILL",
// "running" or "exit 0 or SIGKILL".
func (e Expectation) String() string {
	switch {
	case e.Running:
		return "running"
	case e.Stopped:
		return fmt.Sprintf("exit %d or %s", e.Exit, unix.SignalName(e.Signal))
	case e.Signal != 0:
		return unix.SignalName(e.Signal)
	}
	return fmt.Sprintf("exit %d", e.Exit)
}

// Met tells whether a process ended as expected. A process that was killed has
// a signal, one that exited has none.
func (e Expectation) Met(running bool, exit int, signal unix.Signal) bool {
	switch {
	case e.Running || running:
		return e.Running && running
	case e.Stopped:
		return signal == e.Signal || signal == 0 && exit == e.Exit
	case e.Signal != 0:
		return signal == e.Signal
	}
	return signal == 0 && exit == e.Exit
}

// Position is a place in an input file. Column is 0 when it is not known.
type Position struct {
	File         string
	Line, Column int
}

func (p Position) String() string {
	switch {
	case p.File == "":
		return "command line"
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Overrides are settings of the command line that replace those of the file.
type Overrides struct {
	Seed         *uint64
	Stop         *sim.Time
	Network, CPU *string
	// Mediation is one of Mediations, for all pairs of hosts.
	Mediation   *string
	Interceptor *string
	// ReferenceSpeed is in flop/s.
	ReferenceSpeed *float64
	// Platform is the path of a platform to run on instead of the
	// experiment's, or empty.
	Platform string
	// Place says where on it the experiment's hosts go.
	Place []Place
}
