/* A signal that comes while a thread computes, just before it waits, is handled
 * then and not at the end of the wait. */
#include "check.h"
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>

enum { times = 8 };

static struct shared {
	atomic_llong ready, sent, handled;
} *shared;

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

static void handler(int signal)
{
	(void)signal;
	shared->handled = now();
}

static void child(void)
{
	volatile unsigned work = 0;

	signal(SIGUSR1, handler);
	shared->ready = 1;
	for (int i = 0; i < 4000000; i++)
		work += i;
	poll(NULL, 0, 10000);
	_exit(0);
}

int main(void)
{
	struct timespec pause = {0, 100000}, later = {0, 0};
	pid_t pid;

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < times; i++) {
		shared->ready = shared->handled = 0;
		pid = fork();
		if (pid == 0)
			child();
		while (!shared->ready)
			nanosleep(&pause, NULL);
		later.tv_nsec = i * 400000;
		nanosleep(&later, NULL); /* now it computes, or already waits */
		shared->sent = now();
		kill(pid, SIGUSR1);
		while (!shared->handled)
			nanosleep(&pause, NULL);
		OK(shared->handled - shared->sent < 5 * SECOND);
		kill(pid, SIGKILL);
		OK(wait(NULL) == pid);
	}
	return DONE();
}
