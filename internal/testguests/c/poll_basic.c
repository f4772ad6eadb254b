/* poll and ppoll: timeouts, which events, bad descriptors, several at once. */
#include "net.h"
#include <pthread.h>

static int pipe_[2];

static void *late(void *unused)
{
	(void)unused;
	sleep_ns(40 * MS);
	if (write(pipe_[1], "x", 1) != 1)
		exit(1);
	return NULL;
}

int main(void)
{
	struct pollfd p[3] = {{.fd = -1, .events = POLLIN}, {.fd = -1}, {.fd = -1}};
	struct timespec t = timespec_of(30 * MS), bad = {.tv_nsec = 1000000000};
	int64_t start;
	pthread_t thread;
	char byte;
	int other[2], file;

	SAY("only a timeout");
	start = now_ns();
	IS(poll(NULL, 0, 20), 0);
	TOOK(start, 20 * MS);
	start = now_ns();
	IS(poll(p, 1, 20), 0);
	TOOK(start, 20 * MS);
	IS(p[0].revents, 0);
	start = now_ns();
	IS(ppoll(p, 1, &t, NULL), 0);
	TOOK(start, 30 * MS);
	OK(t.tv_nsec == 30 * MS);
	FAILS(ppoll(p, 1, &bad, NULL), EINVAL);
	bad.tv_nsec = -1;
	FAILS(ppoll(p, 1, &bad, NULL), EINVAL);

	SAY("a pipe");
	IS(pipe(pipe_), 0);
	IS(pipe(other), 0);
	p[0].fd = pipe_[0];
	p[1] = (struct pollfd){.fd = pipe_[1], .events = POLLIN | POLLOUT};
	p[2] = (struct pollfd){.fd = 77, .events = POLLIN};
	IS(poll(p, 3, -1), 2);
	IS(p[0].revents, 0);
	IS(p[1].revents, POLLOUT);
	IS(p[2].revents, POLLNVAL);
	IS(write(pipe_[1], "x", 1), 1);
	IS(poll(p, 1, -1), 1);
	IS(p[0].revents, POLLIN);
	p[0].events = POLLOUT;
	IS(poll(p, 1, 0), 0);
	p[0].events = POLLIN | POLLRDNORM | POLLPRI;
	IS(poll(p, 1, 0), 1);
	IS(p[0].revents, POLLIN | POLLRDNORM);
	IS(read(pipe_[0], &byte, 1), 1);

	SAY("woken by a thread");
	p[0].events = POLLIN;
	p[1] = (struct pollfd){.fd = other[0], .events = POLLIN};
	start = now_ns();
	pthread_create(&thread, NULL, late, NULL);
	IS(poll(p, 2, 5000), 1);
	TOOK(start, 40 * MS);
	pthread_join(thread, NULL);
	IS(read(pipe_[0], &byte, 1), 1);

	SAY("ends");
	close(other[1]);
	IS(poll(p, 2, -1), 1);
	IS(p[1].revents, POLLHUP);
	p[1].events = 0;
	IS(poll(p, 2, -1), 1);
	close(pipe_[0]);
	p[0] = (struct pollfd){.fd = pipe_[1], .events = POLLOUT};
	IS(poll(p, 1, -1), 1);
	IS(p[0].revents, POLLOUT | POLLERR);

	SAY("a regular file is always ready; the same descriptor twice");
	file = open("/proc/self/exe", O_RDONLY);
	p[0] = (struct pollfd){.fd = file, .events = POLLIN | POLLOUT};
	p[1] = (struct pollfd){.fd = file, .events = POLLIN};
	IS(poll(p, 2, -1), 2);
	IS(p[0].revents, POLLIN | POLLOUT);
	FAILS(poll((struct pollfd *)8, 1, 0), EFAULT);
	FAILS(poll(p, 100000000, 0), EINVAL);
	return DONE();
}
