/* How TCP connections begin in a crowd and end: full backlogs, TIME_WAIT, closes that cross. */
#include "net.h"
#include <linux/filter.h>

/* long_info is struct tcp_info with what Linux has added to it (linux/tcp.h). */
struct long_info {
	struct tcp_info first;
	uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
	uint32_t segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out;
	uint64_t delivery_rate, busy_time, rwnd_limited, sndbuf_limited;
	uint32_t delivered, delivered_ce;
	uint64_t bytes_sent;
};

static struct tcp_info info_of(int fd)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
	return info;
}

static int state(int fd) { return info_of(fd).tcpi_state; }

/* port_of is the local port of a socket. */
static int port_of(int fd)
{
	struct sockaddr_in a;
	socklen_t size = sizeof(a);

	getsockname(fd, SA(&a), &size);
	return ntohs(a.sin_port);
}

/*
 * waiting counts the ends in TIME_WAIT of the connection between two ports. When others
 * open and close sockets while it is read, the table shows the same end more than once.
 */
static int waiting(unsigned one, unsigned other)
{
	char line[512];
	unsigned local, remote, shown;
	int near = 0, far = 0;
	FILE *f = fopen("/proc/net/tcp", "r");

	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, " %*d: %*x:%x %*x:%x %x", &local, &remote, &shown) != 3 || shown != TCP_TIME_WAIT)
			continue;
		near |= local == one && remote == other;
		far |= local == other && remote == one;
	}
	fclose(f);
	return near + far;
}

static int bind_to(int port, int reuse)
{
	struct sockaddr_in at = in4("127.0.0.1", port);
	int fd = socket(AF_INET, SOCK_STREAM, 0), result, saved;

	if (reuse)
		set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	result = bind(fd, SA(&at), sizeof(at));
	saved = errno;
	close(fd);
	errno = saved;
	return result;
}

static void backlog(void)
{
	struct sockaddr_in at;
	int listening = bound4(SOCK_STREAM, &at), first, second, third;
	int64_t start;

	SAY("a full backlog");
	IS(listen(listening, 0), 0);
	first = socket(AF_INET, SOCK_STREAM, 0);
	IS(connect(first, SA(&at), sizeof(at)), 0);
	IS(info_of(listening).tcpi_unacked, 1); /* of those that wait */
	IS(info_of(listening).tcpi_sacked, 0);	/* the backlog */
	second = socket(AF_INET, SOCK_STREAM, 0);
	set_nonblocking(second);
	start = now_ns();
	FAILS(connect(second, SA(&at), sizeof(at)), EINPROGRESS);
	IS(poll_for(second, POLLOUT, 300), 0);
	IS(state(second), TCP_SYN_SENT);
	OK((third = accept(listening, NULL, NULL)) >= 0);
	IS(poll_for(second, POLLOUT, 8000), POLLOUT);
	OK(now_ns() - start > 900 * MS); /* with its second SYN */
	IS(get_int(second, SOL_SOCKET, SO_ERROR), 0);
	IS(state(second), TCP_ESTABLISHED);
	IS(listen(listening, 5), 0);
	IS(info_of(listening).tcpi_sacked, 5);
	close(listening);
	OK(poll_for(second, POLLIN, 5000) & POLLERR); /* it was never accepted */
	IS(get_int(second, SOL_SOCKET, SO_ERROR), ECONNRESET);
	IS(write(first, "x", 1), 1);
	close(first);
	close(second);
	close(third);
}

/* reset ends a connection between two ports by a reset, and returns what the other end is told. */
static int reset(int *mine, int *theirs)
{
	struct linger now = {1, 0};
	int pair[2], told;
	char byte;

	tcp_pair(pair);
	*mine = port_of(pair[0]), *theirs = port_of(pair[1]);
	setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(pair[0]);
	told = read(pair[1], &byte, 1) == -1 ? errno : 0;
	close(pair[1]);
	return told;
}

