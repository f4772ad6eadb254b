/* Bulk data over TCP, written by calls that do not fit and by others, and read with
 * a large buffer.
 *
 *	bulk server PORT CONNECTIONS
 *	bulk client HOST PORT 4|6 blocking|nonblocking|vectors
 *
 * The server tells what came of each connection, and in how many reads. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define TOTAL (12L << 20)

static unsigned char data[TOTAL];

/* A byte at a position of a stream; no two pieces are alike. */
static unsigned char byte_at(long position)
{
	return (unsigned long)position * 0x9e3779b97f4a7c15u >> 51;
}

static void serve(const char *port, int connections)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(atoi(port))};
	int listener = socket(AF_INET6, SOCK_STREAM, 0);

	if (bind(listener, (struct sockaddr *)&a, sizeof(a)) || listen(listener, 5))
		err(1, "listen");
	for (int i = 0; i < connections; i++) {
		int fd = accept(listener, NULL, NULL);
		long total = 0, wrong = 0, reads = 0, largest = 0, n;
		while ((n = read(fd, data, sizeof(data))) > 0) {
			for (long k = 0; k < n; k++)
				wrong += data[k] != byte_at(total + k);
			total += n;
			reads++;
			largest = n > largest ? n : largest;
		}
		printf("%ld bytes, %ld wrong, %ld reads, %ld at most\n", total, wrong, reads, largest);
		close(fd);
	}
}

/* put writes one piece, and tells how much of it was taken. */
static long put(int fd, const char *how, unsigned char *from, long size)
{
	struct iovec parts[3] = {{from, 1000}, {from + 1000, 3000000}, {from + 3001000, size - 3001000}};
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	long n;

	if (strcmp(how, "vectors") == 0 && size > 3001000)
		return writev(fd, parts, 3);
	while ((n = write(fd, from, size)) == -1 && errno == EAGAIN)
		poll(&p, 1, -1);
	return n;
}

static void request(const char *host, const char *port, const char *version, const char *how)
{
	struct addrinfo hints = {.ai_family = *version == '6' ? AF_INET6 : AF_INET, .ai_socktype = SOCK_STREAM}, *found;
	int fd = socket(hints.ai_family, SOCK_STREAM, 0);
	long calls = 0;

	if (getaddrinfo(host, port, &hints, &found))
		errx(1, "no host %s", host);
	if (connect(fd, found->ai_addr, found->ai_addrlen))
		err(1, "connect");
	if (strcmp(how, "nonblocking") == 0)
		fcntl(fd, F_SETFL, O_NONBLOCK);
	for (long i = 0; i < TOTAL; i++)
		data[i] = byte_at(i);
	for (long sent = 0; sent < TOTAL; calls++) {
		long left = TOTAL - sent, n = put(fd, how, data + sent, left < 5000000 ? left : 5000000);
		if (n <= 0)
			err(1, "write");
		sent += n;
	}
	printf("%ld calls\n", calls);
}

int main(int argc, char **argv)
{
	if (argc == 4)
		serve(argv[2], atoi(argv[3]));
	else if (argc == 6)
		request(argv[2], argv[3], argv[4], argv[5]);
	else
		errx(2, "see the source");
	return 0;
}
