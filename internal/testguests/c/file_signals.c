/* Signals of open files: F_SETOWN, F_SETSIG, O_ASYNC and urgent data. */
#include "net.h"
#include <signal.h>

static sigset_t all;

/* comes waits for a signal, however busy the machine is. */
static int comes(int signal)
{
	struct timespec limit = {10, 0};

	return sigtimedwait(&all, NULL, &limit) == signal;
}

/* nothing_comes tells whether there is none. */
static int nothing_comes(void)
{
	struct timespec none = {0};

	sleep_ns(20 * MS);
	return sigtimedwait(&all, NULL, &none) == -1 && errno == EAGAIN;
}

static void owners(int fd)
{
	struct f_owner_ex owner = {F_OWNER_PID, 0};
	int who = 0;

	IS(fcntl(fd, F_GETOWN), 0);
	FAILS(fcntl(fd, F_SETOWN, 999999), ESRCH);
	FAILS(fcntl(fd, F_SETOWN, -999999), ESRCH);
	IS(fcntl(fd, F_SETOWN, -getpgrp()), 0);
	IS(fcntl(fd, F_GETOWN_EX, &owner), 0);
	OK(owner.type == F_OWNER_PGRP && owner.pid == getpgrp());
	owner = (struct f_owner_ex){F_OWNER_TID, gettid()};
	IS(fcntl(fd, F_SETOWN_EX, &owner), 0);
	OK(fcntl(fd, F_GETOWN) == gettid());
	owner.type = 3;
	FAILS(fcntl(fd, F_SETOWN_EX, &owner), EINVAL);
	FAILS(fcntl(fd, F_SETOWN_EX, NULL), EFAULT);
	IS(fcntl(fd, F_SETOWN, 0), 0);
	IS(fcntl(fd, F_GETOWN), 0);
	who = getpid();
	IS(ioctl(fd, FIOSETOWN, &who), 0);
	who = 0;
	IS(ioctl(fd, SIOCGPGRP, &who), 0);
	OK(who == getpid());
	IS(fcntl(fd, F_GETSIG), 0);
	FAILS(fcntl(fd, F_SETSIG, 65), EINVAL);
}

static void arrivals(int to, int from)
{
	char b[100];
	int on = 1;

	IS(write(from, "a", 1), 1);
	SAY("nothing comes without O_ASYNC");
	OK(nothing_comes());
	IS(fcntl(to, F_SETFL, fcntl(to, F_GETFL) | O_ASYNC), 0);
	OK(fcntl(to, F_GETFL) & O_ASYNC);
	OK(nothing_comes());
	IS(write(from, "b", 1), 1);
	OK(comes(SIGIO));
	IS(fcntl(to, F_SETSIG, SIGRTMIN + 1), 0);
	IS(write(from, "c", 1), 1);
	OK(comes(SIGRTMIN + 1));
	IS(fcntl(to, F_SETSIG, 0), 0);
	IS(read(to, b, sizeof(b)), 3);
	OK(nothing_comes());
	IS(fcntl(to, F_SETFL, O_RDWR), 0);
	IS(write(from, "d", 1), 1);
	OK(nothing_comes());
	IS(ioctl(to, FIOASYNC, &on), 0);
	IS(write(from, "e", 1), 1);
	OK(comes(SIGIO));
	IS(read(to, b, sizeof(b)), 2);
}

static void of_tcp(void)
{
	struct sockaddr_in address = in4("127.0.0.1", 0);
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), server;
	char b;

	IS(bind(listener, SA(&address), size), 0);
	IS(listen(listener, 5), 0);
	IS(getsockname(listener, SA(&address), &size), 0);
	IS(fcntl(listener, F_SETOWN, getpid()), 0);
	IS(fcntl(listener, F_SETFL, O_RDWR | O_ASYNC), 0);
	IS(connect(client, SA(&address), size), 0);
	OK(comes(SIGIO));
	server = accept(listener, NULL, NULL);
	IS(fcntl(server, F_GETOWN), 0);
	SAY("urgent data");
	IS(fcntl(server, F_SETOWN, getpid()), 0);
	IS(send(client, "u", 1, MSG_OOB), 1);
	OK(comes(SIGURG));
	OK(nothing_comes());
	IS(recv(server, &b, 1, MSG_OOB), 1);
	arrivals(server, client);
	SAY("the end");
	IS(close(client), 0);
	OK(comes(SIGIO));
	close(server);
	close(listener);
}

static void room(void)
{
	static char much[4096];
	int ends[2];

	SAY("room in a pipe");
	IS(pipe2(ends, O_NONBLOCK), 0);
	IS(fcntl(ends[1], F_SETOWN, getpid()), 0);
	IS(fcntl(ends[1], F_SETFL, O_WRONLY | O_NONBLOCK | O_ASYNC), 0);
	while (write(ends[1], much, sizeof(much)) > 0)
		;
	OK(nothing_comes());
	IS(read(ends[0], much, sizeof(much)), sizeof(much));
	OK(comes(SIGIO));
	close(ends[0]);
	close(ends[1]);
}

/* again connects from the port of a connection that is in TIME_WAIT. */
static void again(void)
{
	struct sockaddr_in to = in4("127.0.0.1", 0), from = to;
	socklen_t size = sizeof(to);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	char b;

	SAY("a connection follows another one of the same name");
	IS(bind(listener, SA(&to), size), 0);
	IS(listen(listener, 5), 0);
	IS(getsockname(listener, SA(&to), &size), 0);
	for (int i = 0; i < 2; i++) {
		int client = socket(AF_INET, SOCK_STREAM, 0);

		set_int(client, SOL_SOCKET, SO_REUSEADDR, 1);
		IS(bind(client, SA(&from), size), 0);
		/* It may not be in TIME_WAIT yet. */
		for (int tries = 0; connect(client, SA(&to), size) == -1 && tries < 500; tries++)
			sleep_ns(20 * MS);
		IS(getsockname(client, SA(&from), &size), 0);
		int server = accept(listener, NULL, NULL);
		close(client);
		IS(read(server, &b, 1), 0);
		close(server);
	}
}

int main(void)
{
	int pair[2], udp = socket(AF_INET, SOCK_DGRAM, 0);
	char b;

	sigemptyset(&all);
	sigaddset(&all, SIGIO);
	sigaddset(&all, SIGURG);
	sigaddset(&all, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &all, NULL);
	IS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	owners(pair[0]);
	arrivals(pair[0], pair[1]);
	of_tcp();
	room();
	again();
	SAY("reading nothing");
	IS(read(pair[0], &b, 0), 0);
	IS(read(udp, &b, 0), 0);
	return DONE();
}
