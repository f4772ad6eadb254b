/* select and pselect: sets in and out, time left, bad descriptors. */
#include "net.h"
#include <sys/select.h>
#include <sys/syscall.h>

int main(void)
{
	fd_set in, out, except;
	struct timeval t = {.tv_usec = 30000}, bad = {.tv_sec = -1};
	struct timespec ts = timespec_of(20 * MS);
	int64_t start;
	int one[2], two[2], pair[2], fd, n;
	char byte;
	pid_t child;

	SAY("only a timeout: what is left of it is zero");
	start = now_ns();
	IS(select(0, NULL, NULL, NULL, &t), 0);
	TOOK(start, 30 * MS);
	OK(t.tv_sec == 0 && t.tv_usec == 0);
	start = now_ns();
	IS(pselect(0, NULL, NULL, NULL, &ts, NULL), 0);
	TOOK(start, 20 * MS);
	OK(ts.tv_nsec == 20 * MS);
	FAILS(select(0, NULL, NULL, NULL, &bad), EINVAL);
	FAILS(select(-1, NULL, NULL, NULL, NULL), EINVAL);

	IS(pipe(one), 0);
	IS(pipe(two), 0);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(one[0], &in);
	FD_SET(two[0], &in);
	FD_SET(one[1], &out);
	IS(select(two[1] + 1, &in, &out, NULL, NULL), 1);
	OK(!FD_ISSET(one[0], &in) && !FD_ISSET(two[0], &in) && FD_ISSET(one[1], &out));
	IS(write(two[1], "x", 1), 1);
	FD_SET(one[0], &in);
	FD_SET(two[0], &in);
	IS(select(two[1] + 1, &in, &out, NULL, NULL), 2);
	OK(!FD_ISSET(one[0], &in) && FD_ISSET(two[0], &in));
	SAY("a descriptor beyond the count is not looked at, but its word is written back");
	FD_ZERO(&in);
	FD_SET(two[0], &in);
	t = (struct timeval){0};
	IS(select(two[0], &in, NULL, NULL, &t), 0);
	OK(!FD_ISSET(two[0], &in));
	IS(read(two[0], &byte, 1), 1);

	SAY("both sets at once count twice");
	tcp_pair(pair);
	IS(write(pair[1], "x", 1), 1);
	poll_for(pair[0], POLLIN, 1000);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(pair[0], &in);
	FD_SET(pair[0], &out);
	IS(select(pair[0] + 1, &in, &out, NULL, NULL), 2);

	SAY("urgent data is exceptional");
	FD_ZERO(&except);
	FD_SET(pair[0], &except);
	IS(send(pair[1], "!", 1, MSG_OOB), 1);
	IS(select(pair[0] + 1, NULL, NULL, &except, NULL), 1);

	SAY("woken by a child; Linux tells how much time was left");
	child = fork();
	if (child == 0) {
		sleep_ns(40 * MS);
		_exit(write(two[1], "x", 1) != 1);
	}
	FD_ZERO(&in);
	FD_SET(two[0], &in);
	t = (struct timeval){.tv_sec = 100};
	start = now_ns();
	IS(select(two[0] + 1, &in, NULL, NULL, &t), 1);
	OK(now_ns() - start < 50 * SECOND);
	OK(t.tv_sec >= 50 && t.tv_sec < 100);
	check_child(child);

	SAY("bad descriptors");
	fd = dup(one[0]);
	close(fd);
	FD_ZERO(&in);
	FD_SET(fd, &in);
	FAILS(select(fd + 1, &in, NULL, NULL, NULL), EBADF);
	n = syscall(SYS_select, 1024, (fd_set *)8, NULL, NULL, &t);
	OK(n == -1 && errno == EFAULT);
	return DONE();
}
