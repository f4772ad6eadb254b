package kernel

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Which pages of a program's files are in its memory depends on the machine: its
// kernel maps those around the one that is used too, if it happens to have read
// them. So guests are told that the code of a process is in memory as a whole and
// the rest of its files is not. What a process has written itself repeats.

// memoryUse is how much memory of a process is in use, in kB: its own pages,
// those of files and those that it shares.
type memoryUse struct{ own, files, shared uint64 }

func (m memoryUse) resident() uint64 { return m.own + m.files + m.shared }

// pages of so many kB.
func pages(kB uint64) uint64 { return kB * 1024 / uint64(os.Getpagesize()) }

// kilobytes reads a value as proc(5) writes it, 0 if it is none.
func kilobytes(value string) uint64 {
	n, _ := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
	return n
}

// memoryOf takes the memory in use out of proc(5)'s status, which has none of a
// zombie.
func memoryOf(status string) (m memoryUse) {
	for line := range strings.Lines(status) {
		key, value, _ := strings.Cut(line, ":")
		switch key {
		case "RssAnon":
			m.own += kilobytes(value)
		case "RssShmem":
			m.shared = kilobytes(value)
		case "VmSwap": // of those
			m.own += kilobytes(value)
		case "VmExe", "VmLib":
			m.files += kilobytes(value)
		}
	}
	return m
}

// lines are those of a process's status that would tell how its files are mapped,
// or what else depends on the machine.
func (m memoryUse) lines() map[string]string {
	return map[string]string{
		"VmHWM":    fmt.Sprintf("%8d kB", m.resident()),
		"VmRSS":    fmt.Sprintf("%8d kB", m.resident()),
		"RssShmem": fmt.Sprintf("%8d kB", m.shared),
		"RssAnon":  fmt.Sprintf("%8d kB", m.own),
		"RssFile":  fmt.Sprintf("%8d kB", m.files),
		"VmSwap":   fmt.Sprintf("%8d kB", 0),
	}
}

// memoryInUse is the memory in use of a process.
func (h *Host) memoryInUse(pid int) memoryUse {
	if pid == firstPID {
		return memoryUse{own: initMemory}
	}
	status, _ := h.read(fmt.Sprintf("/proc/%d/status", pid))
	return memoryOf(status)
}

// statm is proc(5)'s statm of a process.
func (h *Host) statm(pid int) (string, bool) {
	text, ok := h.read(fmt.Sprintf("/proc/%d/statm", pid))
	fields := strings.Fields(text)
	if !ok || len(fields) < 3 {
		return "", false
	}
	m := h.memoryInUse(pid)
	fields[1] = strconv.FormatUint(pages(m.resident()), 10)
	fields[2] = strconv.FormatUint(pages(m.files+m.shared), 10)
	return strings.Join(fields, " ") + "\n", true
}
