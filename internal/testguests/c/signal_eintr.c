/* What a signal does to each blocking call: EINTR without SA_RESTART; with it some
 * calls go on and some never do (signal(7)). The handler itself does what lets a
 * restarted call end, so that a wrong restart shows as a wrong result. */
#include "net.h"
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>

static volatile sig_atomic_t handled;
static int feed_fd = -1; /* gets a byte from the handler */
static struct sockaddr_in connect_to;
static sem_t *post;

static void on_alarm(int signal)
{
	int saved = errno, fd;

	(void)signal;
	handled++;
	if (feed_fd >= 0 && write(feed_fd, "!", 1) != 1)
		_exit(9);
	if (post)
		sem_post(post);
	if (connect_to.sin_port) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(fd, SA(&connect_to), sizeof(connect_to)) == -1)
			_exit(9);
	}
	errno = saved;
}

/* in 20 ms one SIGALRM comes */
static void arm(int flags)
{
	struct sigaction a = {.sa_handler = on_alarm, .sa_flags = flags};
	struct itimerval t = {.it_value = {.tv_usec = 20000}};

	sigaction(SIGALRM, &a, NULL);
	handled = 0;
	setitimer(ITIMER_REAL, &t, NULL);
}

/* Both macros arm the alarm, make the call and say what came of it. */
#define INTERRUPTED(flags, call)                                                                   \
	do {                                                                                       \
		arm(flags);                                                                        \
		int64_t start = now_ns();                                                          \
		FAILS(call, EINTR);                                                                \
		TOOK(start, 20 * MS);                                                              \
		if (handled != 1)                                                                  \
			SAY("BAD  handled %d times", handled);                                     \
	} while (0)
#define RESTARTED(call, want)                                                                      \
	do {                                                                                       \
		arm(SA_RESTART);                                                                   \
		int64_t start = now_ns();                                                          \
		IS(call, want);                                                                    \
		TOOK(start, 20 * MS);                                                              \
		if (handled != 1)                                                                  \
			SAY("BAD  handled %d times", handled);                                     \
	} while (0)

static void sleeps(void)
{
	struct timespec t = {.tv_sec = 100}, left = {0};

	SAY("sleeps are never restarted, and tell what is left");
	INTERRUPTED(0, nanosleep(&t, &left));
	OK(left.tv_sec == 99 && left.tv_nsec > 0);
	INTERRUPTED(SA_RESTART, nanosleep(&t, &left));
	OK(left.tv_sec == 99 && left.tv_nsec > 0);
	arm(0);
	IS(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &left), EINTR);
	OK(left.tv_sec == 99 && left.tv_nsec > 0);
	left.tv_sec = 7;
	t = timespec_of(now_ns() + 100 * SECOND);
	arm(SA_RESTART);
	IS(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, &left), EINTR);
	IS(left.tv_sec, 7);
	arm(0);
	IS(sleep(100), 99);
	INTERRUPTED(SA_RESTART, pause());
	arm(0);
	FAILS(usleep(900000), EINTR);
}

static void polls(void)
{
	struct timespec t = {.tv_sec = 100};
	struct timeval tv = {.tv_sec = 100};
	struct epoll_event e;
	struct pollfd p = {.fd = -1};
	int ep = epoll_create1(0);

	SAY("neither are poll, select and epoll_wait");
	INTERRUPTED(0, poll(&p, 1, 100000));
	INTERRUPTED(SA_RESTART, poll(&p, 1, 100000));
	INTERRUPTED(SA_RESTART, poll(&p, 1, -1));
	INTERRUPTED(SA_RESTART, ppoll(&p, 1, &t, NULL));
	OK(t.tv_sec == 100);
	INTERRUPTED(0, select(0, NULL, NULL, NULL, &tv));
	OK(tv.tv_sec == 99 && tv.tv_usec > 0);
	INTERRUPTED(SA_RESTART, select(0, NULL, NULL, NULL, NULL));
	INTERRUPTED(SA_RESTART, pselect(0, NULL, NULL, NULL, &t, NULL));
	INTERRUPTED(0, epoll_wait(ep, &e, 1, -1));
	INTERRUPTED(SA_RESTART, epoll_wait(ep, &e, 1, 100000));
	close(ep);
}

