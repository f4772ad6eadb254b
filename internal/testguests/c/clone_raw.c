/* clone and clone3 without a library: shared memory, files and parents; ids told. */
#include "check.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { stack_size = 65536 };

static int value;

static int set_value(void *to)
{
	value = (intptr_t)to;
	return 17;
}

static int open_twenty(void *unused)
{
	(void)unused;
	return dup2(1, 20) != 20;
}

static int parent_of(void *out)
{
	*(pid_t *)out = getppid();
	return 0;
}

int main(void)
{
	char *stack = mmap(NULL, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct clone_args args = {.flags = CLONE_PIDFD, .exit_signal = SIGCHLD};
	pid_t told = 0, child;
	int status, pidfd = -1;
	volatile pid_t cleared = 0;
	struct timespec t = timespec_of(5 * SECOND);
	siginfo_t info;

	SAY("as fork: memory is a copy");
	child = clone(set_value, stack + stack_size, SIGCHLD, (void *)5);
	waitpid(child, &status, 0);
	IS(WEXITSTATUS(status), 17);
	IS(value, 0);
	SAY("CLONE_VM: memory is shared");
	child = clone(set_value, stack + stack_size, CLONE_VM | SIGCHLD, (void *)6);
	waitpid(child, &status, 0);
	IS(value, 6);
	SAY("CLONE_FILES: descriptors are shared");
	child = clone(open_twenty, stack + stack_size, SIGCHLD, NULL);
	check_child(child);
	FAILS(fcntl(20, F_GETFD), EBADF);
	child = clone(open_twenty, stack + stack_size, CLONE_FILES | SIGCHLD, NULL);
	check_child(child);
	IS(fcntl(20, F_GETFD), 0);
	SAY("CLONE_PARENT: a sibling");
	if ((child = fork()) == 0) {
		child = clone(set_value, stack + stack_size, CLONE_PARENT, (void *)7);
		_exit(child <= 0 || (waitpid(child, &status, __WALL) != -1 || errno != ECHILD));
	}
	check_child(child);
	IS(waitpid(-1, &status, __WALL) > 0, 1);
	IS(WEXITSTATUS(status), 17);
	child = clone(parent_of, stack + stack_size, CLONE_VM | SIGCHLD, &told);
	check_child(child);
	OK(told == getpid());
	SAY("CLONE_PARENT_SETTID and CLONE_CHILD_CLEARTID");
	told = 0;
	cleared = 1;
	child = clone(set_value, stack + stack_size,
		      CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, (void *)8, &told, NULL,
		      &cleared);
	OK(told == child);
	while (cleared)
		syscall(SYS_futex, &cleared, FUTEX_WAIT, 1, &t, NULL, 0);
	IS(cleared, 0);
	waitpid(child, &status, 0);
	IS(value, 8);
	SAY("no signal at the end: only __WCLONE or __WALL waits for it");
	child = clone(set_value, stack + stack_size, 0, (void *)9);
	FAILS(waitpid(child, &status, 0), ECHILD);
	IS(waitpid(child, &status, __WCLONE) == child, 1);

	SAY("clone3 with a pidfd");
	args.pidfd = (uintptr_t)&pidfd;
	child = syscall(SYS_clone3, &args, sizeof(args));
	if (child == 0)
		_exit(21);
	OK(child > 0 && pidfd >= 0);
	IS(waitid(P_PIDFD, pidfd, &info, WEXITED), 0);
	IS(info.si_status, 21);
	FAILS(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0), ESRCH);
	close(pidfd);
	SAY("what cannot be cloned");
	FAILS(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0), EINVAL);
	FAILS(syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0), EINVAL);
	FAILS(syscall(SYS_clone3, &args, 8), EINVAL);
	return DONE();
}
