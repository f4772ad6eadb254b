// Package experiment says what to run.
package experiment

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// Experiment is a validated experiment.
type Experiment struct {
	File      string
	Platform  *platform.Platform
	Seed      uint64
	Epoch     time.Time
	Stop      sim.Time
	Network   NetworkOptions
	CPU       CPUOptions
	Processes []Process
}

type NetworkOptions struct {
	Model         string
	HandshakeFree bool
}

type CPUOptions struct{ Model string }

type Process struct {
	Host       *platform.Host
	Name       string
	Argv       []string
	Env        []string
	Start      sim.Time
	Stop       sim.Time
	StopSignal unix.Signal
	Daemon     bool
	Expect     Expectation
}

type Expectation struct {
	Exit    int
	Signal  unix.Signal
	Running bool
}
