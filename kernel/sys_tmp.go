package kernel

import "github.com/simterpose/simterpose/kernel/unixsocket"
import "golang.org/x/sys/unix"

func newUnixNamespace() *unixsocket.Namespace { return unixsocket.New() }

func sysTimerfdCreate(t *Task) Outcome  { return sysRefused(t) }
func sysTimerfdSettime(t *Task) Outcome { return sysRefused(t) }
func sysTimerfdGettime(t *Task) Outcome { return sysRefused(t) }

var _ = unix.EINVAL
