/* Calls that today's C libraries make by newer ones, and rare ones: made directly. */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <utime.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

#define CALL(name, ...) syscall(SYS_##name, ##__VA_ARGS__)

static const char *file = "file", *other = "other";

static void files(void)
{
	struct stat s;
	struct utimbuf times = {1000, 2000};
	struct timeval values[2] = {{3000, 5}, {4000, 6}};
	struct {
		uint64_t flags, mode, resolve;
	} how = {O_RDONLY, 0, 0};
	struct iovec part = {"text", 4};
	int fd;

	SAY("names of files");
	fd = CALL(creat, file, 0644);
	OK(fd >= 0);
	IS(CALL(fstat, fd, &s), 0);
	OK(S_ISREG(s.st_mode) && s.st_size == 0);
	IS(CALL(fallocate, fd, 0, 0, 100), 0);
	IS(CALL(pwritev2, fd, &part, 1, 10L, 0, 0), 4);
	IS(CALL(lstat, file, &s), 0);
	IS(s.st_size, 100);
	IS(CALL(truncate, file, 50L), 0);
	IS(CALL(ftruncate, fd, 60L), 0);
	IS(CALL(stat, file, &s), 0);
	IS(s.st_size, 60);
	IS(CALL(fchmod, fd, 0600), 0);
	close(fd);
	fd = CALL(open, file, O_RDONLY);
	OK(fd >= 0);
	close(fd);
	FAILS(CALL(open, "none", O_RDONLY), ENOENT);
	fd = CALL(openat2, AT_FDCWD, file, &how, sizeof(how));
	OK(fd >= 0);
	close(fd);
	FAILS(CALL(openat2, AT_FDCWD, file, &how, 8), EINVAL);
	IS(CALL(access, file, R_OK), 0);
	IS(CALL(faccessat, AT_FDCWD, file, W_OK), 0);
	FAILS(CALL(faccessat, AT_FDCWD, "none", F_OK), ENOENT);
	IS(CALL(linkat, AT_FDCWD, file, AT_FDCWD, other, 0), 0);
	IS(CALL(renameat, AT_FDCWD, other, AT_FDCWD, "renamed"), 0);
	IS(CALL(symlinkat, file, AT_FDCWD, "link"), 0);
	IS(CALL(mkdirat, AT_FDCWD, "folder", 0755), 0);
	IS(CALL(mknod, "fifo", S_IFIFO | 0600, 0), 0);
	IS(CALL(mknodat, AT_FDCWD, "fifo2", S_IFIFO | 0600, 0), 0);
	FAILS(CALL(mknod, "fifo", S_IFIFO | 0600, 0), EEXIST);
	IS(CALL(fchownat, AT_FDCWD, file, -1, -1, 0), 0);
	IS(CALL(chown, file, -1, -1), 0);
	IS(CALL(lchown, "link", -1, -1), 0);
	fd = CALL(open, file, O_RDONLY);
	IS(CALL(fchown, fd, -1, -1), 0);
	close(fd);
	if (CALL(fchmodat2, AT_FDCWD, file, 0640, 0) == -1 && errno == ENOSYS)
		CALL(fchmodat, AT_FDCWD, file, 0640); /* before Linux 6.6 */
	IS(CALL(utime, file, &times), 0);
	CALL(stat, file, &s);
	OK((s.st_mode & 0777) == 0640 && s.st_atime == 1000 && s.st_mtime == 2000);
	IS(CALL(utimes, file, values), 0);
	CALL(stat, file, &s);
	OK(s.st_mtime == 4000 && s.st_mtim.tv_nsec == 6000);
	values[1].tv_sec = 5000;
	IS(CALL(futimesat, AT_FDCWD, file, values), 0);
	CALL(stat, file, &s);
	IS(s.st_mtime, 5000);
	IS(CALL(unlink, "link") + CALL(unlink, "renamed") + CALL(unlink, "fifo") + CALL(unlink, "fifo2"), 0);
	IS(CALL(rmdir, "folder"), 0);
}

static void attributes(void)
{
	char value[10], list[100];
	int fd = CALL(open, file, O_RDONLY), works;

	SAY("attributes");
	/* not all file systems have some; those of names that nobody has fail alike */
	works = CALL(setxattr, file, "user.a", "one", 3, 0) == 0;
	OK(works || errno == EOPNOTSUPP);
	OK(CALL(lsetxattr, file, "user.b", "two", 3, 0) == (works ? 0 : -1));
	OK(CALL(fsetxattr, fd, "user.c", "three", 5, 0) == (works ? 0 : -1));
	OK(CALL(getxattr, file, "user.a", value, 10) == (works ? 3 : -1));
	OK(CALL(lgetxattr, file, "user.b", value, 10) == (works ? 3 : -1));
	OK(CALL(fgetxattr, fd, "user.c", value, 10) == (works ? 5 : -1));
	OK(CALL(listxattr, file, list, 100) == (works ? 21 : 0));
	OK(CALL(llistxattr, file, list, 100) == (works ? 21 : 0));
	OK(CALL(flistxattr, fd, list, 100) == (works ? 21 : 0));
	OK(CALL(removexattr, file, "user.a") == (works ? 0 : -1));
	OK(CALL(lremovexattr, file, "user.b") == (works ? 0 : -1));
	OK(CALL(fremovexattr, fd, "user.c") == (works ? 0 : -1));
	FAILS(CALL(getxattr, "none", "user.a", value, 10), ENOENT);
	FAILS(CALL(listxattr, "none", list, 10), ENOENT);
	close(fd);
	unlink(file);
}

