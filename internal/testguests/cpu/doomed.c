/* Children that compute, in some threads, are killed by signals that they do not
 * handle, and die of them. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void *compute(void *unused)
{
	for (volatile unsigned k = 0;; k++)
		;
	return unused;
}

static int dies(int threads, int signal)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		for (int i = 1; i < threads; i++) {
			pthread_t thread;

			pthread_create(&thread, NULL, compute, NULL);
		}
		compute(NULL);
	}
	usleep(10000);
	kill(child, signal);
	return waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

int main(void)
{
	static const int signals[] = {SIGTERM, SIGHUP, SIGKILL, SIGALRM};

	for (int threads = 1; threads <= 4; threads += 3) {
		int died = 0;

		for (int i = 0; i < 20; i++)
			died += dies(threads, signals[i % 4]);
		printf("%d thread%s: %d of 20 died\n", threads, threads > 1 ? "s" : "", died);
	}
	return 0;
}
