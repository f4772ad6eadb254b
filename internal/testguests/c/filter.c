/* Socket filters: programs that choose what a socket gets. */
#include "net.h"
#include <linux/filter.h>
#include <sys/un.h>

static char back[100];

static int attach(int s, struct sock_filter *list, int count)
{
	struct sock_fprog program = {count, list};

	return setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static void receive(int s)
{
	int n = recv(s, back, sizeof(back) - 1, MSG_DONTWAIT);

	if (n < 0) {
		SAY("nothing: %s", strerrorname_np(errno));
		return;
	}
	back[n] = 0;
	SAY("got %s", back);
}

static struct sock_filter none[] = {BPF_STMT(BPF_RET | BPF_K, 0)};

static void of_udp(void)
{
	/* what begins with 'y' behind the header of 8 bytes; of 'Y', 3 bytes */
	struct sock_filter choose[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'Y', 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 8 + 3),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_filter by_length[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_filter bad[] = {BPF_STMT(BPF_LD | BPF_IMM, 1)};
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int from = socket(AF_INET, SOCK_DGRAM, 0), to = socket(AF_INET, SOCK_DGRAM, 0), on = 1, off = 0;
	socklen_t size = sizeof(a);

	SAY("of UDP");
	IS(bind(to, (void *)&a, sizeof(a)), 0);
	getsockname(to, (void *)&a, &size);
	IS(connect(from, (void *)&a, sizeof(a)), 0);
	FAILS(attach(to, bad, 1), EINVAL);
	FAILS(attach(to, choose, 0), EINVAL);
	FAILS(attach(to, (void *)8, 2), EFAULT);
	FAILS(setsockopt(to, SOL_SOCKET, SO_DETACH_FILTER, &on, sizeof(on)), ENOENT);
	IS(attach(to, choose, 6), 0);
	IS(send(from, "no", 2, 0), 2);
	IS(send(from, "yes", 3, 0), 3);
	IS(send(from, "", 0, 0), 0);
	IS(send(from, "Yes, sir", 8, 0), 8);
	receive(to);
	receive(to);
	receive(to);
	IS(attach(to, by_length, 2), 0);
	IS(send(from, "all", 3, 0), 3);
	receive(to);
	IS(attach(to, none, 1), 0);
	IS(send(from, "none", 4, 0), 4);
	receive(to);
	IS(setsockopt(to, SOL_SOCKET, SO_DETACH_FILTER, &on, sizeof(on)), 0);
	IS(send(from, "again", 5, 0), 5);
	receive(to);
	IS(attach(to, none, 1), 0);
	IS(setsockopt(to, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)), 0);
	FAILS(setsockopt(to, SOL_SOCKET, SO_DETACH_FILTER, &on, sizeof(on)), EPERM);
	FAILS(attach(to, by_length, 2), EPERM);
	FAILS(setsockopt(to, SOL_SOCKET, SO_LOCK_FILTER, &off, sizeof(off)), EPERM);
	close(from);
	close(to);
}

static void of_unix(void)
{
	struct sock_filter choose[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 2),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	int pair[2];

	SAY("of Unix sockets");
	IS(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	IS(attach(pair[1], choose, 4), 0);
	IS(send(pair[0], "no", 2, 0), 2);
	IS(send(pair[0], "yes", 3, 0), 3);
	receive(pair[1]);
	receive(pair[1]);
	close(pair[0]);
	close(pair[1]);
}

static void of_groups(void)
{
	/* the first byte says which socket */
	struct sock_filter choose[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, '0'),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog program = {3, choose};
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int from = socket(AF_INET, SOCK_DGRAM, 0), group[3], on = 1;
	socklen_t size = sizeof(a);

	SAY("of a group");
	for (int i = 0; i < 3; i++) {
		group[i] = socket(AF_INET, SOCK_DGRAM, 0);
		if (i == 0)
			FAILS(setsockopt(group[i], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)), EINVAL);
		IS(setsockopt(group[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
		IS(bind(group[i], (void *)&a, sizeof(a)), 0);
		getsockname(group[i], (void *)&a, &size);
	}
	IS(setsockopt(group[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)), 0);
	for (const char *c = "2012"; *c; c++)
		IS(sendto(from, c, 1, 0, (void *)&a, sizeof(a)), 1);
	for (int i = 0; i < 3; i++) {
		receive(group[i]);
		receive(group[i]);
	}
}

int main(void)
{
	of_udp();
	of_unix();
	of_groups();
	return DONE();
}