static volatile sig_atomic_t value;

static void note(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	value = info->si_value.sival_int;
}

static void processes(void)
{
	struct sigaction a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
	char *words[] = {"true", NULL}, *none[] = {NULL};
	uint64_t set = 1ull << (SIGUSR2 - 1), count = 0;
	struct rlimit limit, old;
	unsigned cpu = 99, node = 99;
	int fds[2], fd, status;
	pid_t child;

	SAY("processes");
	child = CALL(fork);
	if (child == 0) {
		CALL(execveat, AT_FDCWD, "/bin/true", words, none, 0);
		_exit(9);
	}
	IS(CALL(wait4, child, &status, 0, NULL) == child, 1);
	IS(status, 0);
	FAILS(CALL(execveat, AT_FDCWD, "/none", words, none, 0), ENOENT);
	IS(CALL(getcpu, &cpu, &node, NULL), 0);
	OK(cpu < 4096 && node < 1024);
	sigaction(SIGUSR1, &a, NULL);
	info.si_value.sival_int = 17;
	IS(CALL(rt_tgsigqueueinfo, getpid(), gettid(), SIGUSR1, &info), 0);
	IS(value, 17);
	value = 1;
	IS(CALL(tkill, gettid(), SIGUSR1), 0);
	IS(value, 0);
	FAILS(CALL(tkill, -1, SIGUSR1), EINVAL);
	IS(CALL(getrlimit, RLIMIT_CPU, &limit), 0);
	IS(CALL(prlimit64, 0, RLIMIT_CPU, NULL, &old), 0);
	OK(limit.rlim_cur == old.rlim_cur && limit.rlim_max == old.rlim_max);
	limit.rlim_cur = 1000;
	IS(CALL(setrlimit, RLIMIT_CPU, &limit), 0);
	CALL(getrlimit, RLIMIT_CPU, &limit);
	IS(limit.rlim_cur, 1000);
	FAILS(CALL(getrlimit, 99, &limit), EINVAL);

	SAY("descriptors");
	IS(CALL(pipe, fds), 0);
	IS(write(fds[1], "x", 1), 1);
	fd = CALL(eventfd, 3);
	IS(read(fd, &count, 8), 8);
	IS(count, 3);
	close(fd);
	sigprocmask(SIG_BLOCK, (sigset_t *)&set, NULL);
	fd = CALL(signalfd, -1, &set, 8);
	OK(fd >= 0);
	kill(getpid(), SIGUSR2);
	struct {
		uint32_t signal;
		char rest[124];
	} got;
	IS(read(fd, &got, sizeof(got)), 128);
	IS(got.signal, SIGUSR2);
	close(fd);
}

static void waits(void)
{
	struct sembuf up = {0, 1, 0};
	struct {
		uint64_t value, address;
		uint32_t flags, reserved;
	} words[2] = {{0}};
	uint32_t a = 1, b = 2;
	struct sigevent e = {.sigev_notify = SIGEV_NONE};
	struct itimerspec often = {{0, 1000000}, {0, 1000000}};
	int set = semget(IPC_PRIVATE, 1, 0600), timer;
	struct timespec until;

	SAY("waits");
	IS(CALL(semop, set, &up, 1), 0);
	IS(semctl(set, 0, GETVAL), 1);
	semctl(set, 0, IPC_RMID);
	words[0].value = 7; /* not what it holds */
	words[0].address = (uintptr_t)&a;
	words[1].value = 2;
	words[1].address = (uintptr_t)&b;
	words[0].flags = words[1].flags = 2; /* of 32 bits */
	clock_gettime(CLOCK_MONOTONIC, &until);
	FAILS(CALL(futex_waitv, words, 2, 0, &until, CLOCK_MONOTONIC), EAGAIN);
	words[0].value = 1;
	FAILS(CALL(futex_waitv, words, 2, 0, &until, CLOCK_MONOTONIC), ETIMEDOUT);
	FAILS(CALL(futex_waitv, words, 0, 0, NULL, 0), EINVAL);
	IS(CALL(timer_create, CLOCK_MONOTONIC, &e, &timer), 0);
	IS(CALL(timer_settime, timer, 0, &often, NULL), 0);
	IS(CALL(timer_getoverrun, timer), 0);
	IS(CALL(timer_delete, timer), 0);
	FAILS(CALL(timer_getoverrun, 12345), EINVAL);
}

int main(void)
{
	files();
	attributes();
	processes();
	waits();
	return DONE();
}
