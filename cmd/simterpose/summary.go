package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/emulator"
	"github.com/simterpose/simterpose/experiment"
	"github.com/simterpose/simterpose/sim"
)

// summary is summary.json. Two runs of an experiment differ in Real only.
type summary struct {
	Experiment       string           `json:"experiment"`
	Seed             uint64           `json:"seed"`
	Epoch            time.Time        `json:"epoch"`
	Network          string           `json:"network"`
	CPU              string           `json:"cpu"`
	Versions         versions         `json:"versions"`
	SimulatedSeconds float64          `json:"simulated_seconds"`
	AsExpected       bool             `json:"as_expected"`
	Interrupted      bool             `json:"interrupted"`
	Processes        []processSummary `json:"processes"`
	Hosts            []hostSummary    `json:"hosts"`
	Links            []linkSummary    `json:"links"`
	Preemptions      int              `json:"preemptions"`
	// Measurement is what the times rest on with the CPU model measured.
	Measurement *measurementSummary `json:"measurement,omitempty"`
	// Spread is of several runs of the CPU model measured (run --verify).
	Spread      *spreadSummary   `json:"spread,omitempty"`
	Deadlock    []blockedSummary `json:"deadlock"`
	Unsupported []string         `json:"unsupported"`
	Warnings    []string         `json:"warnings"`
	Real        realSummary      `json:"real"`
}

// measurementSummary tells what a single run can say of its exactness.
type measurementSummary struct {
	ReferenceSpeed float64 `json:"reference_flops_per_second"`
	// ReferenceSpread is null when the speed was given instead of measured.
	ReferenceSpread *float64 `json:"reference_spread"`
	Stops           int      `json:"stops"`
	// Interception is the processor time that was taken off for each stop.
	Interception float64 `json:"interception_seconds"`
}

type versions struct {
	Simterpose string `json:"simterpose"`
	Go         string `json:"go"`
}

// realSummary holds what depends on the machine and the hour.
type realSummary struct {
	Seconds float64   `json:"seconds"`
	Begin   time.Time `json:"begin"`
	Kernel  string    `json:"kernel"`
	// Interceptor makes no difference to the rest.
	Interceptor string `json:"interceptor"`
}

type processSummary struct {
	Host string `json:"host"`
	Name string `json:"name"`
	PID  int    `json:"pid"`
	// In simulated seconds; null when it has not come to that.
	Start *float64 `json:"start"`
	End   *float64 `json:"end"`
	// At most one of these is not null.
	ExitCode *int    `json:"exit_code"`
	Signal   *string `json:"signal"`
	Expected string  `json:"expected"`
	Verdict  string  `json:"verdict"`
	// Processor is what it used of this machine's, measured in seconds.
	Processor *float64 `json:"processor_seconds,omitempty"`
}

type hostSummary struct {
	Name             string `json:"name"`
	BytesSent        int64  `json:"bytes_sent"`
	BytesReceived    int64  `json:"bytes_received"`
	MessagesSent     int64  `json:"messages_sent"`
	MessagesReceived int64  `json:"messages_received"`
}

type linkSummary struct {
	Name     string `json:"name"`
	Bytes    int64  `json:"bytes"`
	Messages int64  `json:"messages"`
}

type blockedSummary struct {
	Host    string  `json:"host"`
	Process string  `json:"process"`
	PID     int     `json:"pid"`
	Call    string  `json:"call"`
	Since   float64 `json:"since"`
	Peer    string  `json:"peer"`
}

// summarize makes the summary of a run that began at the given time.
func summarize(e *experiment.Experiment, r *emulator.Result, begin time.Time) *summary {
	s := &summary{
		Experiment: filepath.Base(e.File), Seed: e.Seed, Epoch: e.Epoch, Network: e.Network.Model, CPU: e.CPU.Model,
		Versions:         versions{version(), runtime.Version()},
		SimulatedSeconds: r.Simulated.Seconds(), Preemptions: r.Preemptions, AsExpected: allAsExpected(r), Interrupted: r.Interrupted,
		Processes: []processSummary{}, Hosts: []hostSummary{}, Links: []linkSummary{}, Deadlock: []blockedSummary{},
		Unsupported: append([]string{}, r.Unsupported...), Warnings: append([]string{}, e.Warnings...),
		Real: realSummary{r.Real.Seconds(), begin.UTC(), kernelRelease(), r.Interceptor},
	}
	if e.CPU.Model == "measured" {
		s.Measurement = &measurementSummary{ReferenceSpeed: e.CPU.ReferenceSpeed, Stops: r.Stops, Interception: r.Interception.Seconds()}
		if spread := e.CPU.ReferenceSpread; spread > 0 {
			s.Measurement.ReferenceSpread = &spread
		}
	}
	for _, p := range r.Processes {
		s.Processes = append(s.Processes, summarizeProcess(p))
	}
	for _, h := range r.Hosts {
		s.Hosts = append(s.Hosts, hostSummary(h))
	}
	for _, l := range r.Links {
		s.Links = append(s.Links, linkSummary(l))
	}
	for _, b := range r.Deadlock {
		s.Deadlock = append(s.Deadlock, blockedSummary{b.Host, b.Process, b.PID, b.Call, b.Since.Seconds(), b.Peer})
	}
	return s
}

func summarizeProcess(p emulator.ProcessResult) processSummary {
	s := processSummary{Host: p.Host, Name: p.Name, PID: p.PID, Expected: p.Expected, Verdict: "unexpected"}
	if p.AsExpected {
		s.Verdict = "as expected"
	}
	if p.Start == sim.Never {
		return s
	}
	if used := p.Processor.Seconds(); used > 0 {
		s.Processor = &used
	}
	start, end := p.Start.Seconds(), p.End.Seconds()
	s.Start = &start
	if p.Running {
		return s
	}
	s.End = &end
	if p.Signal != 0 {
		name := signalName(p.Signal)
		s.Signal = &name
	} else {
		s.ExitCode = &p.ExitCode
	}
	return s
}

func allAsExpected(r *emulator.Result) bool {
	for _, p := range r.Processes {
		if !p.AsExpected {
			return false
		}
	}
	return true
}

// write writes the summary into the output folder.
func (s *summary) write(output string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(output, summaryFile), append(text, '\n'), 0o644)
}

func kernelRelease() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(name.Release[:])
}
