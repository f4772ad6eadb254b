/* A chroot that fails changes nothing: files keep the time of the clock. */
#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>

int main(void)
{
	char name[] = "/tmp/chroot_fails.XXXXXX";
	int fd = mkstemp(name);
	struct timespec now;
	struct stat s;

	FAILS(chroot("/nowhere"), ENOENT);
	FAILS(chroot(name), ENOTDIR);
	IS(futimens(fd, NULL), 0);
	IS(stat(name, &s), 0);
	clock_gettime(CLOCK_REALTIME, &now);
	OK(labs(now.tv_sec - s.st_mtim.tv_sec) < 10);
	IS(unlink(name), 0);
	return DONE();
}
