package kernel

import (
	"maps"
	"strings"
)

// The first process of a host is simterpose's: it takes up orphans, as a machine's
// init does, and shows as one. What it really is the machine's kernel refuses to
// tell, as guests may not trace it (guest/container.go).

const (
	initName   = "init"
	initMemory = 32 // kB in use
)

// initFiles are files of /proc/1 that are the same on all hosts.
var initFiles = map[string]string{
	"autogroup": oneGroup,
	"cmdline":   "/sbin/" + initName + "\x00",
	"comm":      initName + "\n",
	"sched":     schedText(initName, firstPID, 1, 0, 0),
	"schedstat": "0 0 0\n",
	"setgroups": "allow\n",
	"uid_map":   everyID,
	"gid_map":   everyID,
	"loginuid":  nobodyLoggedIn,
	"sessionid": nobodyLoggedIn,
}

// initReport gives files of /proc/1.
func (t *Task) initReport(name string) (string, bool) {
	f, ok := t.procFile(name)
	if !ok || f.process != nil {
		return "", false
	}
	if content, ok := initFiles[f.file]; ok {
		return content, true
	}
	h := t.host()
	name = f.folder() + "/" + f.file
	switch f.file {
	case "stat":
		text, ok := h.processStat(name, firstPID, processTimes{stranger: true})
		_, rest, _ := strings.Cut(text, ")")
		return "1 (" + initName + ")" + rest, ok
	case "statm":
		return h.statm(firstPID)
	case "status":
		values := rootCredentials.lines()
		values["Name"] = initName
		// On the machine all guests share one processor.
		all := ProcessorMask(0, h.Cores)
		values["Cpus_allowed"], values["Cpus_allowed_list"] = MaskText(all, h.Cores), MaskList(all)
		maps.Copy(values, h.memoryInUse(firstPID).lines())
		return h.statusFile(name, values, false)
	}
	return "", false
}
