/* Receive flags and queue lengths of a TCP socket. */
#include "net.h"
#include <linux/sockios.h>

int main(void)
{
	int pair[2], waiting = -1;
	char buffer[16] = "";
	struct iovec parts[2] = {{buffer, 2}, {buffer + 8, 3}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	tcp_pair(pair);
	FAILS(recv(pair[1], buffer, 16, MSG_DONTWAIT), EAGAIN);
	FAILS(recv(pair[1], buffer, 16, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
	IS(send(pair[0], "abcdef", 6, 0), 6);
	IS(poll_for(pair[1], POLLIN, 1000), POLLIN);
	IS(ioctl(pair[1], FIONREAD, &waiting), 0);
	IS(waiting, 6);
	IS(recv(pair[1], buffer, 3, MSG_PEEK), 3);
	OK(memcmp(buffer, "abc", 3) == 0);
	IS(recv(pair[1], buffer, 16, MSG_PEEK), 6);
	OK(memcmp(buffer, "abcdef", 6) == 0);
	IS(recvmsg(pair[1], &message, MSG_PEEK), 5);
	OK(memcmp(buffer, "ab", 2) == 0 && memcmp(buffer + 8, "cde", 3) == 0);
	IS(message.msg_flags, 0);
	IS(message.msg_namelen, 0);
	IS(recv(pair[1], buffer, 2, 0), 2);
	OK(memcmp(buffer, "ab", 2) == 0);
	IS(recv(pair[1], buffer, 16, MSG_PEEK), 4);
	OK(memcmp(buffer, "cdef", 4) == 0);

	/* MSG_TRUNC on TCP throws bytes away without copying them. */
	memset(buffer, '-', 16);
	IS(recv(pair[1], buffer, 3, MSG_TRUNC), 3);
	OK(buffer[0] == '-');
	IS(recv(pair[1], buffer, 16, MSG_WAITALL | MSG_DONTWAIT), 1);
	OK(buffer[0] == 'f');

	SAY("MSG_WAITALL ends early at the end of the stream");
	IS(send(pair[0], "tail", 4, 0), 4);
	shutdown(pair[0], SHUT_WR);
	IS(recv(pair[1], buffer, 16, MSG_WAITALL), 4);
	IS(recv(pair[1], buffer, 16, MSG_WAITALL), 0);
	IS(recv(pair[1], buffer, 16, MSG_PEEK), 0);
	IS(ioctl(pair[1], FIONREAD, &waiting), 0);
	IS(waiting, 0);

	SAY("readv and writev");
	parts[0].iov_len = 1;
	parts[1].iov_len = 4;
	memcpy(buffer, "1-------2345", 12);
	IS(writev(pair[1], parts, 2), 5);
	memset(buffer, 0, 16);
	IS(poll_for(pair[0], POLLIN, 1000), POLLIN);
	IS(readv(pair[0], parts, 2), 5);
	OK(buffer[0] == '1' && memcmp(buffer + 8, "2345", 4) == 0);
	while (ioctl(pair[1], SIOCOUTQ, &waiting) == 0 && waiting > 0)
		sleep_ns(10 * MS);
	IS(waiting, 0);
	IS(readv(pair[0], parts, 0), 0);
	FAILS(readv(pair[0], parts, -1), EINVAL);
	FAILS(readv(pair[0], parts, 1025), EINVAL);
	return DONE();
}
