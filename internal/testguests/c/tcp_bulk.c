/* Large pieces of a TCP stream, moved by every call that moves them. With address
 * translation the machine's kernel moves these. */
#include "net.h"
#include <sys/mman.h>
#include <sys/sendfile.h>

#define PIECE 65536

static unsigned char out[4 * PIECE], in[4 * PIECE];

/* The byte at a position of a stream; no two pieces are alike. */
static unsigned char byte_at(long position)
{
	unsigned long x = (unsigned long)position * 0x9e3779b97f4a7c15u;

	return (unsigned char)(x >> 56 ^ x >> 23);
}

/* make prepares the n bytes from a position. */
static unsigned char *make(long position, int n)
{
	for (int i = 0; i < n; i++)
		out[i] = byte_at(position + i);
	return out;
}

/* right tells whether b holds the n bytes from a position. */
static int right(const unsigned char *b, long position, int n)
{
	for (int i = 0; i < n; i++)
		if (b[i] != byte_at(position + i))
			return 0;
	return 1;
}

/* await waits until n bytes can be read. */
static void await(int fd, int n)
{
	int waiting = 0;

	while (ioctl(fd, FIONREAD, &waiting) == 0 && waiting < n)
		sleep_ns(MS);
	IS(waiting, n);
}

static int take(int fd, int n)
{
	int total = 0;

	while (total < n) {
		int k = read(fd, in + total, n - total);
		if (k <= 0)
			break;
		total += k;
	}
	return total;
}

static void pieces(void)
{
	static const int sizes[] = {1, 7, 4095, 4096, 20000, 16384};
	int pair[2], at = 0;

	SAY("read in pieces, looked at before");
	tcp_pair(pair);
	IS(write(pair[0], make(0, PIECE), PIECE), PIECE);
	await(pair[1], PIECE);
	IS(recv(pair[1], in, 10, MSG_PEEK), 10);
	OK(right(in, 0, 10));
	IS(recv(pair[1], in, 40000, MSG_PEEK), 40000);
	OK(right(in, 0, 40000));
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		IS(recv(pair[1], in, sizes[i], 0), sizes[i]);
		OK(right(in, at, sizes[i]));
		at += sizes[i];
	}
	IS(recv(pair[1], in, 100, MSG_PEEK), 100);
	OK(right(in, at, 100));
	IS(read(pair[1], in, sizeof(in)), PIECE - at);
	OK(right(in, at, PIECE - at));
	FAILS(recv(pair[1], in, sizeof(in), MSG_DONTWAIT), EAGAIN);

	SAY("a small write before and behind a large one");
	IS(write(pair[0], make(0, 100), 100), 100);
	IS(write(pair[0], make(100, 40000), 40000), 40000);
	IS(send(pair[0], make(40100, 50), 50, MSG_MORE), 50);
	IS(write(pair[0], make(40150, 20000), 20000), 20000);
	await(pair[1], 60150);
	IS(recv(pair[1], in, 45000, MSG_PEEK), 45000);
	OK(right(in, 0, 45000));
	IS(recv(pair[1], in, 30000, 0), 30000);
	OK(right(in, 0, 30000));
	IS(recv(pair[1], in, sizeof(in), MSG_DONTWAIT), 30150);
	OK(right(in, 30000, 30150));

	SAY("bytes thrown away");
	IS(write(pair[0], make(0, PIECE), PIECE), PIECE);
	await(pair[1], PIECE);
	IS(recv(pair[1], NULL, 30001, MSG_TRUNC), 30001);
	IS(recv(pair[1], in, PIECE, 0), PIECE - 30001);
	OK(right(in, 30001, PIECE - 30001));

	SAY("all of it or none");
	IS(write(pair[0], make(0, PIECE), PIECE), PIECE);
	IS(recv(pair[1], in, PIECE, MSG_WAITALL), PIECE);
	OK(right(in, 0, PIECE));

	SAY("a low-water mark");
	set_int(pair[1], SOL_SOCKET, SO_RCVLOWAT, 50000);
	IS(write(pair[0], make(0, 20000), 20000), 20000);
	await(pair[1], 20000);
	IS(poll_for(pair[1], POLLIN, 10), 0);
	IS(write(pair[0], make(20000, 40000), 40000), 40000);
	IS(poll_for(pair[1], POLLIN, 1000), POLLIN);
	await(pair[1], 60000);
	IS(read(pair[1], in, sizeof(in)), 60000);
	OK(right(in, 0, 60000));
	close(pair[0]);
	close(pair[1]);
}

