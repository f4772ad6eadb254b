package kernel

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/kernel/inet"
)

// Random numbers, processors and what else tells of the machine.

func sysGetrandom(t *Task) Outcome {
	const known = unix.GRND_NONBLOCK | unix.GRND_RANDOM | unix.GRND_INSECURE
	flags := t.flags(2)
	if flags&^known != 0 || flags&(unix.GRND_RANDOM|unix.GRND_INSECURE) == unix.GRND_RANDOM|unix.GRND_INSECURE {
		return fail(unix.EINVAL)
	}
	s := t.buffer(t.arg(0), t.size(1), 0)
	total := 0
	for s.Len() > 0 {
		b := t.kernel().scratch[:min(len(t.kernel().scratch), s.Len())]
		t.host().Random.Read(b)
		n, err := s.Write(b)
		total += n
		if err != nil {
			return t.partialOf(total, unix.EFAULT)
		}
	}
	return ret(total)
}

func (t *Task) partialOf(n int, errno unix.Errno) Outcome {
	if n > 0 {
		return ret(n)
	}
	return fail(errno)
}

// sysSchedYield gives other tasks of the same instant their turn: the call's
// own cost does that.
// cpus is the number of processors that a task may use, as a mask.
func (t *Task) cpuMask() []byte {
	mask := ProcessorMask(0, t.host().Cores)
	for i, bits := range t.process.affinity {
		mask[i] &= bits
	}
	return mask
}

func sysSchedGetaffinity(t *Task) Outcome {
	if t.thread(t.int(0)) == nil {
		return fail(unix.ESRCH)
	}
	mask := t.cpuMask()
	if size := t.size(1); size < len(mask) || size%8 != 0 {
		return fail(unix.EINVAL)
	}
	if errno := t.write(t.arg(2), mask); errno != 0 {
		return fail(errno)
	}
	return ret(len(mask))
}

// sysSchedSetaffinity notes the mask: on the machine all guests share one
// processor.
func sysSchedSetaffinity(t *Task) Outcome {
	if t.thread(t.int(0)) == nil {
		return fail(unix.ESRCH)
	}
	whole := make([]byte, (t.host().Cores+63)/64*8)
	mask := whole[:min(len(whole), t.size(1))]
	if errno := t.read(t.arg(2), mask); errno != 0 {
		return fail(errno)
	}
	any := false
	for i := range t.host().Cores {
		any = any || whole[i/8]&(1<<(i%8)) != 0
	}
	if !any {
		return fail(unix.EINVAL)
	}
	t.process.affinity = whole
	return ret(0)
}

func sysGetcpu(t *Task) Outcome {
	for _, address := range []uint64{t.arg(0), t.arg(1)} {
		if address != 0 {
			if errno := t.writeInt(address, 0); errno != 0 {
				return fail(errno)
			}
		}
	}
	return ret(0)
}

func sysSysinfo(t *Task) Outcome {
	var b [112]byte // struct sysinfo
	word := func(at int, v uint64) { binary.LittleEndian.PutUint64(b[at:], v) }
	word(0, uint64(t.host().uptime()+999_999_999)/1_000_000_000) // uptime, rounded up
	for i, load := range t.host().sysinfoLoads() {
		word(8+8*i, load)
	}
	word(32, t.host().Memory)     // total
	word(40, t.host().Memory/4*3) // free
	binary.LittleEndian.PutUint16(b[80:], uint16(len(t.host().threads)))
	binary.LittleEndian.PutUint32(b[104:], 1) // unit
	return fail(t.write(t.arg(0), b[:]))
}

// sysRefused answers ENOSYS, as a kernel without the call does.
func sysRefused(t *Task) Outcome {
	return t.kernel().refuse(t, "system call "+callName(t.call.number), unix.ENOSYS)
}

// sysAbsent is calls that kernels may be built without, upon which programs fall
// back to others: io_uring, and keys, as keyrings are the machine's user's and their
// numbers random.
func sysAbsent(*Task) Outcome { return fail(unix.ENOSYS) }

