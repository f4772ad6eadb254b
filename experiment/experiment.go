// Package experiment says what to run: a platform, the processes to start on
// its hosts, and options. It reads Simterpose's own YAML files and SimGrid's
// platform and deployment files, and validates all of it before anything runs.
package experiment

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/internal/strictyaml"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// Experiment is a validated experiment.
type Experiment struct {
	// File is the absolute path of the file that was read.
	File     string
	Platform *platform.Platform
	Seed     uint64
	// Epoch is what the guests' calendar shows at simulated time 0.
	Epoch time.Time
	// Stop is when the experiment ends at the latest; sim.Never for when every
	// process that is no daemon has ended.
	Stop      sim.Time
	Network   NetworkOptions
	CPU       CPUOptions
	Processes []Process
	// Warnings are remarks that do not prevent the run.
	Warnings []string
}

// NetworkOptions choose the network model.
type NetworkOptions struct {
	Model string // tcp, LV08, CM02 or constant
	// HandshakeFree makes connections cost no round trip.
	HandshakeFree bool
}

// CPUOptions choose the CPU model.
type CPUOptions struct{ Model string }

// Process is a process to start.
type Process struct {
	Host *platform.Host
	// Name is unique on the host; it names the output files.
	Name string
	Argv []string
	// Env are settings NAME=VALUE beside those that every guest has.
	Env   []string
	Start sim.Time
	// Stop is when StopSignal is sent; sim.Never for not at all.
	Stop       sim.Time
	StopSignal unix.Signal
	// Daemon processes do not keep the experiment running.
	Daemon bool
	Expect Expectation
	// Restart starts the process again when its host is turned on again.
	Restart  bool
	Position strictyaml.Position
}

// Expectation is how a process should end: Running at the end of the
// experiment, or killed by Signal, or, if neither, exited with status Exit.
type Expectation struct {
	Exit    int
	Signal  unix.Signal
	Running bool
}
