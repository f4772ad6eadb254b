/* A TCP connection's life over loopback: addresses, data, end of file. */
#include "net.h"

int main(void)
{
	struct sockaddr_in at, name, peer;
	socklen_t size = sizeof(name);
	char buffer[64];
	int listening, client, server;

	IS(socket(AF_INET, SOCK_STREAM, 0), 3);
	close(3);
	listening = listener4(&at);
	OK(at.sin_port != 0);
	IS(get_int(listening, SOL_SOCKET, SO_ACCEPTCONN), 1);

	client = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	IS(getsockname(client, SA(&name), &size), 0);
	OK(name.sin_family == AF_INET && name.sin_port == 0 && name.sin_addr.s_addr == 0);
	FAILS(getpeername(client, SA(&peer), &size), ENOTCONN);
	IS(connect(client, SA(&at), sizeof(at)), 0);
	FAILS(connect(client, SA(&at), sizeof(at)), EISCONN);

	size = sizeof(peer);
	server = accept4(listening, SA(&peer), &size, SOCK_CLOEXEC);
	IS(server, 5);
	IS(size, 16);
	IS(fcntl(server, F_GETFD), FD_CLOEXEC);
	IS(fcntl(server, F_GETFL), O_RDWR);
	IS(getsockname(client, SA(&name), &size), 0);
	OK(memcmp(&name, &peer, sizeof(name)) == 0);
	IS(getpeername(client, SA(&peer), &size), 0);
	OK(memcmp(&peer, &at, sizeof(at)) == 0);
	IS(getsockname(server, SA(&name), &size), 0);
	OK(memcmp(&name, &at, sizeof(at)) == 0);

	/* A name longer than its buffer is cut, its true size is told. */
	size = 4;
	memset(&name, 0x55, sizeof(name));
	IS(getsockname(server, SA(&name), &size), 0);
	IS(size, 16);
	OK(name.sin_port == at.sin_port && name.sin_addr.s_addr == 0x55555555);

	IS(write(client, "hello ", 6), 6);
	IS(send(client, "world", 5, 0), 5);
	IS(recv(server, buffer, 11, MSG_WAITALL), 11);
	OK(memcmp(buffer, "hello world", 11) == 0);
	IS(sendto(server, "back", 4, 0, NULL, 0), 4);
	IS(read(client, buffer, sizeof(buffer)), 4);
	OK(memcmp(buffer, "back", 4) == 0);

	/* On a stream an address is ignored and no source is told. */
	IS(sendto(client, "x", 1, 0, SA(&at), sizeof(at)), 1);
	size = sizeof(peer);
	IS(recvfrom(server, buffer, sizeof(buffer), 0, SA(&peer), &size), 1);
	IS(size, 0);

	IS(send(client, "", 0, 0), 0);
	FAILS(recv(server, buffer, sizeof(buffer), MSG_DONTWAIT), EAGAIN);
	FAILS(recv(server, buffer, 0, MSG_DONTWAIT), EAGAIN);

	IS(write(client, "last", 4), 4);
	IS(close(client), 0);
	FAILS(write(client, "x", 1), EBADF);
	IS(read(server, buffer, 2), 2);
	IS(read(server, buffer, 64), 2);
	IS(read(server, buffer, 64), 0);
	IS(read(server, buffer, 64), 0);
	IS(poll_for(server, POLLIN | POLLOUT | POLLRDHUP, 0), POLLIN | POLLOUT | POLLRDHUP);
	IS(close(server), 0);
	IS(close(listening), 0);
	return DONE();
}
