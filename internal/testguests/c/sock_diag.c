/* The tables of sockets that ss asks for by netlink. */
#include "net.h"
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <dirent.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/un.h>

static int diag;
static char back[1 << 16];

/* ask sends a request of a family and gives each record of the answer to a function. */
static void ask(void *body, int size, void (*record)(struct nlmsghdr *))
{
	static unsigned sequence;
	struct nlmsghdr h = {NLMSG_LENGTH(size), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, ++sequence, 0};
	struct iovec parts[2] = {{&h, sizeof(h)}, {body, size}};
	struct sockaddr_nl to = {.nl_family = AF_NETLINK};
	struct msghdr m = {.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = parts, .msg_iovlen = 2};

	IS(sendmsg(diag, &m, 0), (long)h.nlmsg_len);
	for (;;) {
		int n = recv(diag, back, sizeof(back), 0);

		if (n <= 0) {
			SAY("BAD nothing came");
			return;
		}
		for (struct nlmsghdr *a = (void *)back; NLMSG_OK(a, (unsigned)n); a = NLMSG_NEXT(a, n)) {
			if (a->nlmsg_seq != sequence)
				SAY("BAD sequence");
			if (a->nlmsg_type == NLMSG_ERROR) {
				SAY("refused: %s", strerrorname_np(-((struct nlmsgerr *)NLMSG_DATA(a))->error));
				return;
			}
			if (a->nlmsg_type == NLMSG_DONE)
				return;
			record(a);
		}
	}
}

static unsigned short port, client;
static int listening, established;

static void tcp(struct nlmsghdr *a)
{
	struct inet_diag_msg *m = NLMSG_DATA(a);
	unsigned short from = ntohs(m->id.idiag_sport), to = ntohs(m->id.idiag_dport);

	if (from == port && m->idiag_state == 10 && to == 0 && m->id.idiag_src[0] == htonl(INADDR_LOOPBACK))
		listening++;
	if (m->idiag_state == 1 && ((from == port && to == client) || (from == client && to == port)))
		established++;
}

static int bound;

static void udp(struct nlmsghdr *a)
{
	struct inet_diag_msg *m = NLMSG_DATA(a);

	bound += ntohs(m->id.idiag_sport) == port && m->idiag_state == 7;
}

static char name[64];
static int found, waiting, most, met;
static unsigned peer, callers, inodes[3]; /* of a pair, and of a socket that connects */

static unsigned inode(int fd)
{
	struct stat s = {0};

	fstat(fd, &s);
	return s.st_ino;
}

static void unix_(struct nlmsghdr *a)
{
	struct unix_diag_msg *m = NLMSG_DATA(a);
	int left = a->nlmsg_len - NLMSG_LENGTH(sizeof(*m)), listens = 0;
	struct nlattr *t = (void *)(m + 1);

	for (; left >= (int)sizeof(*t); left -= NLA_ALIGN(t->nla_len), t = (void *)((char *)t + NLA_ALIGN(t->nla_len)))
		if (t->nla_type == UNIX_DIAG_NAME && t->nla_len - NLA_HDRLEN == (int)strlen(name + 1) + 1 &&
		    memcmp((char *)t + NLA_HDRLEN, name, strlen(name + 1) + 1) == 0)
			found += listens = m->udiag_type == SOCK_STREAM && m->udiag_state == 10;
		else if (listens && t->nla_type == UNIX_DIAG_RQLEN)
			memcpy(&waiting, t + 1, 4), memcpy(&most, (char *)(t + 1) + 4, 4);
		else if (listens && t->nla_type == UNIX_DIAG_ICONS)
			memcpy(&callers, t + 1, 4);
		else if (t->nla_type == UNIX_DIAG_PEER && m->udiag_ino == inodes[0])
			memcpy(&peer, t + 1, 4);
		else if (t->nla_type == UNIX_DIAG_RQLEN && m->udiag_ino == inodes[1])
			memcpy(&met, t + 1, 4);
}

int main(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un u = {.sun_family = AF_UNIX};
	struct inet_diag_req_v2 inet = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = -1};
	struct unix_diag_req local = {.sdiag_family = AF_UNIX, .udiag_states = -1, .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS | UDIAG_SHOW_RQLEN};
	int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0), d = socket(AF_INET, SOCK_DGRAM, 0);
	int s = socket(AF_UNIX, SOCK_STREAM, 0), k = socket(AF_UNIX, SOCK_STREAM, 0), pair[2];
	socklen_t size = sizeof(a);

	diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	OK(diag >= 0);
	IS(bind(l, (void *)&a, sizeof(a)) + listen(l, 5), 0);
	getsockname(l, (void *)&a, &size);
	port = ntohs(a.sin_port);
	IS(connect(c, (void *)&a, sizeof(a)), 0);
	OK(accept(l, NULL, NULL) >= 0);
	IS(bind(d, (void *)&a, sizeof(a)), 0);
	getsockname(c, (void *)&a, &size);
	client = ntohs(a.sin_port);
	SAY("TCP");
	ask(&inet, sizeof(inet), tcp);
	IS(listening, 1);
	IS(established, 2);
	inet.idiag_states = 1 << 10;
	listening = established = 0;
	ask(&inet, sizeof(inet), tcp);
	IS(listening, 1);
	IS(established, 0);
	SAY("UDP");
	inet.idiag_states = -1;
	inet.sdiag_protocol = IPPROTO_UDP;
	ask(&inet, sizeof(inet), udp);
	IS(bound, 1);
	SAY("Unix sockets");
	snprintf(name + 1, sizeof(name) - 1, "simterpose-%d", getpid());
	strcpy(u.sun_path + 1, name + 1);
	IS(bind(s, (void *)&u, offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name + 1)) + listen(s, 1), 0);
	IS(connect(k, (void *)&u, offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name + 1)), 0);
	IS(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) + write(pair[0], "abc", 3), 3);
	closedir(opendir("/proc/self/fd")); /* as programs do that look for inodes */
	inodes[0] = inode(pair[0]), inodes[1] = inode(pair[1]), inodes[2] = inode(k);
	ask(&local, sizeof(local), unix_);
	IS(found, 1);
	IS(waiting, 1);
	IS(most, 1);
	OK(callers == inodes[2]);
	OK(peer == inodes[1]);
	IS(met, 3);
	SAY("what there is not");
	inet.sdiag_protocol = 200;
	ask(&inet, sizeof(inet), tcp);
	return DONE();
}