// report gives the content of files that would tell of the machine.
func (t *Task) report(name string) (content string, ok bool) {
	h := t.host()
	switch name {
	case "/proc/uptime":
		up := h.uptime()
		idle := up*int64(h.Cores) - min(h.busy, up*int64(h.Cores))
		return fmt.Sprintf("%s %s\n", hundredths(up), hundredths(idle)), true
	case "/proc/loadavg":
		return h.loadavg(t.process.PID), true
	case "/proc/stat":
		return h.procStat(), true
	case "/proc/meminfo":
		kb := h.Memory >> 10
		return fmt.Sprintf("MemTotal:       %8d kB\nMemFree:        %8d kB\nMemAvailable:   %8d kB\n"+
			"Buffers:               0 kB\nCached:                0 kB\nSwapCached:            0 kB\n"+
			"SwapTotal:             0 kB\nSwapFree:              0 kB\n", kb, kb/4*3, kb/4*3), true
	case "/proc/sysvipc/sem":
		return h.ipc.semaphores.Proc(), true
	case "/proc/sysvipc/msg":
		return h.ipc.queues.Proc(), true
	case "/proc/sysvipc/shm":
		return h.ipc.segments.Proc(), true
	case "/proc/cpuinfo":
		return h.cpuinfo(), true
	}
	if content, ok := t.initReport(name); ok {
		return content, true
	}
	if content, ok := t.credentialReport(name); ok {
		return content, true
	}
	if content, ok := t.timeReport(name); ok {
		return content, true
	}
	if content, ok := t.mountReport(name); ok {
		return content, true
	}
	if content, ok := t.processReport(name); ok {
		return content, true
	}
	if content, ok := h.kernelReport(name); ok {
		return content, true
	}
	if content, ok := h.machineReport(name); ok {
		return content, true
	}
	return t.netReport(name)
}

// hundredths writes a time in seconds with two decimals, cut off.
func hundredths(nanoseconds int64) string {
	return fmt.Sprintf("%d.%02d", nanoseconds/1_000_000_000, nanoseconds/10_000_000%100)
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func (h *Host) procStat() string {
	var b strings.Builder
	uptime := ticks(h.uptime())
	busy := ticks(h.busy)
	idle := uptime*uint64(h.Cores) - min(busy, uptime*uint64(h.Cores))
	fmt.Fprintf(&b, "cpu  %d 0 0 %d 0 0 0 0 0 0\n", busy, idle)
	for i := range h.Cores {
		fmt.Fprintf(&b, "cpu%d %d 0 0 %d 0 0 0 0 0 0\n", i, busy/uint64(h.Cores), idle/uint64(h.Cores))
	}
	fmt.Fprintf(&b, "intr 0\nctxt 0\nbtime %d\nprocesses %d\nprocs_running 1\nprocs_blocked 0\n",
		(h.Realtime()-h.uptime())/1_000_000_000, len(h.processes))
	return b.String()
}

// cpuinfo is the machine's first processor, as often as the host has cores.
func (h *Host) cpuinfo() string {
	all, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(all), "\n\n")
	var b strings.Builder
	for i := range h.Cores {
		for line := range strings.Lines(first + "\n") {
			key, _, _ := strings.Cut(line, ":")
			switch strings.TrimSpace(key) {
			case "processor":
				line = fmt.Sprintf("processor\t: %d\n", i)
			case "core id", "apicid", "initial apicid":
				line = fmt.Sprintf("%s: %d\n", key, i)
			case "siblings", "cpu cores":
				line = fmt.Sprintf("%s: %d\n", key, h.Cores)
			case "cpu MHz":
				line = "cpu MHz\t\t: 1000.000\n"
			case "bogomips":
				line = "bogomips\t: 2000.00\n"
			}
			b.WriteString(line)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// tables are the host's tables of sockets as a task sees them.
type tables struct{ task *Task }

// ProcNet gives a file of /proc/net.
func (v tables) ProcNet(name string) (string, bool) {
	if name == "unix" {
		return v.task.host().procUnix(), true
	}
	return v.task.host().Stack.ProcNet(name)
}

// Details implements sockdiag.Tables.
func (v tables) Details(domain int) []inet.Detail { return v.task.host().Stack.Details(domain) }
