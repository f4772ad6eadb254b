/*
 * multicast.c: a group that hosts join, and one that sends to it.
 *
 *	multicast server ADDRESS PORT	joins, answers what comes, leaves
 *	multicast client ADDRESS PORT	sends to the group
 */
#include "../c/net.h"
#include <netdb.h>

static struct in_addr address_of(const char *name)
{
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM}, *found;

	if (getaddrinfo(name, NULL, &hints, &found) != 0) {
		SAY("BAD  no address of %s", name);
		exit(2);
	}
	return ((struct sockaddr_in *)found->ai_addr)->sin_addr;
}

/* receive gets one datagram and who has sent it. */
static int receive(int fd, char *text, int size, struct sockaddr_in *from)
{
	socklen_t length = sizeof(*from);
	int n = recvfrom(fd, text, size - 1, 0, SA(from), &length);

	text[n < 0 ? 0 : n] = 0;
	return n;
}

static int serve(const char *host, int port)
{
	struct sockaddr_in at = in4("0.0.0.0", port), from;
	struct ip_mreqn group = {.imr_address = address_of(host)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char text[100];

	inet_pton(AF_INET, "239.1.2.3", &group.imr_multiaddr);
	IS(set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	IS(bind(fd, SA(&at), sizeof(at)), 0);
	IS(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)), 0);
	FAILS(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)), EADDRINUSE);
	SAY("listening");
	IS(receive(fd, text, sizeof(text), &from), 5);
	SAY("got %s", text);
	IS(sendto(fd, "here", 4, 0, SA(&from), sizeof(from)), 4);
	IS(receive(fd, text, sizeof(text), &from), 5);
	SAY("got %s", text);
	IS(setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &group, sizeof(group)), 0);
	FAILS(setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &group, sizeof(group)), EADDRNOTAVAIL);
	IS(sendto(fd, "gone", 4, 0, SA(&from), sizeof(from)), 4);
	set_timeout(fd, SO_RCVTIMEO, 500 * MS);
	FAILS(receive(fd, text, sizeof(text), &from), EAGAIN); /* it has left */
	return DONE();
}

static int client(const char *host, int port)
{
	struct sockaddr_in group = in4("239.1.2.3", port), from;
	struct ip_mreqn out = {.imr_address = address_of(host)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char text[100];

	if ((ntohl(out.imr_address.s_addr) >> 24) == 127)
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof(out));
	IS(get_int(fd, IPPROTO_IP, IP_MULTICAST_TTL), 1);
	IS(sendto(fd, "hello", 5, 0, SA(&group), sizeof(group)), 5);
	IS(receive(fd, text, sizeof(text), &from), 4);
	SAY("got %s", text);
	OK(from.sin_addr.s_addr == address_of(host).s_addr);
	IS(sendto(fd, "again", 5, 0, SA(&group), sizeof(group)), 5);
	IS(receive(fd, text, sizeof(text), &from), 4);
	SAY("got %s", text);
	IS(sendto(fd, "never", 5, 0, SA(&group), sizeof(group)), 5);
	return DONE();
}

int main(int count, char **words)
{
	if (count != 4)
		return 2;
	return strcmp(words[1], "server") == 0 ? serve(words[2], atoi(words[3])) : client(words[2], atoi(words[3]));
}
