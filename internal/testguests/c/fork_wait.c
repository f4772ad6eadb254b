/* The prototype's fork programs: one child, three children, each waited for. */
#include "check.h"

int main(void)
{
	pid_t children[3], child;
	int status;

	SAY("one child");
	child = fork();
	if (child == 0) {
		SAY("child says hello");
		exit(3);
	}
	IS(wait(&status) == child, 1);
	IS(WEXITSTATUS(status), 3);

	SAY("three children that sleep for 1, 2 and 3 tenths of a second");
	for (int i = 0; i < 3; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			usleep(100000 * (i + 1));
			SAY("child %d says hello", i);
			exit(i);
		}
	}
	for (int i = 0; i < 3; i++) {
		child = wait(&status);
		OK(child == children[i]);
		SAY("child %d ended with %d", i, WEXITSTATUS(status));
	}
	FAILS(wait(&status), ECHILD);
	return DONE();
}
