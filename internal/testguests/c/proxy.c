/* A proxy with non-blocking sockets and one epoll: several clients send streams of odd
 * sizes through it to an echo server and compare what comes back, byte for byte. */
#include "net.h"
#include <sys/epoll.h>

enum { clients = 6, room = 20000 };

/* One direction of a proxied connection: bytes read and not yet written. */
struct half {
	int from, to;
	char data[room];
	int start, end;
	int eof, done;
};

static struct half halves[2 * clients];
static int connections, finished, ep;

static uint32_t next(uint32_t *state) { return *state = *state * 1664525u + 1013904223u; }

static void watch(int fd, int op, uint32_t events)
{
	if (epoll_ctl(ep, op, fd, &(struct epoll_event){.events = events, .data.fd = fd}) == -1)
		SAY("BAD  epoll_ctl %s", strerrorname_np(errno));
}

/* pump moves what can be moved. */
static void pump(struct half *h)
{
	ssize_t n;

	while (!h->done) {
		if (h->start == h->end) {
			h->start = h->end = 0;
			n = h->eof ? 0 : read(h->from, h->data, room);
			if (n < 0)
				return;
			if (n == 0) {
				h->eof = h->done = 1;
				finished++;
				shutdown(h->to, SHUT_WR);
				return;
			}
			h->end = n;
		}
		n = write(h->to, h->data + h->start, h->end - h->start);
		if (n < 0)
			return;
		h->start += n;
	}
}

static void proxy(int listening, struct sockaddr_in *server)
{
	struct epoll_event got[8];

	ep = epoll_create1(0);
	watch(listening, EPOLL_CTL_ADD, EPOLLIN);
	while (finished < 2 * clients) {
		int n = epoll_wait(ep, got, 8, -1);

		for (int i = 0; i < n; i++) {
			if (got[i].data.fd != listening)
				continue;
			int in = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
			int out = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
			if (connect(out, SA(server), sizeof(*server)) == -1 && errno != EINPROGRESS)
				SAY("BAD  connect %s", strerrorname_np(errno));
			halves[2 * connections] = (struct half){.from = in, .to = out};
			halves[2 * connections + 1] = (struct half){.from = out, .to = in};
			connections++;
			watch(in, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT | EPOLLET);
			watch(out, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT | EPOLLET);
		}
		for (int i = 0; i < 2 * connections; i++)
			pump(&halves[i]);
	}
}

static void echo(int listening)
{
	for (int i = 0; i < clients; i++) {
		int fd = accept(listening, NULL, NULL);

		if (fork() == 0) {
			static char data[30000];
			ssize_t n;
			while ((n = read(fd, data, sizeof(data))) > 0)
				for (ssize_t done = 0, w; done < n; done += w)
					if ((w = write(fd, data + done, n - done)) <= 0)
						_exit(1);
			_exit(0);
		}
		close(fd);
	}
	for (int i = 0; i < clients; i++) {
		int status;
		wait(&status);
		check_failed |= status != 0;
	}
}

static void client(struct sockaddr_in *proxy_at, int number)
{
	static unsigned char block[50000];
	uint32_t out = number, in = number, sizes = number + 77;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	long total = 0, limit = 100000 + 150000 * number;
	ssize_t n;
	pid_t sender;

	if (connect(fd, SA(proxy_at), sizeof(*proxy_at)) == -1)
		_exit(1);
	if ((sender = fork()) == 0) {
		while (total < limit) {
			int size = next(&sizes) % sizeof(block) + 1;
			if (size > limit - total)
				size = limit - total;
			for (int i = 0; i < size; i++)
				block[i] = next(&out) >> 24;
			if (write(fd, block, size) != size)
				_exit(1);
			total += size;
		}
		shutdown(fd, SHUT_WR);
		_exit(0);
	}
	while ((n = read(fd, block, sizeof(block))) > 0) {
		for (int i = 0; i < n; i++)
			if (block[i] != (unsigned char)(next(&in) >> 24))
				_exit(2);
		total += n;
	}
	check_quiet = 1;
	check_child(sender);
	IS(total, limit);
	_exit(check_failed);
}

int main(void)
{
	struct sockaddr_in server_at, proxy_at;
	int server_fd = listener4(&server_at), proxy_fd = listener4(&proxy_at);
	pid_t server, middle, children[clients];

	if ((server = fork()) == 0) {
		echo(server_fd);
		_exit(check_failed);
	}
	if ((middle = fork()) == 0) {
		proxy(proxy_fd, &server_at);
		_exit(check_failed);
	}
	for (int i = 0; i < clients; i++)
		if ((children[i] = fork()) == 0)
			client(&proxy_at, i);
	for (int i = 0; i < clients; i++) {
		check_child(children[i]);
		SAY("client %d has its bytes back", i);
	}
	check_child(middle);
	check_child(server);
	return DONE();
}
