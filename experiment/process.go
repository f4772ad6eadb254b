package experiment

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/internal/strictyaml"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// processes reads the list of processes.
func (l *loader) processes(nodes []ast.Node) {
	for _, node := range nodes {
		var s processSection
		if !l.decode(node, &s) {
			continue
		}
		l.process(&s)
	}
}

// process adds the process of a section, once for each of its hosts.
func (l *loader) process(s *processSection) {
	at := Position(s.At)
	p := Process{Argv: s.Command, Position: at, Stop: sim.Never, StopSignal: unix.SIGTERM, Daemon: s.Daemon, Restart: s.Restart == nil || *s.Restart}
	fail := func(format string, arguments ...any) { l.addf(at, format, arguments...) }
	if s.Start != nil {
		p.Start = sim.Time(*s.Start)
	}
	switch {
	case s.Stop != nil && sim.Time(*s.Stop) <= p.Start:
		fail("stop: a time after the start at %v expected, found %v", p.Start, sim.Time(*s.Stop))
	case s.Stop != nil:
		p.Stop = sim.Time(*s.Stop)
	case s.Signal != nil:
		fail("signal: a time to send it expected as well (stop: TIME)")
	}
	if s.Signal != nil {
		p.StopSignal = unix.Signal(*s.Signal)
	}
	switch {
	case s.Expect != nil:
		p.Expect = s.Expect.Expectation
	case s.Daemon && s.Stop == nil:
		p.Expect.Running = true
	}
	for _, name := range sortedKeys(s.Env) {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			fail("env: the name of a variable expected, found %q", name)
		}
		p.Env = append(p.Env, name+"="+s.Env[name])
	}
	for _, word := range slices.Concat(p.Argv, p.Env) {
		if strings.Contains(word, "\x00") {
			fail("a text without NUL expected, found %q", word)
		}
	}
	if s.Name != nil {
		p.Name = *s.Name
		if err := checkName(p.Name); err != nil {
			fail("name: %v", err)
		}
	}
	hosts, err := l.matched(s.Host, s.Hosts)
	if err != nil {
		fail("%v", err)
	}
	for _, h := range hosts {
		p.Host = h
		l.Processes = append(l.Processes, p)
	}
}

// matched returns the hosts that a section names by its key host or hosts.
func (l *loader) matched(one, several strictyaml.Strings) ([]*platform.Host, error) {
	patterns := slices.Concat(one, several)
	if (one == nil) == (several == nil) || len(patterns) == 0 {
		return nil, errors.New("either host or hosts expected")
	}
	var hosts []*platform.Host
	seen := make(map[*platform.Host]bool)
	for _, pattern := range patterns {
		matched, err := l.Platform.Match(pattern)
		if err != nil {
			return nil, err
		}
		for _, h := range matched {
			if seen[h] {
				return nil, fmt.Errorf("host %q is named twice", h.Name)
			}
			seen[h] = true
			hosts = append(hosts, h)
		}
	}
	return hosts, nil
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// maxName leaves room for the ending of a file's name, of 255 bytes.
const maxName = 200

// checkName refuses what cannot be the name of a file.
func checkName(name string) error {
	switch {
	case name == "" || name == "." || name == "..":
		return fmt.Errorf("a name expected, found %q", name)
	case len(name) > maxName:
		return fmt.Errorf("at most %d bytes expected, found %d", maxName, len(name))
	case strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == '/' || c == 0x7f }):
		return fmt.Errorf("a name without / and control characters expected, found %q", name)
	}
	return nil
}

// maxHostname is what sethostname(2) takes, in bytes.
const maxHostname = 64

// checkHostname refuses what cannot be the name of a host that runs guests.
func checkHostname(name string) error {
	if len(name) > maxHostname {
		return fmt.Errorf("at most %d bytes expected, as Linux allows, found %d (%q)", maxHostname, len(name), name)
	}
	return checkName(name)
}

// name gives every process a name of its own on its host.
func (l *loader) name() {
	type key struct {
		host *platform.Host
		name string
	}
	given := make(map[key]Position)
	for i := range l.Processes {
		p := &l.Processes[i]
		if err := checkHostname(p.Host.Name); err != nil {
			l.addf(p.Position, "host: %v", err)
		}
		if p.Name == "" {
			continue
		}
		k := key{p.Host, p.Name}
		if first, taken := given[k]; taken {
			l.addf(p.Position, "a second process named %q on host %q, the first is at %s", p.Name, p.Host.Name, first)
			continue
		}
		given[k] = p.Position
	}
	// The next number to try, so that a thousand of a kind are named quickly.
	next := make(map[key]int)
	for i := range l.Processes {
		p := &l.Processes[i]
		if p.Name != "" {
			continue
		}
		base := filepath.Base(p.Argv[0])
		if checkName(base) != nil {
			base = "process"
		}
		k := key{p.Host, base}
		for n := max(1, next[k]); ; n++ {
			name := base
			if n > 1 {
				name += "." + strconv.Itoa(n)
			}
			if _, taken := given[key{p.Host, name}]; !taken {
				p.Name = name
				given[key{p.Host, name}] = p.Position
				next[k] = n + 1
				break
			}
		}
	}
}

// checkStarts remarks on processes that never start.
func (l *loader) checkStarts() {
	for i := range l.Processes {
		if p := &l.Processes[i]; p.Start >= l.Stop {
			l.warnf("%s: process %q starts at %v, but the experiment stops at %v", p.Position, p.Name, p.Start, l.Stop)
		}
	}
}
