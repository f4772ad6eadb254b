/* sendmsg, recvmsg, sendmmsg, recvmmsg and ancillary data on datagrams. */
#include "net.h"

static char control[256];

/* cmsg_int finds an int among the ancillary data, or returns -1. */
static int cmsg_int(struct msghdr *m, int level, int type)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == level && c->cmsg_type == type)
			return type == IP_TOS ? *(unsigned char *)CMSG_DATA(c) : *(int *)CMSG_DATA(c);
	return -1;
}

int main(void)
{
	struct sockaddr_in a, b, from;
	int one = bound4(SOCK_DGRAM, &a), two = bound4(SOCK_DGRAM, &b);
	char x[4] = "abc", y[8] = "defgh", buffer[16];
	struct iovec out[2] = {{x, 3}, {y, 5}}, in[2] = {{buffer, 4}, {buffer + 8, 8}};
	struct msghdr send = {.msg_name = &b, .msg_namelen = sizeof(b), .msg_iov = out, .msg_iovlen = 2};
	struct msghdr receive = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = in, .msg_iovlen = 2};
	struct mmsghdr many[4] = {{.msg_len = 0}};
	struct timespec soon = {.tv_nsec = 20 * MS};
	int64_t start;

	IS(sendmsg(one, &send, 0), 8);
	IS(recvmsg(two, &receive, 0), 8);
	OK(memcmp(buffer, "abcd", 4) == 0 && memcmp(buffer + 8, "efgh", 4) == 0);
	OK(receive.msg_namelen == sizeof(from) && memcmp(&from, &a, sizeof(a)) == 0);
	IS(receive.msg_flags, 0);

	SAY("truncated");
	sendmsg(one, &send, 0);
	receive.msg_iovlen = 1;
	IS(recvmsg(two, &receive, 0), 4);
	IS(receive.msg_flags, MSG_TRUNC);
	sendmsg(one, &send, 0);
	IS(recvmsg(two, &receive, MSG_TRUNC), 8);
	IS(receive.msg_flags, MSG_TRUNC);

	SAY("destination, TTL and TOS beside the data");
	IS(set_int(two, IPPROTO_IP, IP_PKTINFO, 1), 0);
	IS(set_int(two, IPPROTO_IP, IP_RECVTTL, 1), 0);
	IS(set_int(two, IPPROTO_IP, IP_RECVTOS, 1), 0);
	IS(set_int(one, IPPROTO_IP, IP_TOS, 0x20), 0);
	IS(set_int(one, IPPROTO_IP, IP_TTL, 33), 0);
	sendmsg(one, &send, 0);
	receive.msg_iovlen = 2;
	receive.msg_control = control;
	receive.msg_controllen = sizeof(control);
	IS(recvmsg(two, &receive, 0), 8);
	IS(cmsg_int(&receive, IPPROTO_IP, IP_TTL), 33);
	IS(cmsg_int(&receive, IPPROTO_IP, IP_TOS), 0x20);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&receive); c; c = CMSG_NXTHDR(&receive, c))
		if (c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(c);
			IS(info->ipi_ifindex, 1);
			OK(info->ipi_addr.s_addr == htonl(INADDR_LOOPBACK));
		}
	SAY("no room for them");
	sendmsg(one, &send, 0);
	receive.msg_controllen = 4;
	IS(recvmsg(two, &receive, 0), 8);
	OK(receive.msg_flags & MSG_CTRUNC);
	receive.msg_control = NULL;
	receive.msg_controllen = 0;

	SAY("several at once");
	for (int i = 0; i < 4; i++)
		many[i].msg_hdr = send;
	many[1].msg_hdr.msg_iovlen = 1;
	IS(sendmmsg(one, many, 4, 0), 4);
	OK(many[0].msg_len == 8 && many[1].msg_len == 3 && many[3].msg_len == 8);
	for (int i = 0; i < 4; i++)
		many[i].msg_hdr = receive;
	IS(recvmmsg(two, many, 3, 0, NULL), 3);
	OK(many[0].msg_len == 8 && many[1].msg_len == 3 && many[2].msg_len == 8);
	IS(recvmmsg(two, many, 4, MSG_WAITFORONE, NULL), 1);
	FAILS(recvmmsg(two, many, 4, MSG_DONTWAIT, NULL), EAGAIN);
	SAY("the timeout of recvmmsg is looked at after each datagram");
	sendmmsg(one, &(struct mmsghdr){.msg_hdr = send}, 1, 0);
	soon.tv_nsec = 0;
	start = now_ns();
	IS(recvmmsg(two, many, 4, 0, &soon), 1);
	TOOK(start, 0);
	SAY("a later failure shows as fewer");
	for (int i = 0; i < 4; i++)
		many[i].msg_hdr = send;
	many[2].msg_hdr.msg_iov = (struct iovec *)8;
	IS(sendmmsg(one, many, 4, 0), 2);
	many[0].msg_hdr.msg_iov = (struct iovec *)8;
	FAILS(sendmmsg(one, many, 4, 0), EFAULT);
	IS(sendmmsg(one, many, 0, 0), 0);

	SAY("bad headers");
	FAILS(recvmsg(two, NULL, MSG_DONTWAIT), EFAULT);
	FAILS(sendmsg(one, NULL, 0), EFAULT);
	send.msg_iovlen = 1025;
	FAILS(sendmsg(one, &send, 0), EMSGSIZE);
	send.msg_iovlen = 0;
	IS(sendmsg(one, &send, 0), 0);
	return DONE();
}
