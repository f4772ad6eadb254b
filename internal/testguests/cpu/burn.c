/* burn ITERATIONS [THREADS [PROCESSES]]: computes. Each worker prints when it began
 * and ended, what it used of the processor, and what it would have used if all of
 * its twenty parts had taken as long as the shortest; each process then prints
 * what all its threads used from its beginning. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PARTS = 20 };

struct worker {
	double begin, end, used, least;
};

static volatile double source = 0.5, sink; /* so that nothing is computed beforehand */
static long iterations;

static double now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void *burn(void *p)
{
	struct worker *w = p;
	double x = source, least = 1e9, first = now(CLOCK_THREAD_CPUTIME_ID), before = first;
	for (int part = 0; part < PARTS; part++) {
		for (long i = 0; i < iterations / PARTS; i++)
			x = x * 0.9999999 + 1e-7;
		double after = now(CLOCK_THREAD_CPUTIME_ID);
		if (after - before < least)
			least = after - before;
		before = after;
	}
	sink = x;
	w->used = before - first;
	w->least = least * PARTS;
	w->end = now(CLOCK_MONOTONIC);
	return NULL;
}

static void *begin(void *p)
{
	((struct worker *)p)->begin = now(CLOCK_MONOTONIC);
	return burn(p);
}

int main(int argc, char **argv)
{
	iterations = atol(argv[1]);
	int threads = argc > 2 ? atoi(argv[2]) : 1, processes = argc > 3 ? atoi(argv[3]) : 1;
	pthread_t id[16];
	struct worker worker[16];
	double all = now(CLOCK_PROCESS_CPUTIME_ID);
	worker[0].begin = now(CLOCK_MONOTONIC);
	for (int p = 1; p < processes; p++)
		if (fork() == 0) {
			all = 0;
			worker[0].begin = now(CLOCK_MONOTONIC);
			break;
		}
	for (int i = 1; i < threads; i++)
		pthread_create(&id[i], NULL, begin, &worker[i]);
	burn(&worker[0]);
	for (int i = 1; i < threads; i++)
		pthread_join(id[i], NULL);
	all = now(CLOCK_PROCESS_CPUTIME_ID) - all;
	while (wait(NULL) > 0)
		;
	for (int i = 0; i < threads; i++)
		printf("worker %.6f %.6f %.6f %.6f\n", worker[i].begin, worker[i].end, worker[i].used, worker[i].least);
	printf("process %.6f\n", all);
	return 0;
}
