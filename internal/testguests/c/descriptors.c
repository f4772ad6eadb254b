/* dup, fcntl, close_range, close-on-exec, limits, locks, what numbers are given. */
#include "check.h"
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

int main(void)
{
	int pipe_[2], fd, other;
	char buffer[8], path[64];
	struct stat one, two;
	struct rlimit limit, low;
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5};
	int64_t start;
	pid_t child;

	IS(pipe(pipe_), 0);
	SAY("the lowest free number");
	IS(dup(pipe_[0]), 5);
	close(3);
	IS(dup(5), 3);
	IS(dup(99), -1);
	IS(fcntl(3, F_DUPFD, 50), 50);
	IS(fcntl(3, F_DUPFD_CLOEXEC, 50), 51);
	IS(fcntl(51, F_GETFD), FD_CLOEXEC);
	IS(dup2(4, 60), 60);
	IS(dup2(4, 4), 4);
	FAILS(dup2(99, 99), EBADF);
	FAILS(dup2(4, -1), EBADF);
	FAILS(dup3(4, 4, 0), EINVAL);
	FAILS(dup3(4, 61, O_NONBLOCK), EINVAL);
	IS(dup3(4, 61, O_CLOEXEC), 61);
	FAILS(fcntl(99, F_GETFD), EBADF);
	FAILS(fcntl(3, F_DUPFD, -1), EINVAL);
	FAILS(fcntl(3, 9999), EINVAL);
	FAILS(close(99), EBADF);

	SAY("copies share one open file: flags, end");
	IS(fcntl(60, F_SETFL, O_NONBLOCK), 0);
	OK(fcntl(4, F_GETFL) == (O_WRONLY | O_NONBLOCK));
	IS(write(60, "via", 3), 3);
	close(4);
	close(60);
	IS(read(50, buffer, 8), 3);
	fcntl(50, F_SETFL, O_NONBLOCK);
	FAILS(read(50, buffer, 8), EAGAIN);
	close(61);
	IS(read(5, buffer, 8), 0);
	IS(dup2(1, 50), 50);
	OK(fstat(50, &one) == 0 && fstat(1, &two) == 0 && one.st_ino == two.st_ino);

	SAY("close_range");
	IS(close_range(3, 40, CLOSE_RANGE_CLOEXEC), 0);
	IS(fcntl(3, F_GETFD), FD_CLOEXEC);
	IS(fcntl(50, F_GETFD), 0);
	IS(close_range(3, 100, 0), 0);
	FAILS(fcntl(3, F_GETFD), EBADF);
	FAILS(fcntl(51, F_GETFD), EBADF);
	FAILS(close_range(10, 5, 0), EINVAL);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	IS(fd, 3);
	IS(close_range(3, ~0U, CLOSE_RANGE_UNSHARE), 0);
	FAILS(fcntl(3, F_GETFD), EBADF);

	SAY("the limit");
	getrlimit(RLIMIT_NOFILE, &limit);
	low = limit;
	low.rlim_cur = 10;
	IS(setrlimit(RLIMIT_NOFILE, &low), 0);
	for (fd = 3; dup(1) == fd; fd++)
		;
	IS(fd, 10);
	IS(errno, EMFILE);
	FAILS(socket(AF_INET, SOCK_STREAM, 0), EMFILE);
	close(9);
	FAILS(pipe(pipe_), EMFILE);
	FAILS(fcntl(1, F_DUPFD, 10), EINVAL);
	setrlimit(RLIMIT_NOFILE, &limit);
	close_range(3, 20, 0);

	SAY("what /proc says");
	IS(pipe(pipe_), 0);
	OK(readlink("/proc/self/fd/3", path, sizeof(path)) > 6 && memcmp(path, "pipe:[", 6) == 0);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	OK(readlink("/proc/self/fd/5", path, sizeof(path)) > 8 && memcmp(path, "socket:[", 8) == 0);
	OK(fstat(fd, &one) == 0 && S_ISSOCK(one.st_mode));
	FAILS(lseek(fd, 0, SEEK_CUR), ESPIPE);

	SAY("record locks belong to a process, flock to an open file");
	fd = open("descriptors.lock", O_CREAT | O_RDWR | O_TRUNC, 0600);
	IS(fcntl(fd, F_SETLK, &lock), 0);
	if ((child = fork()) == 0) {
		FAILS(fcntl(fd, F_SETLK, &lock), EAGAIN);
		lock.l_start = 0;
		lock.l_len = 0;
		IS(fcntl(fd, F_GETLK, &lock), 0);
		OK(lock.l_type == F_WRLCK && lock.l_start == 10 && lock.l_len == 5 && lock.l_pid == getppid());
		_exit(check_failed);
	}
	check_child(child);
	if ((child = fork()) == 0) {
		check_quiet = 1;
		start = now_ns();
		IS(fcntl(fd, F_SETLKW, &lock), 0);
		OK(now_ns() - start >= 10 * MS);
		_exit(check_failed);
	}
	sleep_ns(60 * MS);
	lock.l_type = F_UNLCK;
	IS(fcntl(fd, F_SETLK, &lock), 0);
	check_child(child);
	other = open("descriptors.lock", O_RDWR);
	IS(flock(fd, LOCK_EX), 0);
	FAILS(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	IS(flock(fd, LOCK_SH), 0);
	IS(flock(other, LOCK_SH | LOCK_NB), 0);
	IS(flock(fd, LOCK_UN), 0);
	IS(flock(other, LOCK_EX), 0);
	if ((child = fork()) == 0) {
		sleep_ns(20 * MS);
		flock(other, LOCK_UN);
		_exit(0);
	}
	start = now_ns();
	IS(flock(fd, LOCK_EX), 0);
	TOOK(start, 20 * MS);
	check_child(child);
	IS(unlink("descriptors.lock"), 0);
	return DONE();
}
