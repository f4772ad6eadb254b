package kernel

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Files of /proc that tell of the machine's hardware and kernel are the machine's,
// but for what changes while it runs.

// machineFiles give what guests see for the machine's text, if it has the file.
var machineFiles = map[string]func(h *Host, text string) string{
	"/proc/crypto":            func(_ *Host, text string) string { return withLines(text, map[string]string{"refcnt       ": " 1"}) },
	"/proc/driver/rtc":        realtimeClock,
	"/proc/key-users":         func(*Host, string) string { return "" },
	"/proc/locks":             lockedFiles,
	"/proc/modules":           unusedModules,
	"/proc/swaps":             headOnly,
	"/proc/sys/fs/aio-nr":     always(0),
	"/proc/sys/kernel/pty/nr": always(0),
	"/proc/sys/kernel/perf_event_max_sample_rate": always(100000),
	"/proc/sys/kernel/random/entropy_avail":       always(256),
	"/proc/sys/net/netfilter/nf_conntrack_count":  always(0),
}

// interruptFiles are the same for files of any interrupt in /proc/irq.
var interruptFiles = map[string]func(h *Host, text string) string{
	"default_smp_affinity":    processors,
	"effective_affinity":      func(h *Host, _ string) string { return MaskText(ProcessorMask(0, 1), h.Cores) + "\n" },
	"effective_affinity_list": always(0),
	"smp_affinity":            processors,
	"smp_affinity_list":       func(h *Host, _ string) string { return MaskList(ProcessorMask(0, h.Cores)) + "\n" },
	"spurious":                func(*Host, string) string { return "count 0\nunhandled 0\nlast_unhandled 0 ms\n" },
}

func always(n int) func(*Host, string) string {
	return func(*Host, string) string { return strconv.Itoa(n) + "\n" }
}

func processors(h *Host, _ string) string { return MaskText(ProcessorMask(0, h.Cores), h.Cores) + "\n" }

// machineReport gives those files.
func (h *Host) machineReport(name string) (string, bool) {
	change := machineFiles[name]
	if strings.HasPrefix(name, "/proc/irq/") {
		change = interruptFiles[path.Base(name)]
	}
	if change == nil {
		return "", false
	}
	text, ok := h.read(name)
	if !ok {
		return "", false
	}
	return change(h, text), true
}

// realtimeClock is the machine's clock chip with the host's time, no alarm set.
func realtimeClock(h *Host, text string) string {
	now := time.Unix(0, h.Realtime()).UTC()
	return withLines(text, map[string]string{
		"rtc_time\t": " " + now.Format(time.TimeOnly), "rtc_date\t": " " + now.Format(time.DateOnly),
		"alrm_time\t": " 00:00:00", "alrm_date\t": " 1970-01-01",
	})
}

// lockedFiles has the host's numbers of file systems.
func lockedFiles(h *Host, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		for _, word := range strings.Fields(line) {
			var major, minor uint32
			var inode uint64
			if n, _ := fmt.Sscanf(word, "%x:%x:%d", &major, &minor, &inode); n == 3 {
				device := unix.Mkdev(major, minor)
				shown := h.device(device)
				line = strings.Replace(line, word, fmt.Sprintf("%02x:%02x:%d", unix.Major(shown), unix.Minor(shown), h.inode(device, inode)), 1)
			}
		}
		b.WriteString(line)
	}
	return b.String()
}

// unusedModules tells that nobody uses a module of the kernel.
func unusedModules(_ *Host, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		const uses = 2
		if len(words) > uses {
			words[uses] = "0"
		}
		b.WriteString(strings.Join(words, " ") + "\n")
	}
	return b.String()
}

// closedSetting tells of settings that only the machine's root may read: whether a
// guest may must not depend on who runs the experiment.
func (h *Host) closedSetting(name string) bool {
	if !strings.HasPrefix(name, "/proc/sys/") || strings.HasPrefix(name, "/proc/sys/net/") {
		return false
	}
	s, errno := h.stat(name)
	const othersRead = 0o004
	return errno == 0 && s.Mode&unix.S_IFMT == unix.S_IFREG && s.Mode&othersRead == 0
}
