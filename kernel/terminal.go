package kernel

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// openTerminal opens the multiplexer of pseudoterminals (pts(4)): the terminal
// that it makes is the task's, with the group that the machine gives it.
func (t *Task) openTerminal(name string, flags int) Outcome {
	h := t.host()
	master, errno := h.open(name, flags)
	if errno != 0 {
		return fail(errno)
	}
	defer unix.Close(master)
	number, err := unix.IoctlGetInt(master, unix.TIOCGPTN)
	if err != nil {
		return fail(errnoOf(err))
	}
	p := place{}
	if p.fd, errno = h.open("/dev/pts/"+strconv.Itoa(number), unix.O_PATH); errno == 0 && p.look() {
		h.setOwner(p.fd, &p.stat, owner{t.cred.fsuid, h.unnoted(&p.stat).gid})
		p.close()
	}
	return t.giveFile(master, flags)
}

// isTerminal tells whether a write to a descriptor may have to wait for whoever
// reads the other end of a terminal. The emulator, which carries data from its own
// pipes and sockets to files, cannot: the reader may be a guest.
func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}
