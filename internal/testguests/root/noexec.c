/* Files of a file system that is mounted noexec: access, faccessat and exec. */
#include "../c/check.h"
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

static int run(const char *path)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		execl(path, path, (char *)NULL);
		_exit(errno == EACCES ? 13 : 99);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void)
{
	int fd;

	unshare(CLONE_NEWNS); /* not needed on a host, which has its own mounts */
	mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	if (chdir("/tmp") != 0 || mkdir("noexec.mount", 0755) != 0)
		return 1;
	IS(mount("tmpfs", "noexec.mount", "tmpfs", 0, "mode=755"), 0);
	IS(chdir("noexec.mount"), 0);
	fd = open("program", O_CREAT | O_WRONLY, 0755);
	IS(write(fd, "#!/bin/sh\nexit 3\n", 17), 17);
	close(fd);
	IS(mkdir("folder", 0755), 0);
	IS(access("program", X_OK), 0);
	IS(run("./program"), 3);
	IS(chdir(".."), 0);

	SAY("noexec");
	IS(mount("", "noexec.mount", "", MS_REMOUNT | MS_NOEXEC, NULL), 0);
	IS(chdir("noexec.mount"), 0);
	IS(access("program", F_OK), 0);
	IS(access("program", R_OK), 0);
	FAILS(access("program", X_OK), EACCES);
	FAILS(access("program", R_OK | X_OK), EACCES);
	FAILS(faccessat(AT_FDCWD, "program", X_OK, AT_EACCESS), EACCES);
	IS(access("folder", X_OK), 0);
	IS(run("./program"), 13);
	IS(unlink("program"), 0);
	IS(rmdir("folder"), 0);
	IS(chdir(".."), 0);
	IS(umount("noexec.mount"), 0);
	IS(rmdir("noexec.mount"), 0);
	return DONE();
}
