// Package emulator ties the packages below it together: it creates the hosts
// of an experiment, starts its processes, resumes one guest at a time, hands
// the calls of guests to the emulated kernel, and moves simulated time.
//
// There is one loop and one OS thread. Everything that happens is an event of
// the simulated clock's queue: the turn of a guest, the arrival of a message, a
// timer. The turn of a guest lasts until it makes a call that has to wait; each
// call costs a little simulated time, and when another event comes before the
// guest may go on, that event is first.
package emulator
