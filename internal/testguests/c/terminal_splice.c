/* splice to a terminal that is full: by itself, or, where it is refused, by the
 * write that every program falls back to. */
#include "check.h"
#include <fcntl.h>
#include <termios.h>

enum { size = 32768 };

static char data[size];

int main(void)
{
	int master, slave, status, pipe_[2], got = 0, put = 0;
	struct termios raw;
	char name[100], back[4096];
	ssize_t n;
	pid_t child;

	master = posix_openpt(O_RDWR | O_NOCTTY);
	OK(master >= 0);
	IS(unlockpt(master), 0);
	IS(ptsname_r(master, name, sizeof(name)), 0);
	slave = open(name, O_RDWR | O_NOCTTY);
	OK(slave >= 0);
	IS(tcgetattr(slave, &raw), 0);
	cfmakeraw(&raw);
	IS(tcsetattr(slave, TCSANOW, &raw), 0);
	memset(data, 'a', size);

	IS(pipe(pipe_), 0);
	IS(write(pipe_[1], data, size), size);
	child = fork();
	if (child == 0) {
		check_quiet = 1;
		while (got < size && (n = read(master, back, sizeof(back))) > 0)
			got += n;
		IS(got, size);
		_exit(check_failed);
	}
	while (put < size) {
		n = splice(pipe_[0], NULL, slave, NULL, size, 0);
		if (n < 0 && errno == EINVAL) {
			n = read(pipe_[0], data, size);
			n = write(slave, data, n);
		}
		if (n <= 0)
			break;
		put += n;
	}
	IS(put, size);
	OK(wait(&status) == child && status == 0);
	return DONE();
}
