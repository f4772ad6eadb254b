/* Loops that poll without waiting find out at once, whatever they poll with. */
#include "net.h"
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <net/if.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/time.h>

enum { POLL, SELECT, EPOLL, RECEIVE, YIELD };

static int pair[2], instance;

/* found tells whether there is something to read, without waiting. */
static int found(int way)
{
	struct pollfd p = {.fd = pair[0], .events = POLLIN};
	struct epoll_event event;
	struct timeval none = {0, 0};
	fd_set set;
	char byte;

	switch (way) {
	case POLL:
		return poll(&p, 1, 0);
	case SELECT:
		FD_ZERO(&set);
		FD_SET(pair[0], &set);
		return select(pair[0] + 1, &set, NULL, NULL, &none);
	case EPOLL:
		return epoll_wait(instance, &event, 1, 0);
	case YIELD:
		sched_yield();
		/* fall through */
	default:
		return recv(pair[0], &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1;
	}
}

static volatile sig_atomic_t alarms;

static void count(int number)
{
	(void)number;
	alarms++;
}

int main(void)
{
	static const char *const names[] = {"poll", "select", "epoll_wait", "recv", "sched_yield"};
	struct epoll_event event = {.events = EPOLLIN};
	struct ifreq request = {.ifr_name = "lo"};
	struct itimerval timer = {.it_value.tv_usec = 3000};
	int64_t start;
	char byte;
	int way, udp, n, errors = 0;

	IS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	instance = epoll_create1(0);
	IS(epoll_ctl(instance, EPOLL_CTL_ADD, pair[0], &event), 0);
	for (way = POLL; way <= YIELD; way++) {
		SAY("%s", names[way]);
		start = now_ns();
		if (fork() == 0) {
			sleep_ns(2 * MS);
			_exit(write(pair[1], "x", 1) != 1);
		}
		while (!found(way))
			;
		TOOK(start, 2 * MS);
		IS(read(pair[0], &byte, 1), 1);
		IS(wait(NULL) > 0, 1);
	}

	SAY("a signal while polling");
	signal(SIGALRM, count);
	start = now_ns();
	IS(setitimer(ITIMER_REAL, &timer, NULL), 0);
	while (!alarms) {
		n = found(EPOLL);
		errors += n != 0; /* with no timeout there is no EINTR */
	}
	IS(errors, 0);
	TOOK(start, 3 * MS);

	SAY("addresses of interfaces");
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	IS(ioctl(udp, SIOCGIFADDR, &request), 0);
	IS(((struct sockaddr_in *)&request.ifr_addr)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	IS(ioctl(udp, SIOCGIFNETMASK, &request), 0);
	IS(((struct sockaddr_in *)&request.ifr_netmask)->sin_addr.s_addr, htonl(0xff000000));
	return DONE();
}
