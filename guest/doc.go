// Package guest is the real side of Simterpose: it creates the namespaces in
// which guests live, starts them, learns of their system calls, answers these,
// and reads and writes their memory. It is the only package that calls
// seccomp, ptrace and process_vm_readv and their like, and it knows nothing of
// what a system call means.
//
// A Realm is one experiment's world: a user and a PID namespace whose first
// process is an agent. An agent is a few dozen machine instructions that carry
// out lists of system calls which the emulator writes into its memory
// (agent_amd64.s); it asks for the next list by a system call of its own, which
// the realm's seccomp filter stops like a guest's. All other processes descend
// from the first agent and inherit its filter, so one listener hears them all.
// A Container is one simulated host: an agent in network, UTS, IPC, mount and
// PID namespaces of its own, whose children are the guests.
//
// Everything in this package must be called from the one OS thread that called
// Start, because ptrace requests are only accepted from the thread that
// attached.
package guest
