/* Groups that sockets are members of, in /proc/net/igmp and /proc/net/igmp6. */
#include "net.h"
#include <net/if.h>

/* show prints the rows of a table that have a word, on the loopback. */
static void show(const char *file, const char *word)
{
	char line[200], device[50] = "", first[50], second[50];
	FILE *f = fopen(file, "r");
	int count = 0;

	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (sscanf(line, "%49[0-9] %49s", first, second) == 2)
			strcpy(device, second);
		if (strcmp(device, "lo") == 0 && strstr(line, word)) {
			SAY("'%s'", line);
			count++;
		}
	}
	SAY("%s: %d with %s", file, count, word);
	fclose(f);
}

static int join4(int fd, int command)
{
	struct ip_mreqn m = {.imr_ifindex = if_nametoindex("lo")};

	inet_pton(AF_INET, "239.1.2.3", &m.imr_multiaddr);
	return setsockopt(fd, IPPROTO_IP, command, &m, sizeof(m));
}

static int join6(int fd, int command, const char *group)
{
	struct ipv6_mreq m = {.ipv6mr_interface = if_nametoindex("lo")};

	inet_pton(AF_INET6, group, &m.ipv6mr_multiaddr);
	return setsockopt(fd, IPPROTO_IPV6, command, &m, sizeof(m));
}

int main(void)
{
	int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
	int c = socket(AF_INET6, SOCK_DGRAM, 0);

	show("/proc/net/igmp", "030201EF");
	IS(join4(a, IP_ADD_MEMBERSHIP), 0);
	show("/proc/net/igmp", "030201EF");
	IS(join4(b, IP_ADD_MEMBERSHIP), 0);
	FAILS(join4(b, IP_ADD_MEMBERSHIP), EADDRINUSE);
	show("/proc/net/igmp", "030201EF");
	IS(join4(a, IP_DROP_MEMBERSHIP), 0);
	close(b);
	show("/proc/net/igmp", "030201EF");

	IS(join6(c, IPV6_JOIN_GROUP, "ff02::4242"), 0);
	IS(join6(c, IPV6_JOIN_GROUP, "ff01::4242"), 0);
	IS(join6(c, IPV6_JOIN_GROUP, "ff0e::4242"), 0);
	show("/proc/net/igmp6", "4242");
	IS(join6(c, IPV6_LEAVE_GROUP, "ff01::4242"), 0);
	show("/proc/net/igmp6", "4242");
	show("/proc/net/igmp6", "ff020000000000000000000000000001 ");
	show("/proc/net/igmp6", "ff010000000000000000000000000001 ");
	show("/proc/net/igmp", "010000E0");
	return DONE();
}