static void vectors(void)
{
	int pair[2];
	struct iovec parts[3] = {{out, 1000}, {out + 1000, 30000}, {out + 31000, 9000}};
	struct iovec places[3] = {{in, 30000}, {in + 30000, 1}, {in + 30001, 100000}};
	struct msghdr to = {.msg_iov = parts, .msg_iovlen = 3}, from = {.msg_iov = places, .msg_iovlen = 3, .msg_flags = -1};
	char control[64];

	SAY("vectors and messages");
	tcp_pair(pair);
	make(0, 40000);
	IS(writev(pair[0], parts, 3), 40000);
	await(pair[1], 40000);
	IS(readv(pair[1], places, 3), 40000);
	OK(right(in, 0, 40000));
	memset(in, 0, sizeof(in));
	IS(sendmsg(pair[0], &to, MSG_NOSIGNAL), 40000);
	await(pair[1], 40000);
	IS(recvmsg(pair[1], &from, MSG_CMSG_CLOEXEC), 40000);
	OK(right(in, 0, 40000));
	IS(from.msg_flags, MSG_CMSG_CLOEXEC);
	IS(from.msg_controllen, 0);
	memset(in, 0, sizeof(in));
	from.msg_control = control;
	from.msg_controllen = sizeof(control);
	IS(sendmsg(pair[0], &to, 0), 40000);
	await(pair[1], 40000);
	IS(recvmsg(pair[1], &from, 0), 40000);
	OK(right(in, 0, 40000));
	IS(from.msg_controllen, 0);
	close(pair[0]);
	close(pair[1]);
}

