/* What links tell, by name and below a folder. */
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* target says where a link leads, without the number of what has no name. */
static void target(int folder, const char *name)
{
	char text[200];
	ssize_t n = readlinkat(folder, name, text, sizeof text - 1);

	OK(n > 0);
	if (n <= 0)
		return;
	text[n] = 0;
	char *number = strchr(text, '[');
	if (number)
		*number = 0;
	SAY("%s -> %s", name, text);
}

int main(void)
{
	char folder[] = "/tmp/linksXXXXXX", text[8], name[40];
	int at, ends[2];

	OK(mkdtemp(folder) != NULL);
	at = open(folder, O_RDONLY | O_DIRECTORY);
	OK(at >= 0);
	IS(symlinkat("a-long-way", at, "link"), 0);
	IS(readlinkat(at, "link", text, sizeof text), 8);
	OK(!memcmp(text, "a-long-w", 8));
	target(at, "link");
	FAILS(readlinkat(at, "none", text, sizeof text), ENOENT);
	FAILS(readlinkat(at, ".", text, sizeof text), EINVAL);
	FAILS(readlinkat(at, "link", text, 0), EINVAL);
	FAILS(readlinkat(at, "link", (char *)16, 8), EFAULT);
	FAILS(readlinkat(at, (char *)8, text, 8), EFAULT);
	FAILS(readlinkat(99, "link", text, 8), EBADF);

	IS(pipe(ends), 0);
	snprintf(name, sizeof name, "fd/%d", ends[0]);
	int process = open("/proc/self", O_RDONLY | O_DIRECTORY);
	OK(process >= 0);
	target(process, name);
	target(process, "ns/net");
	target(AT_FDCWD, "/proc/self/ns/pid");

	struct stat a, b;
	snprintf(name, sizeof name, "/proc/self/fd/%d", ends[0]);
	IS(fstat(ends[0], &a), 0);
	IS(stat(name, &b), 0);
	OK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);

	/* Entries of a folder have the numbers that stat tells. */
	DIR *entries = fdopendir(at);
	int found = 0;
	OK(entries != NULL);
	for (struct dirent *e; (e = readdir(entries));) {
		if (strcmp(e->d_name, "link"))
			continue;
		found++;
		IS(fstatat(at, "link", &a, AT_SYMLINK_NOFOLLOW), 0);
		OK(e->d_ino == a.st_ino);
		OK(e->d_type == DT_LNK);
	}
	IS(found, 1);
	IS(unlinkat(at, "link", 0), 0);
	IS(rmdir(folder), 0);
	return 0;
}
