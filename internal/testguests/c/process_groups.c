/* Process groups and sessions, and signals to them. */
#include "check.h"
#include <signal.h>

static volatile sig_atomic_t got;

static void count(int signal)
{
	(void)signal;
	got++;
}

int main(void)
{
	int status, up[2], hold[2];
	char byte;
	pid_t child, others[3], group;

	if (pipe(up) == -1 || pipe(hold) == -1)
		return 2;
	OK(getpgrp() == getpgid(0) && getpgid(getpid()) == getpgrp());
	OK(getsid(0) == getsid(getpid()) && getsid(0) >= 0);
	FAILS(getpgid(999999), ESRCH);
	FAILS(getsid(999999), ESRCH);
	FAILS(setpgid(0, -1), EINVAL);
	FAILS(setpgid(999999, 0), ESRCH);

	SAY("a child makes a group, then a session");
	if ((child = fork()) == 0) {
		OK(getpgrp() == getpgid(getppid()));
		IS(setpgid(0, 0), 0);
		OK(getpgrp() == getpid());
		FAILS(setsid(), EPERM);
		if (fork() == 0) {
			OK(getpgrp() == getppid());
			OK(setsid() == getpid());
			OK(getsid(0) == getpid() && getpgrp() == getpid());
			FAILS(setpgid(0, 0), EPERM);
			_exit(check_failed);
		}
		wait(&status);
		_exit(check_failed || status);
	}
	check_child(child);

	SAY("a signal to a group reaches all of it, and nobody else");
	signal(SIGUSR1, count);
	group = 0;
	for (int i = 0; i < 3; i++) {
		if ((others[i] = fork()) == 0) {
			close(hold[1]);
			setpgid(0, group);
			if (write(up[1], "r", 1) != 1)
				_exit(2);
			_exit(read(hold[0], &byte, 1));
		}
		if (i == 0)
			group = others[0];
		setpgid(others[i], group);
		if (read(up[0], &byte, 1) != 1)
			return 2;
	}
	IS(kill(-group, 0), 0);
	OK(getpgid(others[2]) == group);
	SAY("waiting for a group");
	FAILS(waitpid(-getpid() - 100000, &status, WNOHANG), ECHILD);
	IS(waitpid(-group, &status, WNOHANG), 0);
	IS(killpg(group, SIGTERM), 0);
	for (int i = 0; i < 3; i++) {
		IS(waitpid(-group, &status, 0) > 0, 1);
		OK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	}
	FAILS(kill(-group, SIGUSR1), ESRCH);
	IS(got, 0);

	SAY("kill(0) reaches oneself too");
	if ((child = fork()) == 0) {
		struct sigaction a = {.sa_handler = count};
		setpgid(0, 0);
		sigaction(SIGUSR1, &a, NULL);
		if (fork() == 0) {
			if (write(up[1], "r", 1) != 1)
				_exit(2);
			while (!got)
				pause();
			_exit(0);
		}
		if (read(up[0], &byte, 1) != 1)
			_exit(2);
		sleep_ns(20 * MS);
		kill(0, SIGUSR1);
		wait(&status);
		_exit(got != 1 || status != 0);
	}
	check_child(child);
	return DONE();
}
