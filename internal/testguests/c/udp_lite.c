/* UDP-Lite: ports of its own, options, and datagrams that a receiver refuses for
 * what their checksum covers. */
#include "net.h"
#include <netinet/udp.h>

#define SEND_COVERAGE 10
#define RECEIVE_COVERAGE 11

static int lite4(struct sockaddr_in *at, int port)
{
	int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
	socklen_t size = sizeof(*at);

	*at = in4("127.0.0.1", port);
	IS(bind(fd, SA(at), sizeof(*at)), 0);
	IS(getsockname(fd, SA(at), &size), 0);
	return fd;
}

int main(void)
{
	struct sockaddr_in a, b, u;
	int udp = bound4(SOCK_DGRAM, &u), one = lite4(&a, 0), two = lite4(&b, ntohs(u.sin_port)), six, mapped;
	struct sockaddr_in6 c = in6("::1", 0);
	socklen_t size = sizeof(u);
	char buffer[64];

	SAY("the same port as UDP's, but another socket");
	OK(b.sin_port == u.sin_port);
	IS(get_int(one, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDPLITE);
	IS(sendto(one, "hello", 5, 0, SA(&b), sizeof(b)), 5);
	IS(poll_for(two, POLLIN, 1000), POLLIN);
	FAILS(recv(udp, buffer, 64, MSG_DONTWAIT), EAGAIN);
	IS(recvfrom(two, buffer, 64, 0, SA(&u), &size), 5);
	OK(u.sin_port == a.sin_port);

	SAY("coverage: the header at least, 65535 at most, not of UDP");
	IS(get_int(one, IPPROTO_UDPLITE, SEND_COVERAGE), 0);
	IS(set_int(one, IPPROTO_UDPLITE, SEND_COVERAGE, 3), 0);
	IS(get_int(one, IPPROTO_UDPLITE, SEND_COVERAGE), 8);
	IS(set_int(one, IPPROTO_UDPLITE, SEND_COVERAGE, 100000), 0);
	IS(get_int(one, IPPROTO_UDPLITE, SEND_COVERAGE), 65535);
	IS(get_int(one, IPPROTO_UDP, SEND_COVERAGE), 65535);
	IS(set_int(one, IPPROTO_UDPLITE, UDP_CORK, 0), 0);
	FAILS(set_int(udp, IPPROTO_UDPLITE, SEND_COVERAGE, 8), ENOPROTOOPT);
	FAILS(set_int(udp, IPPROTO_UDP, RECEIVE_COVERAGE, 8), ENOPROTOOPT);
	IS(get_int(udp, IPPROTO_UDPLITE, RECEIVE_COVERAGE), 0);

	SAY("who asks for some coverage gets nothing that has less");
	IS(set_int(one, IPPROTO_UDPLITE, SEND_COVERAGE, 8), 0);
	IS(sendto(one, "taken", 5, 0, SA(&b), sizeof(b)), 5);
	IS(recv(two, buffer, 64, 0), 5);
	IS(set_int(two, IPPROTO_UDPLITE, RECEIVE_COVERAGE, 10), 0);
	IS(sendto(one, "refused", 7, 0, SA(&b), sizeof(b)), 7);
	FAILS(recv(two, buffer, 64, MSG_DONTWAIT), EAGAIN);
	IS(set_int(one, IPPROTO_UDPLITE, SEND_COVERAGE, 10), 0);
	IS(sendto(one, "enough", 6, 0, SA(&b), sizeof(b)), 6);
	IS(recv(two, buffer, 64, 0), 6);
	IS(sendto(one, "x", 1, 0, SA(&b), sizeof(b)), 1);
	IS(recv(two, buffer, 64, 0), 1);
	IS(set_int(two, IPPROTO_UDPLITE, RECEIVE_COVERAGE, 0), 0);
	IS(sendto(one, "partial", 7, 0, SA(&b), sizeof(b)), 7);
	FAILS(recv(two, buffer, 64, MSG_DONTWAIT), EAGAIN);
	IS(set_int(one, IPPROTO_UDPLITE, SEND_COVERAGE, 0), 0);
	IS(sendto(one, "whole", 5, 0, SA(&b), sizeof(b)), 5);
	IS(recv(two, buffer, 64, 0), 5);

	SAY("refusals");
	FAILS(listen(one, 1), EOPNOTSUPP);
	close(two);
	IS(connect(one, SA(&b), sizeof(b)), 0);
	IS(send(one, "x", 1, 0), 1);
	FAILS(recv(one, buffer, 64, 0), ECONNREFUSED);
	FAILS(socket(AF_INET, SOCK_STREAM, IPPROTO_UDPLITE), EPROTONOSUPPORT);
	IS(set_int(one, IPPROTO_UDP, UDP_SEGMENT, 10), 0);
	FAILS(send(one, "0123456789abcdef", 16, 0), EIO);

	SAY("IPv6, and IPv4 through it");
	six = socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE);
	IS(bind(six, SA(&c), sizeof(c)), 0);
	size = sizeof(c);
	IS(getsockname(six, SA(&c), &size), 0);
	mapped = socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE);
	IS(sendto(mapped, "hello", 5, 0, SA(&c), sizeof(c)), 5);
	IS(recv(six, buffer, 64, 0), 5);
	return DONE();
}
