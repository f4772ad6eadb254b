// Package sim holds what a simulation needs whatever it simulates: the
// simulated clock, the queue of events that moves it, and random streams that
// depend on nothing but the experiment's seed.
//
// Simulated time is an integer number of nanoseconds, because guests see
// nanoseconds and their timers must end exactly when they were asked to. The
// fluid models compute in floating-point seconds and are bridged to this queue
// by one event that stands for their earliest completion.
//
// Nothing in this package knows Linux, and nothing in it reads the real clock.
package sim
