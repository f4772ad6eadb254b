/* Resets: SO_LINGER 0, unread data, a listener that goes, a dead peer. */
#include "net.h"
#include <signal.h>

int main(void)
{
	struct linger abrupt = {.l_onoff = 1, .l_linger = 0}, read_back = {0};
	socklen_t size = sizeof(read_back);
	struct sockaddr_in at;
	int pair[2], listening, fd;
	char buffer[16];
	pid_t child;

	signal(SIGPIPE, SIG_IGN);

	SAY("close with SO_LINGER 0");
	tcp_pair(pair);
	IS(setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &abrupt, sizeof(abrupt)), 0);
	IS(getsockopt(pair[0], SOL_SOCKET, SO_LINGER, &read_back, &size), 0);
	OK(read_back.l_onoff == 1 && read_back.l_linger == 0);
	close(pair[0]);
	IS(poll_for(pair[1], POLLIN, 1000), POLLIN | POLLERR | POLLHUP);
	FAILS(read(pair[1], buffer, 16), ECONNRESET);
	IS(read(pair[1], buffer, 16), 0);
	FAILS(write(pair[1], "x", 1), EPIPE);
	close(pair[1]);

	SAY("a reset throws away what was not read yet");
	tcp_pair(pair);
	IS(write(pair[0], "lost", 4), 4);
	IS(poll_for(pair[1], POLLIN, 1000), POLLIN);
	setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &abrupt, sizeof(abrupt));
	close(pair[0]);
	OK(poll_for(pair[1], POLLRDHUP, 1000) & POLLHUP);
	IS(read(pair[1], buffer, 16), 4);
	FAILS(read(pair[1], buffer, 16), ECONNRESET);
	close(pair[1]);

	SAY("close with unread data resets");
	tcp_pair(pair);
	IS(write(pair[0], "unread", 6), 6);
	IS(poll_for(pair[1], POLLIN, 1000), POLLIN);
	close(pair[1]);
	OK(poll_for(pair[0], POLLRDHUP, 1000) & POLLERR);
	FAILS(read(pair[0], buffer, 16), ECONNRESET);
	close(pair[0]);

	SAY("data for a socket that was closed resets");
	tcp_pair(pair);
	close(pair[1]);
	IS(poll_for(pair[0], POLLIN | POLLRDHUP, 1000), POLLIN | POLLRDHUP);
	IS(write(pair[0], "x", 1), 1);
	OK(poll_for(pair[0], 0, 1000) & POLLHUP);
	FAILS(write(pair[0], "x", 1), EPIPE);
	close(pair[0]);

	SAY("a process that is killed closes its side");
	listening = listener4(&at);
	child = fork();
	if (child == 0) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		connect(fd, SA(&at), sizeof(at));
		if (write(fd, "part", 4) != 4)
			_exit(1);
		pause();
	}
	fd = accept(listening, NULL, NULL);
	IS(read(fd, buffer, 4), 4);
	IS(kill(child, SIGKILL), 0);
	IS(read(fd, buffer, 16), 0);
	IS(waitpid(child, NULL, 0), child);
	close(fd);

	SAY("a listener that closes resets those who wait in its queue");
	fd = socket(AF_INET, SOCK_STREAM, 0);
	IS(connect(fd, SA(&at), sizeof(at)), 0);
	close(listening);
	OK(poll_for(fd, POLLIN, 1000) & POLLHUP);
	FAILS(read(fd, buffer, 16), ECONNRESET);
	close(fd);
	return DONE();
}
