package experiment

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/internal/strictyaml"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// eventSection is one element of the list of events.
type eventSection struct {
	At     *duration `yaml:"at"`
	Every  *duration `yaml:"every"`
	Jitter *duration `yaml:"jitter"`
	Until  *duration `yaml:"until"`
	For    *duration `yaml:"for"`
	Pick   *int      `yaml:"pick"`

	Link          strictyaml.Strings `yaml:"link"`
	Bandwidth     *bandwidth         `yaml:"bandwidth"`
	Latency       *seconds           `yaml:"latency"`
	LatencyJitter *seconds           `yaml:"latency_jitter"`
	Loss          *probability       `yaml:"loss"`
	Duplicate     *probability       `yaml:"duplicate"`
	Reorder       *probability       `yaml:"reorder"`
	Corrupt       *probability       `yaml:"corrupt"`

	Host     strictyaml.Strings `yaml:"host"`
	State    string             `yaml:"state"`
	Speed    *speed             `yaml:"speed"`
	PState   *int               `yaml:"pstate"`
	Disk     string             `yaml:"disk"`
	DNS      string             `yaml:"dns"`
	Clock    *clockSection      `yaml:"clock"`
	Run      command            `yaml:"run"`
	Expect   *expectation       `yaml:"expect"`
	Unsynced string             `yaml:"unsynced"`

	Partition *partition `yaml:"partition"`

	Process string  `yaml:"process"`
	Signal  *signal `yaml:"signal"`
}

// partition is a list of groups of hosts, or {from: HOSTS, to: HOSTS}.
type partition struct {
	groups   [][]string
	from, to []string
}

// DecodeYAML implements [strictyaml.Unmarshaler].
func (p *partition) DecodeYAML(file string, node ast.Node) error {
	if _, ok := node.(*ast.SequenceNode); ok {
		var groups []strictyaml.Strings
		if err := strictyaml.Decode(file, node, &groups); err != nil {
			return err
		}
		for _, g := range groups {
			p.groups = append(p.groups, g)
		}
		return nil
	}
	var section struct {
		From strictyaml.Strings `yaml:"from,required"`
		To   strictyaml.Strings `yaml:"to,required"`
	}
	if err := strictyaml.Decode(file, node, &section); err != nil {
		return err
	}
	p.from, p.to = section.From, section.To
	return nil
}

// events reads the list of events. It comes after the processes, which events
// may name.
func (l *loader) events(nodes []ast.Node) {
	for _, node := range nodes {
		var s eventSection
		if l.decode(node, &s) {
			l.event(&s, l.at(node))
		}
	}
}

// ParseEvent reads one event in the form of the list events. Its errors do not say
// where in the text something is wrong.
func (e *Experiment) ParseEvent(text []byte) (Event, error) {
	event, err := e.parseEvent(text)
	if err != nil {
		return Event{}, errors.New(positionInEvent.ReplaceAllString(err.Error(), ""))
	}
	return event, nil
}

const eventName = "event"

var positionInEvent = regexp.MustCompile(`(?m)^` + eventName + `:\d+:\d+: `)

func (e *Experiment) parseEvent(text []byte) (Event, error) {
	node, err := strictyaml.Parse(eventName, text)
	if err != nil {
		return Event{}, err
	}
	// A copy: its events are not the experiment's.
	scratch := *e
	scratch.Events = nil
	l := &loader{path: eventName, Experiment: &scratch}
	l.events([]ast.Node{node})
	if err := l.err(); err != nil {
		return Event{}, err
	}
	return scratch.Events[0], nil
}

func (l *loader) event(s *eventSection, at Position) {
	e := Event{Position: at, Process: -1, Until: l.Stop}
	fail := func(format string, arguments ...any) { l.addf(at, format, arguments...) }
	l.eventTimes(s, &e, fail)
	subjects := 0
	for _, given := range []bool{s.Link != nil, s.Host != nil, s.Partition != nil, s.Process != ""} {
		if given {
			subjects++
		}
	}
	if subjects != 1 {
		fail("one of link, host, partition and process expected")
		return
	}
	err := s.misplaced()
	switch {
	case err != nil:
	case s.Link != nil:
		err = l.linkEvent(s, &e)
	case s.Host != nil:
		err = l.hostEvent(s, &e)
	case s.Partition != nil:
		err = l.partitionEvent(s.Partition, &e)
	default:
		err = l.processEvent(s, &e)
	}
	if err != nil {
		fail("%v", err)
		return
	}
	l.Events = append(l.Events, e)
}

