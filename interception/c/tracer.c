// tracer syscall|seccomp: intercepts by ptrace, which stops every call at its entry
// and its exit, or only those that a seccomp filter picks.
#include "launch.h"

#include <stdint.h>
#include <sys/user.h>

static void filterCalls(void)
{
	if (stopCalls(SECCOMP_RET_TRACE, 0))
		cannot("seccomp");
}

// answer makes up the answer of a call at its entry, and lets the kernel skip it.
static void answer(pid_t pid, unsigned long number, const uint64_t *arguments)
{
	unsigned long value = MADE_UP;
	if (number == SYS_clock_gettime && arguments[0] == CLOCK_REALTIME) {
		answerClock(pid, arguments[1]);
		value = 0;
	} else if (number != SYS_getppid) {
		return;
	}
	struct user_regs_struct registers;
	ptrace(PTRACE_GETREGS, pid, 0, &registers);
	registers.orig_rax = -1;
	registers.rax = value;
	ptrace(PTRACE_SETREGS, pid, 0, &registers);
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 2;
	int seccomp = !strcmp(argv[1], "seccomp");
	int resume = seccomp ? PTRACE_CONT : PTRACE_SYSCALL;
	pid_t child = startTraced(argv, seccomp ? PTRACE_O_TRACESECCOMP : PTRACE_O_TRACESYSGOOD, seccomp ? filterCalls : NULL);
	// A seized thread goes on as it is: its first call has to be asked for.
	if (!seccomp)
		ptrace(PTRACE_INTERRUPT, child, 0, 0);
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);
		if (pid < 0)
			cannot("waitpid");
		if (!WIFSTOPPED(status)) {
			if (pid == child)
				return statusOf(status);
			continue;
		}
		struct __ptrace_syscall_info info;
		int signal = 0, event = status >> 16;
		if (event == PTRACE_EVENT_SECCOMP || WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
			if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
				answer(pid, info.entry.nr, info.entry.args);
			else if (info.op == PTRACE_SYSCALL_INFO_SECCOMP)
				answer(pid, info.seccomp.nr, info.seccomp.args);
		} else if (event == 0) {
			signal = WSTOPSIG(status);
		}
		ptrace(resume, pid, 0, signal);
	}
}
