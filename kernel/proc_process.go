package kernel

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// processFile is a file that each process has below /proc, and each thread.
type processFile struct {
	content func(*Task, procFile) (string, bool)
	// traced ones are shown to those who may trace the process (ptrace(2)).
	traced bool
}

// same is a file with one content for all.
func same(content string) processFile {
	return processFile{content: func(*Task, procFile) (string, bool) { return content, true }}
}

// processFiles are those of which the machine's would tell of the machine.
var processFiles map[string]processFile

func init() {
	processFiles = map[string]processFile{
		"cpuset":       same("/\n"),
		"io":           {ioReport, true},
		"limits":       {limitsReport, false},
		"maps":         {mapsReport, true},
		"numa_maps":    {numaReport, true},
		"oom_score":    {oomReport, false},
		"smaps":        {smapsReport, true},
		"smaps_rollup": {rollupReport, true},
		"wchan":        same("0"), // as for those who may not know
	}
}

// processReport gives those files.
func (t *Task) processReport(name string) (string, bool) {
	f, ok := t.procFile(name)
	if !ok {
		return "", false
	}
	if number, found := strings.CutPrefix(f.file, "fdinfo/"); found && f.process != nil {
		return t.descriptorReport(f, number)
	}
	file, ok := processFiles[f.file]
	if !ok || file.traced && (f.process == nil || !t.mayTrace(f.process)) {
		return "", false
	}
	return file.content(t, f)
}

// withLines replaces what stands behind some of the words that lines begin with.
func withLines(text string, values map[string]string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		key, _, _ := strings.Cut(line, ":")
		if value, ok := values[key]; ok {
			line = key + ":" + value + "\n"
		}
		b.WriteString(line)
	}
	return b.String()
}

// ioReport is proc(5)'s io. What of it goes to the disk depends on what the machine
// has in memory.
func ioReport(t *Task, f procFile) (string, bool) {
	text, ok := t.machineText(f)
	return withLines(text, map[string]string{"read_bytes": " 0", "write_bytes": " 0", "cancelled_write_bytes": " 0"}), ok
}

// limitsReport is proc(5)'s limits, with the one of simulated processor time.
func limitsReport(t *Task, f procFile) (string, bool) {
	text, ok := t.machineText(f)
	first, rest, _ := strings.Cut(text, "\n")
	_, rest, _ = strings.Cut(rest, "\n")
	soft, hard := uint64(math.MaxUint64), uint64(math.MaxUint64)
	if f.process != nil && f.process.limit.set {
		soft, hard = f.process.limit.soft, f.process.limit.hard
	}
	return fmt.Sprintf("%s\n%-25s %-20s %-20s %-10s\n%s", first, "Max cpu time", limitText(soft), limitText(hard), "seconds", rest), ok
}

func limitText(n uint64) string {
	if n == math.MaxUint64 {
		return "unlimited"
	}
	return strconv.FormatUint(n, 10)
}

// oomReport is proc(5)'s oom_score, by the host's memory (mm/oom_kill.c).
func oomReport(t *Task, f procFile) (string, bool) {
	text, ok := t.host().read(f.folder() + "/oom_score_adj")
	adjustment, _ := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	const never, scale = -1000, 1000
	if adjustment == never {
		return "0\n", ok
	}
	var used uint64
	if f.process != nil {
		used = t.host().memoryInUse(f.process.PID).resident() << 10
	}
	points := int64(used*scale/max(t.host().Memory, 1)) + adjustment
	return fmt.Sprintf("%d\n", max(0, scale+points)*2/3), ok
}
