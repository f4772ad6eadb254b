// Owners of files and what others may do with them: run by root, natively and on
// a host, this prints the same (path_resolution(7), chown(2)).
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *what, long result) {
	printf("%s = %ld %s\n", what, result, result < 0 ? strerror(errno) : "");
	fflush(stdout);
}

static void print_stat(const char *name, const struct stat *s) { printf("%s: %o %d %d\n", name, s->st_mode, s->st_uid, s->st_gid); }

static void show(const char *name) {
	struct stat s;
	struct statx x;
	if (lstat(name, &s)) {
		say(name, -1);
		return;
	}
	print_stat(name, &s);
	if (statx(AT_FDCWD, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &x) || x.stx_uid != s.st_uid || x.stx_gid != s.st_gid || x.stx_mode != s.st_mode)
		printf("statx differs\n");
	fflush(stdout);
}

#define DO(call) say(#call, call)
#define AS(user, group, ...)                                              \
	do {                                                                  \
		fflush(stdout);                                                   \
		pid_t child = fork();                                             \
		if (child == 0) {                                                 \
			printf("as %d %d\n", user, group);                            \
			setgroups(1, (gid_t[]){50});                                  \
			if (setgid(group) || setuid(user))                            \
				exit(1);                                                  \
			__VA_ARGS__;                                                  \
			fflush(stdout);                                               \
			exit(0);                                                      \
		}                                                                 \
		waitpid(child, 0, 0);                                             \
	} while (0)

// make creates a file and leaves it.
static int make(const char *name, int flags, int mode) {
	int fd = open(name, flags | O_CREAT, mode);
	if (fd < 0)
		return fd;
	struct stat s;
	fstat(fd, &s);
	print_stat("  opened", &s);
	close(fd);
	return 0;
}

