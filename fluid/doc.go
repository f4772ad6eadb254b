// Package fluid shares resources among activities and says when each ends.
//
// An activity is a quantity of work (bytes, floating-point operations) that
// flows at a rate through one or more resources. Rates are those of a weighted
// max-min allocation, computed by a [System] of constraints (resources) and
// variables (activities): all rates grow together, in inverse proportion to
// the activities' penalties, until a resource is full or an activity reaches
// its bound; what is then fixed stays, the rest goes on growing.
//
//	System   constraints, variables, rates            (what is fair now)
//	Action   work left, rate, latency, completion     (one activity)
//	Model    a System and the Actions that use it     (CPUs, disks, network)
//	Engine   a clock in seconds over several Models   (what happens next)
//
// The allocation, its tolerances and the order of its additions are those of
// SimGrid 3.32's solver, so that dates agree with SimGrid's to the last digit
// that it prints. Only the constraints that a change can reach are solved
// again, and only the activities whose rate was computed again are looked at.
//
// CPUs ([CPU], SimGrid's Cas01) and disks ([Disk], SimGrid's S19) are here;
// links are in package network, which knows routes.
//
// Nothing in this package knows Linux, real time, or package sim: its clock is
// a float64 of seconds, and package network bridges it to the event queue.
package fluid
