// notify -: intercepts by seccomp user notification.
#include "launch.h"

#include <sys/ioctl.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV // Linux 5.19
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS // Linux 6.6
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

static pid_t child;

// ended ends us with the program: a listener whose filter nobody has any more
// wakes no receiver before Linux 6.11.
static void ended(int signal)
{
	int status;
	(void)signal;
	if (waitpid(child, &status, WNOHANG) == child)
		_exit(statusOf(status));
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 2;
	int tell[2], listener;
	if (pipe(tell))
		cannot("pipe");
	sigset_t chld;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	signal(SIGCHLD, ended);
	// The child shares our descriptors until it execs, so the listener is ours too.
	child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigprocmask(SIG_UNBLOCK, &chld, NULL);
		signal(SIGCHLD, SIG_DFL);
		pin(argv[3]);
		listener = stopCalls(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
		if (listener < 0 && errno == EINVAL)
			listener = stopCalls(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
		if (listener < 0)
			cannot("seccomp");
		if (write(tell[1], &listener, sizeof listener) != sizeof listener)
			cannot("write");
		run(argv + 4);
	}
	if (child < 0)
		cannot("clone");
	pin(argv[2]);
	sigprocmask(SIG_UNBLOCK, &chld, NULL);
	while (read(tell[0], &listener, sizeof listener) != sizeof listener)
		;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	for (;;) {
		struct seccomp_notif call = {0};
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call)) {
			if (errno != EINTR && errno != ENOENT)
				cannot("SECCOMP_IOCTL_NOTIF_RECV");
			continue;
		}
		struct seccomp_notif_resp response = {.id = call.id, .val = MADE_UP};
		if (call.data.nr == SYS_clock_gettime) {
			answerClock(call.pid, call.data.args[1]);
			response.val = 0;
		}
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
}
