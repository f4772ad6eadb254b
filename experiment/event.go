package experiment

import (
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
	"golang.org/x/sys/unix"
)

// Event is something that happens to the platform at an instant. One of Links,
// Hosts, Ways and Process says to what.
type Event struct {
	// At is when it happens, or first happens if Every is not 0.
	At sim.Time
	// Every is the time from one to the next, 0 if it happens once; each is
	// later by up to Jitter, at random. None comes after Until.
	Every, Jitter, Until sim.Time
	// For is after how long it is undone; 0 means not.
	For sim.Time
	// Pick is of how many of the hosts, chosen at random each time; 0 means all.
	Pick int

	Links []*platform.Link
	Link  LinkChange

	Hosts []*platform.Host
	Host  HostChange

	// Ways are cut: from the first host of each to the second.
	Ways [][2]*platform.Host

	// Process is an index of Experiment.Processes, -1 if it is about none.
	Process int
	Signal  unix.Signal

	Position Position
}

// LinkChange is what becomes of links; nil leaves a property as it is.
type LinkChange struct {
	Bandwidth                         *float64 // bytes per second
	Latency                           *float64 // seconds
	Jitter                            *float64 // seconds, to both sides
	Loss, Duplicate, Reorder, Corrupt *float64 // probabilities
	On                                *bool
}

// HostChange is what becomes of hosts.
type HostChange struct {
	// State is crash or boot; empty if it stays.
	State string
	// Unsynced says what a crash does to data that was written and not
	// synchronized: kept or lost; empty means kept.
	Unsynced string
	// Speed is in flop/s; nil leaves it.
	Speed *float64
	// PState is one of the speeds that the platform gives; nil leaves it.
	PState *int
	// Disk is full, io-error, slow or ok; empty leaves it.
	Disk string
	// Names is what the name server answers: fail, silent or ok; empty leaves it.
	Names string
	// Clock makes the host's clock wrong; nil leaves it.
	Clock *ClockChange
	// Run is a command to run, and Expect how it should end.
	Run    []string
	Expect Expectation
}

// What a host's State, Unsynced, Disk and Names may be.
const (
	StateCrash = "crash"
	StateBoot  = "boot"

	UnsyncedKept = "kept"
	UnsyncedLost = "lost"

	DiskFull    = "full"
	DiskIOError = "io-error"
	DiskSlow    = "slow"

	NamesFail   = "fail"
	NamesSilent = "silent"

	// Fine is what undoes DiskFull and the like.
	Fine = "ok"
)
