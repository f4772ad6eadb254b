/*
 * Makes random system calls, as an attacker of the emulator or a broken program
 * would. Each round is a child that dies by what it does, or is killed after a
 * second of its time; the parent tells how many rounds there were.
 *
 *   fuzz SEED ROUNDS CALLS
 *
 * Every number of a call is equally likely; its arguments are drawn from what
 * calls take: descriptors of all kinds, addresses of good, read-only, foreign
 * and missing memory, small numbers, sizes, flags. A child whose draws make
 * children or threads shares a budget of them with its whole round.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LAST_CALL = 470, PAGE = 4096, PAGES = 16, BIRTHS = 12 };

/* What the processes of a round share. */
struct shared {
	uint64_t births; /* processes and threads made */
	uint64_t calls;
};

static struct shared *shared;
static pid_t first; /* who counts the rounds */
static uint64_t state;
static unsigned char *good;	/* memory, followed by none */
static unsigned char *constant; /* memory that cannot be written */

static uint64_t draw(void)
{
	/* xorshift64*: G. Marsaglia, Xorshift RNGs, 2003. */
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dULL;
}

static uint64_t below(uint64_t n) { return draw() % n; }

/* Opens something of every kind, so that numbers hit something. */
static void open_all(void)
{
	int pair[2], s;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(4000), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un u = { .sun_family = AF_UNIX, .sun_path = "\0fuzz" };
	sigset_t set;
	struct epoll_event e = { .events = EPOLLIN };

	open("file", O_RDWR | O_CREAT, 0644);
	open("/dev/zero", O_RDONLY);
	open("/proc/self/stat", O_RDONLY);
	open(".", O_RDONLY | O_DIRECTORY);
	open("/dev/ptmx", O_RDWR | O_NOCTTY);
	pipe(pair);
	pipe2(pair, O_NONBLOCK);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
	socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair);
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	bind(s, (struct sockaddr *)&u, sizeof u);
	listen(s, 5);
	s = socket(AF_INET, SOCK_STREAM, 0);
	bind(s, (struct sockaddr *)&a, sizeof a);
	listen(s, 5);
	s = socket(AF_INET, SOCK_STREAM, 0);
	connect(s, (struct sockaddr *)&a, sizeof a);
	socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	s = socket(AF_INET, SOCK_DGRAM, 0);
	bind(s, (struct sockaddr *)&a, sizeof a);
	socket(AF_INET6, SOCK_DGRAM, 0);
	socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	socket(AF_NETLINK, SOCK_RAW, 0);
	eventfd(0, 0);
	s = epoll_create1(0);
	epoll_ctl(s, EPOLL_CTL_ADD, 5, &e);
	timerfd_create(CLOCK_MONOTONIC, 0);
	sigfillset(&set);
	signalfd(-1, &set, 0);
	inotify_init();
	syscall(SYS_pidfd_open, getpid(), 0);
	syscall(SYS_memfd_create, "fuzz", 0);
}

/* Fills a piece of good memory with what calls read from there. */
static void *structure(void)
{
	unsigned char *p = good + below(PAGES * PAGE - 512) / 8 * 8;
	uint64_t *words = (uint64_t *)p;
	struct sockaddr_in *a = (void *)p;
	struct iovec *v = (void *)p;
	struct msghdr *m = (void *)p;

	switch (below(9)) {
	case 0: /* a time, near or far */
		words[0] = below(3);
		words[1] = below(1000000000);
		words[2] = below(2);
		words[3] = below(1000000000);
		break;
	case 1:
		a->sin_family = below(4) ? AF_INET : below(50);
		a->sin_port = htons(4000 + below(2));
		a->sin_addr.s_addr = htonl(below(2) ? INADDR_LOOPBACK : 0x0a000001 + below(3));
		break;
	case 2:
		for (int i = 0; i < 8; i++) {
			v[i].iov_base = below(8) ? good + below(PAGES * PAGE) : (void *)draw();
			v[i].iov_len = below(16) ? below(5000) : draw();
		}
		break;
	case 3:
		memset(m, 0, sizeof *m);
		m->msg_name = below(2) ? good + below(PAGES * PAGE) : NULL;
		m->msg_namelen = below(130);
		m->msg_iov = (void *)(good + below(PAGES * PAGE) / 8 * 8);
		m->msg_iovlen = below(4);
		m->msg_control = below(2) ? good + below(PAGES * PAGE) / 8 * 8 : NULL;
		m->msg_controllen = below(3) ? below(100) : draw();
		break;
	case 4: /* a control message of descriptors */
		words[0] = 16 + 4 * below(5);
		words[1] = (uint64_t)SOL_SOCKET | (1 + below(2)) << 32;
		words[2] = below(40) | below(40) << 32;
		break;
	case 5:
		strcpy((char *)p, (const char *[]){ "file", "other", ".", "..", "/proc/self/fd/3", "/tmp/a", "", "/", "/dev/null" }[below(9)]);
		break;
	case 6: /* descriptors to poll */
		for (int i = 0; i < 16; i++)
			words[i] = below(40) | draw() << 32;
		break;
	case 7:
		for (int i = 0; i < 16; i++)
			words[i] = draw();
		break;
	case 8:
		for (int i = 0; i < 16; i++)
			words[i] = below(100);
		break;
	}
	return p;
}

