/* eventfd, timerfd and signalfd. */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static int ready(int fd, int events, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = events};

	poll(&p, 1, timeout_ms);
	return p.revents;
}

static struct itimerspec spec(int64_t first, int64_t interval)
{
	return (struct itimerspec){.it_value = timespec_of(first), .it_interval = timespec_of(interval)};
}

static void events(void)
{
	int fd = eventfd(5, EFD_NONBLOCK | EFD_CLOEXEC);
	uint64_t n = 0;
	pid_t child;

	SAY("eventfd");
	IS(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
	IS(fcntl(fd, F_GETFD), FD_CLOEXEC);
	IS(ready(fd, POLLIN | POLLOUT, 0), POLLIN | POLLOUT);
	FAILS(read(fd, &n, 4), EINVAL);
	IS(read(fd, &n, 8), 8);
	IS(n, 5);
	FAILS(read(fd, &n, 8), EAGAIN);
	n = 3;
	IS(write(fd, &n, 8), 8);
	n = 4;
	IS(write(fd, &n, 8), 8);
	IS(read(fd, &n, 8), 8);
	IS(n, 7);
	n = UINT64_MAX;
	FAILS(write(fd, &n, 8), EINVAL);
	n = UINT64_MAX - 1;
	IS(write(fd, &n, 8), 8);
	IS(ready(fd, POLLIN | POLLOUT, 0), POLLIN);
	n = 1;
	FAILS(write(fd, &n, 8), EAGAIN);
	n = 0;
	IS(write(fd, &n, 8), 8);
	close(fd);

	fd = eventfd(2, EFD_SEMAPHORE);
	IS(read(fd, &n, 8), 8);
	IS(n, 1);
	IS(read(fd, &n, 8), 8);
	if ((child = fork()) == 0) {
		sleep_ns(20 * MS);
		_exit(eventfd_write(fd, 1) != 0);
	}
	IS(read(fd, &n, 8), 8);
	IS(n, 1);
	check_child(child);
	close(fd);
	FAILS(eventfd(0, 0x1000), EINVAL);
}

static void timers(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct itimerspec its = spec(30 * MS, 0), old;
	int64_t start = now_ns();
	uint64_t n = 0;

	SAY("timerfd");
	FAILS(timerfd_create(99, 0), EINVAL);
	IS(timerfd_settime(fd, 0, &its, NULL), 0);
	IS(timerfd_gettime(fd, &old), 0);
	OK(old.it_value.tv_sec == 0 && old.it_value.tv_nsec > 0 && old.it_value.tv_nsec <= 30 * MS);
	FAILS(read(fd, &n, 4), EINVAL);
	IS(read(fd, &n, 8), 8);
	IS(n, 1);
	TOOK(start, 30 * MS);
	IS(timerfd_gettime(fd, &old), 0);
	OK(old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0);

	SAY("a period: what was missed is counted");
	its = spec(10 * MS, 10 * MS);
	start = now_ns();
	IS(timerfd_settime(fd, 0, &its, NULL), 0);
	IS(read(fd, &n, 8), 8);
	sleep_ns(start + 55 * MS - now_ns());
	IS(ready(fd, POLLIN, 0), POLLIN);
	IS(read(fd, &n, 8), 8);
	OK(n >= 4);
	SAY("disarmed");
	its = spec(0, 0);
	IS(timerfd_settime(fd, 0, &its, &old), 0);
	OK(old.it_interval.tv_nsec == 10 * MS && old.it_value.tv_nsec <= 10 * MS);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	FAILS(read(fd, &n, 8), EAGAIN);
	IS(ready(fd, POLLIN, 20), 0);
	SAY("absolute; in the past it ends at once");
	its = (struct itimerspec){.it_value = timespec_of(now_ns() + 25 * MS)};
	start = now_ns();
	IS(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL), 0);
	IS(ready(fd, POLLIN, 5000), POLLIN);
	its = spec(1, 0);
	IS(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL), 0);
	IS(ready(fd, POLLIN, 1000), POLLIN);
	IS(read(fd, &n, 8), 8);
	SAY("setting it forgets what was not read");
	its = spec(1 * MS, 0);
	timerfd_settime(fd, 0, &its, NULL);
	IS(ready(fd, POLLIN, 1000), POLLIN);
	its = spec(1000 * SECOND, 0);
	IS(timerfd_settime(fd, 0, &its, NULL), 0);
	IS(ready(fd, POLLIN, 0), 0);
	its.it_value.tv_nsec = SECOND;
	FAILS(timerfd_settime(fd, 0, &its, NULL), EINVAL);
	FAILS(timerfd_settime(0, 0, &its, NULL), EINVAL);
	FAILS(write(fd, &n, 8), EINVAL);
	close(fd);

	fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	its = (struct itimerspec){.it_value = timespec_of(clock_ns(CLOCK_REALTIME) + 20 * MS)};
	start = now_ns();
	IS(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL), 0);
	IS(ready(fd, POLLIN, 5000), POLLIN);
	IS(read(fd, &n, 8), 8);
	IS(n, 1);
	close(fd);
}

static void signals(void)
{
	struct signalfd_siginfo info[2];
	sigset_t set, none;
	int fd;
	pid_t child;

	SAY("signalfd");
	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	FAILS(read(fd, info, sizeof(info)), EAGAIN);
	IS(ready(fd, POLLIN, 0), 0);
	IS(kill(getpid(), SIGUSR1), 0);
	IS(kill(getpid(), SIGUSR1), 0);
	IS(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 7}), 0);
	IS(ready(fd, POLLIN, 0), POLLIN);
	FAILS(read(fd, info, 8), EINVAL);
	IS(read(fd, info, sizeof(info)), sizeof(info));
	OK(info[0].ssi_signo == SIGUSR1 && (pid_t)info[0].ssi_pid == getpid() && info[0].ssi_code == SI_USER);
	OK((int)info[1].ssi_signo == SIGRTMIN + 1 && info[1].ssi_int == 7 && info[1].ssi_code == SI_QUEUE);
	FAILS(read(fd, info, sizeof(info)), EAGAIN);
	SAY("a blocking read, a signal from a child, then the child's own end");
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	IS(signalfd(fd, &set, 0), fd);
	IS(fcntl(fd, F_SETFL, 0), 0);
	if ((child = fork()) == 0) {
		sleep_ns(20 * MS);
		kill(getppid(), SIGUSR1);
		sleep_ns(20 * MS);
		_exit(9);
	}
	IS(read(fd, info, sizeof(info)), sizeof(info[0]));
	OK(info[0].ssi_signo == SIGUSR1 && (pid_t)info[0].ssi_pid == child);
	IS(read(fd, info, sizeof(info)), sizeof(info[0]));
	OK(info[0].ssi_signo == SIGCHLD && info[0].ssi_status == 9 && info[0].ssi_code == CLD_EXITED);
	IS(waitpid(child, NULL, 0), child);
	IS(signalfd(fd, &none, 0), fd);
	kill(getpid(), SIGUSR1);
	IS(ready(fd, POLLIN, 0), 0);
	FAILS(signalfd(0, &set, 0), EINVAL);
	FAILS(signalfd(77, &set, 0), EBADF);
}

int main(void)
{
	events();
	timers();
	signals();
	return DONE();
}
