/* Non-blocking connects: in progress, done, refused; and the blocking refusal. */
#include "net.h"

int main(void)
{
	struct sockaddr_in at, refused, none = {.sin_family = AF_UNSPEC};
	struct sockaddr_in6 wrong = in6("::1", 1);
	int listening = listener4(&at), fd, spare;

	SAY("a port that is bound but does not listen refuses");
	spare = bound4(SOCK_STREAM, &refused);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	FAILS(connect(fd, SA(&refused), sizeof(refused)), ECONNREFUSED);
	IS(get_int(fd, SOL_SOCKET, SO_ERROR), 0);
	SAY("after a refusal the socket may be used again");
	IS(connect(fd, SA(&at), sizeof(at)), 0);
	close(accept(listening, NULL, NULL));
	close(fd);

	SAY("in progress, then refused");
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	OK(fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK));
	FAILS(connect(fd, SA(&refused), sizeof(refused)), EINPROGRESS);
	IS(poll_for(fd, POLLIN | POLLOUT, 1000), POLLIN | POLLOUT | POLLERR | POLLHUP);
	IS(get_int(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	IS(get_int(fd, SOL_SOCKET, SO_ERROR), 0);
	close(fd);
	SAY("the error goes to whoever asks first");
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	FAILS(connect(fd, SA(&refused), sizeof(refused)), EINPROGRESS);
	OK(poll_for(fd, POLLOUT, 1000) & POLLERR);
	FAILS(connect(fd, SA(&at), sizeof(at)), ECONNREFUSED);
	IS(get_int(fd, SOL_SOCKET, SO_ERROR), 0);
	close(fd);

	SAY("in progress, then connected");
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	FAILS(connect(fd, SA(&at), sizeof(at)), EINPROGRESS);
	IS(poll_for(fd, POLLOUT, 1000), POLLOUT);
	IS(get_int(fd, SOL_SOCKET, SO_ERROR), 0);
	IS(connect(fd, SA(&at), sizeof(at)), 0);
	FAILS(connect(fd, SA(&at), sizeof(at)), EISCONN);
	SAY("AF_UNSPEC takes the connection apart");
	IS(connect(fd, SA(&none), sizeof(none)), 0);
	FAILS(send(fd, "x", 1, MSG_NOSIGNAL), ECONNRESET);
	FAILS(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
	close(fd);
	close(accept(listening, NULL, NULL));

	SAY("accept without a connection");
	set_nonblocking(listening);
	FAILS(accept(listening, NULL, NULL), EAGAIN);
	IS(poll_for(listening, POLLIN, 0), 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	IS(connect(fd, SA(&at), sizeof(at)), 0);
	IS(poll_for(listening, POLLIN | POLLOUT, 1000), POLLIN);
	close(fd);
	fd = accept(listening, NULL, NULL);
	SAY("an accepted socket does not inherit O_NONBLOCK");
	IS(fcntl(fd, F_GETFL), O_RDWR);
	close(fd);

	SAY("what cannot be connected");
	fd = socket(AF_INET, SOCK_STREAM, 0);
	FAILS(connect(fd, SA(&at), 4), EINVAL);
	FAILS(connect(fd, SA(&wrong), sizeof(wrong)), EAFNOSUPPORT);
	FAILS(connect(fd, NULL, sizeof(at)), EFAULT);
	FAILS(connect(listening, SA(&at), sizeof(at)), EISCONN);
	FAILS(accept(fd, NULL, NULL), EINVAL);
	FAILS(accept(99, NULL, NULL), EBADF);
	FAILS(accept(1, NULL, NULL), ENOTSOCK);
	close(fd);
	close(spare);
	return DONE();
}
