/* The prototype's fcntl programs, on a small file and on a big one. */
#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>

static void flags(const char *path, off_t size)
{
	int fd = open(path, O_CREAT | O_RDWR | O_TRUNC, 0640), copy;
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = size / 2, .l_len = 0};
	struct stat st;
	char byte = 'x', back = 0;

	SAY("a file of %lld bytes", (long long)size);
	OK(fd > 2);
	IS(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	IS(pwrite(fd, &byte, 1, size - 1), 1);
	OK(fstat(fd, &st) == 0 && st.st_size == size && (st.st_mode & 0777) == 0640);
	IS(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK), 0);
	OK((fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK)) == (O_APPEND | O_NONBLOCK));
	IS(lseek(fd, 0, SEEK_SET), 0);
	IS(write(fd, &byte, 1), 1);
	IS(lseek(fd, 0, SEEK_CUR) == size + 1, 1);
	IS(fcntl(fd, F_SETFL, 0), 0);
	IS(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
	copy = fcntl(fd, F_DUPFD, 100);
	IS(copy, 100);
	IS(fcntl(copy, F_GETFD), 0);
	IS(fcntl(fd, F_GETFD), FD_CLOEXEC);
	IS(lseek(copy, size - 1, SEEK_SET) == size - 1, 1);
	IS(read(fd, &back, 1), 1);
	IS(back, 'x');
	IS(fcntl(fd, F_SETLK, &lock), 0);
	lock.l_type = F_RDLCK;
	IS(fcntl(fd, F_GETLK, &lock), 0);
	IS(lock.l_type, F_UNLCK);
	IS(ftruncate(fd, 10), 0);
	OK(fstat(copy, &st) == 0 && st.st_size == 10);
	IS(lseek(fd, 0, SEEK_END), 10);
	IS(close(copy), 0);
	IS(close(fd), 0);
	IS(unlink(path), 0);
	OK(stat(path, &st) == -1 && errno == ENOENT);
}

int main(void)
{
	flags("fcntl_files.small", 100);
	flags("fcntl_files.big", 5LL << 30); /* sparse: beyond 32 bits, no space used */
	return DONE();
}
