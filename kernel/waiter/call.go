package waiter

import "golang.org/x/sys/unix"

// Call is a system call that waits until somebody else carries it out: then
// nobody who comes later can take what the sleeper was woken for. The zero value,
// with Wake set, is ready for use.
type Call struct {
	// Wake is called when the call is over: Done is true then, and Errno and
	// Result are what it returns.
	Wake   func()
	Done   bool
	Errno  unix.Errno
	Result any

	cancel func()
}

// Waits notes how to give the call up.
func (c *Call) Waits(cancel func()) { c.cancel = cancel }

// Finish ends the call.
func (c *Call) Finish(errno unix.Errno) {
	c.Done, c.Errno, c.cancel = true, errno, nil
	c.Wake()
}

// Cancel gives a call up that is not over.
func (c *Call) Cancel() {
	if f := c.cancel; f != nil {
		c.cancel = nil
		f()
	}
}
