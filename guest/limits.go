package guest

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// softDescriptors is how many descriptors Linux and systemd let a process have
// that does not ask for more (linux/fs.h, INR_OPEN_CUR). Programs see the limit,
// and some close as many before an exec: it must not be the machine's.
const softDescriptors = 1024

// limitDescriptors adds the call that sets the soft limit of open files.
func (l *list) limitDescriptors() {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil || limit.Max < softDescriptors {
		return
	}
	b := binary.LittleEndian.AppendUint64(nil, softDescriptors)
	b = binary.LittleEndian.AppendUint64(b, limit.Max)
	l.add(mustSucceed, "prlimit", unix.SYS_PRLIMIT64, 0, unix.RLIMIT_NOFILE, l.data(b), 0)
}