// eventTimes reads when an event happens.
func (l *loader) eventTimes(s *eventSection, e *Event, fail func(string, ...any)) {
	value := func(d *duration) sim.Time {
		if d == nil {
			return 0
		}
		return sim.Time(*d)
	}
	e.At, e.Every, e.Jitter, e.For = value(s.At), value(s.Every), value(s.Jitter), value(s.For)
	switch {
	case s.At == nil && s.Every == nil:
		fail("at: TIME or every: TIME expected")
	case s.Every != nil && e.Every == 0:
		fail("every: a time after 0 s expected")
	case s.Every == nil && (s.Jitter != nil || s.Until != nil):
		fail("jitter and until go with every: TIME")
	case s.At == nil:
		e.At = e.Every
	}
	if s.Until != nil {
		e.Until = sim.Time(*s.Until)
	}
	if s.Until != nil && e.Every > 0 && e.Until < e.At {
		fail("until: a time from %v on, when it happens first, expected, found %v", e.At, e.Until)
	}
	if e.Every > 0 && e.Until == sim.Never {
		fail("until: TIME expected, as nothing else ends what happens every %v", e.Every)
	}
	if s.For != nil && e.For == 0 {
		fail("for: a time after 0 s expected")
	}
	if s.Pick != nil {
		if e.Pick = *s.Pick; e.Pick < 1 || s.Host == nil {
			fail("pick: a number of the hosts, from 1, expected")
		}
	}
}

// misplaced tells of a key that does not go with what the event is about.
func (s *eventSection) misplaced() error {
	for _, k := range []struct {
		name  string
		given bool
		with  bool
	}{
		{"bandwidth", s.Bandwidth != nil, s.Link != nil},
		{"latency", s.Latency != nil, s.Link != nil},
		{"latency_jitter", s.LatencyJitter != nil, s.Link != nil},
		{"loss", s.Loss != nil, s.Link != nil},
		{"duplicate", s.Duplicate != nil, s.Link != nil},
		{"reorder", s.Reorder != nil, s.Link != nil},
		{"corrupt", s.Corrupt != nil, s.Link != nil},
		{"state", s.State != "", s.Link != nil || s.Host != nil},
		{"speed", s.Speed != nil, s.Host != nil},
		{"pstate", s.PState != nil, s.Host != nil},
		{"disk", s.Disk != "", s.Host != nil},
		{"dns", s.DNS != "", s.Host != nil},
		{"clock", s.Clock != nil, s.Host != nil},
		{"run", s.Run != nil, s.Host != nil},
		{"expect", s.Expect != nil, s.Run != nil},
		{"unsynced", s.Unsynced != "", s.Host != nil && s.State == StateCrash},
		{"signal", s.Signal != nil, s.Process != ""},
	} {
		if k.given && !k.with {
			return fmt.Errorf("%s does not go with this event", k.name)
		}
	}
	return nil
}

func (l *loader) linkEvent(s *eventSection, e *Event) error {
	for _, name := range s.Link {
		links := l.Platform.MatchLinks(name)
		if len(links) == 0 {
			return fmt.Errorf("link: no link of the platform is named %q", name)
		}
		e.Links = append(e.Links, links...)
	}
	switch s.State {
	case "":
	case "up", "down":
		on := s.State == "up"
		e.Link.On = &on
	default:
		return fmt.Errorf("state: up or down expected of a link, found %q", s.State)
	}
	c := &e.Link
	c.Bandwidth, c.Latency, c.Jitter = (*float64)(s.Bandwidth), (*float64)(s.Latency), (*float64)(s.LatencyJitter)
	c.Loss, c.Duplicate = (*float64)(s.Loss), (*float64)(s.Duplicate)
	c.Reorder, c.Corrupt = (*float64)(s.Reorder), (*float64)(s.Corrupt)
	if *c == (LinkChange{}) {
		return fmt.Errorf("what happens to the link expected: state, bandwidth, latency, latency_jitter, loss, duplicate, reorder or corrupt")
	}
	return nil
}

