/* System V shared memory: status, times, users, control. */
#include "children.h"
#include <sys/ipc.h>
#include <sys/shm.h>

#define SIZE 8192

static int segment;
static key_t key;

static struct shmid_ds status_of(int id)
{
	struct shmid_ds s = {0};

	shmctl(id, IPC_STAT, &s);
	return s;
}

static struct shmid_ds status(void) { return status_of(segment); }

static int recent(time_t then) { return then >= time(NULL) - 600 && then <= time(NULL) + 1; }

/* settle waits until a dead child's memory is gone: who looks at it may keep it. */
static void settle(void)
{
	while (status().shm_nattch != 1)
		sleep_ns(1 * MS);
}

/* row looks for a segment in /proc/sysvipc/shm. */
static int row(int id, struct shmid_ds *s)
{
	FILE *f = fopen("/proc/sysvipc/shm", "r");
	char line[400];
	int found = 0;

	while (f && !found && fgets(line, sizeof(line), f)) {
		int k, n, cpid, lpid;
		unsigned mode, uid, gid, cuid, cgid;
		unsigned long size, attached;
		unsigned long long atime, dtime, ctime;

		if (sscanf(line, "%d %d %o %lu %d %d %lu %u %u %u %u %llu %llu %llu", &k, &n, &mode, &size,
			   &cpid, &lpid, &attached, &uid, &gid, &cuid, &cgid, &atime, &dtime, &ctime) != 14 ||
		    n != id)
			continue;
		found = 1;
		memset(s, 0, sizeof(*s));
		s->shm_perm.__key = k;
		s->shm_perm.mode = mode;
		s->shm_perm.uid = uid;
		s->shm_perm.gid = gid;
		s->shm_perm.cuid = cuid;
		s->shm_perm.cgid = cgid;
		s->shm_segsz = size;
		s->shm_cpid = cpid;
		s->shm_lpid = lpid;
		s->shm_nattch = attached;
		s->shm_atime = atime;
		s->shm_dtime = dtime;
		s->shm_ctime = ctime;
	}
	if (f)
		fclose(f);
	return found;
}

/* told tells whether /proc/sysvipc/shm says the same as IPC_STAT. */
static int told(int id)
{
	struct shmid_ds a = status_of(id), b;

	return row(id, &b) && a.shm_perm.__key == b.shm_perm.__key && a.shm_perm.mode == b.shm_perm.mode &&
	       a.shm_perm.uid == b.shm_perm.uid && a.shm_perm.gid == b.shm_perm.gid &&
	       a.shm_perm.cuid == b.shm_perm.cuid && a.shm_perm.cgid == b.shm_perm.cgid &&
	       a.shm_segsz == b.shm_segsz && a.shm_cpid == b.shm_cpid && a.shm_lpid == b.shm_lpid &&
	       a.shm_nattch == b.shm_nattch && a.shm_atime == b.shm_atime && a.shm_dtime == b.shm_dtime &&
	       a.shm_ctime == b.shm_ctime;
}

