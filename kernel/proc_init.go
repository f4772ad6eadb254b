package kernel

import (
	"maps"
	"strings"
)

// The first process of a host is simterpose's: it takes up orphans, as a machine's
// init does, and shows as one. What else it is depends on the machine.

const (
	initName   = "init"
	initMemory = 32 // kB in use
)

// initReport gives files of /proc/1.
func (h *Host) initReport(name string) (string, bool) {
	file, found := strings.CutPrefix(name, "/proc/1/")
	if !found || h.processes[1] != nil {
		return "", false
	}
	switch file {
	case "comm":
		return initName + "\n", true
	case "cmdline":
		return "/sbin/" + initName + "\x00", true
	case "stat":
		text, ok := h.processStat(name, 1, processTimes{stranger: true})
		_, rest, _ := strings.Cut(text, ")")
		return "1 (" + initName + ")" + rest, ok
	case "statm":
		return h.statm(1)
	case "status":
		values := rootCredentials.lines()
		values["Name"] = initName
		maps.Copy(values, h.memoryInUse(1).lines())
		return h.statusFile(name, values, false)
	}
	return "", false
}
