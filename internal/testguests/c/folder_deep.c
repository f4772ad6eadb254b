/* A folder whose path is longer than PATH_MAX is known by its number all the same. */
#include "check.h"
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int main(void)
{
	char name[201], above[210], path[PATH_MAX];
	struct stat here, opened, below, folder;
	int depth, fd, start;

	memset(name, 'd', 200);
	name[200] = 0;
	snprintf(above, sizeof(above), "../%s", name);
	start = open(".", O_RDONLY | O_DIRECTORY);
	for (depth = 0; depth < 25; depth++)
		if (mkdir(name, 0700) != 0 || chdir(name) != 0)
			break;
	IS(depth, 25);
	FAILS(syscall(SYS_getcwd, path, sizeof(path)), ENAMETOOLONG);

	SAY("by its name, by a descriptor, and from above");
	IS(stat(".", &here), 0);
	fd = open(".", O_RDONLY | O_DIRECTORY);
	IS(fstat(fd, &opened), 0);
	IS(lstat(above, &below), 0);
	OK(same(&here, &opened));
	OK(same(&here, &below));
	IS(stat("..", &folder), 0);
	OK(folder.st_dev == here.st_dev && folder.st_ino != here.st_ino);
	IS(folder.st_nlink > 0 && S_ISDIR(folder.st_mode), 1);
	IS(fstatat(fd, "..", &below, 0), 0);
	OK(same(&folder, &below));
	close(fd);

	SAY("a link is followed or not");
	IS(symlink("..", "link"), 0);
	IS(lstat("link", &below), 0);
	OK(S_ISLNK(below.st_mode) && below.st_dev == here.st_dev);
	IS(stat("link", &below), 0);
	OK(S_ISDIR(below.st_mode));
	IS(unlink("link"), 0);

	for (; depth > 0; depth--)
		if (chdir("..") != 0 || rmdir(name) != 0)
			break;
	IS(depth, 0);
	IS(fchdir(start), 0);
	return DONE();
}
