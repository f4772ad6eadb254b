/*
 * Servers and clients that are not in step.
 *
 *	odd server KIND PORT [SECONDS]
 *	odd client KIND HOST PORT
 *
 * KIND:
 *	early   the client has sent and closed before the server receives
 *	closed  the server closes at once; the client reads, then writes
 *	silent  the server only listens, then ends; the client waits in vain
 *	gone    the client ends in the middle of a transfer
 *	refused nobody listens on the port, for SECONDS
 */
#include "../c/net.h"
#include <netdb.h>
#include <signal.h>

static void server(const char *kind, int port, int seconds)
{
	struct sockaddr_in at = in4("0.0.0.0", port);
	int listening = socket(AF_INET, SOCK_STREAM, 0), fd;
	char text[32] = "";
	ssize_t n;
	int total = 0;

	set_int(listening, SOL_SOCKET, SO_REUSEADDR, 1);
	IS(bind(listening, SA(&at), sizeof(at)), 0);
	if (strcmp(kind, "refused") == 0) {
		SAY("listening to nobody");
		sleep_ns(seconds * SECOND);
		return;
	}
	IS(listen(listening, 5), 0);
	SAY("listening");
	if (strcmp(kind, "silent") == 0) {
		OK(poll_for(listening, POLLIN, 100000) == POLLIN);
		sleep_ns(800 * MS);
		return;
	}
	fd = accept(listening, NULL, NULL);
	if (strcmp(kind, "early") == 0) {
		sleep_ns(500 * MS);
		IS(recv(fd, text, 16, MSG_WAITALL), 16);
		SAY("%s", text);
		IS(read(fd, text, 16), 0);
	} else if (strcmp(kind, "closed") == 0) {
		IS(close(fd), 0);
		sleep_ns(1 * SECOND);
	} else if (strcmp(kind, "gone") == 0) {
		while ((n = read(fd, text, sizeof(text))) > 0)
			total += n;
		IS(n, 0);
		IS(total, 5000);
	}
}

static void client(const char *kind, const char *host, const char *port)
{
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	static char text[5000];
	int64_t start;

	IS(getaddrinfo(host, port, &hints, &found), 0);
	if (strcmp(kind, "refused") == 0) {
		FAILS(connect(fd, found->ai_addr, found->ai_addrlen), ECONNREFUSED);
		return;
	}
	IS(connect(fd, found->ai_addr, found->ai_addrlen), 0);
	if (strcmp(kind, "early") == 0) {
		IS(send(fd, "sent long before", 16, 0), 16);
		IS(close(fd), 0);
	} else if (strcmp(kind, "closed") == 0) {
		signal(SIGPIPE, SIG_IGN);
		IS(read(fd, text, 16), 0);
		IS(write(fd, "x", 1), 1);
		sleep_ns(500 * MS);
		FAILS(write(fd, "x", 1), EPIPE);
	} else if (strcmp(kind, "silent") == 0) {
		SAY("the connection is made, and takes data, without anybody");
		IS(write(fd, "hello", 5), 5);
		set_timeout(fd, SO_RCVTIMEO, 200 * MS);
		start = now_ns();
		FAILS(read(fd, text, 16), EAGAIN);
		TOOK(start, 200 * MS);
		set_timeout(fd, SO_RCVTIMEO, 0);
		SAY("until the listener's process ends");
		FAILS(read(fd, text, 16), ECONNRESET);
	} else if (strcmp(kind, "gone") == 0) {
		IS(write(fd, text, 5000), 5000);
		SAY("killed here");
		kill(getpid(), SIGKILL);
	}
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	if (strcmp(argv[1], "server") == 0)
		server(argv[2], atoi(argv[3]), argc > 4 ? atoi(argv[4]) : 0);
	else
		client(argv[2], argv[3], argv[4]);
	return DONE();
}
