/* exec: what survives it and what does not; vfork; exec from a thread; scripts. */
#include "check.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>

extern char **environ;
static char self[4096];
static int64_t before_exec;
static volatile int shared;

/* What the program does when it was executed again with a word for an argument. */
static int again(int argc, char **argv)
{
	sigset_t mask;
	struct sigaction a;

	if (strcmp(argv[1], "inspect") == 0) {
		SAY("  argc %d, variable %s", argc, getenv("VARIABLE"));
		OK(fcntl(20, F_GETFD) == -1 && errno == EBADF);
		OK(fcntl(21, F_GETFD) == 0);
		sigprocmask(SIG_SETMASK, NULL, &mask);
		OK(sigismember(&mask, SIGUSR1));
		sigaction(SIGUSR2, NULL, &a);
		OK(a.sa_handler == SIG_DFL);
		sigaction(SIGHUP, NULL, &a);
		OK(a.sa_handler == SIG_IGN);
		sigpending(&mask);
		OK(sigismember(&mask, SIGUSR1));
		OK(getpid() == atoi(argv[2]) && getppid() == atoi(argv[3]));
		OK(now_ns() >= atoll(argv[4]));
		return check_failed;
	}
	if (strcmp(argv[1], "alarm") == 0) {
		pause();
		return 1;
	}
	if (strcmp(argv[1], "leader") == 0) {
		OK(getpid() == gettid() && getpid() == atoi(argv[2]));
		return check_failed;
	}
	if (strcmp(argv[1], "code") == 0)
		return atoi(argv[2]);
	return 99;
}

static void *exec_in_thread(void *unused)
{
	char pid[16];

	(void)unused;
	snprintf(pid, sizeof(pid), "%d", getpid());
	sleep_ns(10 * MS);
	execl(self, self, "leader", pid, NULL);
	return NULL;
}

static void *wait_long(void *unused)
{
	(void)unused;
	sleep(1000);
	return NULL;
}

static void ignored(int signal) { (void)signal; }

int main(int argc, char **argv)
{
	char pid[16], parent[16], time[32], *arguments[] = {"name", "code", "6", NULL};
	int status, pipe_[2], file;
	pthread_t thread;
	sigset_t usr1;
	pid_t child;
	int64_t start;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		return 2;
	if (argc > 1)
		return again(argc, argv);

	SAY("descriptors, signals, pid and clock over exec");
	if ((child = fork()) == 0) {
		if (pipe(pipe_) == -1 || dup3(pipe_[0], 20, O_CLOEXEC) == -1 || dup2(pipe_[1], 21) == -1)
			_exit(2);
		sigemptyset(&usr1);
		sigaddset(&usr1, SIGUSR1);
		sigprocmask(SIG_BLOCK, &usr1, NULL);
		raise(SIGUSR1);
		signal(SIGUSR2, ignored);
		signal(SIGHUP, SIG_IGN);
		setenv("VARIABLE", "value", 1);
		snprintf(pid, sizeof(pid), "%d", getpid());
		snprintf(parent, sizeof(parent), "%d", getppid());
		before_exec = now_ns();
		snprintf(time, sizeof(time), "%lld", (long long)before_exec);
		execl(self, "renamed", "inspect", pid, parent, time, NULL);
		_exit(3);
	}
	check_child(child);

	SAY("an alarm survives exec");
	if ((child = fork()) == 0) {
		alarm(1);
		execl(self, self, "alarm", NULL);
		_exit(3);
	}
	start = now_ns();
	waitpid(child, &status, 0);
	OK(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
	OK(now_ns() - start > 900 * MS);

	SAY("failures");
	FAILS(execl("/no/such/program", "x", NULL), ENOENT);
	FAILS(execl("/", "x", NULL), EACCES);
	file = open("process_exec.text", O_CREAT | O_WRONLY | O_TRUNC, 0755);
	IS(write(file, "plain text\n", 11), 11);
	close(file);
	FAILS(execl("./process_exec.text", "x", NULL), ENOEXEC);
	IS(chmod("process_exec.text", 0644), 0);
	FAILS(execl("./process_exec.text", "x", NULL), EACCES);
	IS(chmod("process_exec.text", 0755), 0);

	SAY("a script with an interpreter");
	file = open("process_exec.text", O_WRONLY | O_TRUNC);
	dprintf(file, "#!/bin/sh\necho \"  script with $# arguments: $1\"\nexit 8\n");
	close(file);
	if ((child = fork()) == 0) {
		execl("./process_exec.text", "x", "one", NULL);
		_exit(3);
	}
	waitpid(child, &status, 0);
	IS(WEXITSTATUS(status), 8);
	IS(unlink("process_exec.text"), 0);

	SAY("vfork: the parent waits, memory is shared");
	start = now_ns();
	if ((child = vfork()) == 0) {
		shared = 1;
		struct timespec t = timespec_of(20 * MS);
		syscall(SYS_nanosleep, &t, NULL);
		execl(self, self, "code", "4", NULL);
		_exit(3);
	}
	TOOK(start, 20 * MS);
	IS(shared, 1);
	waitpid(child, &status, 0);
	IS(WEXITSTATUS(status), 4);
	if ((child = vfork()) == 0)
		_exit(12);
	waitpid(child, &status, 0);
	IS(WEXITSTATUS(status), 12);

	SAY("posix_spawn, system, popen");
	IS(posix_spawn(&child, self, NULL, NULL, arguments, environ), 0);
	waitpid(child, &status, 0);
	IS(WEXITSTATUS(status), 6);
	IS(posix_spawn(&child, "/no/such/program", NULL, NULL, arguments, environ), ENOENT);
	IS(system("exit 9"), 0x900);
	IS(system("kill -TERM $$"), SIGTERM);
	FILE *stream = popen("echo from a pipe; exit 2", "r");
	OK(stream && fgets(self, sizeof(self), stream) && strcmp(self, "from a pipe\n") == 0);
	IS(pclose(stream), 0x200);
	self[readlink("/proc/self/exe", self, sizeof(self) - 1)] = 0;

	SAY("exec from a thread takes the leader's id and ends the others");
	if ((child = fork()) == 0) {
		pthread_create(&thread, NULL, wait_long, NULL);
		pthread_create(&thread, NULL, exec_in_thread, NULL);
		sleep(1000);
		_exit(3);
	}
	check_child(child);
	SAY("and when the leader has ended already");
	if ((child = fork()) == 0) {
		pthread_create(&thread, NULL, exec_in_thread, NULL);
		pthread_exit(NULL);
	}
	check_child(child);
	return DONE();
}
