// subject WHAT COUNT: makes COUNT calls in the way WHAT says, tells how many of
// the answers were made up by who intercepts them, and what one cost.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "madeup.h"

enum { THREADS = 4 };

// A call as the subject makes it; true if the answer was made up.

static int call(void) { return getppid() == MADE_UP; }

static int direct(void)
{
	long answer;
	__asm__ volatile("syscall" : "=a"(answer) : "0"((long)SYS_getppid) : "rcx", "r11", "memory");
	return answer == MADE_UP;
}

static pid_t (*found)(void);

static int lookedUp(void) { return found() == MADE_UP; }

static int readsClock(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec == MADE_UP;
}

// The C library reads the clock for its own use, past the name clock_gettime.
static int inside(void)
{
	struct timespec t;
	timespec_get(&t, TIME_UTC);
	return t.tv_sec == MADE_UP;
}

static int tsc(void)
{
	unsigned low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return low == MADE_UP && high == 0;
}

static int compute(void)
{
	volatile double x = 1;
	for (int i = 0; i < 50000; i++)
		x = x * 0.999 + 0.5;
	return 0;
}

static _Atomic unsigned *ball;

static void passBall(unsigned mine)
{
	while (atomic_load(ball) != mine)
		syscall(SYS_futex, ball, FUTEX_WAIT, !mine, NULL, NULL, 0);
	atomic_store(ball, !mine);
	syscall(SYS_futex, ball, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static int pingPong(void)
{
	passBall(0);
	return 0;
}

// By an instruction of our own, so that the calls of subjects are all that
// anybody sees of the function clock_gettime.
static double now(void)
{
	struct timespec t;
	long answer;
	__asm__ volatile("syscall" : "=a"(answer) : "0"((long)SYS_clock_gettime), "D"((long)CLOCK_MONOTONIC), "S"(&t) : "rcx", "r11", "memory");
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

// repeat makes the calls and returns how many answers were made up. It times them in
// batches, so long that looking at the clock costs little beside them.
static int repeat(int (*one)(void), int count, double *median)
{
	int batch = 1, batches = 0, answered = 0;
	double *costs = calloc(count, sizeof *costs);
	for (int made = 0, some; made < count; made += some) {
		some = batch < count - made ? batch : count - made;
		double start = now();
		for (int i = 0; i < some; i++)
			answered += one();
		double took = now() - start;
		if (took < 20e3 && batch <= count / 40)
			batch *= 2;
		else
			costs[batches++] = took / some;
	}
	qsort(costs, batches, sizeof *costs, ascending);
	*median = costs[batches / 2];
	free(costs);
	return answered;
}

static void *thread(void *count)
{
	double median;
	return (void *)(long)repeat(call, (int)(long)count, &median);
}

static int inThreads(int count)
{
	pthread_t threads[THREADS];
	long answered = 0;
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, thread, (void *)(long)(count / THREADS))) {
			perror("thread");
			exit(1);
		}
	for (int i = 0; i < THREADS; i++) {
		void *some;
		pthread_join(threads[i], &some);
		answered += (long)some;
	}
	return answered;
}

// inChild lets a child that runs another program make the calls and tell of them.
static int inChild(char *self, char *count, char **environment)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		execve(self, (char *[]){self, "call", count, NULL}, environment);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0) {
		perror("child");
		return 1;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*one)(void);
	} subjects[] = {
		{"call", call}, {"direct", direct}, {"lookedUp", lookedUp}, {"clock", readsClock},
		{"inside", inside}, {"tsc", tsc}, {"compute", compute}, {"pingPong", pingPong},
	};
	if (argc != 3)
		return 2;
	const char *what = argv[1];
	int count = atoi(argv[2]), answered = -1;
	double median = 0;
	if (!strcmp(what, "child"))
		return inChild(argv[0], argv[2], environ);
	if (!strcmp(what, "bare"))
		return inChild(argv[0], argv[2], (char *[]){NULL});
	if (!strcmp(what, "threads"))
		answered = inThreads(count);
#ifndef STATIC
	if (!strcmp(what, "lookedUp"))
		found = (pid_t(*)(void))dlsym(RTLD_DEFAULT, "getppid");
#endif
	pid_t partner = 0;
	if (!strcmp(what, "pingPong")) {
		ball = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if ((partner = fork()) == 0) {
			for (int i = 0; i < count; i++)
				passBall(1);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < sizeof subjects / sizeof *subjects; i++)
		if (!strcmp(what, subjects[i].name))
			answered = repeat(subjects[i].one, count, &median);
	if (partner)
		waitpid(partner, NULL, 0);
	if (answered < 0)
		return 2;
	printf("answered %d\nns %.2f\nno_new_privs %d\n", answered, median, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	return 0;
}
