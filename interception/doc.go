// Package interception measures, on the machine at hand, the ways in which the calls
// of programs can be intercepted: what a call then costs, which calls escape, and
// which rights it needs.
//
// Nothing in it is quoted. C programs that the package carries (folder c) intercept
// getppid and readings of the calendar clock and make up the answers; others, the
// subjects, make such calls in all the ways that programs do and count the made-up
// answers. What intercepts is a program of its own, so that this package neither
// traces nor filters anything.
package interception
