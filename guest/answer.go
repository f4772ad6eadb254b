package guest

import "golang.org/x/sys/unix"

// Answer ends a guest's call with a value, or with errno when that is not 0.
// ENOENT means that the guest has gone meanwhile.
func (c *Container) Answer(id uint64, value int64, errno unix.Errno) unix.Errno {
	c.realm.current = c
	return c.listener.answer(id, value, errno)
}

// Continue lets the kernel carry out a guest's call.
func (c *Container) Continue(id uint64) unix.Errno {
	c.realm.current = c
	return c.listener.proceed(id)
}

// AnswerDescriptor installs a copy of one of the emulator's descriptors in the
// guest and answers its call with the number it got there. These are two steps,
// not SECCOMP_ADDFD_FLAG_SEND's one: when a signal of the Go runtime interrupts
// that (Linux 6.18), the guest may be answered without a descriptor.
func (c *Container) AnswerDescriptor(id uint64, source int, closeOnExec bool) (number int, errno unix.Errno) {
	if number, errno = c.AddDescriptor(id, source, -1, closeOnExec); errno != 0 {
		return 0, errno
	}
	return number, c.Answer(id, int64(number), 0)
}

// AddDescriptor installs a copy of one of the emulator's descriptors in a guest
// whose call is not answered yet, with the given number, or the lowest free one
// when number is negative.
func (c *Container) AddDescriptor(id uint64, source, number int, closeOnExec bool) (int, unix.Errno) {
	return c.listener.addDescriptor(id, source, number, closeOnExec)
}