static void time_wait(void)
{
	int pair[2], mine, theirs;
	char byte;

	SAY("who closes first waits");
	tcp_pair(pair);
	mine = port_of(pair[0]), theirs = port_of(pair[1]);
	IS(shutdown(pair[0], SHUT_WR), 0);
	IS(read(pair[1], &byte, 1), 0);
	OK(state(pair[0]) == TCP_FIN_WAIT1 || state(pair[0]) == TCP_FIN_WAIT2);
	IS(state(pair[1]), TCP_CLOSE_WAIT);
	close(pair[1]);
	IS(read(pair[0], &byte, 1), 0);
	IS(state(pair[0]), TCP_CLOSE);
	close(pair[0]);
	IS(waiting(mine, theirs), 1);
	FAILS(bind_to(mine, 0), EADDRINUSE);
	FAILS(bind_to(mine, 1), EADDRINUSE); /* its socket did not allow it */
	tcp_pair(pair);
	mine = port_of(pair[1]), theirs = port_of(pair[0]);
	set_int(pair[1], SOL_SOCKET, SO_REUSEADDR, 1);
	IS(bind_to(mine, 1), 0);
	close(pair[1]);
	IS(read(pair[0], &byte, 1), 0);
	close(pair[0]);
	IS(waiting(mine, theirs), 1);
	FAILS(bind_to(mine, 0), EADDRINUSE);

	SAY("nobody waits after a reset");
	IS(reset(&mine, &theirs), ECONNRESET);
	IS(waiting(mine, theirs), 0);
	for (int tries = 0; tries < 10 && bind_to(mine, 0) != 0; tries++)
		reset(&mine, &theirs); /* a connection of another program has this port too */
	IS(bind_to(mine, 0), 0);
}

static void at_once(void)
{
	struct sock_filter none[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_fprog program = {1, none};
	int pair[2], mine, theirs;
	char byte;

	SAY("both close at once");
	tcp_pair(pair);
	mine = port_of(pair[0]), theirs = port_of(pair[1]);
	for (int i = 0; i < 2; i++)
		setsockopt(pair[i], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
	IS(shutdown(pair[0], SHUT_WR), 0);
	IS(shutdown(pair[1], SHUT_WR), 0);
	IS(state(pair[0]), TCP_FIN_WAIT1);
	IS(state(pair[1]), TCP_FIN_WAIT1);
	for (int i = 0; i < 2; i++)
		set_int(pair[i], SOL_SOCKET, SO_DETACH_FILTER, 0);
	IS(read(pair[0], &byte, 1), 0);
	IS(read(pair[1], &byte, 1), 0);
	for (int i = 0; i < 2; i++)
		for (int tries = 0; tries < 500 && state(pair[i]) != TCP_CLOSE; tries++)
			sleep_ns(10 * MS);
	IS(state(pair[0]), TCP_CLOSE);
	IS(state(pair[1]), TCP_CLOSE);
	IS(waiting(mine, theirs), 2);
	close(pair[0]);
	close(pair[1]);
}

static struct long_info all_of(int fd)
{
	struct long_info info = {0};
	socklen_t size = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
	return info;
}

static void told(void)
{
	static char bytes[5000];
	struct long_info one, other;
	int pair[2];

	SAY("what TCP_INFO tells");
	tcp_pair(pair);
	IS(write(pair[0], bytes, 5000), 5000);
	IS(recv(pair[1], bytes, 5000, MSG_WAITALL), 5000);
	IS(write(pair[1], bytes, 70), 70);
	IS(recv(pair[0], bytes, 70, MSG_WAITALL), 70);
	one = all_of(pair[0]), other = all_of(pair[1]);
	IS(one.first.tcpi_state, TCP_ESTABLISHED);
	IS(one.first.tcpi_options & 7, TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE);
	IS(one.bytes_received, 70);
	IS(other.bytes_received, 5000);
	IS(one.bytes_sent, 5000);
	IS(one.bytes_acked, 5001); /* and the SYN */
	IS(one.first.tcpi_unacked, 0);
	IS(one.first.tcpi_retransmits, 0);
	IS(one.first.tcpi_total_retrans, 0);
	IS(one.notsent_bytes, 0);
	OK(one.first.tcpi_snd_mss >= 536 && one.first.tcpi_snd_cwnd >= 2);
	OK(one.first.tcpi_pmtu >= one.first.tcpi_snd_mss);
	OK(one.first.tcpi_rto >= 200000);
	OK(other.data_segs_in >= 1 && one.data_segs_out >= 1);
	OK(one.segs_out > one.data_segs_out);
	sleep_ns(50 * MS);
	one = all_of(pair[0]);
	OK(one.first.tcpi_last_data_sent >= 40 && one.first.tcpi_last_data_recv >= 40);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	backlog();
	time_wait();
	at_once();
	told();
	return DONE();
}
