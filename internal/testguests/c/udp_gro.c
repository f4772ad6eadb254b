/* UDP: datagrams sent as one (UDP_SEGMENT) and received as one (UDP_GRO). */
#include "net.h"
#include <netinet/udp.h>
#include <poll.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

static char data[70000], back[70000];

/* receive says how much came, and of which pieces it is made. */
static void receive(int from, int room)
{
	char control[128] __attribute__((aligned(8)));
	struct iovec part = {back, room};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct pollfd p = {from, POLLIN, 0};
	int n, piece = 0;

	poll(&p, 1, 100); /* what was sent takes its time */
	n = recvmsg(from, &m, MSG_DONTWAIT);
	for (struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
			memcpy(&piece, CMSG_DATA(c), sizeof(piece));
	SAY("%d bytes in pieces of %d%s", n, piece, n >= 0 && m.msg_flags & MSG_TRUNC ? ", cut" : "");
}

int main(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int from = socket(AF_INET, SOCK_DGRAM, 0), to = socket(AF_INET, SOCK_DGRAM, 0), v = 1;
	socklen_t size = sizeof(a);

	for (int i = 0; i < (int)sizeof(data); i++)
		data[i] = i * 7;
	IS(bind(to, (void *)&a, sizeof(a)), 0);
	getsockname(to, (void *)&a, &size);
	IS(connect(from, (void *)&a, sizeof(a)), 0);
	SAY("without");
	v = 1000;
	IS(setsockopt(from, IPPROTO_UDP, UDP_SEGMENT, &v, sizeof(v)), 0);
	IS(send(from, data, 2500, 0), 2500);
	for (int i = 0; i < 4; i++)
		receive(to, sizeof(back));
	SAY("with");
	v = 1;
	IS(setsockopt(to, IPPROTO_UDP, UDP_GRO, &v, sizeof(v)), 0);
	IS(send(from, data, 2500, 0), 2500);
	receive(to, sizeof(back));
	IS(memcmp(data, back, 2500), 0);
	receive(to, sizeof(back));
	IS(send(from, data, 3000, 0), 3000);
	IS(send(from, data, 800, 0), 800);
	IS(send(from, data, 50000, 0), 50000);
	receive(to, sizeof(back));
	receive(to, sizeof(back));
	receive(to, sizeof(back));
	SAY("separate ones stay separate");
	v = 0;
	IS(setsockopt(from, IPPROTO_UDP, UDP_SEGMENT, &v, sizeof(v)), 0);
	IS(send(from, data, 500, 0), 500);
	IS(send(from, data, 500, 0), 500);
	receive(to, sizeof(back));
	receive(to, sizeof(back));
	SAY("a small buffer");
	v = 700;
	IS(setsockopt(from, IPPROTO_UDP, UDP_SEGMENT, &v, sizeof(v)), 0);
	IS(send(from, data, 2100, 0), 2100);
	receive(to, 1000);
	receive(to, 1000);
	SAY("limits");
	FAILS(send(from, data, 65508, 0), EMSGSIZE);
	v = 10;
	IS(setsockopt(from, IPPROTO_UDP, UDP_SEGMENT, &v, sizeof(v)), 0);
	FAILS(send(from, data, 1290, 0), EINVAL);
	return DONE();
}
