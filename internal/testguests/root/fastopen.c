/*
 * fastopen.c: TCP Fast Open (tcp(7)). Without arguments, both ends on one host. With
 * "server PORT" and "client ADDRESS PORT" they are on two, and the client says how
 * many round trips each exchange took.
 */
#include "../c/net.h"
#include <net/if.h>

/* allow writes net.ipv4.tcp_fastopen: 1 for clients, 2 for servers. */
static int allow(const char *value)
{
	int fd = open("/proc/sys/net/ipv4/tcp_fastopen", O_WRONLY);
	int done = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);

	close(fd);
	return done;
}

/* lo_up makes a new network namespace usable. */
static void lo_up(void)
{
	struct ifreq lo = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ioctl(fd, SIOCGIFFLAGS, &lo);
	if (!(lo.ifr_flags & IFF_UP)) {
		lo.ifr_flags |= IFF_UP;
		ioctl(fd, SIOCSIFFLAGS, &lo);
	}
	close(fd);
}

/* with_data tells whether the SYN carried data that was taken. */
static int with_data(int fd)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
	return !!(info.tcpi_options & TCPI_OPT_SYN_DATA);
}

static ssize_t send_first(int fd, const char *text, const struct sockaddr_in *to)
{
	return sendto(fd, text, strlen(text), MSG_FASTOPEN | MSG_NOSIGNAL, SA(to), sizeof(*to));
}

static int got(int fd, const char *want)
{
	char text[4096];
	ssize_t n = recv(fd, text, sizeof(text), 0);

	return n == (ssize_t)strlen(want) && memcmp(text, want, n) == 0;
}

static int client(void) { return socket(AF_INET, SOCK_STREAM, 0); }

static int single(void)
{
	struct sockaddr_in at, nobody;
	int server, a, b, c, d, e, t;
	int64_t start;

	lo_up();
	OK(allow("3"));
	server = bound4(SOCK_STREAM, &at);
	close(bound4(SOCK_STREAM, &nobody));
	IS(set_int(server, IPPROTO_TCP, TCP_FASTOPEN, 5), 0);
	IS(listen(server, 5), 0);

	SAY("the first connection gets a cookie");
	a = client();
	IS(send_first(a, "hello", &at), 5);
	t = accept(server, NULL, NULL);
	OK(got(t, "hello"));
	OK(!with_data(a));
	OK(!with_data(t));
	close(t);

	SAY("the second one shows it");
	b = client();
	IS(send_first(b, "again", &at), 5);
	t = accept(server, NULL, NULL);
	OK(got(t, "again"));
	OK(with_data(b));
	OK(with_data(t));
	IS(write(t, "answer", 6), 6);
	OK(got(b, "answer"));
	FAILS(send_first(b, "more", &at), EISCONN);
	close(b);
	OK(got(t, ""));
	close(t);

	SAY("connect waits for the first write");
	c = client();
	IS(set_int(c, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1), 0);
	IS(connect(c, SA(&at), sizeof(at)), 0);
	set_nonblocking(server);
	FAILS(accept(server, NULL, NULL), EAGAIN);
	set_timeout(c, SO_RCVTIMEO, 20 * MS);
	start = now_ns();
	FAILS(read(c, &a, 1), EAGAIN);
	TOOK(start, 20 * MS);
	IS(write(c, "late", 4), 4);
	IS(poll_for(server, POLLIN, 1000), POLLIN);
	t = accept(server, NULL, NULL);
	OK(got(t, "late"));
	OK(with_data(c));
	close(t);
	close(c);

	SAY("nobody listens");
	d = client();
	FAILS(send_first(d, "hello", &nobody), ECONNREFUSED);
	IS(set_int(d, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1), 0);
	IS(connect(d, SA(&nobody), sizeof(nobody)), 0);
	FAILS(write(d, "hello", 5), ECONNREFUSED);
	FAILS(set_int(d, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 2), EINVAL);

	SAY("not allowed");
	OK(allow("2"));
	FAILS(send_first(client(), "hello", &at), EOPNOTSUPP);
	FAILS(set_int(client(), IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1), EOPNOTSUPP);
	OK(allow("1"));
	e = client();
	IS(send_first(e, "plain", &at), 5);
	IS(poll_for(server, POLLIN, 1000), POLLIN);
	t = accept(server, NULL, NULL);
	OK(got(t, "plain"));
	OK(!with_data(e));
	return DONE();
}

static int serve(int port)
{
	struct sockaddr_in at = in4("0.0.0.0", port);
	int s = socket(AF_INET, SOCK_STREAM, 0), t;
	char text[4096];
	ssize_t n;

	OK(allow("3"));
	IS(bind(s, SA(&at), sizeof(at)), 0);
	IS(set_int(s, IPPROTO_TCP, TCP_FASTOPEN, 5), 0);
	IS(listen(s, 5), 0);
	for (int i = 0; i < 4; i++) {
		t = accept(s, NULL, NULL);
		while ((n = read(t, text, sizeof(text))) > 0)
			IS(write(t, text, n), n);
		SAY("with data: %d", with_data(t));
		close(t);
	}
	return DONE();
}

/* exchange sends a line to a server and gets it back. */
static void exchange(const struct sockaddr_in *to, const char *how, int64_t round)
{
	int fd = client();
	int64_t start = now_ns();

	if (strcmp(how, "fast") == 0) {
		IS(send_first(fd, "hello", to), 5);
	} else {
		if (strcmp(how, "later") == 0)
			IS(set_int(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1), 0);
		IS(connect(fd, SA(to), sizeof(*to)), 0);
		IS(write(fd, "hello", 5), 5);
	}
	OK(got(fd, "hello"));
	SAY("%s: %.1f round trips, with data: %d", how, (double)(now_ns() - start) / round, with_data(fd));
	close(fd);
}

int main(int count, char **words)
{
	if (count == 3)
		return serve(atoi(words[2]));
	if (count == 4) {
		struct sockaddr_in to = in4(words[2], atoi(words[3]));

		exchange(&to, "plain", 100 * MS);
		exchange(&to, "fast", 100 * MS);
		exchange(&to, "fast", 100 * MS);
		exchange(&to, "later", 100 * MS);
		return DONE();
	}
	return single();
}
