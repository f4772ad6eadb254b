/* POSIX message queues: priorities, limits, waiting, notification. */
#include "children.h"
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static char name[64], buffer[9000];
static mqd_t queue;

static long count(void)
{
	struct mq_attr a = {0};

	mq_getattr(queue, &a);
	return a.mq_curmsgs;
}

static struct timespec in(int64_t ns)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return timespec_of(t.tv_sec * SECOND + t.tv_nsec + ns);
}

static void making(void)
{
	struct mq_attr a = {.mq_maxmsg = 0, .mq_msgsize = 10};
	struct stat s;

	SAY("making");
	FAILS(mq_open(name, O_RDWR), ENOENT);
	FAILS(mq_open("no-slash", O_RDWR), EINVAL);
	FAILS(mq_open("/a/b", O_RDWR), EACCES);
	FAILS(syscall(SYS_mq_open, "", O_RDWR, 0, NULL), ENOENT);
	FAILS(mq_open(name, O_RDWR | O_CREAT, 0600, &a), EINVAL);
	a.mq_maxmsg = 3;
	a.mq_msgsize = -1;
	FAILS(mq_open(name, O_RDWR | O_CREAT, 0600, &a), EINVAL);
	a.mq_msgsize = 16;
	umask(022);
	queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0662, &a);
	OK(queue >= 0);
	FAILS(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &a), EEXIST);
	IS(fcntl(queue, F_GETFD), FD_CLOEXEC);
	IS(fstat(queue, &s), 0);
	OK(S_ISREG(s.st_mode) && (s.st_mode & 0777) == 0640 && s.st_size == 80);
	IS(mq_getattr(queue, &a), 0);
	OK(a.mq_maxmsg == 3 && a.mq_msgsize == 16 && a.mq_curmsgs == 0 && a.mq_flags == 0);
	FAILS(mq_getattr(99, &a), EBADF);
	FAILS(mq_getattr(0, &a), EBADF);
}

static void messages(void)
{
	unsigned priority = 99;
	mqd_t one;
	ssize_t n;

	SAY("messages");
	IS(mq_send(queue, "low", 3, 1), 0);
	IS(mq_send(queue, "high", 4, 7), 0);
	IS(mq_send(queue, "high too", 8, 7), 0);
	IS(count(), 3);
	one = mq_open(name, O_RDONLY);
	n = read(one, buffer, sizeof(buffer));
	OK(n > 0 && strncmp(buffer, "QSIZE:15         NOTIFY:0     SIGNO:0     NOTIFY_PID:0", 50) == 0);
	IS(read(one, buffer, sizeof(buffer)), 0);
	IS(mq_close(one), 0);
	FAILS(mq_receive(queue, buffer, 15, NULL), EMSGSIZE);
	IS(mq_receive(queue, buffer, 16, &priority), 4);
	OK(priority == 7 && memcmp(buffer, "high", 4) == 0);
	IS(mq_receive(queue, buffer, 16, &priority), 8);
	IS(mq_receive(queue, buffer, 16, &priority), 3);
	OK(priority == 1);
	IS(mq_send(queue, "", 0, 32767), 0);
	IS(mq_receive(queue, buffer, 16, &priority), 0);
	OK(priority == 32767);
	FAILS(mq_send(queue, "x", 1, 32768), EINVAL);
	FAILS(mq_send(queue, buffer, 17, 0), EMSGSIZE);
	FAILS(mq_send(queue, (void *)8, 4, 0), EFAULT);
	FAILS(mq_send(1, "x", 1, 0), EBADF);
	one = mq_open(name, O_RDONLY);
	FAILS(mq_send(one, "x", 1, 0), EBADF);
	IS(mq_close(one), 0);
	one = mq_open(name, O_WRONLY);
	FAILS(mq_receive(one, buffer, 16, NULL), EBADF);
	FAILS(read(one, buffer, 16), EBADF);
	IS(mq_close(one), 0);
	FAILS(mq_close(one), EBADF);
}

