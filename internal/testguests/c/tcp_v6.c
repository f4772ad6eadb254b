/* TCP over IPv6, mapped addresses, and who hears whom on a port of both kinds. */
#include "net.h"

int main(void)
{
	struct sockaddr_in6 at = in6("::1", 0), peer;
	struct sockaddr_in at4 = in4("127.0.0.1", 0);
	struct sockaddr_in6 any = in6("::", 0), mapped;
	socklen_t size = sizeof(at);
	char text[64], buffer[8];
	int listening, client, server, fd;

	listening = socket(AF_INET6, SOCK_STREAM, 0);
	IS(get_int(listening, SOL_SOCKET, SO_DOMAIN), AF_INET6);
	IS(bind(listening, SA(&at), sizeof(at)), 0);
	IS(listen(listening, 4), 0);
	IS(getsockname(listening, SA(&at), &size), 0);
	IS(size, sizeof(struct sockaddr_in6));
	client = socket(AF_INET6, SOCK_STREAM, 0);
	IS(connect(client, SA(&at), sizeof(at)), 0);
	server = accept(listening, SA(&peer), &size);
	OK(peer.sin6_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&peer.sin6_addr));
	IS(write(client, "six", 3), 3);
	IS(read(server, buffer, 8), 3);
	close(client);
	close(server);
	SAY("a listener on ::1 does not hear IPv4");
	at4.sin_port = at.sin6_port;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	FAILS(connect(fd, SA(&at4), sizeof(at4)), ECONNREFUSED);
	close(fd);
	close(listening);

	SAY("a listener on :: hears both");
	listening = socket(AF_INET6, SOCK_STREAM, 0);
	IS(get_int(listening, IPPROTO_IPV6, IPV6_V6ONLY), 0);
	IS(bind(listening, SA(&any), sizeof(any)), 0);
	FAILS(set_int(listening, IPPROTO_IPV6, IPV6_V6ONLY, 1), EINVAL);
	listen(listening, 4);
	getsockname(listening, SA(&any), &size);
	at4.sin_port = any.sin6_port;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	IS(connect(fd, SA(&at4), sizeof(at4)), 0);
	server = accept(listening, SA(&peer), &size);
	OK(peer.sin6_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
	SAY("peer %s", inet_ntop(AF_INET6, &peer.sin6_addr, text, sizeof(text)));
	IS(getsockname(server, SA(&peer), &size), 0);
	SAY("self %s", inet_ntop(AF_INET6, &peer.sin6_addr, text, sizeof(text)));
	close(fd);
	close(server);
	SAY("and takes the port for IPv4 too");
	fd = socket(AF_INET, SOCK_STREAM, 0);
	FAILS(bind(fd, SA(&at4), sizeof(at4)), EADDRINUSE);
	close(fd);
	SAY("an IPv6 socket reaches IPv4 by a mapped address");
	mapped = in6("::ffff:127.0.0.1", 0);
	mapped.sin6_port = any.sin6_port;
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	IS(connect(fd, SA(&mapped), sizeof(mapped)), 0);
	getsockname(fd, SA(&peer), &size);
	SAY("self %s", inet_ntop(AF_INET6, &peer.sin6_addr, text, sizeof(text)));
	close(fd);
	close(listening);

	SAY("IPV6_V6ONLY leaves IPv4's port free");
	listening = socket(AF_INET6, SOCK_STREAM, 0);
	IS(set_int(listening, IPPROTO_IPV6, IPV6_V6ONLY, 1), 0);
	IS(get_int(listening, IPPROTO_IPV6, IPV6_V6ONLY), 1);
	any.sin6_port = 0;
	IS(bind(listening, SA(&any), sizeof(any)), 0);
	listen(listening, 4);
	getsockname(listening, SA(&any), &size);
	at4.sin_port = mapped.sin6_port = any.sin6_port;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	FAILS(connect(fd, SA(&at4), sizeof(at4)), ECONNREFUSED);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	IS(bind(fd, SA(&at4), sizeof(at4)), 0);
	close(fd);
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	FAILS(connect(fd, SA(&mapped), sizeof(mapped)), ENETUNREACH);
	FAILS(bind(fd, SA(&at4), sizeof(at4)), EINVAL);
	FAILS(connect(fd, SA(&any), 16), EINVAL);
	IS(get_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 64);
	return DONE();
}
