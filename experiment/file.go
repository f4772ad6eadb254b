package experiment

import (
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/internal/strictyaml"
)

// document is an experiment file. Its values are decoded one by one, so that
// faults in several of them are told together.
type document struct {
	At        strictyaml.Position
	Platform  ast.Node   `yaml:"platform"`
	Seed      ast.Node   `yaml:"seed"`
	Epoch     ast.Node   `yaml:"epoch"`
	Stop      ast.Node   `yaml:"stop"`
	Network   ast.Node   `yaml:"network"`
	CPU       ast.Node   `yaml:"cpu"`
	Disks     ast.Node   `yaml:"disks"`
	Mediation ast.Node   `yaml:"mediation"`
	Files     []ast.Node `yaml:"files"`
	Collect   []ast.Node `yaml:"collect"`
	Clocks    []ast.Node `yaml:"clocks"`
	TSC       ast.Node   `yaml:"tsc"`
	// Interceptor is how guests are stopped at their calls.
	Interceptor ast.Node   `yaml:"interceptor"`
	Processes   []ast.Node `yaml:"processes"`
	Events      []ast.Node `yaml:"events"`
}

type networkSection struct {
	Model     string `yaml:"model"`
	Handshake string `yaml:"handshake"`
}

// processSection is one element of the list of processes.
type processSection struct {
	At      strictyaml.Position
	Host    strictyaml.Strings `yaml:"host"`
	Hosts   strictyaml.Strings `yaml:"hosts"`
	Name    *string            `yaml:"name"`
	Command command            `yaml:"command,required"`
	Env     map[string]string  `yaml:"env"`
	Start   *duration          `yaml:"start"`
	Stop    *duration          `yaml:"stop"`
	Signal  *signal            `yaml:"signal"`
	Daemon  bool               `yaml:"daemon"`
	Expect  *expectation       `yaml:"expect"`
	Restart *bool              `yaml:"restart"`
}

// command is a list of words, or a line for the shell.
type command []string

// DecodeYAML implements [strictyaml.Unmarshaler].
func (c *command) DecodeYAML(file string, node ast.Node) error {
	if line, ok := strictyaml.Text(node); ok {
		if strings.TrimSpace(line) == "" {
			return strictyaml.Errorf(file, node, "a command expected, found an empty text")
		}
		*c = command{"/bin/sh", "-c", line}
		return nil
	}
	if err := strictyaml.Decode(file, node, (*[]string)(c)); err != nil {
		return err
	}
	if len(*c) == 0 || (*c)[0] == "" {
		return strictyaml.Errorf(file, node, "the name of a program expected")
	}
	return nil
}

// expectation is {exit: N}, {signal: NAME} or running.
type expectation struct{ Expectation }

// DecodeYAML implements [strictyaml.Unmarshaler].
func (e *expectation) DecodeYAML(file string, node ast.Node) error {
	if text, ok := strictyaml.Text(node); ok {
		if text != "running" {
			return strictyaml.Errorf(file, node, "{exit: N}, {signal: NAME} or running expected, found %q", text)
		}
		e.Running = true
		return nil
	}
	var section struct {
		Exit   *int    `yaml:"exit"`
		Signal *signal `yaml:"signal"`
	}
	if err := strictyaml.Decode(file, node, &section); err != nil {
		return err
	}
	switch {
	case (section.Exit == nil) == (section.Signal == nil):
		return strictyaml.Errorf(file, node, "either exit or signal expected")
	case section.Signal != nil:
		e.Signal = unix.Signal(*section.Signal)
	case *section.Exit < 0 || *section.Exit > 255:
		return strictyaml.Errorf(file, node, "exit: a status from 0 to 255 expected, found %d", *section.Exit)
	default:
		e.Exit = *section.Exit
	}
	return nil
}

// signal is a signal by name, with or without SIG, or by number.
type signal unix.Signal

// DecodeYAML implements [strictyaml.Unmarshaler].
func (s *signal) DecodeYAML(file string, node ast.Node) error {
	text, ok := strictyaml.Text(node)
	if number := parseSignal(text); ok && number != 0 {
		*s = signal(number)
		return nil
	}
	return strictyaml.Errorf(file, node, "the name of a signal expected, such as TERM, found %q", text)
}

// lastSignal is SIGRTMAX of x86-64.
const lastSignal = 64

// parseSignal returns the named signal, or 0.
func parseSignal(text string) unix.Signal {
	if n, err := strconv.Atoi(text); err == nil && 0 < n && n <= lastSignal {
		return unix.Signal(n)
	}
	name := strings.ToUpper(text)
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	return unix.SignalNum(name)
}