static uint64_t argument(void)
{
	switch (below(16)) {
	case 0: case 1: case 2: case 3:
		return below(45); /* a descriptor, a command, a signal */
	case 4: case 5: case 6: case 7: case 8:
		return (uint64_t)structure();
	case 9:
		return (uint64_t)(good + PAGES * PAGE - below(64)); /* ends in nothing */
	case 10:
		return (uint64_t)(constant + below(PAGE));
	case 11:
		return (uint64_t[]){ 0, -1, -2, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, UINT32_MAX, -100 /* AT_FDCWD */ }[below(9)];
	case 12:
		return 1ULL << below(64);
	case 13:
		return getpid();
	case 14:
		return below(1 << 20);
	default:
		return draw();
	}
}

/*
 * What is not done, or seldom: not for the sake of the emulator, but so that
 * rounds last and the one who counts them does.
 */
static int spared(long number, uint64_t *a)
{
	switch (number) {
	case SYS_kill: case SYS_tkill: case SYS_tgkill: case SYS_rt_sigqueueinfo: case SYS_rt_tgsigqueueinfo:
		return (pid_t)a[0] <= 0 || (pid_t)a[0] == first || (pid_t)a[1] == first;
	case SYS_pidfd_open: case SYS_prlimit64: case SYS_setpriority:
		return (pid_t)a[0] == first || (pid_t)a[1] == first;
	case SYS_exit: case SYS_exit_group: case SYS_rt_sigreturn: case SYS_munmap: case SYS_mremap: case SYS_brk:
	case SYS_pause: case SYS_rt_sigsuspend: case SYS_vhangup: case SYS_seccomp:
		return below(8) != 0; /* most often the end */
	case SYS_clone: case SYS_clone3: case SYS_fork: case SYS_vfork:
		return __atomic_add_fetch(&shared->births, 1, __ATOMIC_RELAXED) > BIRTHS;
	}
	return 0;
}

static void handler(int s) { (void)s; }

static void round_of_calls(uint64_t calls)
{
	struct rlimit small = { 64 << 20, 64 << 20 };
	setrlimit(RLIMIT_FSIZE, &small);
	small.rlim_cur = small.rlim_max = 512 << 20;
	setrlimit(RLIMIT_AS, &small);
	small.rlim_cur = small.rlim_max = 0;
	setrlimit(RLIMIT_CORE, &small);
	for (int s = 1; s < 65; s += 3)
		signal(s, below(2) ? handler : SIG_DFL);
	open_all();
	for (uint64_t i = 0; i < calls; i++) {
		long number = below(LAST_CALL);
		uint64_t a[6];
		for (int k = 0; k < 6; k++)
			a[k] = argument();
		if (spared(number, a))
			continue;
		__atomic_add_fetch(&shared->calls, 1, __ATOMIC_RELAXED);
		if (getenv("FUZZ_TELL")) {
			char line[200];
			int n = snprintf(line, sizeof line, "%d: %ld(%lx, %lx, %lx, %lx, %lx, %lx)\n", getpid(), number, a[0], a[1], a[2], a[3], a[4], a[5]);
			syscall(SYS_write, 2, line, n);
		}
		syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	}
	syscall(SYS_exit_group, 0);
}

/* Waits for a child for a second, then kills it and what it made. */
static void end(pid_t child)
{
	sigset_t set;
	struct timespec second = { 1, 0 };

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	while (waitpid(child, NULL, WNOHANG) == 0)
		if (sigtimedwait(&set, NULL, &second) < 0 && errno == EAGAIN) {
			kill(child, SIGKILL);
			waitpid(child, NULL, __WALL);
			break;
		}
	/* Whoever the child has left behind is ours now: we are their subreaper. */
	for (int tries = 0; tries < 100; tries++) {
		char path[64], line[256];
		FILE *f;
		int left = 0;
		snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
		if ((f = fopen(path, "r"))) {
			while (fscanf(f, "%255s", line) == 1) {
				left++;
				kill(atoi(line), SIGKILL);
			}
			fclose(f);
		}
		while (waitpid(-1, NULL, __WALL | WNOHANG) > 0)
			;
		if (!left)
			return;
		sigtimedwait(&set, NULL, &second);
	}
}

int main(int argc, char **argv)
{
	sigset_t set;
	uint64_t seed, rounds, calls, total = 0;

	if (argc != 4) {
		fprintf(stderr, "usage: fuzz SEED ROUNDS CALLS\n");
		return 2;
	}
	seed = strtoull(argv[1], NULL, 0);
	rounds = strtoull(argv[2], NULL, 0);
	calls = strtoull(argv[3], NULL, 0);
	first = getpid();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	good = mmap(NULL, (PAGES + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(good + PAGES * PAGE, PAGE);
	constant = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (uint64_t i = 0; i < rounds; i++) {
		shared->births = shared->calls = 0;
		state = (seed << 32 | i) * 0x9e3779b97f4a7c15ULL | 1;
		pid_t child = fork();
		if (child < 0) {
			perror("fork");
			return 1;
		}
		if (child == 0) {
			sigprocmask(SIG_UNBLOCK, &set, NULL);
			setpgid(0, 0);
			round_of_calls(calls);
		}
		end(child);
		total += shared->calls;
		if (getenv("FUZZ_TELL"))
			fprintf(stderr, "round %lu: %lu calls\n", i, shared->calls);
	}
	printf("%lu rounds, %lu calls\n", rounds, total);
	return 0;
}