func (l *loader) hostEvent(s *eventSection, e *Event) error {
	for _, pattern := range s.Host {
		hosts, err := l.Platform.Match(pattern)
		if err != nil {
			return err
		}
		for _, h := range hosts {
			if !slices.Contains(e.Hosts, h) {
				e.Hosts = append(e.Hosts, h)
			}
		}
	}
	if e.Pick > len(e.Hosts) {
		return fmt.Errorf("pick: at most %d expected, found %d", len(e.Hosts), e.Pick)
	}
	e.Host = HostChange{State: s.State, Unsynced: s.Unsynced, Speed: (*float64)(s.Speed), PState: s.PState, Disk: s.Disk, Names: s.DNS, Run: s.Run}
	if s.Expect != nil {
		e.Host.Expect = s.Expect.Expectation
	}
	if s.Clock != nil {
		change, err := s.Clock.change()
		if err != nil {
			return err
		}
		e.Host.Clock = &change
	}
	for _, choice := range []struct {
		key, value string
		values     []string
	}{
		{"state", s.State, []string{StateCrash, StateBoot}},
		{"unsynced", s.Unsynced, []string{UnsyncedKept, UnsyncedLost}},
		{"disk", s.Disk, []string{DiskFull, DiskIOError, DiskSlow, Fine}},
		{"dns", s.DNS, []string{NamesFail, NamesSilent, Fine}},
	} {
		if choice.value != "" && !slices.Contains(choice.values, choice.value) {
			return fmt.Errorf("%s: %s expected of a host, found %q", choice.key, strings.Join(choice.values, " or "), choice.value)
		}
	}
	if s.PState != nil {
		for _, h := range e.Hosts {
			if n := len(h.Speeds); *s.PState < 0 || *s.PState >= n {
				return fmt.Errorf("pstate: 0 to %d expected, as host %s has %d speeds, found %d", n-1, h.Name, n, *s.PState)
			}
		}
	}
	for _, k := range []struct {
		name  string
		given bool
	}{{"run", s.Run != nil}, {"disk", s.Disk != ""}, {"dns", s.DNS != ""}, {"clock", s.Clock != nil}} {
		if k.given && !slices.ContainsFunc(e.Hosts, l.runsProcesses) {
			return fmt.Errorf("%s: a host with processes expected, as %s has none", k.name, e.Hosts[0].Name)
		}
	}
	given := s.State != "" || s.Speed != nil || s.PState != nil || s.Disk != "" || s.DNS != "" || s.Clock != nil || s.Run != nil
	switch {
	case !given:
		return fmt.Errorf("what happens to the host expected: state, speed, pstate, disk, dns, clock or run")
	case s.Run != nil && e.For > 0:
		return fmt.Errorf("for: a command is not undone")
	case s.State == StateBoot && e.For > 0:
		return fmt.Errorf("for: use {state: crash, for: TIME}, which boots the host again")
	}
	return nil
}

// runsProcesses tells whether a host has processes. Others are not there for guests:
// they have no files, clock and name server.
func (l *loader) runsProcesses(h *platform.Host) bool {
	return slices.ContainsFunc(l.Processes, func(p Process) bool { return p.Host == h })
}

func (l *loader) partitionEvent(p *partition, e *Event) error {
	match := func(patterns []string) (group []*platform.Host, err error) {
		for _, pattern := range patterns {
			hosts, err := l.Platform.Match(pattern)
			if err != nil {
				return nil, fmt.Errorf("partition: %w", err)
			}
			group = append(group, hosts...)
		}
		if len(group) == 0 {
			return nil, errors.New("partition: hosts expected, found an empty list")
		}
		return group, nil
	}
	cut := func(from, to []*platform.Host) error {
		for _, a := range from {
			for _, b := range to {
				if a == b {
					return fmt.Errorf("partition: host %q is on both sides", a.Name)
				}
				e.Ways = append(e.Ways, [2]*platform.Host{a, b})
			}
		}
		return nil
	}
	if p.from != nil {
		from, err := match(p.from)
		if err != nil {
			return err
		}
		to, err := match(p.to)
		if err != nil {
			return err
		}
		return cut(from, to)
	}
	if len(p.groups) < 2 {
		return fmt.Errorf("partition: two groups of hosts or more expected, such as [[a, b], [c]], or {from: [a], to: [b]}")
	}
	var groups [][]*platform.Host
	for _, patterns := range p.groups {
		g, err := match(patterns)
		if err != nil {
			return err
		}
		groups = append(groups, g)
	}
	for i := range groups {
		for j := range groups {
			if i == j {
				continue
			}
			if err := cut(groups[i], groups[j]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *loader) processEvent(s *eventSection, e *Event) error {
	host, name, ok := strings.Cut(s.Process, "/")
	if !ok {
		return fmt.Errorf("process: HOST/NAME expected, found %q", s.Process)
	}
	if s.Signal == nil {
		return fmt.Errorf("signal: the name of a signal expected")
	}
	e.Signal = unix.Signal(*s.Signal)
	if e.For > 0 && e.Signal != unix.SIGSTOP && e.Signal != unix.SIGTSTP {
		return fmt.Errorf("for: only STOP can be undone, by CONT")
	}
	for i, p := range l.Processes {
		if p.Host.Name == host && p.Name == name {
			e.Process = i
			return nil
		}
	}
	return fmt.Errorf("process: the experiment has no process %q", s.Process)
}
