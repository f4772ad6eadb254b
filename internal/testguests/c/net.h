/* net.h: addresses and connected pairs for the guests of the socket family. */
#ifndef NET_H
#define NET_H

#include "check.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#define SA(address) ((struct sockaddr *)(address))

/* The size of an int option, for the many of them. */
static inline int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* get_int returns an int option, or -1. */
static inline int get_int(int fd, int level, int option)
{
	int value = -1;
	socklen_t size = sizeof(value);

	if (getsockopt(fd, level, option, &value, &size) == -1)
		return -1;
	return value;
}

static inline struct sockaddr_in in4(const char *address, int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	inet_pton(AF_INET, address, &a.sin_addr);
	return a;
}

static inline struct sockaddr_in6 in6(const char *address, int port)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	inet_pton(AF_INET6, address, &a.sin6_addr);
	return a;
}

/* bound4 is a socket of the type on a port of 127.0.0.1 that the system chose;
 * its address is left in *at. */
static inline int bound4(int type, struct sockaddr_in *at)
{
	int fd = socket(AF_INET, type, 0);
	socklen_t size = sizeof(*at);

	*at = in4("127.0.0.1", 0);
	if (bind(fd, SA(at), sizeof(*at)) == -1 || getsockname(fd, SA(at), &size) == -1) {
		SAY("BAD  bound4: %s", strerrorname_np(errno));
		exit(2);
	}
	return fd;
}

static inline int listener4(struct sockaddr_in *at)
{
	int fd = bound4(SOCK_STREAM, at);

	if (listen(fd, 16) == -1) {
		SAY("BAD  listen: %s", strerrorname_np(errno));
		exit(2);
	}
	return fd;
}

/* tcp_pair makes a TCP connection over loopback: pair[0] connected, pair[1] accepted. */
static inline void tcp_pair(int pair[2])
{
	struct sockaddr_in at;
	int listening = listener4(&at);

	pair[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(pair[0], SA(&at), sizeof(at)) == -1 ||
	    (pair[1] = accept(listening, NULL, NULL)) == -1) {
		SAY("BAD  tcp_pair: %s", strerrorname_np(errno));
		exit(2);
	}
	close(listening);
}

/* poll_for polls one descriptor and returns revents, or 0 after the timeout. */
static inline int poll_for(int fd, int events, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = events};

	return poll(&p, 1, timeout_ms) < 0 ? -1 : p.revents;
}

static inline int set_nonblocking(int fd)
{
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static inline int set_timeout(int fd, int option, int64_t ns)
{
	struct timeval t = {.tv_sec = ns / SECOND, .tv_usec = ns % SECOND / 1000};

	return setsockopt(fd, SOL_SOCKET, option, &t, sizeof(t));
}

#endif
