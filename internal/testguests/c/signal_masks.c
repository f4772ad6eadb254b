/* The calls that take a signal mask for as long as they wait: ppoll, pselect,
 * epoll_pwait. A blocked, pending signal ends them; a mask is put back; and an
 * event that is there already wins. */
#include "check.h"
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>

static volatile sig_atomic_t handled;

static void count(int signal)
{
	(void)signal;
	handled++;
}

static int blocked(void)
{
	sigset_t now;

	sigprocmask(SIG_SETMASK, NULL, &now);
	return sigismember(&now, SIGUSR1);
}

/* later: a child sends SIGUSR1 after 20 ms */
static pid_t later(void)
{
	pid_t parent = getpid(), child = fork();

	if (child == 0) {
		sleep_ns(20 * MS);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	return child;
}

int main(void)
{
	struct sigaction a = {.sa_handler = count, .sa_flags = SA_RESTART};
	struct timespec t = {.tv_sec = 100}, none = {0};
	struct epoll_event e = {.events = EPOLLIN};
	sigset_t usr1, open;
	int pipe_[2], ep = epoll_create1(0);
	struct pollfd p;
	fd_set in;
	pid_t child;
	int64_t start;

	sigemptyset(&open);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigaction(SIGUSR1, &a, NULL);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	if (pipe(pipe_) == -1)
		return 2;
	p = (struct pollfd){.fd = pipe_[0], .events = POLLIN};
	epoll_ctl(ep, EPOLL_CTL_ADD, pipe_[0], &e);

	SAY("pending before");
	raise(SIGUSR1);
	IS(poll(&p, 1, 0), 0);
	IS(handled, 0);
	FAILS(ppoll(&p, 1, &t, &open), EINTR);
	IS(handled, 1);
	IS(blocked(), 1);
	raise(SIGUSR1);
	FD_ZERO(&in);
	FD_SET(pipe_[0], &in);
	FAILS(pselect(pipe_[0] + 1, &in, NULL, NULL, &t, &open), EINTR);
	IS(handled, 2);
	OK(FD_ISSET(pipe_[0], &in));
	raise(SIGUSR1);
	FAILS(epoll_pwait(ep, &e, 1, -1, &open), EINTR);
	IS(handled, 3);
	raise(SIGUSR1);
	FAILS(epoll_pwait2(ep, &e, 1, &t, &open), EINTR);
	IS(handled, 4);
	IS(blocked(), 1);

	SAY("while waiting");
	start = now_ns();
	child = later();
	FAILS(ppoll(&p, 1, NULL, &open), EINTR);
	TOOK(start, 20 * MS);
	check_child(child);
	child = later();
	FAILS(pselect(0, NULL, NULL, NULL, NULL, &open), EINTR);
	check_child(child);
	child = later();
	FAILS(epoll_pwait(ep, &e, 1, 100000, &open), EINTR);
	check_child(child);
	IS(handled, 7);

	SAY("blocked by the mask: not seen until the call is over");
	sigprocmask(SIG_SETMASK, &open, NULL);
	child = later();
	t = timespec_of(100 * MS);
	start = now_ns();
	IS(ppoll(&p, 1, &t, &usr1), 0);
	TOOK(start, 100 * MS);
	IS(handled, 8);
	check_child(child);
	IS(blocked(), 0);
	child = later();
	IS(epoll_pwait(ep, &e, 1, 100, &usr1), 0);
	IS(handled, 9);
	check_child(child);

	SAY("what is ready wins over a pending signal, which stays pending");
	sigprocmask(SIG_SETMASK, &usr1, NULL);
	IS(write(pipe_[1], "x", 1), 1);
	raise(SIGUSR1);
	IS(ppoll(&p, 1, NULL, &open), 1);
	IS(handled, 9);
	IS(epoll_pwait(ep, &e, 1, -1, &open), 1);
	IS(handled, 9);
	FD_SET(pipe_[0], &in);
	IS(pselect(pipe_[0] + 1, &in, NULL, NULL, &none, &open), 1);
	IS(handled, 9);
	sigprocmask(SIG_SETMASK, &open, NULL);
	IS(handled, 10);
	return DONE();
}
