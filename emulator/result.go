package emulator

import (
	"log/slog"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/sim"
)

type Options struct {
	Output   string
	Strace   bool
	Log      *slog.Logger
	Progress func(Progress)
	Terminal *Terminal
}

type Terminal struct {
	Host, Process         string
	Stdin, Stdout, Stderr *os.File
}

type Progress struct {
	Now, Stop sim.Time
	Alive     int
	Bytes     int64
}

type Result struct {
	Simulated   sim.Time
	Real        time.Duration
	Processes   []ProcessResult
	Hosts       []HostTraffic
	Links       []LinkTraffic
	Deadlock    []Blocked
	Unsupported []string
	Interrupted bool
	Warnings    []string
}

type ProcessResult struct {
	Host, Name string
	PID        int
	Start, End sim.Time
	Running    bool
	ExitCode   int
	Signal     unix.Signal
	Expected   string
	AsExpected bool
}

type HostTraffic struct {
	Name                           string
	BytesSent, BytesReceived       int64
	MessagesSent, MessagesReceived int64
}

type LinkTraffic struct {
	Name     string
	Bytes    int64
	Messages int64
}

type Blocked struct {
	Host, Process string
	PID           int
	Call          string
	Since         sim.Time
	Peer          string
}
