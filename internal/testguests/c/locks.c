/* File locks: flock, those of processes, those of open files; waiting, deadlocks. */
#include "children.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>

static int fd, ready[2];

static int lock(int file, int command, int type, off_t start, off_t length)
{
	struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};

	return fcntl(file, command, &l);
}

static struct flock asked(int file, int command, int type, off_t start, off_t length)
{
	struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};

	fcntl(file, command, &l);
	return l;
}

static void tell(void) { IS(write(ready[1], "x", 1), 1); }
static void hear(void)
{
	char c;

	IS(read(ready[0], &c, 1), 1);
}

static void hold_middle(void)
{
	IS(lock(fd, F_SETLK, F_WRLCK, 10, 10), 0);
	tell();
	sleep_ns(300 * MS);
}
static void hold_for_reading(void)
{
	IS(lock(fd, F_SETLK, F_RDLCK, 0, 0), 0);
	tell();
	sleep_ns(300 * MS);
	IS(lock(fd, F_SETLK, F_UNLCK, 0, 0), 0);
	sleep_ns(300 * MS);
}
static void cross(void)
{
	IS(lock(fd, F_SETLK, F_WRLCK, 1, 1), 0);
	tell();
	IS(lock(fd, F_SETLKW, F_WRLCK, 0, 1), 0); /* when the parent gives up */
}

static void of_processes(const char *name)
{
	struct sigaction a = {.sa_handler = nothing};
	struct flock l;
	int64_t before;
	pid_t child, second;
	int other;

	SAY("of processes");
	FAILS(lock(fd, F_SETLK, 7, 0, 0), EINVAL);
	FAILS(lock(fd, F_SETLK, F_WRLCK, -5, 2), EINVAL);
	FAILS(lock(99, F_SETLK, F_WRLCK, 0, 0), EBADF);
	other = open(name, O_RDONLY);
	FAILS(lock(other, F_SETLK, F_WRLCK, 0, 0), EBADF);
	close(other);
	IS(lock(fd, F_SETLK, F_WRLCK, 0, 100), 0);
	IS(lock(fd, F_SETLK, F_UNLCK, 0, 0), 0);

	before = now_ns();
	child = start(hold_middle);
	hear();
	FAILS(lock(fd, F_SETLK, F_RDLCK, 0, 11), EAGAIN);
	IS(lock(fd, F_SETLK, F_RDLCK, 0, 10), 0);
	l = asked(fd, F_GETLK, F_RDLCK, 0, 0);
	OK(l.l_type == F_WRLCK && l.l_start == 10 && l.l_len == 10 && l.l_pid == child);
	IS(lock(fd, F_SETLKW, F_WRLCK, 15, 1), 0); /* the child ends */
	TOOK(before, 300 * MS);
	check_child(child);
	IS(asked(fd, F_GETLK, F_RDLCK, 0, 0).l_type, F_UNLCK);
	lock(fd, F_SETLK, F_UNLCK, 0, 0);

	before = now_ns();
	child = start(hold_for_reading);
	second = start(hold_for_reading);
	hear();
	hear();
	IS(lock(fd, F_SETLK, F_RDLCK, 0, 0), 0);
	FAILS(lock(fd, F_SETLK, F_WRLCK, 0, 1), EAGAIN);
	IS(lock(fd, F_SETLKW, F_WRLCK, 0, 1), 0); /* both unlock */
	TOOK(before, 300 * MS);
	check_child(child);
	check_child(second);
	lock(fd, F_SETLK, F_UNLCK, 0, 0);

	SAY("a signal ends the wait");
	child = start(hold_middle);
	hear();
	sigaction(SIGALRM, &a, NULL);
	before = now_ns();
	if (fork() == 0) {
		sleep_ns(100 * MS);
		kill(getppid(), SIGALRM);
		_exit(0);
	}
	FAILS(lock(fd, F_SETLKW, F_WRLCK, 15, 1), EINTR);
	TOOK(before, 100 * MS);
	wait(NULL);
	check_child(child);

	SAY("a deadlock");
	IS(lock(fd, F_SETLK, F_WRLCK, 0, 1), 0);
	child = start(cross);
	hear();
	sleep_ns(100 * MS);
	FAILS(lock(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
	IS(lock(fd, F_SETLK, F_UNLCK, 0, 1), 0);
	check_child(child);

	SAY("closing any descriptor");
	IS(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
	other = open(name, O_RDWR);
	close(other);
	child = start(hold_middle);
	hear();
	check_child(child);
}

static int twin;

static void want_file(void)
{
	int own = open("/proc/self/fd/3", O_RDWR);

	IS(flock(own, LOCK_EX), 0);
	tell();
}

static void hold_open(void)
{
	sleep_ns(200 * MS);
	IS(lock(twin, F_OFD_SETLK, F_UNLCK, 0, 0), 0);
}

static void of_open_files(const char *name)
{
	int second = open(name, O_RDWR);
	struct flock bad = {.l_type = F_WRLCK, .l_pid = 1};
	int64_t before;
	pid_t child;

	SAY("of open files");
	twin = open(name, O_RDWR);
	FAILS(fcntl(twin, F_OFD_SETLK, &bad), EINVAL);
	IS(lock(twin, F_OFD_SETLK, F_WRLCK, 0, 10), 0);
	FAILS(lock(second, F_OFD_SETLK, F_RDLCK, 5, 1), EAGAIN);
	FAILS(lock(fd, F_SETLK, F_WRLCK, 5, 1), EAGAIN);
	IS(asked(second, F_OFD_GETLK, F_WRLCK, 0, 0).l_pid, -1);
	before = now_ns();
	child = start(hold_open); /* which unlocks what both have open */
	IS(lock(second, F_OFD_SETLKW, F_WRLCK, 0, 10), 0);
	TOOK(before, 200 * MS);
	check_child(child);
	close(second);
	IS(lock(twin, F_OFD_SETLK, F_WRLCK, 0, 10), 0);
	close(twin);
}

static void *unlock_later(void *file)
{
	sleep_ns(100 * MS);
	flock(*(int *)file, LOCK_UN);
	return NULL;
}

static void of_files(const char *name)
{
	int a = open(name, O_RDWR), b = open(name, O_RDWR), c;
	int64_t before;
	pthread_t thread;
	pid_t child;

	SAY("flock");
	FAILS(flock(a, 0), EINVAL);
	FAILS(flock(99, LOCK_EX), EBADF);
	IS(flock(a, LOCK_SH), 0);
	IS(flock(b, LOCK_SH), 0);
	FAILS(flock(b, LOCK_EX | LOCK_NB), EAGAIN);
	IS(flock(b, LOCK_UN), 0);
	IS(flock(a, LOCK_EX), 0);
	c = dup(a);
	IS(flock(c, LOCK_EX), 0);
	close(c);
	FAILS(flock(b, LOCK_SH | LOCK_NB), EAGAIN);
	before = now_ns();
	pthread_create(&thread, NULL, unlock_later, &a);
	IS(flock(b, LOCK_EX), 0);
	TOOK(before, 100 * MS);
	pthread_join(thread, NULL);
	child = start(want_file);
	sleep_ns(100 * MS);
	close(b); /* the child has b too: it must not end the lock */
	IS(flock(a, LOCK_EX | LOCK_NB), -1);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	IS(flock(a, LOCK_EX | LOCK_NB), 0);
	close(a);
}

int main(void)
{
	char name[] = "/tmp/locksXXXXXX";

	fd = mkstemp(name);
	IS(fd, 3);
	IS(pipe(ready), 0);
	of_processes(name);
	of_open_files(name);
	of_files(name);
	unlink(name);
	return DONE();
}