static void memory(void)
{
	int pair[2];
	char *nowhere = mmap(NULL, PIECE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	SAY("memory that is not there");
	tcp_pair(pair);
	FAILS(write(pair[0], nowhere, PIECE), EFAULT);
	IS(write(pair[0], make(0, PIECE), PIECE), PIECE);
	await(pair[1], PIECE);
	FAILS(read(pair[1], nowhere, PIECE), EFAULT);
	IS(read(pair[1], in, PIECE), PIECE);
	OK(right(in, 0, PIECE));
	close(pair[0]);
	close(pair[1]);
}

static void urgent(void)
{
	int pair[2], at = -1;
	unsigned char u = 0;

	SAY("an urgent byte between large pieces");
	tcp_pair(pair);
	IS(write(pair[0], make(0, 20000), 20000), 20000);
	IS(send(pair[0], "!", 1, MSG_OOB), 1);
	IS(write(pair[0], make(20000, 20000), 20000), 20000);
	while (poll_for(pair[1], POLLPRI, 1000) != POLLPRI)
		;
	sleep_ns(10 * MS);
	IS(read(pair[1], in, sizeof(in)), 20000);
	OK(right(in, 0, 20000));
	IS(ioctl(pair[1], SIOCATMARK, &at), 0);
	IS(at, 1);
	IS(recv(pair[1], &u, 1, MSG_OOB), 1);
	IS(u, '!');
	IS(read(pair[1], in, sizeof(in)), 20000);
	OK(right(in, 20000, 20000));
	close(pair[0]);
	close(pair[1]);
}

static void files(void)
{
	int pair[2], through[2], file = memfd_create("file", 0);
	off_t offset = 5;
	loff_t where = 100;

	SAY("files and pipes");
	tcp_pair(pair);
	IS(write(file, make(0, PIECE), PIECE), PIECE);
	IS(lseek(file, 1000, SEEK_SET), 1000);
	IS(sendfile(pair[0], file, &offset, 50000), 50000);
	IS(offset, 50005);
	IS(lseek(file, 0, SEEK_CUR), 1000);
	IS(take(pair[1], 50000), 50000);
	OK(right(in, 5, 50000));
	IS(sendfile(pair[0], file, NULL, sizeof(out)), PIECE - 1000);
	IS(lseek(file, 0, SEEK_CUR), PIECE);
	IS(take(pair[1], PIECE - 1000), PIECE - 1000);
	OK(right(in, 1000, PIECE - 1000));
	IS(sendfile(pair[0], file, NULL, 100), 0);

	IS(pipe(through), 0);
	IS(splice(file, &where, through[1], NULL, 40000, 0), 40000);
	IS(splice(through[0], NULL, pair[0], NULL, 40000, 0), 40000);
	await(pair[1], 40000);
	IS(splice(pair[1], NULL, through[1], NULL, 40000, 0), 40000);
	IS(read(through[0], in, 40000), 40000);
	OK(right(in, 100, 40000));
	close(pair[0]);
	close(pair[1]);
}

static void shared(void)
{
	int pair[2], rights[2], twin;
	char control[CMSG_SPACE(sizeof(int))] = "", x = 'x';
	struct iovec nothing = {&x, 1};
	struct msghdr message = {.msg_iov = &nothing, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	SAY("descriptors that are copied, inherited and passed");
	tcp_pair(pair);
	twin = dup(pair[0]);
	close(pair[0]);
	socketpair(AF_UNIX, SOCK_STREAM, 0, rights);
	if (fork() == 0) {
		check_quiet = 1;
		IS(write(twin, make(0, PIECE), PIECE), PIECE);
		close(twin);
		twin = -1;
		IS(recvmsg(rights[1], &message, 0), 1);
		memcpy(&twin, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(twin));
		await(twin, PIECE);
		IS(read(twin, in, 30000), 30000);
		OK(right(in, 0, 30000));
		_exit(check_failed);
	}
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &pair[1], sizeof(int));
	IS(sendmsg(rights[0], &message, 0), 1);
	int status = -1;
	wait(&status);
	IS(status, 0);
	IS(write(twin, make(PIECE, 20000), 20000), 20000);
	await(pair[1], PIECE - 30000 + 20000);
	IS(take(pair[1], PIECE - 30000 + 20000), PIECE - 30000 + 20000);
	OK(right(in, 30000, PIECE - 30000 + 20000));
	close(twin);
	IS(read(pair[1], in, sizeof(in)), 0);
	close(pair[1]);
}

static void ends(void)
{
	int pair[2];

	SAY("ends of streams");
	tcp_pair(pair);
	IS(write(pair[0], make(0, PIECE), PIECE), PIECE);
	shutdown(pair[0], SHUT_WR);
	IS(take(pair[1], sizeof(in)), PIECE);
	OK(right(in, 0, PIECE));
	IS(write(pair[1], make(7, PIECE), PIECE), PIECE);
	close(pair[1]);
	IS(take(pair[0], sizeof(in)), PIECE);
	OK(right(in, 7, PIECE));
	close(pair[0]);

	tcp_pair(pair);
	IS(write(pair[0], make(0, PIECE), PIECE), PIECE);
	IS(write(pair[1], make(0, 20000), 20000), 20000);
	await(pair[1], PIECE);
	await(pair[0], 20000);
	close(pair[1]); /* unread: a reset */
	IS(poll_for(pair[0], POLLIN | POLLHUP, 1000) & POLLHUP, POLLHUP);
	IS(read(pair[0], in, sizeof(in)), 20000);
	OK(right(in, 0, 20000));
	FAILS(read(pair[0], in, sizeof(in)), ECONNRESET);
	close(pair[0]);
}

/* stream sends 8 MiB in pieces that do not fit, and reads them in others. */
static void stream(int nonblock)
{
	const long total = 8 << 20;
	int pair[2];
	long at = 0;

	SAY("a long stream%s", nonblock ? ", without blocking" : "");
	tcp_pair(pair);
	if (fork() == 0) {
		close(pair[1]);
		check_quiet = 1;
		if (nonblock)
			fcntl(pair[0], F_SETFL, O_NONBLOCK);
		for (long sent = 0; sent < total;) {
			long n = 1 + (sent * 7919) % (long)sizeof(out);
			if (n > total - sent)
				n = total - sent;
			make(sent, n);
			n = write(pair[0], out, n);
			if (n == -1 && errno == EAGAIN) {
				poll_for(pair[0], POLLOUT, 10000);
				continue;
			}
			if (n <= 0)
				_exit(1);
			sent += n;
		}
		_exit(0);
	}
	close(pair[0]);
	for (;;) {
		long n = 1 + (at * 104729) % (long)sizeof(in);
		n = read(pair[1], in, n);
		if (n <= 0)
			break;
		if (!right(in, at, n)) {
			OK(!"the right bytes");
			break;
		}
		at += n;
	}
	OK(at == total);
	int status = -1;
	wait(&status);
	IS(status, 0);
	close(pair[1]);
}

int main(void)
{
	pieces();
	vectors();
	memory();
	urgent();
	files();
	shared();
	ends();
	stream(0);
	stream(1);
	return DONE();
}
