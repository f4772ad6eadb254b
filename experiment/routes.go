package experiment

import (
	"errors"
	"fmt"

	"github.com/simterpose/simterpose/platform"
)

const (
	// maxRouteHosts bounds the time that the search for missing routes takes:
	// a hundred thousand routes are found in about a tenth of a second.
	maxRouteHosts = 300
	// maxMissing bounds what is told.
	maxMissing = 5
)

// missingRoutes returns a warning for each two hosts with processes that the
// platform has no route between: their guests get EHOSTUNREACH.
func (e *Experiment) missingRoutes() []string {
	var hosts []*platform.Host
	seen := make(map[*platform.Host]bool)
	for i := range e.Processes {
		if h := e.Processes[i].Host; !seen[h] && len(hosts) < maxRouteHosts {
			seen[h] = true
			hosts = append(hosts, h)
		}
	}
	var warnings []string
	var links []*platform.Link
	missing := 0
	for _, src := range hosts {
		for _, dst := range hosts {
			if src == dst {
				continue
			}
			var err error
			if links, _, err = e.Platform.AppendRoute(links[:0], src, dst); !errors.Is(err, platform.ErrNoRoute) {
				continue
			}
			if missing++; missing <= maxMissing {
				warnings = append(warnings, fmt.Sprintf("no route from host %q to host %q", src.Name, dst.Name))
			}
		}
	}
	if missing > maxMissing {
		warnings = append(warnings, fmt.Sprintf("no route between %d more pairs of hosts", missing-maxMissing))
	}
	return warnings
}
