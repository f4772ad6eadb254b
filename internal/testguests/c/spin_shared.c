/* Processes that spin, without a call, on memory that they share. */
#include "check.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>

static volatile sig_atomic_t alarmed;

static void alarm_came(int number)
{
	(void)number;
	alarmed = 1;
}

int main(void)
{
	volatile int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct itimerval soon = {.it_value.tv_usec = 200000};
	int status;
	pid_t child;

	SAY("a parent that waits for its child's word");
	child = fork();
	if (child == 0) {
		usleep(5000);
		word[0] = 1;
		while (!word[1])
			;
		_exit(3);
	}
	while (!word[0])
		;
	word[1] = 1;
	OK(waitpid(child, &status, 0) == child);
	IS(WEXITSTATUS(status), 3);

	SAY("a process that waits for a signal");
	signal(SIGALRM, alarm_came);
	IS(setitimer(ITIMER_REAL, &soon, NULL), 0);
	while (!alarmed)
		;
	OK(alarmed);
	return DONE();
}
