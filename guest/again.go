package guest

import "golang.org/x/sys/unix"

// Again lets the machine's kernel carry out a thread's call, tells its result, and
// has the thread make the same call once more, of which again is the notification
// and number the call. ok is false when the thread died, or when nothing was
// carried out because somebody holds it by ptrace: a debugger, or the interceptor.
func (c *Container) Again(id uint64, tid int) (result int64, again uint64, number int, ok bool) {
	if ptraceSeize(tid, 0) != 0 {
		return 0, 0, 0, false
	}
	ptraceInterrupt(tid)
	if c.Continue(id) != 0 {
		return 0, 0, 0, false
	}
	status, errno := stopped(tid)
	if errno != 0 || !status.Stopped() {
		return 0, 0, 0, false
	}
	var registers unix.PtraceRegs
	if ptraceGetRegisters(tid, &registers) != 0 {
		return 0, 0, 0, false
	}
	const instruction = 2 // bytes of syscall
	result = int64(registers.Rax)
	registers.Rip -= instruction
	registers.Rax = registers.Orig_rax
	ptraceSetRegisters(tid, &registers)
	ptraceDetach(tid, passedOn(status))
	for {
		n, errno := c.realm.interceptor.receive(c, patience)
		switch {
		case errno != 0 || n == nil:
			return 0, 0, 0, false
		case int(n.pid) == tid:
			return result, n.id, int(n.number), true
		}
		c.realm.stash = append(c.realm.stash, stashed{c, *n})
	}
}
