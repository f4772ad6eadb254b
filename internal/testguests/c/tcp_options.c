/* Options of TCP sockets: defaults, what is kept, what is refused. */
#include "net.h"

int main(void)
{
	struct timeval time = {0};
	struct tcp_info info;
	socklen_t size = sizeof(time);
	int fd = socket(AF_INET, SOCK_STREAM, 0), value, pair[2];
	char text[32] = "", one = 1;

	IS(get_int(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	IS(get_int(fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
	IS(get_int(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
	IS(get_int(fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
	IS(get_int(fd, SOL_SOCKET, SO_ERROR), 0);
	IS(get_int(fd, SOL_SOCKET, SO_REUSEADDR), 0);
	IS(set_int(fd, SOL_SOCKET, SO_REUSEADDR, 5), 0);
	IS(get_int(fd, SOL_SOCKET, SO_REUSEADDR), 1);
	IS(set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1), 0);
	IS(get_int(fd, SOL_SOCKET, SO_REUSEPORT), 1);
	IS(get_int(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
	IS(set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
	IS(get_int(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	IS(set_int(fd, SOL_SOCKET, SO_BROADCAST, 1), 0);
	IS(get_int(fd, SOL_SOCKET, SO_BROADCAST), 1);
	IS(get_int(fd, SOL_SOCKET, SO_OOBINLINE), 0);
	IS(get_int(fd, SOL_SOCKET, SO_DONTROUTE), 0);
	IS(get_int(fd, SOL_SOCKET, SO_RCVLOWAT), 1);
	IS(set_int(fd, SOL_SOCKET, SO_RCVLOWAT, 100), 0);
	IS(get_int(fd, SOL_SOCKET, SO_RCVLOWAT), 100);
	IS(set_int(fd, SOL_SOCKET, SO_PRIORITY, 5), 0);
	IS(get_int(fd, SOL_SOCKET, SO_PRIORITY), 5);

	SAY("buffer sizes are doubled, and have a floor");
	IS(set_int(fd, SOL_SOCKET, SO_SNDBUF, 20000), 0);
	IS(get_int(fd, SOL_SOCKET, SO_SNDBUF), 40000);
	IS(set_int(fd, SOL_SOCKET, SO_RCVBUF, 30000), 0);
	IS(get_int(fd, SOL_SOCKET, SO_RCVBUF), 60000);
	IS(set_int(fd, SOL_SOCKET, SO_SNDBUF, 1), 0);
	IS(get_int(fd, SOL_SOCKET, SO_SNDBUF), 4608);
	IS(set_int(fd, SOL_SOCKET, SO_RCVBUF, 1), 0);
	IS(get_int(fd, SOL_SOCKET, SO_RCVBUF), 2304);

	SAY("timeouts");
	IS(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, &size), 0);
	OK(size == sizeof(time) && time.tv_sec == 0 && time.tv_usec == 0);
	time = (struct timeval){.tv_sec = 2, .tv_usec = 500000};
	IS(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)), 0);
	time = (struct timeval){0};
	IS(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, &size), 0);
	OK(time.tv_sec == 2 && time.tv_usec == 500000);
	time.tv_usec = 1000000;
	FAILS(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)), EDOM);
	FAILS(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, 4), EINVAL);

	SAY("TCP");
	IS(get_int(fd, IPPROTO_TCP, TCP_NODELAY), 0);
	IS(set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1), 0);
	IS(get_int(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	IS(set_int(fd, IPPROTO_TCP, TCP_CORK, 1), 0);
	IS(get_int(fd, IPPROTO_TCP, TCP_CORK), 1);
	IS(set_int(fd, IPPROTO_TCP, TCP_CORK, 0), 0);
	IS(get_int(fd, IPPROTO_TCP, TCP_KEEPIDLE), 7200);
	IS(get_int(fd, IPPROTO_TCP, TCP_KEEPINTVL), 75);
	IS(get_int(fd, IPPROTO_TCP, TCP_KEEPCNT), 9);
	IS(set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, 30), 0);
	IS(set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10), 0);
	IS(set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, 3), 0);
	OK(get_int(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 30 && get_int(fd, IPPROTO_TCP, TCP_KEEPINTVL) == 10 &&
	   get_int(fd, IPPROTO_TCP, TCP_KEEPCNT) == 3);
	FAILS(set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, 0), EINVAL);
	FAILS(set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, 128), EINVAL);
	IS(get_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
	IS(set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 4000), 0);
	IS(get_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 4000);
	IS(get_int(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
	IS(get_int(fd, IPPROTO_TCP, TCP_MAXSEG), 536);

	SAY("IP");
	IS(get_int(fd, IPPROTO_IP, IP_TTL), 64);
	IS(set_int(fd, IPPROTO_IP, IP_TTL, 9), 0);
	IS(get_int(fd, IPPROTO_IP, IP_TTL), 9);
	FAILS(set_int(fd, IPPROTO_IP, IP_TTL, 256), EINVAL);
	IS(set_int(fd, IPPROTO_IP, IP_TOS, 0x10), 0);
	IS(get_int(fd, IPPROTO_IP, IP_TOS), 0x10);

	SAY("sizes, short values and errors");
	value = -1;
	size = 1;
	IS(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &size), 0);
	IS(size, 1);
	OK((value & 0xff) == 1);
	size = 64;
	IS(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size), 0);
	IS(size, 4);
	FAILS(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, 1), EINVAL);
	FAILS(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, NULL, 4), EFAULT);
	FAILS(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, 1), EINVAL);
	FAILS(set_int(fd, SOL_SOCKET, SO_TYPE, 1), ENOPROTOOPT);
	FAILS(set_int(fd, SOL_SOCKET, SO_ERROR, 1), ENOPROTOOPT);
	FAILS(set_int(fd, SOL_SOCKET, 9999, 1), ENOPROTOOPT);
	FAILS(get_int(fd, SOL_SOCKET, 9999), ENOPROTOOPT);
	FAILS(get_int(fd, IPPROTO_TCP, 9999), ENOPROTOOPT);
	FAILS(set_int(1, SOL_SOCKET, SO_KEEPALIVE, 1), ENOTSOCK);
	FAILS(set_int(99, SOL_SOCKET, SO_KEEPALIVE, 1), EBADF);
	size = -1;
	FAILS(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size), EINVAL);
	close(fd);

	SAY("a connection");
	tcp_pair(pair);
	size = sizeof(info);
	IS(getsockopt(pair[0], IPPROTO_TCP, TCP_INFO, &info, &size), 0);
	IS(info.tcpi_state, TCP_ESTABLISHED);
	OK(get_int(pair[0], IPPROTO_TCP, TCP_MAXSEG) > 500);
	size = sizeof(text);
	IS(getsockopt(pair[0], IPPROTO_TCP, TCP_CONGESTION, text, &size), 0);
	OK(strlen(text) > 2);
	OK(get_int(pair[0], SOL_SOCKET, SO_SNDBUF) >= 16384);
	IS(set_int(pair[0], IPPROTO_TCP, TCP_QUICKACK, 1), 0);
	return DONE();
}
