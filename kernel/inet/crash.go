package inet

// A host that crashes says nothing: its sockets are gone as if the power had
// failed, and other hosts send into silence until they give up. Once it has
// booted, with a new stack, what still comes for the old one's connections is
// answered by a RST (RFC 9293 3.5.1).

// Crash ends the stack without a word. Its sockets may still be released.
func (s *Stack) Crash() {
	s.crashed = true
	for _, c := range s.connections {
		c.crash()
	}
	for _, l := range s.sockets {
		if t, ok := l.(*tcpSocket); ok {
			t.attempt.stop()
			if t.connection != nil {
				t.connection.crash()
			}
		}
	}
	n := s.network
	for i, other := range n.stacks {
		if other == s {
			n.stacks = append(n.stacks[:i:i], n.stacks[i+1:]...)
			break
		}
	}
}

// crash forgets the connection. What the other end sends stays on its way: it
// does not know.
func (c *connection) crash() {
	if c.state == stateClosed {
		return
	}
	c.state = stateClosed
	if c.watch != nil {
		c.stack.network.queue.Cancel(c.watch)
	}
	c.keepAlive.stop()
	c.out.kill()
	if c.in != nil { // nobody will read what is there
		c.in.consume(c.in.readable())
	}
}

// peerCrashed tells whether the other end is of a stack that is gone.
func (c *connection) peerCrashed() bool {
	return c.peer != nil && c.peer.stack.crashed && c.state != stateSynSent
}

// unheard is called when something of the connection has come to where the other
// end was before a crash.
func (c *connection) unheard() {
	if at := c.destinationStack(); at == nil || at.crashed {
		c.out.knock() // nobody answers; TCP sends it again
		return
	}
	c.answer(c.reset)
}
