package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/goccy/go-yaml"
)

const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// environment is what programs find on both machines.
func (c Command) environment() []string {
	return append([]string{"PATH=" + searchPath, "HOME=/root", "LANG=C.UTF-8"}, c.Environment...)
}

// shell is the program and its arguments with both outputs in one. It is a child
// of the shell, since a leader of a session gets the first terminal that it opens.
func (c Command) shell() []string {
	return append([]string{"/bin/sh", "-c", `cd "$0" && "$@" 2>&1; exit $?`, c.Directory}, c.Arguments...)
}

// A machine runs commands: this one, or an emulated host of the same make.
type machine interface {
	// run writes what a command prints to a file. That it fails or is stopped at
	// the limit of real time is no error.
	run(c Command, folder, output string, limit time.Duration) error
}

// native runs commands in namespaces that are like an emulated host: no network
// but the loopback and an interface that leads nowhere, /tmp and /run empty.
type native struct{}

const likeAHost = `set -e
hostname tester
ip link set lo up
ip link add eth0 type veth peer name switch
ip address add 10.0.0.1/24 dev eth0
ip address add fd00::a00:1/64 dev eth0 nodad
ip link set eth0 up
ip link set switch up
mkdir "$1/run" "$1/run/experiment"
mount --bind "$1" "$1/run/experiment"
mount --rbind "$1/run" /run
mount -t tmpfs tmpfs /tmp
echo "127.0.0.1 localhost" >/run/hosts
echo "::1 localhost" >>/run/hosts
echo "10.0.0.1 tester" >>/run/hosts
echo "nameserver 127.0.0.1" >/run/resolv.conf
mount --bind /run/hosts /etc/hosts
mount --bind /run/resolv.conf /etc/resolv.conf
shift
exec "$@"
`

func (native) run(c Command, folder, output string, limit time.Duration) error {
	arguments := []string{
		"--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc",
		"sh", "-c", likeAHost, "sh", folder,
	}
	if os.Geteuid() != 0 {
		arguments = append([]string{"--map-root-user"}, arguments...)
	}
	if err := os.RemoveAll(filepath.Join(folder, "run")); err != nil {
		return err
	}
	return limited(exec.Command("unshare", append(arguments, c.shell()...)...), c.environment(), output, limit)
}

// limited runs a command with its output in a file, and ends it at the limit.
func limited(c *exec.Cmd, environment []string, output string, limit time.Duration) error {
	file, err := os.Create(output)
	if err != nil {
		return err
	}
	defer file.Close()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	bound := exec.CommandContext(ctx, c.Path, c.Args[1:]...)
	bound.Env, bound.Stdout, bound.Stderr = environment, file, file
	bound.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// The first one ends a run of simterpose in order, WaitDelay kills it.
	bound.Cancel = func() error { return bound.Process.Signal(os.Interrupt) }
	bound.WaitDelay = 10 * time.Second
	err = bound.Run()
	var ended *exec.ExitError
	if ctx.Err() != nil || errors.As(err, &ended) {
		return nil
	}
	return err
}

// emulated runs commands on a host of an experiment.
type emulated struct {
	simterpose string // the path of the command
}

func (m emulated) run(c Command, folder, output string, limit time.Duration) error {
	variables := map[string]string{}
	for _, v := range c.environment() {
		key, value, _ := strings.Cut(v, "=")
		variables[key] = value
	}
	var cpu any = "none"
	if c.Measured {
		cpu = map[string]any{"measured": map[string]any{"reference_speed": "1Gf"}}
	}
	experiment := map[string]any{
		"cpu":      cpu,
		"platform": map[string]any{"hosts": []any{map[string]any{"name": "tester", "speed": "1Gf", "cores": 2}}},
		"processes": []any{map[string]any{
			"host": "tester", "name": "suite", "command": c.shell(), "env": variables,
		}},
	}
	if c.Epoch != "" {
		experiment["epoch"] = c.Epoch
	}
	text, err := yaml.Marshal(experiment)
	if err != nil {
		return err
	}
	file := filepath.Join(folder, "experiment.yaml")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return err
	}
	results := output + ".run"
	run := exec.Command(m.simterpose, "run", file, "--output", results, "--force")
	if err := limited(run, os.Environ(), output+".terminal", limit); err != nil {
		return err
	}
	printed, err := os.ReadFile(filepath.Join(results, "hosts", "tester", "suite.stdout"))
	if err != nil {
		terminal, _ := os.ReadFile(output + ".terminal")
		return fmt.Errorf("%w\n%s", err, terminal)
	}
	return os.WriteFile(output, printed, 0o644)
}

// attempts is how often a suite is begun again after a case that took its
// program with it.
const attempts = 20

// results runs a suite on a machine until all of its cases had their turn.
func results(s Suite, c Command, m machine, folder, output string, limit time.Duration) ([]Result, error) {
	var all []Result
	for attempt := range attempts {
		file := fmt.Sprint(output, ".", attempt)
		if err := m.run(c, folder, file, limit); err != nil {
			return nil, err
		}
		found, err := parseFile(s, file)
		if err != nil {
			return nil, err
		}
		ended := !slices.ContainsFunc(found, func(r Result) bool { return r.Outcome == Unfinished || r.Outcome == Missing })
		for _, r := range found {
			if r.Outcome != Missing {
				all = append(all, r)
			}
		}
		if ended || s.Rest == nil || len(found) == 0 {
			break
		}
		c = s.Rest(c, all)
	}
	return all, nil
}

func parseFile(s Suite, name string) ([]Result, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return s.Parse(file)
}
