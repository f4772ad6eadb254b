package kernel

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// What files of users and groups have for all processes.
var (
	everyID        = fmt.Sprintf("%10d %10d %10d\n", 0, 0, noID)
	nobodyLoggedIn = strconv.FormatUint(uint64(noID), 10)
)

// credentialReport gives those files of /proc/PID that tell of credentials.
func (t *Task) credentialReport(name string) (string, bool) {
	rest, found := strings.CutPrefix(name, "/proc/")
	if !found {
		return "", false
	}
	parts := strings.Split(rest, "/")
	of := t
	switch {
	case len(parts) == 2 && parts[0] == "self":
		of = t.process.tasks[0]
	case len(parts) == 2 && parts[0] == "thread-self":
	case len(parts) == 2 && isNumber(parts[0]):
		id, _ := strconv.Atoi(parts[0])
		of = t.host().threads[id]
	case len(parts) == 4 && parts[1] == "task" && isNumber(parts[2]):
		id, _ := strconv.Atoi(parts[2])
		of = t.host().threads[id]
	default:
		return "", false
	}
	if of == nil {
		if f, _ := t.procFile(name); f.process != nil && f.process.zombie && f.file == "status" {
			return t.host().statusFile(name, f.process.left.lines(), false)
		}
		return "", false
	}
	switch parts[len(parts)-1] {
	case "status":
		return of.status()
	case "uid_map", "gid_map":
		return everyID, true
	case "setgroups":
		return "allow\n", true
	case "loginuid", "sessionid":
		return nobodyLoggedIn, true
	}
	return "", false
}

// lines are those of status that tell of credentials.
func (c *credentials) lines() map[string]string {
	values := map[string]string{
		"Uid":             fmt.Sprintf("%d\t%d\t%d\t%d", c.uid, c.euid, c.suid, c.fsuid),
		"Gid":             fmt.Sprintf("%d\t%d\t%d\t%d", c.gid, c.egid, c.sgid, c.fsgid),
		"CapInh":          fmt.Sprintf("%016x", uint64(c.inheritable)),
		"CapPrm":          fmt.Sprintf("%016x", uint64(c.permitted)),
		"CapEff":          fmt.Sprintf("%016x", uint64(c.effective)),
		"CapBnd":          fmt.Sprintf("%016x", uint64(c.bounding)),
		"CapAmb":          fmt.Sprintf("%016x", uint64(c.ambient)),
		"NoNewPrivs":      strconv.Itoa(truth(c.noNewPrivs)),
		"Seccomp":         "0", // the emulator's filter is none of the host's
		"Seccomp_filters": "0",
		"Groups":          " ",
	}
	if len(c.groups) > 0 {
		var groups strings.Builder
		for _, g := range c.groups {
			fmt.Fprintf(&groups, "%d ", g)
		}
		values["Groups"] = groups.String()
	}
	return values
}

// status is the machine's status of the thread with the host's credentials.
func (t *Task) status() (string, bool) {
	values := t.cred.lines()
	// On the machine all guests share one processor.
	values["Cpus_allowed"] = MaskText(t.cpuMask(), t.host().Cores)
	values["Cpus_allowed_list"] = MaskList(t.cpuMask())
	return t.host().statusFile(fmt.Sprintf("/proc/%d/task/%d/status", t.process.PID, t.ID), values, t.process.stopped)
}

// statusFile is proc(5)'s status of a thread, with other values for some lines and
// without the emulator's stops and what differs from run to run.
func (h *Host) statusFile(name string, values map[string]string, stopped bool) (string, bool) {
	text, ok := h.read(name)
	if !ok {
		return "", false
	}
	lines := memoryOf(text).lines()
	// How often the machine has switched.
	lines["voluntary_ctxt_switches"], lines["nonvoluntary_ctxt_switches"] = "0", "0"
	maps.Copy(lines, values)
	var b strings.Builder
	for line := range strings.Lines(text) {
		key, machine, _ := strings.Cut(line, ":")
		if value, ok := lines[key]; ok {
			line = key + ":\t" + value + "\n"
		} else if key == "State" && strings.HasPrefix(machine, "\tt") {
			line = "State:\t" + map[string]string{"S": "S (sleeping)", "T": "T (stopped)"}[seenState("t", stopped)] + "\n"
		}
		b.WriteString(line)
	}
	return b.String(), true
}

// MaskText writes a mask of so many processors as the kernel does: hexadecimal, a
// comma before every eight digits.
func MaskText(mask []byte, processors int) string {
	var b strings.Builder
	for digit := (processors+3)/4 - 1; digit >= 0; digit-- {
		fmt.Fprintf(&b, "%x", mask[digit/2]>>(digit%2*4)&0xf)
		if digit > 0 && digit%8 == 0 {
			b.WriteByte(',')
		}
	}
	return b.String()
}

// MaskList writes a mask of processors as ranges: 0-2,5.
func MaskList(mask []byte) string {
	has := func(i int) bool { return i < 8*len(mask) && mask[i/8]&(1<<(i%8)) != 0 }
	var ranges []string
	for i := 0; i < 8*len(mask); i++ {
		if !has(i) {
			continue
		}
		first := i
		for has(i + 1) {
			i++
		}
		if first == i {
			ranges = append(ranges, strconv.Itoa(i))
		} else {
			ranges = append(ranges, fmt.Sprintf("%d-%d", first, i))
		}
	}
	return strings.Join(ranges, ",")
}

// ProcessorMask is the set of processors from one to before another, as
// sched_getaffinity(2) gives it: in whole words.
func ProcessorMask(from, to int) []byte {
	mask := make([]byte, (to+63)/64*8)
	for i := from; i < to; i++ {
		mask[i/8] |= 1 << (i % 8)
	}
	return mask
}