static void making(void)
{
	struct shmid_ds s;

	SAY("making");
	FAILS(shmget(key, SIZE, 0600), ENOENT);
	FAILS(shmget(key, 0, IPC_CREAT | 0600), EINVAL);
	segment = shmget(key, SIZE, IPC_CREAT | IPC_EXCL | 0600);
	OK(segment >= 0);
	IS(shmget(key, 0, 0600) == segment, 1);
	FAILS(shmget(key, SIZE, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	FAILS(shmget(key, SIZE + 1, 0600), EINVAL);
	s = status();
	IS(s.shm_segsz, SIZE);
	OK(s.shm_perm.__key == key && (s.shm_perm.mode & 0777) == 0600);
	OK(s.shm_perm.uid == geteuid() && s.shm_perm.gid == getegid());
	OK(s.shm_perm.cuid == geteuid() && s.shm_perm.cgid == getegid());
	OK(s.shm_atime == 0 && s.shm_dtime == 0);
	OK(recent(s.shm_ctime));
	OK(s.shm_cpid == getpid() && s.shm_lpid == 0);
	IS(s.shm_nattch, 0);
	OK(told(segment));
}

static void look(void)
{
	char *memory = shmat(segment, NULL, SHM_RDONLY);

	OK(memory != (void *)-1 && strcmp(memory, "written") == 0);
	IS(status().shm_nattch, 3);
	OK(status().shm_lpid == getpid());
	OK(told(segment));
}

static void run_program(void)
{
	OK(shmat(segment, NULL, 0) != (void *)-1);
	execl("/bin/true", "true", NULL);
	_exit(1);
}

static void attaching(void)
{
	struct shmid_ds before = status(), s;
	char *memory, *again;
	pid_t child;
	int state;

	SAY("attaching");
	FAILS((long)shmat(segment, (void *)8, 0), EINVAL);
	FAILS((long)shmat(-1, NULL, 0), EINVAL);
	sleep_ns(1100 * MS);
	memory = shmat(segment, NULL, 0);
	OK(memory != (void *)-1);
	strcpy(memory, "written");
	s = status();
	OK(s.shm_atime >= before.shm_ctime + 1 && recent(s.shm_atime));
	OK(s.shm_dtime == 0 && s.shm_ctime == before.shm_ctime);
	OK(s.shm_lpid == getpid());
	IS(s.shm_nattch, 1);
	again = shmat(segment, NULL, SHM_RDONLY);
	OK(again != memory && strcmp(again, "written") == 0);
	sleep_ns(1100 * MS);
	IS(shmdt(again), 0);
	FAILS(shmdt(again), EINVAL);
	OK(status().shm_dtime >= s.shm_atime + 1 && recent(status().shm_dtime));
	IS(status().shm_nattch, 1);
	OK(told(segment));

	SAY("children");
	before = status();
	sleep_ns(1100 * MS);
	child = start(look);
	check_child(child);
	settle();
	s = status();
	OK(s.shm_atime >= before.shm_dtime + 1);
	OK(s.shm_dtime >= before.shm_dtime + 1 && recent(s.shm_dtime));
	OK(s.shm_lpid == child);
	OK(told(segment));
	sleep_ns(1100 * MS);
	child = start(run_program);
	OK(waitpid(child, &state, 0) == child && state == 0);
	settle();
	OK(status().shm_dtime >= s.shm_dtime + 1);
	OK(status().shm_lpid == child);
	OK(told(segment));
	IS(shmdt(memory), 0);
	IS(status().shm_nattch, 0);
}

static void not_root(void)
{
	struct shmid_ds s;
	int own;

	if (!ordinary())
		return;
	FAILS(shmget(key, SIZE, 0600), EACCES);
	FAILS((long)shmat(segment, NULL, SHM_RDONLY), EACCES);
	FAILS(shmctl(segment, IPC_STAT, &s), EACCES);
	FAILS(shmctl(segment, IPC_SET, &s), EPERM);
	FAILS(shmctl(segment, IPC_RMID, NULL), EPERM);
	FAILS(shmctl(segment, SHM_UNLOCK, NULL), EPERM);
	own = shmget(IPC_PRIVATE, SIZE, 0600);
	OK(own >= 0);
	s = status_of(own);
	OK(s.shm_perm.uid == 12345 && s.shm_perm.gid == 12345);
	OK(s.shm_perm.cuid == 12345 && s.shm_perm.cgid == 12345);
	OK(told(own));
	OK(shmat(own, NULL, 0) != (void *)-1);
	IS(shmctl(own, IPC_RMID, NULL), 0);
	IS(status_of(own).shm_perm.uid, 12345);
}

static void given_away(void)
{
	struct shmid_ds s;

	if (!ordinary())
		return;
	IS(shmctl(segment, IPC_STAT, &s), 0);
	OK(s.shm_perm.uid == 12345 && s.shm_perm.gid == 54321 && s.shm_perm.cuid != 12345);
	OK((s.shm_perm.mode & 0777) == 0400);
	FAILS((long)shmat(segment, NULL, 0), EACCES);
	OK(shmat(segment, NULL, SHM_RDONLY) != (void *)-1);
	s.shm_perm.mode = 0640;
	IS(shmctl(segment, IPC_SET, &s), 0);
}

static void control(void)
{
	struct shmid_ds s = status(), given;
	struct shminfo info;
	int index = segment & 0x7fff;

	SAY("control");
	FAILS(shmctl(segment, 99, &s), EINVAL);
	FAILS(shmctl(segment, IPC_STAT, (void *)8), EFAULT);
	FAILS(shmctl(segment, IPC_SET, (void *)8), EFAULT);
	OK(shmctl(0, IPC_INFO, (void *)&info) >= 0);
	IS(info.shmmin, 1);
	IS(shmctl(index, SHM_STAT, &given) == segment, 1);
	OK(given.shm_perm.__key == key && given.shm_ctime == s.shm_ctime && given.shm_atime == s.shm_atime);
	IS(shmctl(index, SHM_STAT_ANY, &given) == segment, 1);
	OK(given.shm_ctime == s.shm_ctime && given.shm_dtime == s.shm_dtime);
	IS(shmctl(segment, SHM_LOCK, NULL), 0);
	OK((status().shm_perm.mode & SHM_LOCKED) != 0 && told(segment));
	IS(shmctl(segment, SHM_UNLOCK, NULL), 0);
	OK((status().shm_perm.mode & SHM_LOCKED) == 0 && told(segment));
	check_child(start(not_root));

	if (geteuid() == 0) {
		sleep_ns(1100 * MS);
		given = s;
		given.shm_perm.uid = 12345;
		given.shm_perm.gid = 54321;
		given.shm_perm.mode = 0400;
		shmctl(segment, IPC_SET, &given);
		if (given.shm_perm.uid != 12345 || status().shm_ctime < s.shm_ctime + 1)
			OK(!"the segment was given away");
		check_child(start(given_away));
		if ((status().shm_perm.mode & 0777) != 0640)
			OK(!"its owner has changed it");
		s.shm_perm.uid = -1;
		if (shmctl(segment, IPC_SET, &s) != -1 || errno != EINVAL)
			OK(!"the owner is nobody");
	}
	OK(told(segment));
}

static void removing(void)
{
	char *memory = shmat(segment, NULL, 0);
	struct shmid_ds s;

	SAY("removing");
	IS(shmctl(segment, IPC_RMID, NULL), 0);
	FAILS(shmget(key, SIZE, 0600), ENOENT);
	s = status();
	OK((s.shm_perm.mode & SHM_DEST) != 0 && s.shm_perm.__key == IPC_PRIVATE);
	IS(s.shm_nattch, 1);
	OK(told(segment));
	OK(strcmp(memory, "written") == 0);
	IS(shmdt(memory), 0);
	FAILS(shmctl(segment, IPC_STAT, &s), EINVAL);
	IS(row(segment, &s), 0);
	FAILS(shmctl(segment, IPC_RMID, NULL), EINVAL);
}

int main(void)
{
	key = 0x5ee10000 + getpid() % 60000;
	making();
	attaching();
	control();
	removing();
	return DONE();
}
