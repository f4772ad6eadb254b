/* Socket filters on TCP: what one does not let pass comes again later. */
#include "net.h"
#include <linux/filter.h>

static int attach(int s, struct sock_filter *list, int count)
{
	struct sock_fprog program = {count, list};

	return setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int detach(int s) { return set_int(s, SOL_SOCKET, SO_DETACH_FILTER, 0); }

static struct sock_filter none[] = {BPF_STMT(BPF_RET | BPF_K, 0)};

/* What has no data, or begins with something else than 'x'. */
static struct sock_filter no_x[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 12), /* the header's size, in words */
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0),
	BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 2),
	BPF_STMT(BPF_MISC | BPF_TAX, 0),
	BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_X, 0, 0, 2),
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'x', 1, 0),
	BPF_STMT(BPF_RET | BPF_K, 0xffff),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

/* A FIN. */
static struct sock_filter no_end[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, 0xffff),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

static int got(int fd, const char *want)
{
	char text[100];
	ssize_t n = recv(fd, text, sizeof(text), 0);

	return n == (ssize_t)strlen(want) && memcmp(text, want, n) == 0;
}

int main(void)
{
	struct sockaddr_in at;
	int listening = listener4(&at), c, s;
	char far[10];
	int64_t start;

	SAY("a listener that hears nothing");
	IS(attach(listening, none, 1), 0);
	c = socket(AF_INET, SOCK_STREAM, 0);
	set_nonblocking(c);
	start = now_ns();
	FAILS(connect(c, SA(&at), sizeof(at)), EINPROGRESS);
	IS(poll_for(c, POLLOUT, 200), 0);
	FAILS(connect(c, SA(&at), sizeof(at)), EALREADY);
	IS(detach(listening), 0);
	IS(poll_for(c, POLLOUT, 5000), POLLOUT);
	OK(now_ns() - start > 900 * MS); /* the second SYN */
	s = accept(listening, NULL, NULL);
	close(s);
	close(c);

	SAY("a listener's filter is its connections'");
	IS(attach(listening, no_x, 10), 0);
	c = socket(AF_INET, SOCK_STREAM, 0);
	IS(connect(c, SA(&at), sizeof(at)), 0);
	s = accept(listening, NULL, NULL);
	IS(send(c, "hello", 5, 0), 5);
	OK(got(s, "hello"));
	IS(send(c, "xyz", 3, 0), 3);
	IS(poll_for(s, POLLIN, 300), 0);
	FAILS(recv(s, far, 1, MSG_DONTWAIT), EAGAIN);
	IS(detach(s), 0);
	IS(poll_for(s, POLLIN, 5000), POLLIN);
	OK(got(s, "xyz"));
	IS(send(s, "xyz", 3, 0), 3);
	OK(got(c, "xyz"));
	FAILS(detach(s), ENOENT);

	SAY("an end that is not heard");
	IS(attach(s, no_end, 4), 0);
	IS(send(c, "last", 4, 0), 4);
	OK(got(s, "last"));
	IS(shutdown(c, SHUT_WR), 0);
	IS(poll_for(s, POLLIN, 300), 0);
	IS(set_int(s, SOL_SOCKET, SO_LOCK_FILTER, 1), 0);
	FAILS(detach(s), EPERM);
	FAILS(attach(s, none, 1), EPERM);
	IS(poll_for(s, POLLIN, 100), 0);
	close(s);
	return DONE();
}
