/* Urgent data: apart from the stream, at its mark, and inline. */
#include "net.h"

int main(void)
{
	int pair[2];
	char buffer[16] = "";

	tcp_pair(pair);
	IS(sockatmark(pair[1]), 0);
	FAILS(recv(pair[1], buffer, 1, MSG_OOB), EINVAL);
	IS(send(pair[0], "abc", 3, 0), 3);
	IS(send(pair[0], "!", 1, MSG_OOB), 1);
	IS(poll_for(pair[1], POLLPRI, 1000), POLLPRI);
	IS(send(pair[0], "def", 3, 0), 3);
	IS(recv(pair[1], buffer, 1, MSG_OOB), 1);
	OK(buffer[0] == '!');
	FAILS(recv(pair[1], buffer, 1, MSG_OOB), EINVAL);
	SAY("a read stops at the mark");
	IS(read(pair[1], buffer, 16), 3);
	OK(memcmp(buffer, "abc", 3) == 0);
	IS(sockatmark(pair[1]), 1);
	IS(recv(pair[1], buffer, 3, MSG_WAITALL), 3);
	OK(memcmp(buffer, "def", 3) == 0);
	IS(sockatmark(pair[1]), 0);

	SAY("inline");
	IS(set_int(pair[1], SOL_SOCKET, SO_OOBINLINE, 1), 0);
	IS(send(pair[0], "xy?", 3, MSG_OOB), 3);
	IS(poll_for(pair[1], POLLPRI, 1000), POLLPRI);
	FAILS(recv(pair[1], buffer, 1, MSG_OOB), EINVAL);
	IS(read(pair[1], buffer, 16), 2);
	IS(sockatmark(pair[1]), 1);
	IS(read(pair[1], buffer, 16), 1);
	OK(buffer[0] == '?');
	return DONE();
}
