// Package native records what a program does on the real machine, as a trace
// that can be replayed on any platform.
//
// The program and its descendants are followed by ptrace. What a thread computes
// is its processor time; its sockets are known by their inodes, its connections
// by their ports on the loopback interface. The real time that passes is not
// recorded, but for sleeps. Each program of the tree is on a host of its own,
// named after it, so that a client and a server can be placed apart.
package native
