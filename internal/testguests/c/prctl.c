/* prctl(2): the options that programs use. */
#include "check.h"
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>

static volatile sig_atomic_t orphaned;

static void note(int signal) { orphaned = signal; }

int main(void)
{
	char name[16];
	int signal = -1, tells[2], status;
	pid_t child;

	SAY("the name");
	IS(prctl(PR_SET_NAME, "a name that is too long"), 0);
	IS(prctl(PR_GET_NAME, name), 0);
	OK(strcmp(name, "a name that is ") == 0);
	FAILS(prctl(PR_SET_NAME, 8), EFAULT);

	SAY("flags");
	IS(prctl(PR_GET_DUMPABLE), 1);
	IS(prctl(PR_SET_DUMPABLE, 0), 0);
	IS(prctl(PR_GET_DUMPABLE), 0);
	FAILS(prctl(PR_SET_DUMPABLE, 2), EINVAL);
	IS(prctl(PR_SET_DUMPABLE, 1), 0);
	IS(prctl(PR_GET_KEEPCAPS), 0);
	FAILS(prctl(PR_SET_KEEPCAPS, 2), EINVAL);
	FAILS(prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0), EINVAL);
	IS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	IS(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	IS(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
	IS(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
	IS(prctl(PR_SET_TIMERSLACK, 1000), 0);
	IS(prctl(PR_GET_TIMERSLACK), 1000);
	FAILS(prctl(PR_CAPBSET_READ, 99), EINVAL);
	FAILS(prctl(12345), EINVAL);

	SAY("the death of a parent");
	FAILS(prctl(PR_SET_PDEATHSIG, 99), EINVAL);
	IS(prctl(PR_SET_PDEATHSIG, SIGUSR1), 0);
	IS(prctl(PR_GET_PDEATHSIG, &signal), 0);
	IS(signal, SIGUSR1);
	IS(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	IS(prctl(PR_GET_CHILD_SUBREAPER, &status), 0);
	IS(status, 1);
	if (pipe(tells) == -1)
		return 1;
	child = fork();
	if (child == 0) { /* a parent that dies at once */
		int of_child = -1;

		prctl(PR_GET_PDEATHSIG, &of_child);
		if (of_child == 0 && fork() == 0) {
			sigset_t set, before;

			sigemptyset(&set);
			sigaddset(&set, SIGUSR1);
			sigprocmask(SIG_BLOCK, &set, &before);
			sigaction(SIGUSR1, &(struct sigaction){.sa_handler = note}, NULL);
			prctl(PR_SET_PDEATHSIG, SIGUSR1);
			if (write(tells[1], "r", 1) == 1)
				sigsuspend(&before);
			_exit(orphaned == SIGUSR1 ? 7 : 8);
		}
		if (read(tells[0], name, 1) == 1)
			_exit(0);
		_exit(1);
	}
	check_child(child);
	child = wait(&status);
	OK(child > 0);
	OK(WIFEXITED(status));
	IS(WEXITSTATUS(status), 7);
	return DONE();
}
