package interception

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// longest is how long a run of a subject may take: some programs and some
	// mechanisms do not bear each other.
	longest = 30 * time.Second
	// cannotStatus is with what a launcher ends that could not intercept (c/launch.h).
	cannotStatus = 125
	nobody       = 65534
)

// outcome is what a subject and its launcher told.
type outcome struct {
	answered int     // calls that got the made-up answer
	seen     int     // calls that the launcher counted
	cost     float64 // median of a call, in ns
	// noNewPrivileges tells that set-id programs have no effect any more.
	noNewPrivileges bool
}

// diedError is that the subject did not get to its end. Other errors of a run are
// reasons why there was none.
type diedError struct{ how string }

func (e *diedError) Error() string { return e.how }

// command is a launcher with its subject.
type command struct {
	arguments   []string
	environment []string
	// capabilities are those of an ordinary user who runs it, nil: we run it.
	capabilities *[]uintptr
}

// run lets a command come to its end.
func (c command) run() (outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	var out, messages bytes.Buffer
	process := exec.CommandContext(ctx, c.arguments[0], c.arguments[1:]...)
	process.Env = append(os.Environ(), c.environment...)
	process.Stdout, process.Stderr = &out, &messages
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if c.capabilities != nil {
		process.Dir = "/"
		process.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
		process.SysProcAttr.AmbientCaps = *c.capabilities
	}
	process.Cancel = func() error { return unix.Kill(-process.Process.Pid, unix.SIGKILL) }
	process.WaitDelay = time.Second
	err := process.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return outcome{}, &diedError{fmt.Sprintf("no end in %v", longest)}
	case errors.As(err, &exit):
		return outcome{}, died(exit, firstLine(messages.String(), err))
	case err != nil:
		return outcome{}, err
	}
	return parse(out.String())
}

// died tells how a command ended that was not successful.
func died(exit *exec.ExitError, message string) error {
	status := exit.Sys().(syscall.WaitStatus)
	code := status.ExitStatus()
	if status.Signaled() {
		code = 128 + int(status.Signal())
	}
	switch {
	case code == cannotStatus:
		return errors.New(message)
	case code > 128 && unix.SignalName(unix.Signal(code-128)) != "":
		return &diedError{"killed: " + unix.SignalName(unix.Signal(code-128))}
	}
	return &diedError{fmt.Sprintf("fails: %s", message)}
}

// parse reads lines of a word and a number.
func parse(out string) (outcome, error) {
	var o outcome
	for line := range strings.Lines(out) {
		word, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		value, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return o, fmt.Errorf("interception: a number expected in %q", line)
		}
		switch word {
		case "answered":
			o.answered = int(value)
		case "seen":
			o.seen = int(value)
		case "ns":
			o.cost = value
		case "no_new_privs":
			o.noNewPrivileges = value != 0
		}
	}
	return o, nil
}
