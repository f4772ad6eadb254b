/* Pipes: capacity, atomic writes, ends, signals, packets, FIFOs. */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>

static volatile sig_atomic_t broken;

static void count(int signal)
{
	(void)signal;
	broken++;
}

static int ready(int fd, int events)
{
	struct pollfd p = {.fd = fd, .events = events};

	poll(&p, 1, 0);
	return p.revents;
}

int main(void)
{
	int p[2], waiting, filled, fd, other;
	char buffer[8192] = "";
	struct iovec parts[2] = {{"ab", 2}, {"cde", 3}};
	struct stat st;
	int64_t start;
	pid_t child;

	signal(SIGPIPE, count);
	FAILS(pipe2(p, 0x40), EINVAL);
	IS(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	OK(p[0] == 3 && p[1] == 4);
	OK(fcntl(3, F_GETFD) == FD_CLOEXEC && fcntl(3, F_GETFL) == (O_RDONLY | O_NONBLOCK));
	OK(fcntl(4, F_GETFL) == (O_WRONLY | O_NONBLOCK));
	OK(fstat(3, &st) == 0 && S_ISFIFO(st.st_mode));
	FAILS(read(4, buffer, 1), EBADF);
	FAILS(write(3, buffer, 1), EBADF);
	FAILS(lseek(3, 0, SEEK_SET), ESPIPE);
	FAILS(pread(3, buffer, 1, 0), ESPIPE);
	FAILS(read(3, buffer, 1), EAGAIN);
	IS(write(4, "", 0), 0);
	IS(writev(4, parts, 2), 5);
	IS(ioctl(3, FIONREAD, &waiting), 0);
	IS(waiting, 5);
	IS(ready(3, POLLIN), POLLIN);
	IS(read(3, buffer, 3), 3);
	OK(memcmp(buffer, "abc", 3) == 0);
	IS(read(3, buffer, 100), 2);

	SAY("capacity");
	IS(fcntl(3, F_GETPIPE_SZ), 65536);
	for (filled = 0; write(4, buffer, 4096) == 4096; filled++)
		;
	IS(filled, 16);
	IS(errno, EAGAIN);
	IS(ready(4, POLLOUT), 0);
	FAILS(write(4, buffer, 1), EAGAIN);
	SAY("room for a page at least makes it writable again");
	IS(read(3, buffer, 4095), 4095);
	IS(ready(4, POLLOUT), 0);
	IS(read(3, buffer, 1), 1);
	IS(ready(4, POLLOUT), POLLOUT);
	SAY("up to PIPE_BUF all or nothing, more goes in part");
	IS(write(4, buffer, 4097), 4096);
	FAILS(write(4, buffer, 4096), EAGAIN);
	IS(fcntl(4, F_SETPIPE_SZ, 8192 * 16), 131072);
	IS(write(4, buffer, 4096), 4096);
	FAILS(fcntl(4, F_SETPIPE_SZ, 4096), EBUSY);
	close(3);
	close(4);

	SAY("ends");
	IS(pipe(p), 0);
	IS(write(p[1], "left", 4), 4);
	close(p[1]);
	IS(ready(p[0], POLLIN), POLLIN | POLLHUP);
	IS(read(p[0], buffer, 100), 4);
	IS(read(p[0], buffer, 100), 0);
	IS(ready(p[0], POLLIN), POLLHUP);
	close(p[0]);
	IS(pipe(p), 0);
	close(p[0]);
	FAILS(write(p[1], "x", 1), EPIPE);
	IS(broken, 1);
	close(p[1]);

	SAY("a reader that waits for a child's words, then for its end");
	IS(pipe(p), 0);
	start = now_ns();
	if ((child = fork()) == 0) {
		close(p[0]);
		sleep_ns(30 * MS);
		if (write(p[1], "words", 5) != 5)
			_exit(1);
		sleep_ns(30 * MS);
		_exit(0);
	}
	close(p[1]);
	IS(read(p[0], buffer, 100), 5);
	TOOK(start, 30 * MS);
	IS(read(p[0], buffer, 100), 0);
	TOOK(start, 60 * MS);
	check_child(child);
	close(p[0]);

	SAY("a writer that waits for room");
	IS(pipe(p), 0);
	if ((child = fork()) == 0) {
		close(p[1]);
		sleep_ns(20 * MS);
		for (filled = 0; (waiting = read(p[0], buffer, sizeof(buffer))) > 0;)
			filled += waiting;
		_exit(filled != 200 * 1000);
	}
	close(p[0]);
	for (filled = 0; filled < 200; filled++)
		if (write(p[1], buffer, 1000) != 1000)
			break;
	IS(filled, 200);
	close(p[1]);
	check_child(child);

	SAY("packets");
	IS(pipe2(p, O_DIRECT), 0);
	IS(write(p[1], "one", 3), 3);
	IS(write(p[1], "three", 5), 5);
	IS(read(p[0], buffer, 100), 3);
	IS(read(p[0], buffer, 2), 2);
	close(p[1]);
	IS(read(p[0], buffer, 100), 0);
	close(p[0]);

	SAY("FIFOs");
	unlink("pipe_basic.fifo");
	IS(mkfifo("pipe_basic.fifo", 0600), 0);
	FAILS(mkfifo("pipe_basic.fifo", 0600), EEXIST);
	FAILS(open("pipe_basic.fifo", O_WRONLY | O_NONBLOCK), ENXIO);
	fd = open("pipe_basic.fifo", O_RDONLY | O_NONBLOCK);
	IS(fd, 3);
	IS(read(fd, buffer, 10), 0);
	other = open("pipe_basic.fifo", O_WRONLY | O_NONBLOCK);
	IS(other, 4);
	FAILS(read(fd, buffer, 10), EAGAIN);
	IS(write(other, "fifo", 4), 4);
	IS(read(fd, buffer, 10), 4);
	close(other);
	IS(read(fd, buffer, 10), 0);
	close(fd);
	SAY("opening waits for the other side");
	if ((child = fork()) == 0) {
		sleep_ns(20 * MS);
		fd = open("pipe_basic.fifo", O_WRONLY);
		_exit(write(fd, "met", 3) != 3);
	}
	start = now_ns();
	fd = open("pipe_basic.fifo", O_RDONLY);
	IS(fd, 3);
	TOOK(start, 20 * MS);
	IS(read(fd, buffer, 10), 3);
	IS(read(fd, buffer, 10), 0);
	check_child(child);
	close(fd);
	fd = open("pipe_basic.fifo", O_RDWR);
	IS(write(fd, "self", 4), 4);
	IS(read(fd, buffer, 10), 4);
	IS(unlink("pipe_basic.fifo"), 0);
	return DONE();
}
