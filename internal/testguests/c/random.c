/* getrandom and its devices: enough bytes, not all the same, not the same twice. */
#include "check.h"
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/random.h>

static int varied(const unsigned char *bytes, int n)
{
	int seen[256] = {0}, different = 0;

	for (int i = 0; i < n; i++)
		different += !seen[bytes[i]]++;
	return different > 150;
}

int main(void)
{
	unsigned char one[1024] = {0}, two[1024] = {0}, *at_random;
	const char *devices[] = {"/dev/urandom", "/dev/random"};
	int fd, pipe_[2];
	pid_t child;

	IS(getrandom(one, sizeof(one), 0), sizeof(one));
	IS(getrandom(two, sizeof(two), GRND_NONBLOCK), sizeof(two));
	OK(varied(one, sizeof(one)) && memcmp(one, two, sizeof(one)) != 0);
	IS(getrandom(one, 0, 0), 0);
	FAILS(getrandom(one, 1, 0x100), EINVAL);
	FAILS(getrandom((void *)8, 1, 0), EFAULT);
	IS(getentropy(one, 256), 0);
	FAILS(getentropy(one, 257), EIO);
	for (int i = 0; i < 2; i++) {
		SAY("%s", devices[i]);
		fd = open(devices[i], O_RDONLY);
		OK(fd >= 0);
		IS(read(fd, one, sizeof(one)), sizeof(one));
		IS(read(fd, two, 7), 7);
		OK(varied(one, sizeof(one)) && memcmp(one, two, 7) != 0);
		close(fd);
	}
	SAY("processes have bytes of their own");
	if (pipe(pipe_) == -1)
		return 2;
	if ((child = fork()) == 0) {
		if (getrandom(one, 64, 0) != 64 || write(pipe_[1], one, 64) != 64)
			_exit(1);
		_exit(0);
	}
	IS(getrandom(one, 64, 0), 64);
	IS(read(pipe_[0], two, 64), 64);
	OK(memcmp(one, two, 64) != 0);
	check_child(child);
	at_random = (unsigned char *)getauxval(AT_RANDOM);
	OK(at_random && memcmp(at_random, at_random + 8, 8) != 0);
	return DONE();
}
