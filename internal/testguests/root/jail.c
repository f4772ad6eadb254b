/* Files after chroot: whose they are, and who may do what, below the new root. */
#include "../c/check.h"
#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static void make(const char *name, mode_t mode, uid_t owner)
{
	int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0600);

	if (fd == -1 || fchmod(fd, mode) == -1 || fchown(fd, owner, owner) == -1)
		_exit(2);
	close(fd);
}

/* can opens a file: 0, or the error. */
static int can(const char *name, int flags)
{
	int fd = open(name, flags, 0640);

	if (fd == -1)
		return errno;
	close(fd);
	return 0;
}

static int listens(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, name);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1)
		return -1;
	return listen(fd, 1);
}

static int connects(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, name);
	return connect(fd, (struct sockaddr *)&address, sizeof(address));
}

/* protects_links reads fs.protected_hardlinks, which the machine sets for all. */
static int protects_links(void)
{
	char digit = 0;
	int fd = open("/proc/sys/fs/protected_hardlinks", O_RDONLY);

	if (fd == -1 || read(fd, &digit, 1) != 1)
		_exit(2);
	close(fd);
	return digit == '1';
}

int main(void)
{
	char place[] = "/tmp/jail.XXXXXX", b[10];
	struct stat s;
	int outside, fifo, protected = protects_links();

	if (!mkdtemp(place) || chdir(place) == -1 || chmod(".", 0755) == -1 || mkdir("jail", 0755) == -1 ||
	    mkdir("jail/tmp", 0700) == -1 || chmod("jail/tmp", 01777) == -1 || mkdir("jail/closed", 0700) == -1)
		return 2;
	make("outside", 0666, 0);
	make("jail/closed/file", 0644, 0);
	make("jail/file", 0644, 0);
	make("jail/shared", 0666, 0);
	make("jail/mine", 0600, 1000);
	if (mkfifo("jail/fifo", 0600) == -1 || chmod("jail/fifo", 0666) == -1 || symlink("/file", "jail/link") == -1 ||
	    symlink("../../file", "jail/up") == -1 || symlink("/etc/passwd", "jail/passwd") == -1)
		return 2;
	outside = open(".", O_RDONLY | O_DIRECTORY);
	IS(chroot("jail"), 0);
	SAY("as root");
	IS(access("/file", W_OK), 0);
	IS(chdir("/"), 0);
	IS(can("/dev/urandom", O_RDONLY), ENOENT);
	IS(can("/proc/self/status", O_RDONLY), ENOENT);
	IS(can("/passwd", O_RDONLY), ENOENT);
	IS(can("/link", O_RDONLY), 0);
	IS(can("/up", O_RDONLY), 0);
	IS(faccessat(outside, "outside", F_OK, 0), 0);

	if (setgroups(0, NULL) == -1 || setgid(1000) == -1 || setuid(1000) == -1)
		return 2;
	SAY("as somebody else");
	FAILS(access("/", W_OK), EACCES);
	IS(access("/", R_OK | X_OK), 0);
	FAILS(access("/file", W_OK), EACCES);
	IS(access("../../file", R_OK), 0);
	FAILS(access("/closed/file", R_OK), EACCES);
	IS(can("/closed/file", O_RDONLY), EACCES);
	IS(can("/file", O_WRONLY), EACCES);
	IS(can("/link", O_WRONLY), EACCES);
	IS(can("/up", O_RDONLY), 0);
	IS(can("/mine", O_RDWR), 0);
	IS(can("/new", O_CREAT | O_WRONLY), EACCES);
	IS(can("/tmp/new", O_CREAT | O_WRONLY), 0);
	IS(stat("/tmp/new", &s), 0);
	OK(s.st_uid == 1000 && s.st_gid == 1000 && s.st_mode == (S_IFREG | 0640));
	IS(stat("/link", &s), 0);
	OK(s.st_uid == 0 && s.st_mode == (S_IFREG | 0644));
	FAILS(mkdir("/folder", 0700), EACCES);
	IS(mkdir("/tmp/folder", 0700), 0);
	FAILS(unlink("/file"), EACCES);
	FAILS(rename("/tmp/new", "/new"), EACCES);
	IS(rename("/tmp/new", "/tmp/other"), 0);
	FAILS(chmod("/file", 0777), EPERM);
	IS(chmod("/tmp/other", 0600), 0);
	FAILS(chown("/mine", 0, 0), EPERM);
	FAILS(truncate("/file", 0), EACCES);
	OK((link("/file", "/tmp/forbidden") == -1 && errno == EPERM) == protected);
	IS(link("/shared", "/tmp/hard"), 0);
	IS(link("/mine", "/tmp/own"), 0);
	FAILS(utimensat(AT_FDCWD, "/file", (struct timespec[]){{1, 0}, {1, 0}}, 0), EPERM);
	FAILS(chroot("/"), EPERM);
	IS(chdir("/tmp"), 0);
	IS(can("here", O_CREAT | O_WRONLY), 0);
	IS(can("../file", O_WRONLY), EACCES);
	fifo = open("/fifo", O_RDWR);
	IS(write(fifo, "hello", 5), 5);
	IS(read(fifo, b, sizeof(b)), 5);
	IS(listens("/tmp/socket"), 0);
	IS(connects("socket"), 0);
	FAILS(listens("/socket"), EACCES);
	FAILS(connects("/tmp/nothing"), ENOENT);
	FAILS(connects("/file"), EACCES);
	FAILS(execl("/bin/true", "true", NULL), ENOENT);
	return DONE();
}
