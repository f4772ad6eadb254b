/* epoll, level triggered: adding, changing, removing, closing, nesting, errors. */
#include "net.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int ep;

static int control(int op, int fd, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.u64 = 0x100000000ull + fd};

	return epoll_ctl(ep, op, fd, &e);
}

static struct epoll_event got[8];

static int wait_for(int timeout_ms) { return epoll_wait(ep, got, 8, timeout_ms); }

static int wake;

static void *late(void *unused)
{
	(void)unused;
	sleep_ns(40 * MS);
	if (eventfd_write(wake, 1) == -1)
		exit(1);
	return NULL;
}

int main(void)
{
	struct timespec t = timespec_of(15 * MS);
	int64_t start;
	pthread_t thread;
	int one[2], two[2], pair[2], copy, outer, file;
	char byte;

	FAILS(epoll_create(0), EINVAL);
	FAILS(epoll_create1(1), EINVAL);
	ep = epoll_create1(EPOLL_CLOEXEC);
	IS(ep, 3);
	IS(fcntl(ep, F_GETFD), FD_CLOEXEC);
	start = now_ns();
	IS(wait_for(20), 0);
	TOOK(start, 20 * MS);
	start = now_ns();
	IS(epoll_pwait2(ep, got, 8, &t, NULL), 0);
	TOOK(start, 15 * MS);

	IS(pipe(one), 0);
	IS(pipe(two), 0);
	IS(control(EPOLL_CTL_ADD, one[0], EPOLLIN), 0);
	FAILS(control(EPOLL_CTL_ADD, one[0], EPOLLIN), EEXIST);
	FAILS(control(EPOLL_CTL_MOD, two[0], EPOLLIN), ENOENT);
	FAILS(control(EPOLL_CTL_DEL, two[0], EPOLLIN), ENOENT);
	FAILS(control(EPOLL_CTL_ADD, 77, EPOLLIN), EBADF);
	FAILS(control(EPOLL_CTL_ADD, ep, EPOLLIN), EINVAL);
	FAILS(control(99, two[0], EPOLLIN), EINVAL);
	file = open("/proc/self/exe", O_RDONLY);
	FAILS(control(EPOLL_CTL_ADD, file, EPOLLIN), EPERM);
	FAILS(epoll_wait(ep, got, 0, 0), EINVAL);
	FAILS(epoll_wait(one[0], got, 8, 0), EINVAL);
	FAILS(epoll_wait(77, got, 8, 0), EBADF);
	IS(wait_for(0), 0);

	SAY("level: told until it is read");
	IS(write(one[1], "ab", 2), 2);
	IS(wait_for(-1), 1);
	OK(got[0].events == EPOLLIN && got[0].data.u64 == 0x100000000ull + one[0]);
	IS(wait_for(0), 1);
	IS(read(one[0], &byte, 1), 1);
	IS(wait_for(0), 1);
	IS(read(one[0], &byte, 1), 1);
	IS(wait_for(0), 0);

	SAY("several: each once, none starves");
	IS(control(EPOLL_CTL_ADD, two[0], EPOLLIN), 0);
	IS(control(EPOLL_CTL_ADD, two[1], EPOLLOUT), 0);
	IS(write(one[1], "a", 1), 1);
	IS(write(two[1], "b", 1), 1);
	IS(wait_for(-1), 3);
	IS(epoll_wait(ep, got, 1, 0), 1);
	copy = got[0].data.u64 & 0xff;
	IS(epoll_wait(ep, got, 1, 0), 1);
	OK((int)(got[0].data.u64 & 0xff) != copy);
	IS(control(EPOLL_CTL_MOD, two[1], 0), 0);
	IS(control(EPOLL_CTL_DEL, one[0], 0), 0);
	IS(wait_for(0), 1);
	IS(got[0].data.u64 & 0xff, 6);

	SAY("closing the last descriptor removes it; a copy keeps it");
	copy = dup(two[0]);
	close(two[0]);
	IS(wait_for(0), 1);
	close(copy);
	IS(wait_for(0), 1);
	SAY("the writing end now reports an error, asked or not");
	OK((got[0].data.u64 & 0xff) == 7 && got[0].events == EPOLLERR);
	close(two[1]);
	IS(wait_for(0), 0);

	SAY("sockets: hang-up and half-close");
	tcp_pair(pair);
	IS(control(EPOLL_CTL_ADD, pair[0], EPOLLIN | EPOLLOUT | EPOLLRDHUP), 0);
	IS(wait_for(-1), 1);
	IS(got[0].events, EPOLLOUT);
	shutdown(pair[1], SHUT_WR);
	poll_for(pair[0], POLLIN, 1000);
	IS(wait_for(-1), 1);
	IS(got[0].events, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
	shutdown(pair[0], SHUT_WR);
	poll_for(pair[0], 0, 1000);
	IS(wait_for(-1), 1);
	IS(got[0].events, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP);
	close(pair[0]);
	IS(wait_for(0), 0);

	SAY("woken by a thread");
	wake = eventfd(0, 0);
	IS(control(EPOLL_CTL_ADD, wake, EPOLLIN), 0);
	start = now_ns();
	pthread_create(&thread, NULL, late, NULL);
	IS(wait_for(5000), 1);
	TOOK(start, 40 * MS);
	pthread_join(thread, NULL);

	SAY("an epoll in an epoll, and in poll");
	outer = epoll_create1(0);
	IS(epoll_ctl(outer, EPOLL_CTL_ADD, ep, &(struct epoll_event){.events = EPOLLIN}), 0);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, outer, &(struct epoll_event){.events = EPOLLIN}), ELOOP);
	IS(epoll_wait(outer, got, 8, -1), 1);
	IS(poll_for(ep, POLLIN, 0), POLLIN);
	IS(eventfd_read(wake, &(eventfd_t){0}), 0);
	IS(epoll_wait(outer, got, 8, 0), 0);
	IS(poll_for(ep, POLLIN, 0), 0);

	SAY("a child shares the interest list");
	if ((copy = fork()) == 0)
		_exit(control(EPOLL_CTL_DEL, wake, 0) != 0 || eventfd_write(wake, 1) != 0);
	check_child(copy);
	IS(wait_for(0), 0);
	return DONE();
}
