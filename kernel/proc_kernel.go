package kernel

import (
	"fmt"
	"strings"
)

// Files of /proc that count what the machine's kernel has done since it booted. A
// host's has done none of it: its counters stay 0.

// Pressure of a resource that nobody waits for (Documentation/accounting/psi.rst).
const (
	somePressure = "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
	fullPressure = "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
)

// quietFiles have the same content on all hosts.
var quietFiles = map[string]string{
	"/proc/buddyinfo":    "",
	"/proc/diskstats":    "",
	"/proc/pagetypeinfo": "",
	"/proc/partitions":   "",
	"/proc/slabinfo": "slabinfo - version: 2.1\n" +
		"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor>" +
		" : slabdata <active_slabs> <num_slabs> <sharedavail>\n",
	"/proc/vmallocinfo":         "",
	"/proc/pressure/cpu":        somePressure + fullPressure,
	"/proc/pressure/io":         somePressure + fullPressure,
	"/proc/pressure/memory":     somePressure + fullPressure,
	"/proc/pressure/irq":        fullPressure,
	"/proc/sys/fs/dentry-state": "0\t0\t45\t0\t0\t0\n",
	"/proc/sys/fs/file-nr":      "1024\t0\t9223372036854775807\n",
	"/proc/sys/fs/inode-nr":     "1024\t0\n",
	"/proc/sys/fs/inode-state":  "1024\t0\t0\t0\t0\t0\t0\n",
	"/proc/sys/fs/quota/syncs":  "0\n",
}

// softInterrupts are the kinds in the order of linux/interrupt.h.
var softInterrupts = []string{"HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU"}

// kernelReport gives those files.
func (h *Host) kernelReport(name string) (string, bool) {
	if content, ok := quietFiles[name]; ok {
		return content, true
	}
	const page = 4096
	free := h.Memory / 4 * 3 / page
	switch name {
	case "/proc/vmstat":
		return fmt.Sprintf("nr_free_pages %d\nnr_dirty 0\nnr_writeback 0\nnr_mapped 0\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\n"+
			"pgalloc_normal 0\npgfree 0\npgfault 0\npgmajfault 0\npgscan_kswapd 0\npgscan_direct 0\noom_kill 0\n", free), true
	case "/proc/zoneinfo":
		return fmt.Sprintf("Node 0, zone   Normal\n  pages free     %d\n        spanned  %d\n        present  %d\n        managed  %d\n",
			free, h.Memory/page, h.Memory/page, h.Memory/page), true
	case "/proc/interrupts":
		return "    " + h.columns("       CPU%d", true) + "\n", true
	case "/proc/softirqs":
		var b strings.Builder
		b.WriteString("                    " + h.columns("CPU%-8d", true) + "\n")
		for _, kind := range softInterrupts {
			fmt.Fprintf(&b, "%12s:%s\n", kind, h.columns(" %10d", false))
		}
		return b.String(), true
	}
	return "", false
}

// columns has one for each core: its number, or 0.
func (h *Host) columns(format string, numbers bool) string {
	var b strings.Builder
	for i := range h.Cores {
		if !numbers {
			i = 0
		}
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}
