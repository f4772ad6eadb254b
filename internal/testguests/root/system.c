/* Calls of root about the whole system: what they refuse, and who may make them. */
#include "../c/check.h"
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>

#define CALL(name, ...) syscall(SYS_##name, ##__VA_ARGS__)

static void mounts(void)
{
	uint64_t attributes[4] = {1}; /* read-only */

	FAILS(CALL(mount, "none", "/no/such/folder", "tmpfs", 0, NULL), ENOENT);
	FAILS(CALL(umount2, "/no/such/folder", 0), ENOENT);
	FAILS(CALL(pivot_root, "/no/such/folder", "/"), ENOENT);
	FAILS(CALL(fsopen, "no such type", 0), ENODEV);
	FAILS(CALL(fsmount, -1, 0, 0), EBADF);
	FAILS(CALL(fspick, -1, "x", 0), EBADF);
	FAILS(CALL(move_mount, -1, "x", -1, "y", 0), EBADF);
	FAILS(CALL(open_tree, -1, "x", 0), EBADF);
	FAILS(CALL(mount_setattr, -1, "x", 0, attributes, sizeof(attributes)), EBADF);
	FAILS(CALL(setns, -1, 0), EBADF);
	FAILS(CALL(chroot, "/no/such/folder"), ENOENT);
}

static void names(void)
{
	FAILS(CALL(sethostname, "x", -1L), EINVAL);
	FAILS(CALL(setdomainname, "x", 65L), EINVAL);
}

static void clocks(void)
{
	struct timeval bad = {0, 1000000};
	struct timex t = {0};

	FAILS(CALL(settimeofday, &bad, NULL), EINVAL);
	OK(CALL(adjtimex, &t) >= 0);
	memset(&t, 0, sizeof(t));
	OK(CALL(clock_adjtime, CLOCK_REALTIME, &t) >= 0);
	FAILS(CALL(clock_adjtime, 99, &t), EINVAL);
	FAILS(CALL(adjtimex, (void *)8), EFAULT);
}

static void refused(void)
{
	struct timeval now = {1, 0};
	struct timex t = {.modes = ADJ_OFFSET};

	if (setgroups(0, NULL) != 0 || setgid(12345) != 0 || setuid(12345) != 0)
		_exit(1);
	FAILS(CALL(mount, "none", "/", "tmpfs", 0, NULL), EPERM);
	FAILS(CALL(umount2, "/", 0), EPERM);
	FAILS(CALL(fsopen, "tmpfs", 0), EPERM);
	FAILS(CALL(chroot, "/"), EPERM);
	FAILS(CALL(sethostname, "x", 1L), EPERM);
	FAILS(CALL(setdomainname, "x", 1L), EPERM);
	FAILS(CALL(settimeofday, &now, NULL), EPERM);
	FAILS(CALL(adjtimex, &t), EPERM);
}

int main(void)
{
	SAY("mounts");
	mounts();
	SAY("names");
	names();
	SAY("clocks");
	clocks();
	SAY("another user");
	pid_t child = fork();
	if (child == 0) {
		refused();
		_exit(DONE());
	}
	check_child(child);
	return DONE();
}
