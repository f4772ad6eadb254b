package experiment

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/simterpose/simterpose/internal/strictyaml"
	"github.com/simterpose/simterpose/platform"
	"github.com/simterpose/simterpose/sim"
)

// LoadCommand makes an experiment of a single process: a command on the named
// host of a platform, or on its first host when the name is empty. The file is
// a platform, or an experiment whose platform and options are taken, without
// its processes and its stop.
func LoadCommand(path, host string, argv []string, overrides Overrides) (*Experiment, error) {
	l, err := readPlatform(path, overrides)
	if err != nil {
		return nil, err
	}
	l.Stop = sim.Never
	if l.Platform != nil {
		if err := l.command(path, host, argv); err != nil {
			return nil, err
		}
	}
	return l.finish(overrides)
}

func (l *loader) command(path, host string, argv []string) error {
	if len(l.Platform.Hosts) == 0 {
		return fmt.Errorf("%s: the platform has no host", path)
	}
	chosen := l.Platform.Hosts[0]
	if host != "" {
		matched, err := l.Platform.Match(host)
		switch {
		case err != nil:
			return fmt.Errorf("--host: %w", err)
		case len(matched) > 1:
			return fmt.Errorf("--host: one host expected, %q stands for %d", host, len(matched))
		}
		chosen = matched[0]
	}
	l.Processes = []Process{{Host: chosen, Argv: argv, Stop: sim.Never}}
	return nil
}

// LoadPlatform reads the platform of an experiment, or a file that is a
// platform alone.
func LoadPlatform(path string) (*platform.Platform, error) {
	l, err := readPlatform(path, Overrides{})
	if err == nil {
		err = l.err()
	}
	if err != nil {
		return nil, err
	}
	return l.Platform, nil
}

// readPlatform reads what an experiment's file says of everything but its
// processes, or a file that is a platform alone.
func readPlatform(path string, o Overrides) (*loader, error) {
	if isExperiment(path) {
		l, d, err := readDocument(path)
		if err == nil {
			l.section(d, o)
		}
		return l, err
	}
	l := newLoader(path)
	var err error
	l.Platform, err = platform.Load(path)
	return l, err
}

// isExperiment tells whether a file is an experiment rather than a platform in
// the inline form. What cannot be read is one, so that its errors are told.
func isExperiment(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml":
	default:
		return false
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return true
	}
	node, err := strictyaml.Parse(path, text)
	if err != nil {
		return true
	}
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		return true
	}
	for _, pair := range mapping.Values {
		if key, _ := strictyaml.Text(pair.Key); key == "hosts" {
			return false
		}
	}
	return true
}