static void receive_one(void)
{
	IS(mq_receive(queue, buffer, 16, NULL), 5);
	OK(memcmp(buffer, "hello", 5) == 0);
}
static void send_late(void) { IS(mq_send(queue, "late", 4, 9), 0); }
static void be_interrupted(void)
{
	interruptible(0);
	FAILS(mq_receive(queue, buffer, 16, NULL), EINTR);
}
static void be_restarted(void)
{
	interruptible(SA_RESTART);
	IS(mq_receive(queue, buffer, 16, NULL), 5);
}

static void waiting(void)
{
	struct timespec t = in(50 * MS), past = {1, 0}, bad = {1, 1000000000};
	struct mq_attr a = {.mq_flags = O_NONBLOCK}, old;
	int64_t before = now_ns();
	pid_t child;

	SAY("waiting");
	FAILS(mq_timedreceive(queue, buffer, 16, NULL, &t), ETIMEDOUT);
	TOOK(before, 50 * MS);
	FAILS(mq_timedreceive(queue, buffer, 16, NULL, &past), ETIMEDOUT);
	FAILS(mq_timedreceive(queue, buffer, 16, NULL, &bad), EINVAL);
	child = start(receive_one);
	sleep_ns(100 * MS);
	IS(mq_send(queue, "hello", 5, 0), 0);
	IS(count(), 0);
	check_child(child);

	for (int i = 0; i < 3; i++)
		mq_send(queue, "fill", 4, i);
	FAILS(mq_timedsend(queue, "x", 1, 0, &past), ETIMEDOUT);
	child = start(send_late);
	sleep_ns(100 * MS);
	IS(mq_receive(queue, buffer, 16, NULL), 4);
	IS(count(), 3);
	IS(mq_receive(queue, buffer, 16, NULL), 4);
	OK(memcmp(buffer, "late", 4) == 0);
	check_child(child);

	IS(mq_setattr(queue, &a, &old), 0);
	IS(old.mq_flags, 0);
	IS(fcntl(queue, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	while (mq_receive(queue, buffer, 16, NULL) >= 0)
		;
	FAILS(mq_receive(queue, buffer, 16, NULL), EAGAIN);
	a.mq_flags = 1;
	FAILS(mq_setattr(queue, &a, NULL), EINVAL);
	a.mq_flags = 0;
	IS(mq_setattr(queue, &a, &old), 0);
	IS(old.mq_flags, O_NONBLOCK);

	child = start(be_interrupted);
	sleep_ns(100 * MS);
	kill(child, SIGUSR1);
	check_child(child);
	child = start(be_restarted);
	sleep_ns(100 * MS);
	kill(child, SIGUSR1);
	sleep_ns(100 * MS);
	IS(mq_send(queue, "again", 5, 0), 0);
	check_child(child);
}

static void polling(void)
{
	struct pollfd p = {queue, POLLIN | POLLOUT, 0};
	int e = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN};

	SAY("polling");
	IS(poll(&p, 1, 0), 1);
	IS(p.revents, POLLOUT);
	IS(epoll_ctl(e, EPOLL_CTL_ADD, queue, &event), 0);
	IS(epoll_wait(e, &event, 1, 0), 0);
	if (fork() == 0) {
		sleep_ns(50 * MS);
		mq_send(queue, "wake", 4, 0);
		_exit(0);
	}
	p.events = POLLIN;
	IS(poll(&p, 1, -1), 1);
	IS(p.revents, POLLIN);
	IS(epoll_wait(e, &event, 1, 0), 1);
	wait(NULL);
	for (int i = 0; i < 2; i++)
		mq_send(queue, "x", 1, 0);
	p.events = POLLIN | POLLOUT;
	IS(poll(&p, 1, 0), 1);
	IS(p.revents, POLLIN);
	while (count() > 0)
		mq_receive(queue, buffer, 16, NULL);
	close(e);
}

static volatile sig_atomic_t told, code, sender;
static void *volatile carried;

static void tell(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	told++;
	code = info->si_code;
	sender = info->si_pid;
	carried = info->si_value.sival_ptr;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int thread_told;

static void in_thread(union sigval value)
{
	pthread_mutex_lock(&lock);
	thread_told = value.sival_int;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
}

static void busy(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_NONE};

	FAILS(mq_notify(queue, &e), EBUSY);
	IS(mq_notify(queue, NULL), 0); /* not ours */
	IS(mq_send(queue, "x", 1, 0), 0);
}

static void notification(void)
{
	struct sigaction a = {.sa_sigaction = tell, .sa_flags = SA_SIGINFO};
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
	mqd_t twin;
	pid_t child;

	SAY("notification");
	sigaction(SIGUSR2, &a, NULL);
	e.sigev_value.sival_ptr = (void *)&told;
	FAILS(mq_notify(1, &e), EBADF);
	e.sigev_signo = 65;
	FAILS(mq_notify(queue, &e), EINVAL);
	e.sigev_signo = SIGUSR2;
	IS(mq_notify(queue, &e), 0);
	FAILS(mq_notify(queue, &e), EBUSY);
	child = start(busy);
	check_child(child);
	IS(told, 1);
	IS(code, SI_MESGQ);
	OK(sender == child && carried == (void *)&told);
	IS(mq_send(queue, "x", 1, 0), 0);
	IS(told, 1); /* once */
	mq_receive(queue, buffer, 16, NULL);
	mq_receive(queue, buffer, 16, NULL);

	IS(mq_notify(queue, &e), 0);
	IS(mq_notify(queue, NULL), 0);
	IS(mq_send(queue, "x", 1, 0), 0);
	IS(told, 1);
	mq_receive(queue, buffer, 16, NULL);

	IS(mq_notify(queue, &e), 0);
	twin = dup(queue);
	close(twin); /* any of the process's descriptors */
	IS(mq_notify(queue, &e), 0);
	child = start(receive_one);
	sleep_ns(100 * MS);
	IS(mq_send(queue, "hello", 5, 0), 0); /* for who waits, not to be told */
	check_child(child);
	IS(told, 1);
	IS(mq_send(queue, "x", 1, 0), 0);
	IS(told, 2);
	mq_receive(queue, buffer, 16, NULL);

	e.sigev_notify = SIGEV_THREAD;
	e.sigev_notify_function = in_thread;
	e.sigev_value.sival_int = 42;
	IS(mq_notify(queue, &e), 0);
	IS(mq_send(queue, "x", 1, 0), 0);
	pthread_mutex_lock(&lock);
	while (thread_told == 0)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	IS(thread_told, 42);
	mq_receive(queue, buffer, 16, NULL);
}

static void not_root(void)
{
	if (!ordinary())
		return;
	FAILS(mq_open(name, O_RDONLY), EACCES);
	FAILS(mq_unlink(name), EACCES);
}

int main(int argc, char **argv)
{
	if (argc > 1) { /* only put a message into a queue, for others to see */
		queue = mq_open(argv[1], O_WRONLY | O_CREAT, 0640, NULL);
		IS(mq_send(queue, "hello", 5, 1), 0);
		return DONE();
	}
	snprintf(name, sizeof(name), "/simterpose-%d", getpid());
	making();
	messages();
	waiting();
	polling();
	notification();
	check_child(start(not_root));
	SAY("removing");
	IS(mq_unlink(name), 0);
	FAILS(mq_unlink(name), ENOENT);
	FAILS(mq_open(name, O_RDWR), ENOENT);
	IS(mq_send(queue, "still", 5, 0), 0);
	IS(mq_receive(queue, buffer, 16, NULL), 5);
	IS(mq_close(queue), 0);
	return DONE();
}
