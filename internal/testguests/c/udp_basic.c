/* Datagrams: boundaries, truncation, sources, connected sockets, refusals. */
#include "net.h"

int main(void)
{
	struct sockaddr_in a, b, c, from, none = {.sin_family = AF_UNSPEC}, zero = in4("127.0.0.1", 0);
	socklen_t size = sizeof(from);
	int one = bound4(SOCK_DGRAM, &a), two = bound4(SOCK_DGRAM, &b), other = bound4(SOCK_DGRAM, &c), fd,
	    waiting;
	char buffer[64], big[66000] = "";

	IS(get_int(one, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
	IS(get_int(one, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
	FAILS(recv(two, buffer, 64, MSG_DONTWAIT), EAGAIN);
	IS(sendto(one, "hello", 5, 0, SA(&b), sizeof(b)), 5);
	IS(sendto(one, "", 0, 0, SA(&b), sizeof(b)), 0);
	IS(sendto(one, "longer datagram", 15, 0, SA(&b), sizeof(b)), 15);
	IS(poll_for(two, POLLIN, 1000), POLLIN);
	IS(ioctl(two, FIONREAD, &waiting), 0);
	IS(waiting, 5);
	IS(recv(two, buffer, 2, MSG_PEEK), 2);
	IS(recv(two, buffer, 2, MSG_PEEK | MSG_TRUNC), 5);
	IS(recvfrom(two, buffer, 64, 0, SA(&from), &size), 5);
	OK(size == sizeof(from) && memcmp(&from, &a, sizeof(a)) == 0);
	IS(poll_for(two, POLLIN, 1000), POLLIN);
	IS(recv(two, buffer, 64, 0), 0);
	IS(poll_for(two, POLLIN, 1000), POLLIN);
	IS(recv(two, buffer, 6, 0), 6);
	OK(memcmp(buffer, "longer", 6) == 0);
	SAY("the rest of a datagram is lost");
	FAILS(recv(two, buffer, 64, MSG_DONTWAIT), EAGAIN);

	SAY("sizes");
	FAILS(sendto(one, big, 65508, 0, SA(&b), sizeof(b)), EMSGSIZE);
	IS(sendto(one, big, 65507, 0, SA(&b), sizeof(b)), 65507);
	IS(recv(two, big, sizeof(big), 0), 65507);
	FAILS(send(one, "x", 1, 0), EDESTADDRREQ);
	FAILS(write(one, "x", 1), EDESTADDRREQ);
	FAILS(sendto(one, "x", 1, 0, SA(&b), 4), EINVAL);
	FAILS(sendto(one, "x", 1, 0, SA(&zero), sizeof(zero)), EINVAL);
	FAILS(sendto(one, NULL, 1, 0, SA(&b), sizeof(b)), EFAULT);

	SAY("connected");
	IS(connect(one, SA(&b), sizeof(b)), 0);
	IS(getpeername(one, SA(&from), &size), 0);
	OK(memcmp(&from, &b, sizeof(b)) == 0);
	IS(send(one, "x", 1, 0), 1);
	IS(write(one, "yz", 2), 2);
	IS(recv(two, buffer, 64, 0), 1);
	IS(read(two, buffer, 64), 2);
	SAY("hears its peer only");
	IS(sendto(other, "stranger", 8, 0, SA(&a), sizeof(a)), 8);
	IS(sendto(two, "friend", 6, 0, SA(&a), sizeof(a)), 6);
	IS(recv(one, buffer, 64, 0), 6);
	FAILS(recv(one, buffer, 64, MSG_DONTWAIT), EAGAIN);
	SAY("but may send elsewhere, and change its peer, and leave it");
	IS(sendto(one, "aside", 5, 0, SA(&c), sizeof(c)), 5);
	IS(recv(other, buffer, 64, 0), 5);
	IS(connect(one, SA(&c), sizeof(c)), 0);
	IS(connect(one, SA(&none), sizeof(none)), 0);
	FAILS(getpeername(one, SA(&from), &size), ENOTCONN);
	FAILS(send(one, "x", 1, 0), EDESTADDRREQ);

	SAY("a closed port refuses those who are connected to it");
	close(two);
	IS(sendto(one, "x", 1, 0, SA(&b), sizeof(b)), 1);
	FAILS(recv(one, buffer, 64, MSG_DONTWAIT), EAGAIN);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	IS(connect(fd, SA(&b), sizeof(b)), 0);
	IS(send(fd, "x", 1, 0), 1);
	IS(poll_for(fd, POLLIN, 1000), POLLERR);
	FAILS(recv(fd, buffer, 64, 0), ECONNREFUSED);
	FAILS(recv(fd, buffer, 64, MSG_DONTWAIT), EAGAIN);
	IS(send(fd, "x", 1, 0), 1);
	OK(poll_for(fd, POLLIN, 1000) & POLLERR);
	IS(get_int(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	IS(get_int(fd, SOL_SOCKET, SO_ERROR), 0);

	SAY("shutdown");
	IS(connect(fd, SA(&c), sizeof(c)), 0);
	IS(shutdown(fd, SHUT_WR), 0);
	FAILS(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
	IS(shutdown(fd, SHUT_RD), 0);
	IS(recv(fd, buffer, 64, 0), 0);
	close(fd);
	IS(poll_for(other, POLLIN | POLLOUT, 0), POLLOUT);
	return DONE();
}
