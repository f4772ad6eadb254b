/*
 * One server of several clients at once, and their timeouts.
 *
 *	many server CALL PORT CLIENTS SECONDS
 *	many client HOST PORT BYTES
 *
 * CALL is select, poll or epoll. Each client sends BYTES bytes by one send and waits
 * for their sum; when all have been served, the server waits for one more and gives up
 * after SECONDS.
 */
#include "../c/net.h"
#include <netdb.h>
#include <sys/epoll.h>
#include <sys/select.h>

enum { most = 64 };

static int fds[most], used, ep;
static uint32_t sums[most];
static int ended[most];

/* wait_ready fills ready[] for fds[] and returns how many are; 0 after the timeout. */
static int wait_ready(const char *call, int seconds, int ready[most])
{
	int n = 0;

	memset(ready, 0, most * sizeof(ready[0]));
	if (strcmp(call, "select") == 0) {
		struct timeval t = {.tv_sec = seconds};
		fd_set in;
		int highest = 0;

		FD_ZERO(&in);
		for (int i = 0; i < used; i++)
			if (fds[i] >= 0) {
				FD_SET(fds[i], &in);
				highest = fds[i] > highest ? fds[i] : highest;
			}
		n = select(highest + 1, &in, NULL, NULL, &t);
		for (int i = 0; i < used; i++)
			ready[i] = n > 0 && fds[i] >= 0 && FD_ISSET(fds[i], &in);
	} else if (strcmp(call, "poll") == 0) {
		struct pollfd p[most];

		for (int i = 0; i < used; i++)
			p[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
		n = poll(p, used, seconds * 1000);
		for (int i = 0; i < used; i++)
			ready[i] = n > 0 && p[i].revents != 0;
	} else {
		struct epoll_event e[most];

		n = epoll_wait(ep, e, most, seconds * 1000);
		for (int i = 0; i < n; i++)
			ready[e[i].data.u32] = 1;
	}
	return n;
}

static void add(int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = used};

	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
	fds[used++] = fd;
}

static void server(const char *call, int port, int clients, int seconds)
{
	struct sockaddr_in at = in4("0.0.0.0", port);
	static unsigned char data[10000];
	int ready[most], served = 0, fd = socket(AF_INET, SOCK_STREAM, 0);
	int64_t start;
	ssize_t n;

	ep = epoll_create1(0);
	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	IS(bind(fd, SA(&at), sizeof(at)), 0);
	IS(listen(fd, most), 0);
	SAY("listening");
	add(fd);
	while (served < clients) {
		if (wait_ready(call, 100, ready) <= 0)
			break;
		if (ready[0])
			add(accept(fd, NULL, NULL));
		for (int i = 1; i < used; i++) {
			if (!ready[i])
				continue;
			n = read(fds[i], data, sizeof(data));
			for (ssize_t j = 0; j < n; j++)
				sums[i] += data[j];
			if (n > 0)
				continue;
			ended[i] = 1;
			served++;
			if (write(fds[i], &sums[i], sizeof(sums[i])) != sizeof(sums[i]))
				SAY("BAD  answer");
			close(fds[i]);
			fds[i] = -1;
		}
	}
	SAY("served %d", served);
	start = now_ns();
	IS(wait_ready(call, seconds, ready), 0);
	OK(now_ns() - start >= seconds * SECOND && now_ns() - start <= seconds * SECOND + check_slack());
}

static void client(const char *host, const char *port, int bytes)
{
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
	unsigned char *data = malloc(bytes);
	uint32_t sum = 0, answer = 0;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	for (int i = 0; i < bytes; i++)
		sum += data[i] = i * 13;
	IS(getaddrinfo(host, port, &hints, &found), 0);
	IS(connect(fd, found->ai_addr, found->ai_addrlen), 0);
	IS(send(fd, data, bytes, 0) == bytes, 1);
	IS(shutdown(fd, SHUT_WR), 0);
	IS(recv(fd, &answer, sizeof(answer), MSG_WAITALL), sizeof(answer));
	IS(answer == sum, 1);
	IS(read(fd, &answer, sizeof(answer)), 0);
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 2;
	if (strcmp(argv[1], "server") == 0)
		server(argv[2], atoi(argv[3]), atoi(argv[4]), atoi(argv[5]));
	else
		client(argv[2], argv[3], atoi(argv[4]));
	return DONE();
}
