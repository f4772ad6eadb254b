package emulator

import (
	"time"

	"github.com/simterpose/simterpose/fluid"
	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/kernel"
	"github.com/simterpose/simterpose/sim"
)

// thread is the emulator's side of a task: how to let it run.
type thread struct {
	task  *kernel.Task
	host  *host
	state state
	// turn is the event at which the thread goes on.
	turn sim.Event
	// call is the notification that waits for an answer.
	call    uint64
	outcome kernel.Outcome
	// late is a call that came while the thread was not expected to make one.
	late guest.Event
	// activity is what it computes, carried what was too little for one, and
	// next the state after it.
	activity fluid.Action
	carried  time.Duration
	next     state
	// number is which thread of its host it is, computations how many it has ended.
	number, computations int
	// lookAt is the processor time without a call after which it is looked at.
	lookAt time.Duration
	actor  *actor // what the recorder knows of it
	// lent tells that a debugger has stopped it in its call, of this number, which
	// it will make again.
	lent       bool
	lentNumber int
	// undebugged is the notification in which it waited when no debugger had it.
	undebugged uint64
}

// state says what a thread's next turn is.
type state int

const (
	// waiting: parked, or asleep in the machine's kernel; no turn is due.
	waiting state = iota
	// held: stopped under ptrace, at birth or because it computed too long.
	held
	// answered: its call's outcome is known and due to be delivered.
	answered
	// woken: what its call waits for may have happened.
	woken
	// called: it has made a call (late) after being outside.
	called
	// stopped: by a signal, until SIGCONT.
	stopped
	// continued: SIGCONT has woken it.
	continued
	// computing: what it has computed takes simulated time.
	computing
	// running: it has the processor.
	running
)

func (s state) String() string {
	return [...]string{"waiting", "held", "answered", "woken", "called", "stopped", "continued", "computing", "running"}[s]
}