static void reads(void)
{
	int pipe_[2], pair[2], tcp[2], udp, listening, fd;
	struct sockaddr_in at;
	char buffer[16];
	socklen_t size = sizeof(at);
	struct iovec part = {buffer, 16};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};

	SAY("reads from pipes and sockets are");
	IS(pipe(pipe_), 0);
	feed_fd = -1;
	INTERRUPTED(0, read(pipe_[0], buffer, 16));
	feed_fd = pipe_[1];
	RESTARTED(read(pipe_[0], buffer, 16), 1);
	RESTARTED(readv(pipe_[0], &part, 1), 1);
	feed_fd = -1;
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	INTERRUPTED(0, recv(pair[0], buffer, 16, 0));
	feed_fd = pair[1];
	RESTARTED(recv(pair[0], buffer, 16, 0), 1);
	feed_fd = -1;
	tcp_pair(tcp);
	INTERRUPTED(0, read(tcp[0], buffer, 16));
	INTERRUPTED(0, recvmsg(tcp[0], &m, 0));
	feed_fd = tcp[1];
	RESTARTED(recv(tcp[0], buffer, 16, 0), 1);
	RESTARTED(recvmsg(tcp[0], &m, 0), 1);
	SAY("not if the socket has a timeout");
	feed_fd = -1;
	set_timeout(tcp[0], SO_RCVTIMEO, 100 * SECOND);
	INTERRUPTED(SA_RESTART, recv(tcp[0], buffer, 16, 0));
	SAY("MSG_WAITALL that has got something returns it");
	set_timeout(tcp[0], SO_RCVTIMEO, 0);
	IS(write(tcp[1], "abc", 3), 3);
	arm(SA_RESTART);
	IS(recv(tcp[0], buffer, 16, MSG_WAITALL), 3);
	IS(handled, 1);

	udp = bound4(SOCK_DGRAM, &at);
	INTERRUPTED(0, recvfrom(udp, buffer, 16, 0, SA(&at), &size));
	getsockname(udp, SA(&at), &size);
	connect(udp, SA(&at), sizeof(at));
	feed_fd = udp;
	RESTARTED(recvfrom(udp, buffer, 16, 0, SA(&at), &size), 1);
	feed_fd = -1;

	SAY("accept");
	listening = listener4(&at);
	INTERRUPTED(0, accept(listening, NULL, NULL));
	connect_to = at;
	arm(SA_RESTART);
	fd = accept(listening, NULL, NULL);
	OK(fd > 0 && handled == 1);
	connect_to.sin_port = 0;
	set_timeout(listening, SO_RCVTIMEO, 100 * SECOND);
	INTERRUPTED(SA_RESTART, accept(listening, NULL, NULL));
}

static void writes(void)
{
	int pipe_[2], pair[2];
	char block[4096] = "";

	SAY("writes: EINTR if nothing was written, else what was");
	IS(pipe(pipe_), 0);
	IS(write(pipe_[1], block, 4096), 4096);
	fcntl(pipe_[1], F_SETFL, O_NONBLOCK);
	while (write(pipe_[1], block, 4096) > 0)
		;
	fcntl(pipe_[1], F_SETFL, 0);
	INTERRUPTED(0, write(pipe_[1], block, 4096));
	IS(read(pipe_[0], block, 4096), 4096);
	arm(SA_RESTART);
	static char large[100000];
	IS(write(pipe_[1], large, sizeof(large)), 4096);
	IS(handled, 1);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	while (send(pair[0], block, 4096, MSG_DONTWAIT) > 0)
		;
	INTERRUPTED(0, send(pair[0], block, 4096, 0));
	set_timeout(pair[0], SO_SNDTIMEO, 100 * SECOND);
	INTERRUPTED(SA_RESTART, send(pair[0], block, 4096, 0));
}

static void waits(void)
{
	int status = 0, pipe_[2];
	siginfo_t info;
	sigset_t usr1;
	struct timespec t = {.tv_sec = 100};
	pid_t child;
	char byte;
	sem_t sem;

	SAY("waiting for children");
	if (pipe(pipe_) == -1)
		exit(2);
	if ((child = fork()) == 0) {
		close(pipe_[1]);
		_exit(read(pipe_[0], &byte, 1) == 1 ? 3 : 4);
	}
	feed_fd = -1;
	INTERRUPTED(0, waitpid(child, &status, 0));
	INTERRUPTED(0, waitid(P_PID, child, &info, WEXITED));
	feed_fd = pipe_[1];
	RESTARTED(waitpid(child, &status, 0) == child, 1);
	IS(WEXITSTATUS(status), 3);
	feed_fd = -1;

	SAY("signals and semaphores");
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	INTERRUPTED(SA_RESTART, sigtimedwait(&usr1, &info, &t));
	INTERRUPTED(0, sigwaitinfo(&usr1, &info));
	sem_init(&sem, 0, 0);
	INTERRUPTED(0, sem_wait(&sem));
	t = timespec_of(clock_ns(CLOCK_REALTIME) + 30 * MS);
	INTERRUPTED(SA_RESTART, sem_timedwait(&sem, &t));
	post = &sem;
	RESTARTED(sem_wait(&sem), 0);
}

int main(void)
{
	sleeps();
	polls();
	reads();
	writes();
	waits();
	return DONE();
}
