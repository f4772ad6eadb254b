/* fork, wait in all its forms, exit codes, orphans, stopped children, SIGCHLD. */
#include "check.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static volatile sig_atomic_t children_ended;

static void on_child(int signal)
{
	(void)signal;
	children_ended++;
}

int main(void)
{
	struct sigaction a = {.sa_handler = on_child, .sa_flags = SA_RESTART};
	int status = -1, pipe_[2], value = 1;
	siginfo_t info;
	struct rusage usage;
	pid_t self = getpid(), child, children[3], reported;
	int64_t start;
	char text[64];

	SAY("memory is copied, descriptors are shared");
	IS(pipe(pipe_), 0);
	child = fork();
	if (child == 0) {
		check_quiet = 1;
		OK(getpid() != self && getppid() == self && gettid() == getpid());
		value = 2;
		IS(write(pipe_[1], &value, sizeof(value)), sizeof(value));
		_exit(check_failed);
	}
	OK(child > 0 && child != self);
	check_child(child);
	IS(value, 1);
	IS(read(pipe_[0], &value, sizeof(value)), sizeof(value));
	IS(value, 2);

	SAY("exit codes");
	int codes[] = {0, 1, 42, 255, 256, -1};
	for (int i = 0; i < 6; i++) {
		if ((child = fork()) == 0)
			_exit(codes[i]);
		IS(waitpid(child, &status, 0) == child, 1);
		SAY("exit %d gives %#x", codes[i], status);
	}
	FAILS(waitpid(-1, &status, 0), ECHILD);
	FAILS(waitpid(child, &status, 0), ECHILD);
	FAILS(wait(NULL), ECHILD);
	FAILS(waitpid(child, &status, 0x10000), EINVAL);

	SAY("three children, each waited for by name, then any");
	for (int i = 0; i < 3; i++)
		if ((children[i] = fork()) == 0) {
			sleep_ns((3 - i) * 20 * MS);
			_exit(i);
		}
	start = now_ns();
	IS(waitpid(children[0], &status, WNOHANG), 0);
	IS(waitpid(children[0], &status, 0) == children[0], 1);
	IS(WEXITSTATUS(status), 0);
	OK(now_ns() - start >= 50 * MS);
	sleep_ns(10 * MS);
	IS(waitpid(children[2], &status, WNOHANG) == children[2], 1);
	IS(WEXITSTATUS(status), 2);
	IS(wait(&status) == children[1], 1);
	IS(WEXITSTATUS(status), 1);

	SAY("waitid: a look first, then the taking");
	if ((child = fork()) == 0)
		_exit(7);
	IS(waitid(P_PID, child, &info, WEXITED | WNOWAIT), 0);
	OK(info.si_pid == child && info.si_code == CLD_EXITED && info.si_status == 7 && info.si_signo == SIGCHLD);
	IS(waitid(P_ALL, 0, &info, WEXITED), 0);
	OK(info.si_pid == child);
	FAILS(waitid(P_PID, child, &info, WEXITED), ECHILD);
	FAILS(waitid(P_ALL, 0, &info, 0), EINVAL);
	SAY("nothing yet: zeros");
	if ((child = fork()) == 0)
		pause();
	info.si_pid = 1;
	IS(waitid(P_PID, child, &info, WEXITED | WNOHANG), 0);
	IS(info.si_pid, 0);

	SAY("stopped and continued");
	IS(kill(child, SIGSTOP), 0);
	IS(waitpid(child, &status, WUNTRACED) == child, 1);
	OK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	IS(kill(child, SIGCONT), 0);
	IS(waitpid(child, &status, WCONTINUED) == child, 1);
	OK(WIFCONTINUED(status));
	IS(kill(child, SIGTERM), 0);
	IS(wait4(child, &status, 0, &usage) == child, 1);
	OK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);

	SAY("SIGCHLD");
	sigaction(SIGCHLD, &a, NULL);
	if ((child = fork()) == 0)
		_exit(0);
	check_child(child);
	IS(children_ended, 1);
	if ((child = fork()) == 0)
		_exit(0);
	while (!*(volatile sig_atomic_t *)&children_ended || children_ended < 2)
		sleep_ns(1 * MS);
	check_child(child);
	SAY("ignored: no zombies, wait tells of none");
	signal(SIGCHLD, SIG_IGN);
	if ((child = fork()) == 0) {
		sleep_ns(10 * MS);
		_exit(3);
	}
	FAILS(waitpid(child, &status, 0), ECHILD);
	signal(SIGCHLD, SIG_DFL);

	SAY("an orphan goes to the nearest subreaper");
	IS(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	if ((child = fork()) == 0) {
		if (fork() == 0) {
			sleep_ns(30 * MS);
			reported = getppid();
			_exit(write(pipe_[1], &reported, sizeof(reported)) == sizeof(reported) ? 5 : 6);
		}
		_exit(4);
	}
	IS(waitpid(child, &status, 0) == child, 1);
	IS(WEXITSTATUS(status), 4);
	IS(wait(&status) > 0, 1);
	IS(WEXITSTATUS(status), 5);
	IS(read(pipe_[0], &reported, sizeof(reported)), sizeof(reported));
	OK(reported == self);
	SAY("a child may be told that its parent died");
	if ((child = fork()) == 0) {
		if ((reported = fork()) == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (write(pipe_[1], "r", 1) == 1)
				pause();
			_exit(0);
		}
		_exit(read(pipe_[0], text, 1) != 1);
	}
	check_child(child);
	IS(wait(&status) > 0, 1);
	OK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return DONE();
}
