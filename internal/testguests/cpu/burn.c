/* burn ITERATIONS [THREADS [PROCESSES]]: computes, and tells how long it took. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile double sink;

static void *burn(void *iterations)
{
	double x = 1;
	for (long i = 0; i < (long)iterations; i++)
		x = x * 0.9999999 + 1e-7;
	sink = x;
	return NULL;
}

int main(int argc, char **argv)
{
	long n = atol(argv[1]);
	int threads = argc > 2 ? atoi(argv[2]) : 1, processes = argc > 3 ? atoi(argv[3]) : 1;
	pthread_t id[16];
	struct timespec begin, end;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int p = 1; p < processes; p++)
		if (fork() == 0)
			break;
	for (int i = 1; i < threads; i++)
		pthread_create(&id[i], NULL, burn, (void *)n);
	burn((void *)n);
	for (int i = 1; i < threads; i++)
		pthread_join(id[i], NULL);
	while (wait(NULL) > 0)
		;
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%.6f\n", (end.tv_sec - begin.tv_sec) + (end.tv_nsec - begin.tv_nsec) / 1e9);
	return 0;
}
