/* Who may bind what: addresses in use, SO_REUSEADDR, SO_REUSEPORT, port 0. */
#include "net.h"

static int stream(void) { return socket(AF_INET, SOCK_STREAM, 0); }

int main(void)
{
	struct sockaddr_in at, other, any = in4("0.0.0.0", 0), foreign = in4("192.0.2.77", 0);
	struct sockaddr_in6 wrong = in6("::1", 0);
	socklen_t size = sizeof(at);
	int first, second, fd;

	first = bound4(SOCK_STREAM, &at);
	FAILS(bind(first, SA(&at), sizeof(at)), EINVAL);
	second = stream();
	FAILS(bind(second, SA(&at), sizeof(at)), EADDRINUSE);
	other = at;
	other.sin_addr = any.sin_addr;
	FAILS(bind(second, SA(&other), sizeof(other)), EADDRINUSE);
	other = in4("127.0.0.2", 0);
	other.sin_port = at.sin_port;
	IS(bind(second, SA(&other), sizeof(other)), 0);
	close(second);

	SAY("SO_REUSEADDR: both must have it, and no listener");
	second = stream();
	set_int(second, SOL_SOCKET, SO_REUSEADDR, 1);
	FAILS(bind(second, SA(&at), sizeof(at)), EADDRINUSE);
	IS(set_int(first, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	IS(bind(second, SA(&at), sizeof(at)), 0);
	IS(listen(first, 1), 0);
	FAILS(listen(second, 1), EADDRINUSE);
	close(second);
	second = stream();
	set_int(second, SOL_SOCKET, SO_REUSEADDR, 1);
	FAILS(bind(second, SA(&at), sizeof(at)), EADDRINUSE);
	close(second);

	SAY("a server may come back although connections of its past linger");
	fd = stream();
	IS(connect(fd, SA(&at), sizeof(at)), 0);
	second = accept(first, NULL, NULL);
	close(second);
	close(first);
	first = stream();
	FAILS(bind(first, SA(&at), sizeof(at)), EADDRINUSE);
	IS(set_int(first, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	IS(bind(first, SA(&at), sizeof(at)), 0);
	IS(listen(first, 1), 0);
	close(fd);
	close(first);

	SAY("SO_REUSEPORT: several listeners");
	first = stream();
	set_int(first, SOL_SOCKET, SO_REUSEPORT, 1);
	at = in4("127.0.0.1", 0);
	IS(bind(first, SA(&at), sizeof(at)), 0);
	getsockname(first, SA(&at), &size);
	second = stream();
	FAILS(bind(second, SA(&at), sizeof(at)), EADDRINUSE);
	set_int(second, SOL_SOCKET, SO_REUSEPORT, 1);
	IS(bind(second, SA(&at), sizeof(at)), 0);
	IS(listen(first, 1), 0);
	IS(listen(second, 1), 0);
	close(first);
	fd = stream();
	IS(connect(fd, SA(&at), sizeof(at)), 0);
	IS(poll_for(second, POLLIN, 1000), POLLIN);
	close(fd);
	close(second);

	SAY("listen binds by itself; connect too");
	first = stream();
	IS(listen(first, 1), 0);
	IS(getsockname(first, SA(&other), &size), 0);
	OK(other.sin_port != 0 && other.sin_addr.s_addr == htonl(INADDR_ANY));
	other.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	second = stream();
	IS(connect(second, SA(&other), size), 0);
	IS(getsockname(second, SA(&at), &size), 0);
	OK(at.sin_port != 0 && at.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	IS(listen(first, 5), 0);
	close(first);
	close(second);

	SAY("connecting to 0.0.0.0 reaches oneself");
	first = stream();
	listen(first, 1);
	getsockname(first, SA(&at), &size);
	second = stream();
	IS(connect(second, SA(&at), size), 0);
	getpeername(second, SA(&other), &size);
	OK(other.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	FAILS(listen(second, 1), EINVAL);
	close(first);
	close(second);

	SAY("what cannot be bound");
	fd = stream();
	FAILS(bind(fd, SA(&foreign), sizeof(foreign)), EADDRNOTAVAIL);
	FAILS(bind(fd, SA(&at), 4), EINVAL);
	FAILS(bind(fd, SA(&wrong), sizeof(wrong)), EAFNOSUPPORT);
	FAILS(bind(fd, NULL, sizeof(at)), EFAULT);
	FAILS(bind(99, SA(&at), sizeof(at)), EBADF);
	FAILS(bind(1, SA(&at), sizeof(at)), ENOTSOCK);
	FAILS(listen(1, 1), ENOTSOCK);
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	FAILS(listen(fd, 1), EOPNOTSUPP);
	FAILS(accept(fd, NULL, NULL), EOPNOTSUPP);
	close(fd);

	SAY("what cannot be made");
	FAILS(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
	FAILS(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
	FAILS(socket(AF_INET, 99, 0), EINVAL);
	FAILS(socket(99, SOCK_STREAM, 0), EAFNOSUPPORT);
	FAILS(socket(AF_UNIX, SOCK_STREAM, 99), EPROTONOSUPPORT);
	FAILS(socketpair(AF_INET, SOCK_STREAM, 0, &fd), EOPNOTSUPP);
	return DONE();
}
