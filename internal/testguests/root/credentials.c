// Set-id calls, capabilities and what they allow: run by root, natively and on
// a host, this prints the same (credentials(7), capabilities(7)).
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

// shown leaves out CAP_SYS_RESOURCE, which root of a virtual machine may lack.
static unsigned long long shown(unsigned long long set) { return set & ~(1ULL << CAP_SYS_RESOURCE); }

static void state(const char *what, long result) {
	int saved = errno;
	uid_t r, e, s;
	gid_t gr, ge, gs;
	getresuid(&r, &e, &s);
	getresgid(&gr, &ge, &gs);
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	memset(data, 0, sizeof data);
	syscall(SYS_capget, &header, data);
	gid_t groups[16];
	int n = getgroups(16, groups);
	printf("%s = %ld %s; %d %d %d, %d %d %d, caps %x:%llx %x:%llx %x:%llx, keep %d secure %x, groups", what, result,
	       result < 0 ? strerror(saved) : "", r, e, s, gr, ge, gs, data[1].effective, shown(data[0].effective), data[1].permitted,
	       shown(data[0].permitted), data[1].inheritable, shown(data[0].inheritable), prctl(PR_GET_KEEPCAPS), prctl(PR_GET_SECUREBITS));
	for (int i = 0; i < n; i++)
		printf(" %d", groups[i]);
	printf("\n");
	fflush(stdout);
}

#define DO(call) state(#call, call)
// Each case begins as root, in a process of its own.
#define CASE for (int once = begin(); once; once = 0, exit(0))

static int begin(void) {
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		printf("--\n");
		return 1;
	}
	int status;
	waitpid(child, &status, 0);
	if (status != 0)
		printf("status %x\n", status);
	return 0;
}

static int set_caps(unsigned effective, unsigned permitted, unsigned inheritable) {
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{effective, permitted, inheritable}, {0, 0, 0}};
	return syscall(SYS_capset, &header, data);
}

static int status_lines(void) {
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	while (fgets(line, sizeof line, f))
		if (!strncmp(line, "Uid", 3) || !strncmp(line, "Gid", 3) || !strncmp(line, "Groups", 6) || !strncmp(line, "NoNewPrivs", 10))
			fputs(line, stdout);
		else if (!strncmp(line, "Cap", 3))
			printf("%.7s %llx\n", line, shown(strtoull(line + 8, 0, 16)));
	fclose(f);
	return 0;
}

static int peer(void) {
	int s[2];
	struct ucred c;
	socklen_t size = sizeof c;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) || getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &c, &size))
		return -1;
	printf("peer %d %d %d\n", c.pid == getpid(), c.uid, c.gid);
	return 0;
}

