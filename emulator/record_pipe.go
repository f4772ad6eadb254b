package emulator

import (
	"github.com/simterpose/simterpose/kernel"
	"github.com/simterpose/simterpose/kernel/pipe"
	"github.com/simterpose/simterpose/kernel/socket"
	"github.com/simterpose/simterpose/trace"
)

// channel is a pipe in the trace.
type channel struct {
	number int
	// inside are the bytes that are known to have been put in. What comes by
	// splice(2) is not.
	inside int
}

// moves is the kernel's Config.Moved: who reads from a pipe depends on who wrote
// to it, even when it need not wait.
func (r *recorder) moves() func(t *kernel.Task, file socket.File, write bool, n int) {
	if r == nil {
		return nil
	}
	return func(_ *kernel.Task, file socket.File, write bool, n int) {
		end, ok := file.(*pipe.End)
		if !ok || n == 0 || r.current == nil {
			return
		}
		c := r.pipes[end.Pipe()]
		if c == nil {
			c = &channel{number: len(r.pipes) + 1}
			r.pipes[end.Pipe()] = c
		}
		action := trace.Put
		if write {
			c.inside += n
		} else {
			action, n = trace.Get, min(n, c.inside)
			c.inside -= n
		}
		if n > 0 {
			r.action(r.current, &trace.Record{Action: action, Peer: c.number, Amount: float64(n)})
		}
	}
}
