/* epoll, edge triggered and one-shot. */
#include "net.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int ep;
static struct epoll_event got[8];

static int control(int op, int fd, uint32_t events)
{
	return epoll_ctl(ep, op, fd, &(struct epoll_event){.events = events, .data.fd = fd});
}

static int ready(void) { return epoll_wait(ep, got, 8, 0); }

int main(void)
{
	int one[2], pair[2], event, i;
	char buffer[4096] = "";

	ep = epoll_create1(0);
	IS(pipe(one), 0);
	SAY("edge: told once for each arrival, not for what is left");
	IS(control(EPOLL_CTL_ADD, one[0], EPOLLIN | EPOLLET), 0);
	IS(ready(), 0);
	IS(write(one[1], "abc", 3), 3);
	IS(ready(), 1);
	IS(ready(), 0);
	IS(read(one[0], buffer, 1), 1);
	IS(ready(), 0);
	IS(write(one[1], "d", 1), 1);
	IS(ready(), 1);
	IS(ready(), 0);
	SAY("changing it tells again");
	IS(control(EPOLL_CTL_MOD, one[0], EPOLLIN | EPOLLET), 0);
	IS(ready(), 1);
	IS(read(one[0], buffer, 64), 3);
	IS(control(EPOLL_CTL_MOD, one[0], EPOLLIN | EPOLLET), 0);
	IS(ready(), 0);
	SAY("added when there is data already");
	IS(write(one[1], "x", 1), 1);
	IS(control(EPOLL_CTL_DEL, one[0], 0), 0);
	IS(control(EPOLL_CTL_ADD, one[0], EPOLLIN | EPOLLET), 0);
	IS(ready(), 1);
	IS(ready(), 0);
	close(one[1]);
	IS(ready(), 1);
	OK(got[0].events & EPOLLHUP);
	IS(ready(), 0);
	close(one[0]);

	SAY("edge on writing: told when a full socket has room again");
	IS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	IS(control(EPOLL_CTL_ADD, pair[0], EPOLLOUT | EPOLLET), 0);
	IS(ready(), 1);
	IS(ready(), 0);
	while (write(pair[0], buffer, sizeof(buffer)) > 0)
		;
	IS(errno, EAGAIN);
	IS(ready(), 0);
	while (read(pair[1], buffer, sizeof(buffer)) > 0)
		;
	IS(ready(), 1);
	OK(got[0].events == EPOLLOUT);
	IS(ready(), 0);
	close(pair[0]);
	close(pair[1]);

	SAY("TCP: the end of the stream is an edge too");
	tcp_pair(pair);
	IS(control(EPOLL_CTL_ADD, pair[0], EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET), 0);
	IS(ready(), 1);
	IS(got[0].events, EPOLLOUT);
	IS(write(pair[1], "x", 1), 1);
	IS(epoll_wait(ep, got, 8, 1000), 1);
	IS(got[0].events, EPOLLIN | EPOLLOUT);
	IS(ready(), 0);
	IS(read(pair[0], buffer, 64), 1);
	close(pair[1]);
	IS(epoll_wait(ep, got, 8, 1000), 1);
	OK((got[0].events & (EPOLLIN | EPOLLRDHUP)) == (EPOLLIN | EPOLLRDHUP));
	close(pair[0]);

	SAY("one-shot: silent until armed again");
	event = eventfd(0, EFD_SEMAPHORE);
	IS(control(EPOLL_CTL_ADD, event, EPOLLIN | EPOLLONESHOT), 0);
	IS(eventfd_write(event, 3), 0);
	IS(ready(), 1);
	IS(ready(), 0);
	IS(eventfd_write(event, 1), 0);
	IS(ready(), 0);
	FAILS(control(EPOLL_CTL_ADD, event, EPOLLIN), EEXIST);
	IS(control(EPOLL_CTL_MOD, event, EPOLLIN | EPOLLONESHOT | EPOLLET), 0);
	IS(ready(), 1);
	IS(ready(), 0);

	SAY("two instances watch one descriptor; EPOLLEXCLUSIVE");
	i = ep;
	ep = epoll_create1(0);
	IS(control(EPOLL_CTL_ADD, event, EPOLLIN | EPOLLEXCLUSIVE), 0);
	FAILS(control(EPOLL_CTL_MOD, event, EPOLLIN), EINVAL);
	IS(ready(), 1);
	close(ep);
	ep = i;
	IS(ready(), 0);
	IS(control(EPOLL_CTL_MOD, event, EPOLLIN), 0);
	for (i = 0; i < 4; i++)
		if (ready() != 1 || eventfd_read(event, &(eventfd_t){0}) != 0)
			break;
	IS(i, 4);
	IS(ready(), 0);
	return DONE();
}