int main(int argc, char **argv) {
	if (argc > 1 && !strcmp(argv[1], "status")) {
		printf("secure %lu, users %lu %lu, groups %lu %lu\n", getauxval(AT_SECURE), getauxval(AT_UID), getauxval(AT_EUID), getauxval(AT_GID), getauxval(AT_EGID));
		return status_lines();
	}
	CASE { DO(0); status_lines(); DO(setgroups(3, (gid_t[]){30, 10, 20})); DO(getgroups(1, (gid_t[]){0})); DO(setgroups(-1, 0)); peer(); }
	CASE { DO(setuid(1000)); DO(setuid(0)); DO(setuid(1000)); DO(setgid(5)); DO(setgroups(0, 0)); status_lines(); peer(); }
	CASE { DO(setgid(7)); DO(setgid(0)); DO(setregid(8, 9)); DO(setresgid(-1, 10, 11)); DO(setuid(5)); DO(setresgid(11, 11, 8)); DO(setgid(4)); DO(setgid(8)); }
	CASE { DO(seteuid(1000)); DO(setgid(3)); DO(setuid(0)); DO(seteuid(1000)); DO(seteuid(0)); DO(setgid(3)); }
	CASE { DO(setreuid(1000, 2000)); DO(setreuid(2000, 1000)); DO(setreuid(-1, 3000)); DO(setreuid(-1, 2000)); DO(setreuid(1000, -1)); }
	CASE { DO(setreuid(1000, 0)); DO(setreuid(0, 1000)); DO(setresuid(-1, 0, -1)); DO(seteuid(0)); }
	CASE { DO(setresuid(1, 2, 3)); DO(setresuid(3, 1, 2)); DO(setresuid(-1, -1, 4)); DO(setresuid(1, 1, 1)); DO(setresuid(2, -1, -1)); }
	CASE { DO(setresuid(0, 1000, 0)); DO(setresuid(-1, 0, -1)); DO(setresuid(1000, 1000, 0)); DO(setresuid(0, 0, 0)); }
	CASE { DO(setresuid(1000, 0, 1000)); DO(setresuid(1000, 1000, 1000)); DO(setuid(0)); }
	CASE { DO(setfsuid(1000)); DO(setfsuid(-1)); DO(setfsuid(0)); DO(setfsgid(5)); DO(setfsgid(-1)); DO(setuid(9)); DO(setfsuid(0)); DO(setfsuid(-1)); }
	CASE { DO(prctl(PR_SET_KEEPCAPS, 1)); DO(setuid(1000)); DO(set_caps(1 << CAP_SETUID, 1 << CAP_SETUID, 0)); DO(setuid(0)); DO(set_caps(-1, -1, 0)); }
	CASE { DO(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)); DO(setuid(1000)); DO(setuid(0)); DO(prctl(PR_SET_SECUREBITS, 1 << 20)); }
	CASE { DO(prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS | SECBIT_KEEP_CAPS_LOCKED)); DO(prctl(PR_SET_KEEPCAPS, 0)); DO(prctl(PR_SET_SECUREBITS, 0)); DO(prctl(PR_SET_KEEPCAPS, 2)); }
	CASE { DO(prctl(PR_CAPBSET_READ, 5)); DO(prctl(PR_CAPBSET_DROP, 5)); DO(prctl(PR_CAPBSET_READ, 5)); DO(prctl(PR_CAPBSET_READ, 99)); DO(set_caps(~(1 << 24), ~(1 << 24), 1 << 5)); DO(set_caps(~(1 << 24), ~(1 << 24), 1 << 6)); }
	CASE { DO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 6, 0, 0)); DO(set_caps(~(1 << 24), ~(1 << 24), 1 << 6)); DO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 6, 0, 0));
	       DO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 6, 0, 0)); DO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, 6, 0, 0)); DO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 6, 0, 0));
	       DO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 60, 0, 0)); DO(prctl(PR_CAP_AMBIENT, 9, 6, 0, 0)); }
	CASE { DO(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)); DO(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); DO(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)); DO(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0)); }
	CASE { DO(prctl(PR_GET_DUMPABLE)); DO(prctl(PR_SET_DUMPABLE, 0)); DO(prctl(PR_GET_DUMPABLE)); DO(prctl(PR_SET_DUMPABLE, 2)); }
	CASE {
		struct __user_cap_header_struct header = {0x1234, 0};
		DO(syscall(SYS_capget, &header, 0));
		printf("version %x\n", header.version);
		DO(syscall(SYS_capget, &(struct __user_cap_header_struct){_LINUX_CAPABILITY_VERSION_3, -1}, &(struct __user_cap_data_struct[2]){}));
		DO(syscall(SYS_capset, &(struct __user_cap_header_struct){_LINUX_CAPABILITY_VERSION_3, 1}, &(struct __user_cap_data_struct[2]){}));
		DO(setuid(-1)); DO(setgid(-1));
	}
	CASE { // signals: kill(2)
		int ends[2];
		if (pipe(ends) || fflush(stdout))
			exit(1);
		pid_t child = fork();
		if (child == 0) { // lives as long as its parent, which may not kill it
			close(ends[1]);
			setuid(1000);
			_exit(read(ends[0], &(char){0}, 1));
		}
		usleep(10000);
		DO(setresuid(2000, 2000, 1000));
		DO(kill(child, 0));
		DO(setresuid(1000, 2000, 2000));
		DO(kill(child, 0));
		DO(setresuid(2000, 2000, 2000));
		DO(setuid(2000));
		DO(setuid(1000));
		pid_t other = fork();
		if (other == 0) {
			printf("as another: %d\n", kill(child, SIGKILL));
			fflush(stdout);
			_exit(0);
		}
		waitpid(other, 0, 0);
	}
	CASE { // what only root may
		DO(chroot("/"));
		DO(setuid(1000));
		DO(chroot("/"));
		DO(sethostname("x", 1));
		DO(socket(AF_INET, SOCK_RAW, 1));
	}
	CASE { // exec: capabilities come back with root, and go
		DO(setresuid(1000, 0, 0));
		execl("/proc/self/exe", "credentials", "status", NULL);
	}
	CASE {
		DO(prctl(PR_SET_KEEPCAPS, 1)); DO(setuid(1000));
		execl("/proc/self/exe", "credentials", "status", NULL);
	}
	CASE {
		set_caps(~(1 << 24), ~(1 << 24), 1 << 6); prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 6, 0, 0); prctl(PR_SET_KEEPCAPS, 1);
		DO(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)); DO(setuid(1000));
		execl("/proc/self/exe", "credentials", "status", NULL);
	}
	return 0;
}
