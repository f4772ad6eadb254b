/* A server and a client that move many bytes over TCP connections, for the
 * benchmarks of mediation:
 *
 *	stream server PORT CONNECTIONS SIZE
 *	stream write|sendfile ADDRESS PORT CONNECTIONS SIZE MESSAGES
 *
 * The client sends messages of SIZE bytes to its connections in turn; the server
 * reads with buffers of SIZE bytes, a mebibyte at most. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};

	inet_pton(AF_INET, host, &a.sin_addr);
	return a;
}

static void serve(const char *port, int connections, long size)
{
	struct sockaddr_in a = address("0.0.0.0", port);
	int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0), open = connections;
	char *buffer;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&a, sizeof(a)) || listen(listener, 4096))
		err(1, "listen");
	printf("listening\n");
	fflush(stdout);
	if (size > 1 << 20)
		size = 1 << 20;
	buffer = malloc(size);
	memset(buffer, 0, size);
	for (int i = 0; i < connections; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data.fd = accept(listener, NULL, NULL)};
		if (epoll_ctl(poll, EPOLL_CTL_ADD, e.data.fd, &e))
			err(1, "accept");
	}
	while (open > 0) {
		struct epoll_event ready[64];
		int n = epoll_wait(poll, ready, 64, -1);
		for (int i = 0; i < n; i++) {
			ssize_t got = read(ready[i].data.fd, buffer, size);
			if (got < 0)
				err(1, "read");
			if (got == 0) {
				close(ready[i].data.fd);
				open--;
			}
		}
	}
}

static void request(int file, const char *host, const char *port, int connections, long size, long messages)
{
	struct sockaddr_in a = address(host, port);
	int *fds = calloc(connections, sizeof(*fds)), on = 1;
	char *buffer = malloc(size);

	memset(buffer, 1, size);
	if (file && write(file = memfd_create("file", 0), buffer, size) != size)
		err(1, "file");
	for (int i = 0; i < connections; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(fds[i], (struct sockaddr *)&a, sizeof(a)))
			err(1, "connect");
		setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	}
	for (long i = 0; i < messages; i++)
		for (long done = 0; done < size;) {
			off_t offset = done;
			ssize_t n = file ? sendfile(fds[i % connections], file, &offset, size - done)
					 : write(fds[i % connections], buffer + done, size - done);
			if (n <= 0)
				err(1, "send");
			done += n;
		}
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "server") == 0)
		serve(argv[2], atoi(argv[3]), atol(argv[4]));
	else if (argc == 7)
		request(strcmp(argv[1], "sendfile") == 0, argv[2], argv[3], atoi(argv[4]), atol(argv[5]), atol(argv[6]));
	else
		errx(2, "see the source");
	return 0;
}
