/* Descriptors and credentials sent over Unix sockets. */
#include "net.h"

static union {
	char bytes[256];
	struct cmsghdr align;
} control;

/* send_fds sends n descriptors with one byte. */
static int send_fds(int over, const int *fds, int n)
{
	struct iovec part = {"f", 1};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
			   .msg_controllen = CMSG_SPACE(n * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	return sendmsg(over, &m, 0);
}

/* send_credentials says with one byte that a process sends it. */
static int send_credentials(int over, pid_t pid)
{
	struct ucred who = {pid, getuid(), getgid()};
	struct iovec part = {"c", 1};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
			   .msg_controllen = CMSG_SPACE(sizeof(who))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_CREDENTIALS;
	c->cmsg_len = CMSG_LEN(sizeof(who));
	memcpy(CMSG_DATA(c), &who, sizeof(who));
	return sendmsg(over, &m, 0);
}

static struct msghdr received;

/* receive_fds returns how many descriptors came with the next data. */
static int receive_fds(int over, int *fds, int room, int flags)
{
	char byte[8];
	struct iovec part = {byte, sizeof(byte)};
	int n = 0;

	received = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
				   .msg_controllen = room ? CMSG_SPACE(room * sizeof(int)) : 0};
	if (recvmsg(over, &received, flags) < 0)
		return -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&received); c; c = CMSG_NXTHDR(&received, c))
		if (c->cmsg_type == SCM_RIGHTS) {
			n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(fds, CMSG_DATA(c), n * sizeof(int));
		}
	return n;
}

int main(void)
{
	int pair[2], pipe_[2], fds[8], sockets[2], bad = 99, n, on = 1;
	struct ucred *who = NULL;
	char buffer[8];
	struct iovec part = {buffer, 8};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	pid_t child;

	IS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	IS(pipe(pipe_), 0);
	SAY("a pipe to oneself");
	IS(send_fds(pair[0], pipe_, 2), 1);
	IS(receive_fds(pair[1], fds, 2, 0), 2);
	OK(fds[0] == 7 && fds[1] == 8);
	IS(fcntl(fds[0], F_GETFD), 0);
	IS(write(fds[1], "via copy", 8), 8);
	IS(read(pipe_[0], buffer, 8), 8);
	close(fds[0]);
	close(fds[1]);
	IS(send_fds(pair[0], pipe_, 1), 1);
	IS(receive_fds(pair[1], fds, 1, MSG_CMSG_CLOEXEC), 1);
	IS(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	close(fds[0]);

	SAY("an end of a pipe that lives only in the queue keeps it open");
	IS(send_fds(pair[0], &pipe_[1], 1), 1);
	close(pipe_[1]);
	set_nonblocking(pipe_[0]);
	FAILS(read(pipe_[0], buffer, 8), EAGAIN);
	SAY("data without room for descriptors loses them");
	IS(receive_fds(pair[1], fds, 0, 0), 0);
	OK(received.msg_flags & MSG_CTRUNC);
	IS(read(pipe_[0], buffer, 8), 0);
	close(pipe_[0]);

	SAY("a connection to a child");
	IS(pipe(pipe_), 0);
	child = fork();
	if (child == 0) {
		check_quiet = 1;
		close(pair[0]);
		tcp_pair(sockets);
		IS(send_fds(pair[1], sockets, 1), 1);
		IS(recv(sockets[1], buffer, 8, MSG_WAITALL), 8);
		OK(memcmp(buffer, "to child", 8) == 0);
		IS(write(sockets[1], "to elder", 8), 8);
		_exit(check_failed);
	}
	IS(receive_fds(pair[0], fds, 8, 0), 1);
	IS(write(fds[0], "to child", 8), 8);
	IS(recv(fds[0], buffer, 8, MSG_WAITALL), 8);
	OK(memcmp(buffer, "to elder", 8) == 0);
	check_child(child);
	IS(read(fds[0], buffer, 8), 0);
	close(fds[0]);

	SAY("a read ends behind the data that brought descriptors");
	IS(write(pair[0], "ab", 2), 2);
	IS(send_fds(pair[0], pipe_, 1), 1);
	IS(write(pair[0], "cd", 2), 2);
	IS(receive_fds(pair[1], fds, 8, 0), 1);
	close(fds[0]);
	IS(read(pair[1], buffer, 8), 2);
	OK(memcmp(buffer, "cd", 2) == 0);

	SAY("credentials");
	IS(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	IS(write(pair[0], "c", 1), 1);
	IS(recvmsg(pair[1], &m, 0), 1);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_type == SCM_CREDENTIALS)
			who = (struct ucred *)CMSG_DATA(c);
	OK(who && who->pid == getpid() && who->uid == getuid() && who->gid == getgid());

	SAY("credentials that the sender chooses");
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	IS(send_credentials(pair[0], getpid()), 1);
	IS(send_credentials(pair[0], child), 1);
	kill(child, SIGKILL);
	IS(send_credentials(pair[0], child), 1);
	waitpid(child, NULL, 0);
	FAILS(send_credentials(pair[0], child), ESRCH);
	FAILS(send_credentials(pair[0], -1), ESRCH);
	for (int i = 0; i < 3; i++)
		IS(recv(pair[1], buffer, 1, 0), 1);

	SAY("what cannot be sent");
	FAILS(send_fds(pair[0], &bad, 1), EBADF);
	n = -1;
	FAILS(send_fds(pair[0], &n, 1), EBADF);
	return DONE();
}
