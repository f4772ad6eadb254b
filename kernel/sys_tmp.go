package kernel

import "github.com/simterpose/simterpose/kernel/unixsocket"
import "golang.org/x/sys/unix"

func newUnixNamespace() *unixsocket.Namespace { return unixsocket.New() }

func sysEpollCreate(t *Task) Outcome    { return sysRefused(t) }
func sysEpollCtl(t *Task) Outcome       { return sysRefused(t) }
func sysEpollWait(t *Task) Outcome      { return sysRefused(t) }
func sysEventfd(t *Task) Outcome        { return sysRefused(t) }
func sysTimerfdCreate(t *Task) Outcome  { return sysRefused(t) }
func sysTimerfdSettime(t *Task) Outcome { return sysRefused(t) }
func sysTimerfdGettime(t *Task) Outcome { return sysRefused(t) }

var _ = unix.EINVAL
