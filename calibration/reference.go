// Package calibration measures what one core of this machine does, and keeps the
// result for later runs.
package calibration

import (
	"math"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Reference is the speed of one core of this machine.
type Reference struct {
	Speed  float64 // flop/s
	Spread float64 // of the middle half of the measurements, as a part of Speed
}

const (
	chains       = 8
	roundsAtOnce = 20_000
)

// Measure measures the reference speed for about the given time. Its
// kernel is what SimGrid's flop usually stands for: multiplications and additions
// of float64 that depend on each other in eight chains, so that neither memory
// nor vector units count. The result is the median over batches of
// a quarter of a millisecond, by the thread's processor time.
func Measure(d time.Duration) Reference {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var speeds []float64
	for begin := time.Now(); time.Since(begin) < d || len(speeds) < 8; {
		before := threadTime()
		multiplyAndAdd(roundsAtOnce)
		if used := threadTime() - before; used > 0 {
			speeds = append(speeds, 2*chains*roundsAtOnce/used.Seconds())
		}
	}
	slices.Sort(speeds)
	n := len(speeds)
	median := speeds[n/2]
	return Reference{Speed: median, Spread: (speeds[3*n/4] - speeds[n/4]) / median}
}

// sink keeps the compiler from leaving the computation out.
var sink atomic.Uint64

func multiplyAndAdd(rounds int) {
	var x [chains]float64
	for i := range x {
		x[i] = 1 + float64(i)/chains
	}
	a, b, c, d, e, f, g, h := x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
	const factor, term = 0.999_999_9, 1e-7
	for range rounds {
		a = float64(a*factor) + term
		b = float64(b*factor) + term
		c = float64(c*factor) + term
		d = float64(d*factor) + term
		e = float64(e*factor) + term
		f = float64(f*factor) + term
		g = float64(g*factor) + term
		h = float64(h*factor) + term
	}
	sink.Store(math.Float64bits(math.Max(a+b+c+d, e+f+g+h)))
}

// threadTime is the processor time of the calling thread.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
