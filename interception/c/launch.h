// What launchers share. A launcher is called as LAUNCHER OPTION OWN-CPU ITS-CPU
// PROGRAM ARGUMENT... and ends as the program does, with 128 more than the signal
// that killed it, or with CANNOT and a message when it could not intercept.
#ifndef LAUNCH_H
#define LAUNCH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "madeup.h"

#define CANNOT 125

static inline void cannot(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	_exit(CANNOT);
}

static inline void pin(const char *cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(atoi(cpu), &set);
	if (sched_setaffinity(0, sizeof set, &set))
		cannot("sched_setaffinity");
}

// stopCalls installs a seccomp filter with this action for getppid and readings of
// the calendar clock, and returns what seccomp(2) returns.
static inline int stopCalls(unsigned action, unsigned flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CLOCK_REALTIME, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof code / sizeof *code, code};
	// Who has CAP_SYS_ADMIN does without, and can go on using set-id programs.
	int result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (result < 0 && errno == EACCES && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	return result;
}

// answerClock writes a made-up time into another process.
static inline void answerClock(pid_t pid, unsigned long address)
{
	struct timespec t = {MADE_UP, 0};
	struct iovec here = {&t, sizeof t}, there = {(void *)address, sizeof t};
	if (process_vm_writev(pid, &here, 1, &there, 1, 0) < 0)
		cannot("process_vm_writev");
}

static inline int statusOf(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static inline void run(char **command)
{
	execv(command[0], command);
	cannot(command[0]);
}

// startTraced starts the program, held by ptrace before it execs, with `prepare` to
// do in it first if that is not null.
static inline pid_t startTraced(char **argv, long options, void (*prepare)(void))
{
	int gate[2];
	char go;
	if (pipe(gate))
		cannot("pipe");
	pid_t child = fork();
	if (child < 0)
		cannot("fork");
	if (child == 0) {
		close(gate[1]);
		pin(argv[3]);
		if (read(gate[0], &go, 1) != 1)
			_exit(CANNOT);
		close(gate[0]);
		if (prepare)
			prepare();
		run(argv + 4);
	}
	pin(argv[2]);
	options |= PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
	if (ptrace(PTRACE_SEIZE, child, 0, options))
		cannot("ptrace");
	if (write(gate[1], "", 1) != 1)
		cannot("write");
	close(gate[0]);
	close(gate[1]);
	return child;
}

#endif
