/* A full pipe: a writer that blocks, partial writes, and every byte in order. */
#include "net.h"

enum { total = 12000000 };

static unsigned char byte_at(int i) { return (i * 2654435761u) >> 13; }

static unsigned char data[total], back[total];

int main(void)
{
	int pair[2], sent, got, partial = 0, again = 0;
	ssize_t n;
	pid_t child;

	for (int i = 0; i < total; i++)
		data[i] = byte_at(i);

	SAY("blocking: write takes all of it");
	tcp_pair(pair);
	child = fork();
	if (child == 0) {
		check_quiet = 1;
		close(pair[1]);
		IS(write(pair[0], data, total), total);
		_exit(check_failed);
	}
	close(pair[0]);
	sleep_ns(50 * MS);
	for (got = 0; (n = read(pair[1], back + got, total - got)) > 0; got += n)
		;
	IS(n, 0);
	IS(got, total);
	OK(memcmp(data, back, total) == 0);
	check_child(child);
	close(pair[1]);

	SAY("non-blocking: what fits, then EAGAIN, then POLLOUT again");
	tcp_pair(pair);
	child = fork();
	if (child == 0) {
		check_quiet = 1;
		close(pair[0]);
		sleep_ns(50 * MS);
		memset(back, 0, total);
		IS(recv(pair[1], back, total, MSG_WAITALL), total);
		OK(memcmp(data, back, total) == 0);
		IS(write(pair[1], "k", 1), 1);
		_exit(check_failed);
	}
	close(pair[1]);
	set_nonblocking(pair[0]);
	for (sent = 0; sent < total;) {
		n = write(pair[0], data + sent, total - sent);
		if (n >= 0) {
			partial += n < total - sent;
			sent += n;
		} else if (errno == EAGAIN) {
			again++;
			if (poll_for(pair[0], POLLOUT, -1) != POLLOUT)
				break;
		} else {
			break;
		}
	}
	IS(sent, total);
	OK(partial > 0);
	OK(again > 0);
	IS(poll_for(pair[0], POLLIN, -1), POLLIN);
	check_child(child);
	return DONE();
}
