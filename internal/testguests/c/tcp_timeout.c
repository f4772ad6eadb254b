/* SO_RCVTIMEO and SO_SNDTIMEO, and the time that blocking calls wait. */
#include "net.h"
#include <pthread.h>

static int pair[2];

static void *late(void *unused)
{
	(void)unused;
	sleep_ns(50 * MS);
	if (write(pair[0], "late", 4) != 4)
		exit(1);
	return NULL;
}

int main(void)
{
	struct sockaddr_in at;
	int listening = listener4(&at);
	int64_t start;
	char buffer[65536] = "";
	pthread_t thread;
	ssize_t n;

	tcp_pair(pair);
	IS(set_timeout(pair[1], SO_RCVTIMEO, 30 * MS), 0);
	start = now_ns();
	FAILS(recv(pair[1], buffer, 16, 0), EAGAIN);
	TOOK(start, 30 * MS);
	start = now_ns();
	FAILS(read(pair[1], buffer, 16), EAGAIN);
	TOOK(start, 30 * MS);
	SAY("MSG_WAITALL gives what it has");
	IS(write(pair[0], "some", 4), 4);
	start = now_ns();
	IS(recv(pair[1], buffer, 16, MSG_WAITALL), 4);
	TOOK(start, 30 * MS);
	SAY("zero waits for ever");
	IS(set_timeout(pair[1], SO_RCVTIMEO, 0), 0);
	start = now_ns();
	pthread_create(&thread, NULL, late, NULL);
	IS(recv(pair[1], buffer, 16, 0), 4);
	TOOK(start, 50 * MS);
	pthread_join(thread, NULL);

	SAY("accept");
	IS(set_timeout(listening, SO_RCVTIMEO, 20 * MS), 0);
	start = now_ns();
	FAILS(accept(listening, NULL, NULL), EAGAIN);
	TOOK(start, 20 * MS);

	SAY("a send into a full connection");
	IS(set_timeout(pair[0], SO_SNDTIMEO, 40 * MS), 0);
	do { /* what is on its way makes room when it has arrived */
		while ((n = send(pair[0], buffer, sizeof(buffer), MSG_DONTWAIT)) > 0)
			;
		sleep_ns(5 * MS);
	} while ((n = send(pair[0], buffer, sizeof(buffer), MSG_DONTWAIT)) > 0);
	OK(n == -1 && errno == EAGAIN);
	IS(poll_for(pair[0], POLLOUT, 0), 0);
	start = now_ns();
	FAILS(send(pair[0], buffer, sizeof(buffer), 0), EAGAIN);
	TOOK(start, 40 * MS);
	return DONE();
}
