/* statfs and fstatfs, by name, by descriptor and of what is no file. */
#include "check.h"
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/socket.h>
#include <sys/vfs.h>

static void sane(const struct statfs *s)
{
	OK(s->f_bsize >= 512);
	OK(s->f_blocks >= s->f_bfree);
	OK(s->f_bfree >= s->f_bavail);
	OK(s->f_files >= s->f_ffree);
	OK(s->f_namelen == 255);
}

int main(void)
{
	struct statfs s, again;
	int ends[2], fd;

	SAY("a disk");
	IS(statfs("/etc", &s), 0);
	sane(&s);
	OK(s.f_blocks > 0);
	fd = open("/etc/passwd", O_RDONLY);
	IS(fstatfs(fd, &again), 0);
	OK(again.f_type == s.f_type);
	OK(again.f_blocks == s.f_blocks);
	OK(memcmp(&again.f_fsid, &s.f_fsid, sizeof(s.f_fsid)) == 0);
	close(fd);

	SAY("the kernel's own");
	IS(statfs("/proc/self", &s), 0);
	OK(s.f_type == PROC_SUPER_MAGIC);
	OK(s.f_blocks == 0);
	IS(pipe(ends), 0);
	IS(fstatfs(ends[0], &s), 0);
	OK(s.f_type == PIPEFS_MAGIC);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	IS(fstatfs(fd, &s), 0);
	OK(s.f_type == SOCKFS_MAGIC);

	SAY("none");
	FAILS(statfs("/etc/none", &s), ENOENT);
	FAILS(statfs("/etc/passwd/x", &s), ENOTDIR);
	FAILS(statfs("", &s), ENOENT);
	FAILS(fstatfs(-1, &s), EBADF);
	FAILS(statfs("/etc", (void *)1), EFAULT);
	return DONE();
}
