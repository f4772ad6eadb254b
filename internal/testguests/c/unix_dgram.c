/* Unix datagram sockets: names, senders, full queues, peers that went. */
#include "net.h"
#include <stddef.h>

static int named(const char *path, struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	*at = (struct sockaddr_un){.sun_family = AF_UNIX};
	strcpy(at->sun_path, path);
	unlink(path);
	IS(bind(fd, SA(at), sizeof(*at)), 0);
	return fd;
}

int main(void)
{
	struct sockaddr_un a, b, from;
	socklen_t size = sizeof(from);
	int one = named("unix_dgram.a", &a), two = named("unix_dgram.b", &b), three, pair[2];
	int queued = 0;
	char buffer[64];

	IS(sendto(one, "hello", 5, 0, SA(&b), sizeof(b)), 5);
	IS(sendto(one, "", 0, 0, SA(&b), sizeof(b)), 0);
	IS(recvfrom(two, buffer, 64, 0, SA(&from), &size), 5);
	SAY("from %s", from.sun_path);
	IS(recv(two, buffer, 64, 0), 0);
	three = socket(AF_UNIX, SOCK_DGRAM, 0);
	IS(sendto(three, "nameless", 8, 0, SA(&b), sizeof(b)), 8);
	size = sizeof(from);
	IS(recvfrom(two, buffer, 4, MSG_TRUNC, SA(&from), &size), 8);
	IS(size, 0);
	FAILS(send(three, "x", 1, 0), ENOTCONN);

	SAY("connected: only the peer may send");
	IS(connect(two, SA(&a), sizeof(a)), 0);
	IS(send(two, "to a", 4, 0), 4);
	IS(read(one, buffer, 64), 4);
	FAILS(sendto(three, "x", 1, 0, SA(&b), sizeof(b)), EPERM);
	IS(sendto(one, "ok", 2, 0, SA(&b), sizeof(b)), 2);
	IS(read(two, buffer, 64), 2);

	SAY("a full queue");
	while (sendto(three, "fill", 4, MSG_DONTWAIT, SA(&a), sizeof(a)) == 4)
		queued++;
	IS(errno, EAGAIN);
	OK(queued > 0);
	while (recv(one, buffer, 64, MSG_DONTWAIT) == 4)
		queued--;
	IS(queued, 0);

	SAY("a peer that went");
	close(one);
	FAILS(sendto(three, "x", 1, 0, SA(&a), sizeof(a)), ECONNREFUSED);
	FAILS(send(two, "x", 1, 0), ECONNREFUSED);
	unlink(a.sun_path);
	FAILS(sendto(three, "x", 1, 0, SA(&a), sizeof(a)), ENOENT);
	unlink(b.sun_path);

	SAY("pairs");
	IS(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	IS(write(pair[0], "12345", 5), 5);
	IS(write(pair[0], "6", 1), 1);
	IS(read(pair[1], buffer, 64), 5);
	IS(read(pair[1], buffer, 64), 1);
	close(pair[0]);
	FAILS(recv(pair[1], buffer, 64, MSG_DONTWAIT), EAGAIN);
	FAILS(send(pair[1], "x", 1, MSG_NOSIGNAL), ECONNREFUSED);
	FAILS(connect(three, SA(&b), 1), EINVAL);
	return DONE();
}
