/* Half-closed TCP connections, broken pipes, and what poll says of them. */
#include "net.h"
#include <signal.h>

static volatile sig_atomic_t broken_pipes;

static void count(int signal)
{
	(void)signal;
	broken_pipes++;
}

int main(void)
{
	int pair[2];
	char buffer[16];

	signal(SIGPIPE, count);

	tcp_pair(pair);
	FAILS(shutdown(pair[0], 3), EINVAL);
	IS(write(pair[0], "request", 7), 7);
	IS(shutdown(pair[0], SHUT_WR), 0);
	FAILS(send(pair[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	IS(broken_pipes, 0);
	FAILS(write(pair[0], "x", 1), EPIPE);
	IS(broken_pipes, 1);
	FAILS(send(pair[0], "x", 1, 0), EPIPE);
	IS(broken_pipes, 2);
	IS(recv(pair[1], buffer, 7, MSG_WAITALL), 7);
	IS(read(pair[1], buffer, 16), 0);
	OK(poll_for(pair[1], POLLIN | POLLRDHUP, 1000) == (POLLIN | POLLRDHUP));
	SAY("the other direction still carries");
	IS(write(pair[1], "answer", 6), 6);
	IS(recv(pair[0], buffer, 6, MSG_WAITALL), 6);
	IS(poll_for(pair[0], POLLIN, 0), 0);
	IS(shutdown(pair[1], SHUT_WR), 0);
	IS(read(pair[0], buffer, 16), 0);
	OK(poll_for(pair[0], POLLIN, 1000) == (POLLIN | POLLHUP));
	close(pair[0]);
	close(pair[1]);

	SAY("SHUT_RD: reads end at once, queued data stays");
	tcp_pair(pair);
	IS(write(pair[0], "kept", 4), 4);
	IS(poll_for(pair[1], POLLIN, 1000), POLLIN);
	IS(shutdown(pair[1], SHUT_RD), 0);
	IS(read(pair[1], buffer, 16), 4);
	IS(read(pair[1], buffer, 16), 0);
	IS(poll_for(pair[1], POLLIN | POLLOUT | POLLRDHUP, 0), POLLIN | POLLOUT | POLLRDHUP);
	IS(write(pair[1], "out", 3), 3);
	IS(recv(pair[0], buffer, 3, MSG_WAITALL), 3);
	close(pair[0]);
	close(pair[1]);

	SAY("SHUT_RDWR");
	tcp_pair(pair);
	IS(shutdown(pair[0], SHUT_RDWR), 0);
	IS(read(pair[0], buffer, 16), 0);
	FAILS(send(pair[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	IS(read(pair[1], buffer, 16), 0);
	close(pair[0]);
	close(pair[1]);

	SAY("no connection");
	pair[0] = socket(AF_INET, SOCK_STREAM, 0);
	FAILS(shutdown(pair[0], SHUT_WR), ENOTCONN);
	FAILS(send(pair[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	FAILS(read(pair[0], buffer, 16), ENOTCONN);
	IS(poll_for(pair[0], POLLIN | POLLOUT, 0), POLLOUT | POLLHUP);
	close(pair[0]);
	return DONE();
}