static int can(const char *name, int flags) {
	int fd = open(name, flags);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

static int bind_at(const char *name) {
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	strcpy(a.sun_path, name);
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	int result = bind(s, (struct sockaddr *)&a, sizeof a);
	if (result == 0 && listen(s, 1))
		result = -2;
	return result;
}

static int connect_to(const char *name) {
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	strcpy(a.sun_path, name);
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	return connect(s, (struct sockaddr *)&a, sizeof a);
}

static int peek_child(void) { // the owner of a process's folder in /proc
	char name[64];
	struct stat s;
	snprintf(name, sizeof name, "/proc/%d", getpid());
	if (stat(name, &s))
		return -1;
	print_stat("  in /proc", &s);
	return 0;
}

int main(int argc, char **argv) {
	if (argc > 1 && !strcmp(argv[1], "ids")) {
		uid_t r, e, s;
		gid_t gr, ge, gs;
		getresuid(&r, &e, &s);
		getresgid(&gr, &ge, &gs);
		printf("ids %d %d %d, %d %d %d, secure %lu\n", r, e, s, gr, ge, gs, getauxval(AT_SECURE));
		return 0;
	}
	char folder[] = "/tmp/owners.XXXXXX";
	umask(022);
	setgroups(0, 0);
	if (!mkdtemp(folder) || chdir(folder) || chmod(folder, 0755))
		return 1;
	DO(make("file", O_RDWR, 0644)); show("file");
	DO(chown("file", 1000, 2000)); show("file");
	DO(chown("file", -1, 7)); show("file");
	DO(chmod("file", 06755)); show("file");
	DO(chown("file", 1000, -1)); show("file");
	DO(chmod("file", 02644)); DO(chown("file", -1, -1)); show("file");
	DO(chmod("file", 0640));
	AS(1000, 1000, { DO(can("file", O_RDWR)); DO(chmod("file", 0600)); DO(chown("file", 1000, 50)); DO(chown("file", 1000, 51)); DO(chown("file", 0, -1)); DO(unlink("file")); DO(truncate("file", 3)); });
	show("file");
	AS(1001, 50, { DO(can("file", O_RDONLY)); DO(chmod("file", 0777)); DO(access("file", R_OK)); DO(access("file", F_OK)); DO(truncate("file", 3)); DO(utimes("file", NULL)); DO(lchown("file", 1001, 50)); });
	DO(chmod("file", 0666));
	AS(1001, 1001, { DO(utimes("file", NULL)); DO(utimes("file", (struct timeval[]){{1, 0}, {2, 0}})); DO(access("file", R_OK | W_OK)); DO(access("file", X_OK)); DO(can("file", O_RDWR | O_TRUNC)); DO(can("file", O_RDONLY | O_NOATIME)); });
	// Folders.
	DO(mkdir("own", 0777)); DO(chown("own", 1000, 1000)); show("own");
	DO(mkdir("open", 0777)); DO(chmod("open", 01777)); show("open");
	DO(mkdir("shared", 0777)); DO(chown("shared", 0, 60)); DO(chmod("shared", 02777)); show("shared");
	DO(mkdir("closed", 0700)); DO(make("closed/inside", O_RDWR, 0666));
	AS(1000, 1000, {
		umask(027);
		DO(make("own/a", O_RDWR, 0666)); show("own/a");
		DO(make("own/a", O_RDWR | O_EXCL, 0666));
		DO(make("own/b", O_WRONLY | O_EXCL, 0400)); show("own/b");
		DO(make("x", O_RDWR, 0600));
		DO(make("open/c", O_RDWR, 0600)); DO(make("open/n", O_RDWR, 0666)); DO(make("shared/d", O_RDWR, 0666)); show("shared/d");
		DO(mkdir("own/e", 0777)); show("own/e"); DO(mkdir("shared/e", 0777)); show("shared/e"); DO(mkdir("e", 0777)); DO(mkdir("own/e", 0777));
		DO(symlink("nowhere", "own/f")); show("own/f"); DO(lchown("own/f", 1000, 50)); show("own/f");
		DO(mkfifo("own/g", 0666)); show("own/g"); DO(mknod("own/h", S_IFCHR | 0666, 259)); DO(mknod("own/i", S_IFREG | 0666, 0)); show("own/i");
		DO(bind_at("own/j")); show("own/j"); DO(bind_at("k"));
		DO(link("own/a", "own/l")); show("own/l"); DO(link("own/a", "l"));
		DO(rename("own/a", "own/m")); show("own/m"); DO(rename("own/m", "m")); DO(rename("file", "own/n"));
		DO(can("closed/inside", O_RDONLY)); DO(access("closed/inside", F_OK)); DO(chdir("closed")); DO(chdir("own")); DO(chdir("..")); DO(unlink("closed/inside"));
		show("closed/inside");
		DO(make("own/f", O_RDWR, 0600)); show("own/nowhere");
		int fd = open("own", O_TMPFILE | O_RDWR, 0640);
		struct stat s; fstat(fd, &s); print_stat("temporary", &s);
		DO(rmdir("own/e")); DO(unlink("own/b")); DO(unlink("own/missing")); DO(unlink("missing"));
		fd = open("own/q", O_CREAT | O_RDWR, 0600); unlink("own/q"); DO(fchmod(fd, 0400)); DO(fchown(fd, -1, 50)); fstat(fd, &s); print_stat("unlinked", &s);
		peek_child();
	});
	AS(1001, 1001, {
		DO(unlink("open/c")); DO(rename("open/c", "open/z")); DO(unlink("own/m")); DO(can("own/m", O_WRONLY)); DO(connect_to("own/j")); DO(rmdir("shared/e")); DO(can("own/g", O_RDONLY | O_NONBLOCK));
		DO(make("open/n", O_RDWR, 0666));
	});
	DO(unlink("open/c")); DO(can("closed/inside", O_RDWR));
	// The effective user counts, but not for access.
	AS(0, 0, { setresuid(1000, 0, 0); DO(access("closed/inside", R_OK)); DO(faccessat(AT_FDCWD, "closed/inside", R_OK, AT_EACCESS)); DO(can("closed/inside", O_RDONLY)); });
	AS(0, 0, { seteuid(1000); DO(access("closed/inside", R_OK)); DO(faccessat(AT_FDCWD, "closed/inside", R_OK, AT_EACCESS)); DO(can("closed/inside", O_RDONLY)); DO(make("own/eff", O_RDWR, 0600)); });
	AS(0, 0, { setfsuid(1000); DO(make("own/fs", O_RDWR, 0600)); DO(can("closed/inside", O_RDONLY)); });
	// Programs: execution, and set-id bits.
	DO(chown("own", 0, 0));
	if (system("cp /proc/$PPID/exe id; cp /bin/true true; chmod 700 true"))
		return 1;
	DO(chown("id", 1234, 4321)); DO(chmod("id", 04755));
	AS(1000, 1000, { execl("./true", "true", NULL); say("exec", -1); });
	AS(1000, 1000, { execl("./id", "id", "ids", NULL); });
	DO(chmod("id", 06755));
	AS(1000, 1000, { execl("./id", "id", "ids", NULL); });
	AS(0, 0, { execl("./id", "id", "ids", NULL); });
	DO(chmod("true", 0600));
	AS(0, 0, { execl("./true", "true", NULL); say("exec", -1); });
	// A machine's file.
	struct stat s;
	DO(stat("/etc/passwd", &s)); print_stat("passwd", &s);
	DO(stat("/dev/null", &s)); print_stat("null", &s);
	DO(stat("/proc/version", &s)); print_stat("version", &s);
	AS(1000, 1000, { DO(can("/etc/passwd", O_WRONLY)); DO(can("/etc/shadow", O_RDONLY)); DO(make("/etc/owners.new", O_RDWR, 0600)); DO(can("/dev/null", O_RDWR)); DO(access("/etc", W_OK)); });
	return system("rm -rf /tmp/owners.*");
}
