/* Unix stream and seqpacket sockets: paths, abstract names, credentials, ends. */
#include "net.h"
#include <signal.h>
#include <stddef.h>
#include <sys/stat.h>

static struct sockaddr_un path_name(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	strcpy(a.sun_path, path);
	return a;
}

int main(void)
{
	struct sockaddr_un at = path_name("unix_stream.sock"), name, abstract = {.sun_family = AF_UNIX};
	struct sockaddr_un missing = path_name("no-such.sock"), file = path_name("unix_stream.file");
	socklen_t size = sizeof(name), abstract_size = offsetof(struct sockaddr_un, sun_path) + 10;
	struct ucred who;
	struct stat st;
	int listening, client, server, pair[2], waiting;
	char buffer[64];

	signal(SIGPIPE, SIG_IGN);
	unlink(at.sun_path);
	listening = socket(AF_UNIX, SOCK_STREAM, 0);
	IS(bind(listening, SA(&at), sizeof(at)), 0);
	OK(stat(at.sun_path, &st) == 0 && S_ISSOCK(st.st_mode));
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	FAILS(bind(client, SA(&at), sizeof(at)), EADDRINUSE);
	FAILS(connect(client, SA(&at), sizeof(at)), ECONNREFUSED);
	FAILS(connect(client, SA(&missing), sizeof(missing)), ENOENT);
	close(open(file.sun_path, O_CREAT | O_WRONLY, 0600));
	FAILS(connect(client, SA(&file), sizeof(file)), ECONNREFUSED);
	unlink(file.sun_path);
	IS(listen(listening, 2), 0);
	IS(connect(client, SA(&at), sizeof(at)), 0);
	FAILS(connect(client, SA(&at), sizeof(at)), EISCONN);
	IS(write(client, "early", 5), 5);
	server = accept(listening, SA(&name), &size);
	SAY("a client without a name: only the family is told");
	IS(size, 2);
	IS(name.sun_family, AF_UNIX);
	size = sizeof(name);
	IS(getpeername(client, SA(&name), &size), 0);
	OK(size == offsetof(struct sockaddr_un, sun_path) + strlen(at.sun_path) + 1);
	OK(strcmp(name.sun_path, at.sun_path) == 0);
	size = sizeof(who);
	IS(getsockopt(server, SOL_SOCKET, SO_PEERCRED, &who, &size), 0);
	OK(who.pid == getpid() && who.uid == getuid() && who.gid == getgid());
	IS(ioctl(server, FIONREAD, &waiting), 0);
	IS(waiting, 5);
	IS(recv(server, buffer, 64, MSG_PEEK), 5);
	IS(read(server, buffer, 64), 5);
	IS(shutdown(client, SHUT_WR), 0);
	IS(read(server, buffer, 64), 0);
	IS(write(server, "answer", 6), 6);
	IS(read(client, buffer, 64), 6);
	FAILS(send(client, "x", 1, 0), EPIPE);
	close(server);
	IS(read(client, buffer, 64), 0);
	IS(poll_for(client, POLLIN | POLLRDHUP, 0), POLLIN | POLLHUP | POLLRDHUP);
	close(client);
	unlink(at.sun_path);
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	FAILS(connect(client, SA(&at), sizeof(at)), ENOENT);
	close(listening);

	SAY("abstract names");
	memcpy(abstract.sun_path, "\0simter\0x", 10);
	listening = socket(AF_UNIX, SOCK_STREAM, 0);
	FAILS(connect(client, SA(&abstract), abstract_size), ECONNREFUSED);
	IS(bind(listening, SA(&abstract), abstract_size), 0);
	IS(listen(listening, 1), 0);
	IS(connect(client, SA(&abstract), abstract_size), 0);
	server = accept(listening, NULL, NULL);
	size = sizeof(name);
	IS(getsockname(server, SA(&name), &size), 0);
	OK(size == abstract_size && memcmp(name.sun_path, "\0simter\0x", 10) == 0);
	close(listening);
	close(client);
	close(server);
	SAY("and a name that the system chooses");
	listening = socket(AF_UNIX, SOCK_STREAM, 0);
	IS(bind(listening, SA(&abstract), sizeof(sa_family_t)), 0);
	size = sizeof(name);
	getsockname(listening, SA(&name), &size);
	OK(size == offsetof(struct sockaddr_un, sun_path) + 6 && name.sun_path[0] == 0);
	close(listening);

	SAY("pairs: unread data makes the close a reset");
	IS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	IS(write(pair[0], "data", 4), 4);
	close(pair[1]);
	FAILS(read(pair[0], buffer, 64), ECONNRESET);
	IS(read(pair[0], buffer, 64), 0);
	FAILS(write(pair[0], "x", 1), EPIPE);
	close(pair[0]);
	IS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	OK(fcntl(pair[0], F_GETFL) == (O_RDWR | O_NONBLOCK) && fcntl(pair[1], F_GETFD) == FD_CLOEXEC);
	FAILS(read(pair[0], buffer, 64), EAGAIN);
	while (write(pair[0], buffer, 64) == 64)
		;
	IS(errno, EAGAIN);
	IS(poll_for(pair[0], POLLOUT, 0), 0);
	close(pair[0]);
	close(pair[1]);

	SAY("seqpacket keeps boundaries and ends like a stream");
	IS(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	IS(write(pair[0], "one", 3), 3);
	IS(write(pair[0], "three", 5), 5);
	IS(read(pair[1], buffer, 64), 3);
	IS(read(pair[1], buffer, 2), 2);
	FAILS(recv(pair[1], buffer, 64, MSG_DONTWAIT), EAGAIN);
	close(pair[0]);
	IS(read(pair[1], buffer, 64), 0);
	close(pair[1]);
	return DONE();
}
