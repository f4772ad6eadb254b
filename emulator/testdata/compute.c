// compute THREADS LOOPS: a kernel on each of some threads. It prints the time
// that the threads took together by the clock, and their processor time, in s.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long loops;

static double at(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void *work(void *unused)
{
	double sum = 0;
	for (long i = 0; i < loops; i++) {
		sum += i * 0.5;
		__asm__ volatile("" : "+x"(sum));
	}
	return unused;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1;
	loops = argc > 2 ? atol(argv[2]) : 100000000;
	pthread_t threads[n];
	double wall = at(CLOCK_MONOTONIC), cpu = at(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 1; i < n; i++)
		pthread_create(&threads[i], 0, work, 0);
	work(0);
	for (int i = 1; i < n; i++)
		pthread_join(threads[i], 0);
	printf("%.9f %.9f\n", at(CLOCK_MONOTONIC) - wall, at(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	return 0;
}
