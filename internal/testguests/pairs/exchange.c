/*
 * A server and a client that exchange messages of equal size.
 *
 *	exchange server CALLS PORT COUNT SIZE
 *	exchange client CALLS HOST PORT COUNT SIZE
 *
 * CALLS: send, sendto, sendmsg, write over TCP; udp-sendto, udp-sendmsg over UDP.
 */
#include "../c/net.h"
#include <netdb.h>

static const char *calls;
static struct sockaddr_in peer;
static int datagrams;

static ssize_t put(int fd, void *data, size_t size)
{
	struct iovec part = {data, size};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	int with_address = datagrams;

	if (with_address) {
		m.msg_name = &peer;
		m.msg_namelen = sizeof(peer);
	}
	if (strcmp(calls, "send") == 0)
		return send(fd, data, size, 0);
	if (strcmp(calls, "write") == 0)
		return write(fd, data, size);
	if (strstr(calls, "sendto"))
		return sendto(fd, data, size, 0, SA(m.msg_name), m.msg_namelen);
	return sendmsg(fd, &m, 0);
}

static ssize_t get_some(int fd, void *data, size_t size)
{
	struct iovec part = {data, size};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_name = &peer, .msg_namelen = sizeof(peer)};
	socklen_t length = sizeof(peer);

	if (strcmp(calls, "send") == 0)
		return recv(fd, data, size, 0);
	if (strcmp(calls, "write") == 0)
		return read(fd, data, size);
	if (strstr(calls, "sendto"))
		return recvfrom(fd, data, size, 0, datagrams ? SA(&peer) : NULL, datagrams ? &length : NULL);
	if (!datagrams)
		m.msg_name = NULL, m.msg_namelen = 0;
	return recvmsg(fd, &m, 0);
}

/* get receives size bytes, or fewer if the peer closes before. */
static ssize_t get(int fd, char *data, size_t size)
{
	size_t have = 0;
	ssize_t n = 1;

	if (datagrams)
		return get_some(fd, data, size);
	for (; have < size && (n = get_some(fd, data + have, size - have)) > 0; have += n)
		;
	return n < 0 ? n : (ssize_t)have;
}

static void server(int port, int count, int size)
{
	struct sockaddr_in at = in4("0.0.0.0", port);
	int fd = socket(AF_INET, datagrams ? SOCK_DGRAM : SOCK_STREAM, 0), listening = fd;
	char *data = calloc(1, size);

	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	IS(bind(fd, SA(&at), sizeof(at)), 0);
	if (!datagrams)
		IS(listen(fd, 5), 0);
	SAY("listening");
	if (!datagrams) {
		fd = accept(listening, NULL, NULL);
		OK(fd > listening);
	}
	for (int i = 0; i < count; i++) {
		IS(get(fd, data, size) == size, 1);
		SAY("%.*s", 20, data);
		snprintf(data, size, "answer %d", i);
		IS(put(fd, data, size) == size, 1);
	}
	if (!datagrams)
		IS(get(fd, data, size), 0);
}

static void client(const char *host, const char *port, int count, int size)
{
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = datagrams ? SOCK_DGRAM : SOCK_STREAM}, *found;
	int fd = socket(AF_INET, hints.ai_socktype, 0);
	char *data = calloc(1, size);

	IS(getaddrinfo(host, port, &hints, &found), 0);
	peer = *(struct sockaddr_in *)found->ai_addr;
	if (!datagrams)
		IS(connect(fd, found->ai_addr, found->ai_addrlen), 0);
	for (int i = 0; i < count; i++) {
		snprintf(data, size, "request %d", i);
		IS(put(fd, data, size) == size, 1);
		IS(get(fd, data, size) == size, 1);
		SAY("%.*s", 20, data);
	}
	IS(close(fd), 0);
}

int main(int argc, char **argv)
{
	if (argc < 6)
		return 2;
	calls = argv[2];
	datagrams = strncmp(calls, "udp-", 4) == 0;
	if (strcmp(argv[1], "server") == 0)
		server(atoi(argv[3]), atoi(argv[4]), atoi(argv[5]));
	else
		client(argv[3], argv[4], atoi(argv[5]), atoi(argv[6]));
	return DONE();
}
