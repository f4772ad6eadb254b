package guest

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// limit is a resource's soft and hard limit (getrlimit(2)).
type limit struct {
	resource   int
	soft, hard uint64
}

const (
	unlimited = unix.RLIM_INFINITY
	// manyProcesses stands for what Linux computes of a machine's memory.
	manyProcesses = 1 << 16
	// Numbers of resources that golang.org/x/sys/unix does not have.
	limitSignals, limitQueues, limitRealtime = 11, 12, 15
)

// limits are those of a guest that does not ask for others: programs see them, lay
// out their memory by them, and some close as many descriptors before an exec. Most
// are those of a root who has just logged in to Debian (linux/asm-generic/resource.h,
// systemd's DefaultLimitNOFILE), but for the hard limit of descriptors: it is one
// that the machine's users may have too.
var limits = []limit{
	{unix.RLIMIT_FSIZE, unlimited, unlimited},
	{unix.RLIMIT_DATA, unlimited, unlimited},
	{unix.RLIMIT_STACK, 8 << 20, unlimited},
	{unix.RLIMIT_CORE, 0, unlimited},
	{unix.RLIMIT_RSS, unlimited, unlimited},
	{unix.RLIMIT_NPROC, manyProcesses, manyProcesses},
	{unix.RLIMIT_NOFILE, 1024, 1 << 14},
	{unix.RLIMIT_MEMLOCK, 8 << 20, 8 << 20},
	{unix.RLIMIT_AS, unlimited, unlimited},
	{unix.RLIMIT_LOCKS, unlimited, unlimited},
	{limitSignals, manyProcesses, manyProcesses},
	{limitQueues, 819200, 819200},
	{unix.RLIMIT_NICE, 0, 0},
	{unix.RLIMIT_RTPRIO, 0, 0},
	{limitRealtime, unlimited, unlimited},
}

// limit adds the calls that set an agent's limits, which its guests inherit. None
// is above the emulator's own hard one, which only root could raise.
func (l *list) limit() {
	for _, n := range limits {
		var own unix.Rlimit
		if unix.Getrlimit(n.resource, &own) != nil {
			continue
		}
		b := binary.LittleEndian.AppendUint64(nil, min(n.soft, own.Max))
		b = binary.LittleEndian.AppendUint64(b, min(n.hard, own.Max))
		l.add(mustSucceed, "prlimit", unix.SYS_PRLIMIT64, 0, uint64(n.resource), l.data(b), 0)
	}
	l.set(Setting{"/proc/self/oom_score_adj", "0"}) // as far as it may
}
