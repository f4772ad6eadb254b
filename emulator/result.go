package emulator

import (
	"io"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/sim"
)

// Options say how to run an experiment and where to put what comes of it.
type Options struct {
	// Output is the absolute path of a folder that exists. Run makes hosts/
	// and layers/ in it.
	Output string
	// Strace writes hosts/HOST/NAME.strace: a line for each emulated call.
	Strace bool
	// Calls, if not nil, gets a line for each emulated call of any host, in the
	// order in which they end: the simulated time in seconds, the host, the
	// process with the number of the thread, the call and its result.
	Calls io.Writer
	// Record, if not nil, gets a trace of what the guests did, for replay.
	Record io.Writer
	// Costs, if not empty, is the file of costs that an earlier run has left in its
	// output folder: computations of the model fixed cost the same. It comes before
	// the experiment's.
	Costs string
	// Log gets the emulator's own messages; nil drops them.
	Log *slog.Logger
	// Progress, if not nil, is called now and then, from the goroutine that
	// runs the experiment.
	Progress func(Progress)
	// Tell, if not nil, is called with a line for the user, before the first
	// process starts or after the last has ended.
	Tell func(line string)
	// Terminal connects one process to open files.
	Terminal *Terminal
	// Steering, if not nil, acts on the run.
	Steering *Steering
}

// Terminal names a process and what it gets as standard input, output and
// error instead of files of the output folder.
type Terminal struct {
	Host, Process         string
	Stdin, Stdout, Stderr *os.File
}

// Progress is how far a run has come.
type Progress struct {
	Now  sim.Time
	Stop sim.Time // sim.Never when the experiment has no fixed end
	// Alive counts the guests' processes.
	Alive int
	// Bytes is what the hosts have sent so far.
	Bytes int64
}

// Result is what came of a run.
type Result struct {
	// Interceptor is what has stopped the guests.
	Interceptor string
	// Preemptions is how often a thread was stopped because it computed long
	// without a call: when depends on the machine.
	Preemptions int
	Simulated   sim.Time
	Real        time.Duration
	// Processes are those of the experiment, in its order.
	Processes []ProcessResult
	Hosts     []HostTraffic
	Links     []LinkTraffic
	// Deadlock lists what the guests waited for when nothing could happen any
	// more.
	Deadlock []Blocked
	// Unsupported lists what guests asked for and did not get.
	Unsupported []string
	// Interrupted runs have ended early because the caller asked for it.
	Interrupted bool
	Warnings    []string
	// Stops counts the computations that were measured, each of which ended where a
	// guest stopped, and Interception is what was taken off for each stop.
	Stops        int
	Interception time.Duration
}

// ProcessResult is what became of a process of the experiment.
type ProcessResult struct {
	Host, Name string
	// PID is the number that the host's processes see.
	PID int
	// Start is sim.Never when the process was never started.
	Start, End sim.Time
	// Running processes had not ended when the experiment did.
	Running bool
	// HostDown ones would run if their host, which is to boot again, were up.
	HostDown bool
	// ExitCode is -1 when the process was killed by Signal or has not ended.
	ExitCode   int
	Signal     unix.Signal
	Expected   string
	AsExpected bool
	// Processor is the machine's processor time that the process and its
	// descendants used, as far as the CPU model measures it.
	Processor time.Duration
}

// HostTraffic is what a host sent and received over the network.
type HostTraffic struct {
	Name                           string
	BytesSent, BytesReceived       int64
	MessagesSent, MessagesReceived int64
}

// LinkTraffic is what a link carried.
type LinkTraffic struct {
	Name     string
	Bytes    int64
	Messages int64
}

// Blocked is a thread that waited in vain.
type Blocked struct {
	Host, Process string
	// PID is the number of the thread.
	PID   int
	Call  string
	Since sim.Time
	// Peer is what it waited for, as far as is known.
	Peer string
}
