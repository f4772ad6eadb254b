/* Datagrams over IPv6, and sockets of both kinds. */
#include "net.h"

int main(void)
{
	struct sockaddr_in6 at = in6("::1", 0), any = in6("::", 0), from, mapped;
	struct sockaddr_in at4 = in4("127.0.0.1", 0), from4;
	socklen_t size = sizeof(at);
	int one, two, four;
	char buffer[16], text[64];

	one = socket(AF_INET6, SOCK_DGRAM, 0);
	IS(bind(one, SA(&at), sizeof(at)), 0);
	getsockname(one, SA(&at), &size);
	two = socket(AF_INET6, SOCK_DGRAM, 0);
	IS(sendto(two, "six", 3, 0, SA(&at), sizeof(at)), 3);
	IS(recvfrom(one, buffer, 16, 0, SA(&from), &size), 3);
	IS(size, 28);
	OK(IN6_IS_ADDR_LOOPBACK(&from.sin6_addr) && from.sin6_port != 0);
	IS(sendto(one, "back", 4, 0, SA(&from), sizeof(from)), 4);
	IS(recv(two, buffer, 16, 0), 4);
	close(one);
	close(two);

	one = socket(AF_INET6, SOCK_DGRAM, 0);
	IS(bind(one, SA(&any), sizeof(any)), 0);
	getsockname(one, SA(&any), &size);
	at4.sin_port = any.sin6_port;
	four = socket(AF_INET, SOCK_DGRAM, 0);
	IS(sendto(four, "four", 4, 0, SA(&at4), sizeof(at4)), 4);
	IS(recvfrom(one, buffer, 16, 0, SA(&from), &size), 4);
	SAY("from %s", inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof(text)));
	IS(sendto(one, "back", 4, 0, SA(&from), sizeof(from)), 4);
	size = sizeof(from4);
	IS(recvfrom(four, buffer, 16, 0, SA(&from4), &size), 4);
	OK(from4.sin_family == AF_INET && from4.sin_port == any.sin6_port);
	mapped = in6("::ffff:127.0.0.1", ntohs(any.sin6_port));
	two = socket(AF_INET6, SOCK_DGRAM, 0);
	IS(connect(two, SA(&mapped), sizeof(mapped)), 0);
	IS(send(two, "m", 1, 0), 1);
	IS(recv(one, buffer, 16, 0), 1);
	FAILS(bind(four, SA(&at4), sizeof(at4)), EINVAL);
	return DONE();
}
