/* Processes that put themselves under seccomp filters of their own get descriptors
   all the same, and are killed for what their filters do not allow. */
#include "check.h"

#include <linux/filter.h>
#include <pthread.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define ALLOW(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static struct sock_filter few[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	ALLOW(read), ALLOW(write), ALLOW(eventfd2), ALLOW(exit_group), ALLOW(newfstatat),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};

static struct sock_fprog program = {sizeof few / sizeof *few, few};

/* seccomp(2) leaves all registers but the result's alone. */
static long install(void)
{
	register struct sock_fprog *third __asm__("rdx") = &program;
	register long sixth __asm__("r9") = 42;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result), "+r"(third), "+r"(sixth)
			 : "a"((long)SYS_seccomp), "D"((long)SECCOMP_SET_MODE_FILTER), "S"(0L)
			 : "rcx", "r11", "memory");
	return third == &program && sixth == 42 ? result : -1;
}

static void child(int way, int socket)
{
	pid_t pid = fork();
	int status;
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || (way == 0 ? install() : prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) != 0)
			_exit(1);
		int e = eventfd(5, EFD_CLOEXEC);
		eventfd_t value = 0;
		if (eventfd_read(e, &value) != 0)
			_exit(2);
		long group = syscall(SYS_getpgid, 0);
		SAY("%d: descriptor %d holds %d, %s", way, e, (int)value, group < 0 && errno == EDOM ? "EDOM" : "no errno");
		if (socket)
			syscall(SYS_socket, 1, 1, 0, 0, 0, 7);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		SAY("%d: signal %d", way, WTERMSIG(status));
	else
		SAY("%d: exit %d", way, WEXITSTATUS(status));
}

/* Getpgid ends only the thread that calls it. */
static void *end_by_filter(void *unused)
{
	static struct sock_filter thread[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_THREAD),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = {sizeof thread / sizeof *thread, thread};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) != 0)
		_exit(1);
	syscall(SYS_getpgid, 0);
	return unused;
}

static void *end_later(void *unused)
{
	sleep_ns(50 * MS);
	_exit(3);
	return unused;
}

static void threads(void)
{
	pthread_t t;
	pid_t pid;
	int status;

	SAY("a thread that its filter kills can be joined");
	pthread_create(&t, NULL, end_by_filter, NULL);
	IS(pthread_join(t, NULL), 0);
	SAY("a process lives on without its first thread");
	if ((pid = fork()) == 0) {
		pthread_create(&t, NULL, end_later, NULL);
		end_by_filter(NULL);
	}
	waitpid(pid, &status, 0);
	IS(WEXITSTATUS(status), 3);
}

int main(void)
{
	for (int way = 0; way < 2; way++)
		for (int socket = 0; socket < 2; socket++)
			child(way, socket);
	threads();
	return DONE();
}
