package sim

import (
	"math"
	"time"
)

// Time is an instant of simulated time: nanoseconds since the start of the
// experiment.
type Time int64

// Never is later than every instant.
const Never = Time(math.MaxInt64)

// Add returns the instant d after t, or Never when that cannot be represented.
func (t Time) Add(d time.Duration) Time {
	if s := t + Time(d); d < 0 || s >= t {
		return s
	}
	return Never
}

// Sub returns the duration from u to t.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// Seconds returns t in seconds since the start of the experiment.
func (t Time) Seconds() float64 { return float64(t) / 1e9 }

// FromSeconds returns the first representable instant that is not before s
// seconds: an activity that ends between two nanoseconds has ended at the
// second of them. Values that cannot be represented give Never.
func FromSeconds(s float64) Time {
	ns := math.Ceil(s*1e9 - 1e-3) // 1e-3 ns absorbs the rounding of s*1e9
	if !(ns < float64(math.MaxInt64)) {
		return Never
	}
	return Time(ns)
}

// String prints t in seconds with nine decimals.
func (t Time) String() string {
	if t == Never {
		return "never"
	}
	return time.Duration(t).String()
}
