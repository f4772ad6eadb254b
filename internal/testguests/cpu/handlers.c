/* A signal that comes while a program computes must find the handler that was
 * there then, not the one that the program sets next. Prints how often it did
 * not, and whether the signals came at all. */
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>

static volatile int first, second;

static void early(int signal)
{
	(void)signal;
	first++;
}

static void late(int signal)
{
	(void)signal;
	second++;
}

int main(void)
{
	struct itimerval alarm = {.it_value.tv_usec = 100};
	struct sigaction before = {.sa_handler = early}, after = {.sa_handler = late};

	for (int i = 0; i < 50; i++) {
		sigaction(SIGALRM, &before, NULL);
		setitimer(ITIMER_REAL, &alarm, NULL);
		for (volatile int k = 0; k < 500000; k++) /* some milliseconds */
			;
		sigaction(SIGALRM, &after, NULL);
	}
	printf("%d early, %d late\n", first, second);
	return 0;
}
