/* Many listening ports: each host listens on COUNT of them from PORT on, and sends
 * a megabyte to one of the next host's, which tells who has sent what.
 *
 *	ports PORT COUNT NEXT
 */
#include <arpa/inet.h>
#include <err.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOTAL (1 << 20)

static unsigned char buffer[100000];

static void send_to(const char *host, const char *port)
{
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (getaddrinfo(host, port, &hints, &found))
		errx(1, "no host %s", host);
	if (connect(fd, found->ai_addr, found->ai_addrlen))
		err(1, "connect");
	for (int sent = 0; sent < TOTAL;) {
		int n = TOTAL - sent < (int)sizeof(buffer) ? TOTAL - sent : (int)sizeof(buffer);
		for (int i = 0; i < n; i++)
			buffer[i] = (sent + i) * 2654435761u >> 24;
		if (write(fd, buffer, n) != n)
			err(1, "write");
		sent += n;
	}
	close(fd);
	exit(0);
}

int main(int argc, char **argv)
{
	int port = atoi(argv[1]), count = atoi(argv[2]), total = 0, wrong = 0;
	struct pollfd *listeners = calloc(count, sizeof(*listeners));

	if (argc != 4)
		errx(2, "see the source");
	for (int i = 0; i < count; i++) {
		struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port + i)};
		listeners[i] = (struct pollfd){.fd = socket(AF_INET, SOCK_STREAM, 0), .events = POLLIN};
		if (bind(listeners[i].fd, (struct sockaddr *)&a, sizeof(a)) || listen(listeners[i].fd, 5))
			err(1, "port %d", port + i);
	}
	sleep(1); /* for the others */
	if (fork() == 0) {
		char last[16];
		snprintf(last, sizeof(last), "%d", port + count - 1);
		send_to(argv[3], last);
	}
	if (poll(listeners, count, 60000) != 1)
		err(1, "poll");
	for (int i = 0; i < count; i++) {
		if (!(listeners[i].revents & POLLIN))
			continue;
		struct sockaddr_in from, here;
		socklen_t size = sizeof(from);
		int fd = accept(listeners[i].fd, (struct sockaddr *)&from, &size), n;
		if (getsockname(fd, (struct sockaddr *)&here, &size))
			err(1, "getsockname");
		while ((n = read(fd, buffer, sizeof(buffer))) > 0)
			for (int k = 0; k < n; k++, total++)
				wrong += buffer[k] != (unsigned char)(total * 2654435761u >> 24);
		char name[64];
		getnameinfo((struct sockaddr *)&from, size, name, sizeof(name), NULL, 0, 0);
		printf("%d bytes, %d wrong, from %s to %s, port %d\n", total, wrong, name, inet_ntoa(here.sin_addr), ntohs(here.sin_port));
	}
	wait(NULL);
	return 0;
}
