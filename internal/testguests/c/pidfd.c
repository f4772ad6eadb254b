/* Descriptors of processes: waiting, signals, other processes' descriptors. */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static int pidfd_open_(pid_t pid, unsigned flags) { return syscall(SYS_pidfd_open, pid, flags); }
static int pidfd_kill(int fd, int signal, siginfo_t *info, unsigned flags)
{
	return syscall(SYS_pidfd_send_signal, fd, signal, info, flags);
}
static int pidfd_getfd_(int fd, int number, unsigned flags)
{
	return syscall(SYS_pidfd_getfd, fd, number, flags);
}

static volatile sig_atomic_t value, code;

static void note(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	value = info->si_value.sival_int;
	code = info->si_code;
}

static void waiting(void)
{
	struct pollfd p = {.events = POLLIN};
	struct epoll_event event = {.events = EPOLLIN};
	siginfo_t info = {0};
	int fd, e = epoll_create1(0);
	int64_t before = now_ns();
	pid_t child = fork();

	if (child == 0) {
		sleep_ns(200 * MS);
		_exit(7);
	}
	SAY("waiting");
	FAILS(pidfd_open_(-1, 0), EINVAL);
	FAILS(pidfd_open_(child, 1), EINVAL);
	FAILS(pidfd_open_(999999, 0), ESRCH);
	fd = pidfd_open_(child, 0);
	OK(fd >= 0);
	IS(fcntl(fd, F_GETFD), FD_CLOEXEC);
	FAILS(read(fd, &p, 1), EINVAL);
	p.fd = fd;
	IS(poll(&p, 1, 0), 0);
	IS(epoll_ctl(e, EPOLL_CTL_ADD, fd, &event), 0);
	IS(waitid(P_PIDFD, fd, &info, WEXITED | WNOHANG), 0);
	IS(info.si_pid, 0);
	IS(poll(&p, 1, -1), 1);
	TOOK(before, 200 * MS);
	IS(p.revents, POLLIN);
	IS(epoll_wait(e, &event, 1, 0), 1);
	IS(waitid(P_PIDFD, fd, &info, WEXITED | WNOWAIT), 0);
	IS(waitid(P_PIDFD, fd, &info, WEXITED), 0);
	OK(info.si_pid == child && info.si_status == 7 && info.si_code == CLD_EXITED);
	FAILS(waitid(P_PIDFD, fd, &info, WEXITED), ECHILD);
	FAILS(waitid(P_PIDFD, 0, &info, WEXITED), EBADF);
	FAILS(pidfd_kill(fd, 0, NULL, 0), ESRCH);
	FAILS(pidfd_getfd_(fd, 0, 0), ESRCH);
	close(fd);
	close(e);
}

static void signals(void)
{
	struct sigaction a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
	int fd = pidfd_open_(getpid(), 0), status, zero = open("/dev/null", O_RDWR);
	pid_t child;

	SAY("signals");
	sigaction(SIGUSR1, &a, NULL);
	info.si_value.sival_int = 42;
	info.si_pid = getpid();
	IS(pidfd_kill(fd, SIGUSR1, &info, 0), 0);
	OK(value == 42 && code == SI_QUEUE);
	IS(pidfd_kill(fd, SIGUSR1, NULL, 0), 0);
	IS(code, SI_USER);
	FAILS(pidfd_kill(fd, SIGUSR2, &info, 0), EINVAL);
	FAILS(pidfd_kill(fd, 65, NULL, 0), EINVAL);
	FAILS(pidfd_kill(fd, SIGUSR1, NULL, 0x100), EINVAL);
	FAILS(pidfd_kill(zero, SIGUSR1, NULL, 0), EBADF);
	IS(pidfd_kill(fd, 0, NULL, 0), 0);
	close(fd);
	child = fork();
	if (child == 0)
		for (;;)
			pause();
	fd = pidfd_open_(child, 0);
	IS(pidfd_kill(fd, SIGKILL, NULL, 0), 0);
	IS(waitpid(child, &status, 0) == child, 1);
	OK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(fd);
}

/* descriptors has a child with a pipe, a socket and a file that this process has not. */
static void descriptors(void)
{
	char name[] = "/tmp/pidfdXXXXXX", buffer[8];
	int ready[2], fd, pipe_, socket_, file, numbers[3];
	pid_t child;

	SAY("descriptors");
	IS(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		int p[2], s[2], n[3];

		check_quiet = 1;

		if (pipe(p) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, s) != 0)
			_exit(1);
		n[0] = p[1];
		n[1] = s[1];
		n[2] = mkstemp(name);
		unlink(name);
		if (write(ready[1], n, sizeof(n)) < 0 || write(s[0], "hi", 2) < 0)
			_exit(1);
		IS(read(p[0], buffer, 8), 4);
		pause();
	}
	IS(read(ready[0], numbers, sizeof(numbers)), 12);
	fd = pidfd_open_(child, 0);
	FAILS(pidfd_getfd_(fd, numbers[0], 1), EINVAL);
	FAILS(pidfd_getfd_(fd, 77, 0), EBADF);
	FAILS(pidfd_getfd_(0, 0, 0), EBADF);
	FAILS(pidfd_getfd_(77, 0, 0), EBADF);
	pipe_ = pidfd_getfd_(fd, numbers[0], 0);
	OK(pipe_ >= 0);
	IS(fcntl(pipe_, F_GETFD), FD_CLOEXEC);
	socket_ = pidfd_getfd_(fd, numbers[1], 0);
	IS(read(socket_, buffer, 8), 2);
	file = pidfd_getfd_(fd, numbers[2], 0);
	IS(write(file, "text", 4), 4);
	IS(lseek(file, 0, SEEK_CUR), 4);
	IS(write(pipe_, "wake", 4), 4);
	sleep_ns(100 * MS);
	kill(child, SIGTERM);
	waitpid(child, NULL, 0);
	FAILS(write(socket_, "x", 1), EPIPE); /* of a pair that has lost its other end */
	close(fd);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	waiting();
	signals();
	descriptors();
	return DONE();
}
