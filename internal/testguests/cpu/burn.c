/* burn ITERATIONS [THREADS [PROCESSES]]: computes. Each process tells how long it
 * took and what each of its threads used of the processor. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile double sink;
static long iterations;

static double now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void *burn(void *used)
{
	double x = 1, before = now(CLOCK_THREAD_CPUTIME_ID);
	for (long i = 0; i < iterations; i++)
		x = x * 0.9999999 + 1e-7;
	sink = x;
	*(double *)used = now(CLOCK_THREAD_CPUTIME_ID) - before;
	return NULL;
}

int main(int argc, char **argv)
{
	iterations = atol(argv[1]);
	int threads = argc > 2 ? atoi(argv[2]) : 1, processes = argc > 3 ? atoi(argv[3]) : 1;
	pthread_t id[16];
	double used[16], begin = now(CLOCK_MONOTONIC);
	for (int p = 1; p < processes; p++)
		if (fork() == 0)
			break;
	for (int i = 1; i < threads; i++)
		pthread_create(&id[i], NULL, burn, &used[i]);
	burn(&used[0]);
	for (int i = 1; i < threads; i++)
		pthread_join(id[i], NULL);
	while (wait(NULL) > 0)
		;
	printf("%.6f", now(CLOCK_MONOTONIC) - begin);
	for (int i = 0; i < threads; i++)
		printf(" %.6f", used[i]);
	printf("\n");
	return 0;
}
