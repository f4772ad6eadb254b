// Package network says when what crosses a simulated platform arrives, and
// how long computations and disk accesses take on its hosts.
//
// A [Network] joins a platform (hosts, links, routes) to a fluid engine: each
// link is a resource, each communication an activity that uses the links of
// its route and, with cross-traffic, those of the way back. A [Model] gives
// the factors: how latency and bandwidth become duration.
//
//	Communicate   one message of a known size, as SimGrid's           (simulate)
//	Direction     one direction of a connection: bytes, progressively (guests)
//	Packet        datagrams and control segments                      (guests)
//	Execute, IO   computations and disk accesses
//
// Without guests, the engine's clock is the simulation's. With guests, Attach
// bridges it to a sim.Queue by one event that stands for the engine's earliest
// date.
//
// The models LV08, CM02, SMPI and constant are SimGrid 3.32's; tcp is our own.
// docs/simulation.md has the equations and their sources.
package network
