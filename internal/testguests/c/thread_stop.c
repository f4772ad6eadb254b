/* A process of several threads that stops and goes on, again and again. */
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>

enum { threads = 5, times = 8 };

static atomic_int *counts;

static void *counter(void *argument)
{
	struct timespec pause = {0, 1000000};

	for (;;) {
		nanosleep(&pause, NULL);
		atomic_fetch_add((atomic_int *)argument, 1);
	}
	return NULL;
}

/* wait_for_all returns when each thread has counted further. */
static void wait_for_all(void)
{
	struct timespec pause = {0, 1000000};
	int before;

	for (int i = 0; i < threads; i++)
		for (before = counts[i]; counts[i] == before;)
			nanosleep(&pause, NULL);
}

int main(void)
{
	struct timespec pause = {0, 5000000};
	int status, moved = 0, stops = 0, goes = 0, before[threads];
	pthread_t thread;
	pid_t child;

	counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	child = fork();
	if (child == 0) {
		for (int i = 1; i < threads; i++)
			pthread_create(&thread, NULL, counter, &counts[i]);
		counter(&counts[0]);
	}
	for (int i = 0; i < times; i++) {
		wait_for_all();
		kill(child, SIGSTOP);
		if (waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status))
			stops++;
		for (int k = 0; k < threads; k++)
			before[k] = counts[k];
		nanosleep(&pause, NULL);
		for (int k = 0; k < threads; k++)
			moved += counts[k] != before[k];
		kill(child, SIGCONT);
		if (waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status))
			goes++;
	}
	IS(stops, times);
	IS(goes, times);
	IS(moved, 0);
	wait_for_all();
	kill(child, SIGKILL);
	IS(waitpid(child, &status, 0) == child && WIFSIGNALED(status), 1);
	return DONE();
}
