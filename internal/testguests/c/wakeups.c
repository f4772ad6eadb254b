/* Threads that block on one descriptor while another thread writes, shuts down or
 * closes it; threads that share an epoll instance. */
#include "net.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int pair[2], listening, ep, event;
static volatile int woken;
static struct sockaddr_in at;

static void *read_block(void *unused)
{
	char buffer[8];

	(void)unused;
	return (void *)(intptr_t)read(pair[0], buffer, 8);
}

static void *accept_block(void *unused)
{
	int fd = accept(listening, NULL, NULL);

	(void)unused;
	return (void *)(intptr_t)(fd == -1 ? -errno : 1);
}

static void *poll_block(void *unused)
{
	(void)unused;
	return (void *)(intptr_t)poll_for(pair[0], POLLIN, -1);
}

static void *epoll_block(void *unused)
{
	struct epoll_event e;

	(void)unused;
	if (epoll_wait(ep, &e, 1, -1) == 1)
		__sync_fetch_and_add(&woken, 1);
	return NULL;
}

static void *send_block(void *unused)
{
	static char data[8000000];

	(void)unused;
	return (void *)(intptr_t)(send(pair[0], data, sizeof(data), MSG_NOSIGNAL) == sizeof(data));
}

static intptr_t result_of(pthread_t thread)
{
	void *result = NULL;

	pthread_join(thread, &result);
	return (intptr_t)result;
}

/* woken_after waits until n threads have been woken, and a little for one more. */
static int woken_after(int n)
{
	for (int i = 0; i < 500 && woken < n; i++)
		sleep_ns(2 * MS);
	sleep_ns(20 * MS);
	return woken;
}

int main(void)
{
	pthread_t threads[3];
	char buffer[65536];
	ssize_t n;
	long total = 0;

	SAY("shutdown ends a blocked read, poll and accept");
	tcp_pair(pair);
	pthread_create(&threads[0], NULL, read_block, NULL);
	sleep_ns(20 * MS);
	IS(shutdown(pair[0], SHUT_RD), 0);
	IS(result_of(threads[0]), 0);
	close(pair[0]);
	close(pair[1]);
	tcp_pair(pair);
	pthread_create(&threads[0], NULL, poll_block, NULL);
	sleep_ns(20 * MS);
	IS(shutdown(pair[0], SHUT_RDWR), 0);
	OK(result_of(threads[0]) & POLLIN);
	close(pair[0]);
	close(pair[1]);
	listening = listener4(&at);
	pthread_create(&threads[0], NULL, accept_block, NULL);
	sleep_ns(20 * MS);
	IS(shutdown(listening, SHUT_RD), 0);
	IS(result_of(threads[0]), -EINVAL);
	close(listening);

	SAY("close does not: the open file lives as long as the read");
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	pthread_create(&threads[0], NULL, read_block, NULL);
	sleep_ns(20 * MS);
	IS(close(pair[0]), 0);
	sleep_ns(20 * MS);
	IS(write(pair[1], "still", 5), 5);
	IS(result_of(threads[0]), 5);
	close(pair[1]);

	SAY("one byte wakes one of several readers, one connection one of several acceptors");
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, read_block, NULL);
	sleep_ns(20 * MS);
	IS(write(pair[1], "x", 1), 1);
	sleep_ns(20 * MS);
	IS(write(pair[1], "y", 1), 1);
	sleep_ns(20 * MS);
	close(pair[1]);
	IS(result_of(threads[0]) + result_of(threads[1]) + result_of(threads[2]), 2);
	close(pair[0]);
	listening = listener4(&at);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, accept_block, NULL);
	for (int i = 0; i < 3; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		IS(connect(fd, SA(&at), sizeof(at)), 0);
	}
	IS(result_of(threads[0]) + result_of(threads[1]) + result_of(threads[2]), 3);

	SAY("edge-triggered and one-shot events wake one waiter");
	ep = epoll_create1(0);
	event = eventfd(0, 0);
	epoll_ctl(ep, EPOLL_CTL_ADD, event, &(struct epoll_event){.events = EPOLLIN | EPOLLET});
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, epoll_block, NULL);
	sleep_ns(20 * MS);
	for (int i = 1; i <= 3; i++) {
		IS(eventfd_write(event, 1), 0);
		IS(woken_after(i) == i, 1);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	woken = 0;
	epoll_ctl(ep, EPOLL_CTL_MOD, event, &(struct epoll_event){.events = EPOLLIN | EPOLLONESHOT});
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, epoll_block, NULL);
	IS(woken_after(1), 1);
	epoll_ctl(ep, EPOLL_CTL_MOD, event, &(struct epoll_event){.events = EPOLLIN | EPOLLONESHOT});
	IS(woken_after(2), 2);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	SAY("a descriptor that is added while a thread waits");
	IS(epoll_ctl(ep, EPOLL_CTL_DEL, event, NULL), 0);
	woken = 0;
	pthread_create(&threads[0], NULL, epoll_block, NULL);
	sleep_ns(20 * MS);
	IS(woken, 0);
	IS(epoll_ctl(ep, EPOLL_CTL_ADD, event, &(struct epoll_event){.events = EPOLLIN}), 0);
	IS(woken_after(1), 1);
	pthread_join(threads[0], NULL);

	SAY("a writer that is blocked goes on as the reader makes room");
	tcp_pair(pair);
	pthread_create(&threads[0], NULL, send_block, NULL);
	while (total < 8000000 && (n = read(pair[1], buffer, sizeof(buffer))) > 0)
		total += n;
	IS(total, 8000000);
	IS(result_of(threads[0]), 1);
	return DONE();
}
