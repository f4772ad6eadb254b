/* inotify: events of what others do to files, and waiting for them. */
#include "check.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

static char buffer[8192] __attribute__((aligned(8)));

static void say_events(int fd)
{
	ssize_t n = read(fd, buffer, sizeof(buffer));

	for (ssize_t i = 0; i < n;) {
		struct inotify_event *e = (void *)(buffer + i);

		SAY("event %#x%s %s", e->mask, e->cookie ? " with cookie" : "", e->len ? e->name : "");
		i += sizeof(*e) + e->len;
	}
	if (n < 0)
		SAY("read: %s", strerrorname_np(errno));
}

static void put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0600);

	if (write(fd, text, strlen(text)) < 0)
		SAY("BAD write");
	close(fd);
}

static void nothing(int signal) { (void)signal; }

int main(void)
{
	char name[PATH_MAX], other[PATH_MAX], folder[] = "/tmp/inotifyXXXXXX";
	struct sigaction a = {.sa_handler = nothing};
	struct pollfd p = {.events = POLLIN};
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	int fd, watch, second, e, bytes, go[2];
	int64_t before;

	OK(mkdtemp(folder) != NULL);
	snprintf(name, sizeof(name), "%s/file", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	FAILS(inotify_init1(1), EINVAL);
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	OK(fd >= 0);
	IS(fcntl(fd, F_GETFD), FD_CLOEXEC);
	FAILS(read(fd, buffer, sizeof(buffer)), EAGAIN);
	close(fd);
	fd = inotify_init();
	FAILS(inotify_add_watch(fd, name, IN_ALL_EVENTS), ENOENT);
	FAILS(inotify_add_watch(fd, folder, 0), EINVAL);
	FAILS(inotify_add_watch(0, folder, IN_CREATE), EINVAL);
	watch = inotify_add_watch(fd, folder, IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_DELETE | IN_MOVE | IN_ATTRIB);
	IS(watch, 1);

	SAY("what oneself does");
	put(name, "hello");
	IS(ioctl(fd, FIONREAD, &bytes), 0);
	IS(bytes, 96);
	FAILS(read(fd, buffer, 20), EINVAL);
	say_events(fd);
	rename(name, other);
	chmod(other, 0644);
	unlink(other);
	say_events(fd);

	SAY("waiting for another");
	before = now_ns();
	if (fork() == 0) {
		sleep_ns(200 * MS);
		mkdir(other, 0700);
		_exit(0);
	}
	say_events(fd); /* one event: it cannot come in two parts */
	TOOK(before, 200 * MS);
	wait(NULL);
	rmdir(other);
	put(name, "for later");
	say_events(fd);

	SAY("poll and epoll");
	p.fd = fd;
	before = now_ns();
	IS(poll(&p, 1, 100), 0);
	TOOK(before, 100 * MS);
	e = epoll_create1(0);
	IS(epoll_ctl(e, EPOLL_CTL_ADD, fd, &event), 0);
	before = now_ns();
	IS(pipe(go), 0);
	if (fork() == 0) {
		sleep_ns(100 * MS);
		unlink(name);
		check_quiet = 1;
		IS(read(go[0], buffer, 1), 1);
		sleep_ns(100 * MS);
		mkdir(other, 0700);
		_exit(0);
	}
	IS(poll(&p, 1, -1), 1);
	IS(p.revents, POLLIN);
	TOOK(before, 100 * MS);
	IS(epoll_wait(e, &event, 1, -1), 1);
	IS(epoll_wait(e, &event, 1, 50), 0); /* an edge is told once */
	before = now_ns();
	IS(write(go[1], "x", 1), 1);
	IS(epoll_wait(e, &event, 1, -1), 1);
	TOOK(before, 100 * MS);
	wait(NULL);
	say_events(fd);

	SAY("a signal");
	sigaction(SIGALRM, &a, NULL);
	before = now_ns();
	alarm(1);
	FAILS(read(fd, buffer, sizeof(buffer)), EINTR);
	TOOK(before, 1000 * MS);

	SAY("ends");
	second = inotify_add_watch(fd, other, IN_DELETE_SELF | IN_ONESHOT);
	IS(second, 2);
	rmdir(other);
	say_events(fd);
	FAILS(inotify_rm_watch(fd, second), EINVAL);
	IS(inotify_rm_watch(fd, watch), 0);
	say_events(fd);
	rmdir(folder);
	return DONE();
}
