/* Ancillary data that does not fit: whole records first, then part of one. */
#include "net.h"

/* receive prints the records that come with room for so many bytes. */
static void receive(int fd, size_t room)
{
	char data[8], control[256] = "";
	struct iovec vector = {.iov_base = data, .iov_len = sizeof(data)};
	struct msghdr m = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};

	IS(recvmsg(fd, &m, MSG_PEEK), 1);
	SAY("room for %zu: %zu, flags %x", room, m.msg_controllen, m.msg_flags);
	for (size_t at = 0; at + sizeof(struct cmsghdr) <= m.msg_controllen;) {
		struct cmsghdr *c = (struct cmsghdr *)(control + at);

		SAY("  level %d type %d length %zu", c->cmsg_level, c->cmsg_type, (size_t)c->cmsg_len);
		at += CMSG_ALIGN(c->cmsg_len);
	}
}

int main(void)
{
	struct sockaddr_in6 to = in6("::1", 0);
	socklen_t size = sizeof(to);
	int six = socket(AF_INET6, SOCK_DGRAM, 0), pair[2];

	SAY("a datagram's hop limit and traffic class");
	IS(bind(six, SA(&to), sizeof(to)), 0);
	IS(getsockname(six, SA(&to), &size), 0);
	IS(set_int(six, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1), 0);
	IS(set_int(six, IPPROTO_IPV6, IPV6_RECVTCLASS, 1), 0);
	IS(sendto(six, "x", 1, 0, SA(&to), size), 1);
	for (size_t room = 0; room <= 2 * CMSG_SPACE(sizeof(int)); room++)
		receive(six, room);

	SAY("a Unix socket's credentials");
	IS(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	IS(set_int(pair[1], SOL_SOCKET, SO_PASSCRED, 1), 0);
	IS(write(pair[0], "x", 1), 1);
	for (size_t room = 0; room <= CMSG_SPACE(sizeof(struct ucred)); room++)
		receive(pair[1], room);
	return DONE();
}
