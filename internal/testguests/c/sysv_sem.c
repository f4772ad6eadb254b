/* System V semaphores: operations, waiting, undo, permissions, control. */
#include "children.h"
#include <sys/ipc.h>
#include <sys/sem.h>

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *info;
};

static int set;

static int op(int number, int change, int flags)
{
	struct sembuf o = {number, change, flags};

	return semop(set, &o, 1);
}

static int value(int number) { return semctl(set, number, GETVAL); }

/* await waits until so many wait for a semaphore. */
static void await(int number, int command, int count)
{
	while (semctl(set, number, command) != count)
		sleep_ns(1 * MS);
}

static void take_first(void) { IS(op(0, -1, 0), 0); }
static void wait_zero(void) { IS(op(1, 0, 0), 0); }
static void take_undo(void) { IS(op(0, -2, SEM_UNDO), 0); }
static void add_undo(void)
{
	IS(op(1, 3, SEM_UNDO), 0);
	IS(op(1, -1, SEM_UNDO), 0);
}
static void see_removed(void) { FAILS(op(0, -1, 0), EIDRM); }
static void be_interrupted(void)
{
	interruptible(SA_RESTART);
	FAILS(op(0, -1, 0), EINTR);
}
static void take_two(void) { IS(op(0, -2, 0), 0); }

static void not_root(void)
{
	if (!ordinary())
		return;
	FAILS(value(0), EACCES);
	FAILS(op(0, 1, 0), EACCES);
	FAILS(semctl(set, 0, IPC_RMID), EPERM);
	FAILS(semctl(set, 0, SETVAL, 1), EACCES);
}

static void operations(void)
{
	struct sembuf both[2] = {{0, -1, 0}, {1, -1, IPC_NOWAIT}};
	struct sembuf many[501];

	SAY("operations");
	IS(value(0), 0);
	IS(op(0, 5, 0), 0);
	IS(value(0), 5);
	IS(semctl(set, 0, GETPID) == getpid(), 1);
	FAILS(op(0, -6, IPC_NOWAIT), EAGAIN);
	FAILS(op(0, 0, IPC_NOWAIT), EAGAIN);
	FAILS(semop(set, both, 2), EAGAIN);
	IS(value(0), 5);
	FAILS(op(0, 32767, 0), ERANGE);
	FAILS(op(3, 1, 0), EFBIG);
	FAILS(semop(set, both, 0), EINVAL);
	FAILS(semop(-1, both, 1), EINVAL);
	FAILS(semop(set + 1, both, 1), EINVAL);
	FAILS(semop(set, many, 501), E2BIG);
	FAILS(semop(set, (void *)8, 1), EFAULT);
	IS(op(0, -5, 0), 0);
	IS(op(0, 0, 0), 0);
}

static void control(void)
{
	unsigned short values[3] = {7, 8, 9}, large[3] = {1, 40000, 1};
	struct semid_ds stat;
	struct seminfo info;
	union semun u;

	SAY("control");
	u.array = values;
	IS(semctl(set, 0, SETALL, u), 0);
	memset(values, 0, sizeof(values));
	IS(semctl(set, 0, GETALL, u), 0);
	OK(values[0] == 7 && values[1] == 8 && values[2] == 9);
	u.array = large;
	FAILS(semctl(set, 0, SETALL, u), ERANGE);
	u.val = 32768;
	FAILS(semctl(set, 0, SETVAL, u), ERANGE);
	u.val = 0;
	FAILS(semctl(set, 3, SETVAL, u), EINVAL);
	FAILS(semctl(set, 3, GETVAL), EINVAL);
	FAILS(semctl(set, 0, 99), EINVAL);
	for (int i = 0; i < 3; i++)
		semctl(set, i, SETVAL, u);
	u.buf = &stat;
	IS(semctl(set, 0, IPC_STAT, u), 0);
	OK(stat.sem_nsems == 3);
	OK((stat.sem_perm.mode & 0777) == 0600);
	OK(stat.sem_perm.uid == geteuid() && stat.sem_perm.cgid == getegid());
	OK(stat.sem_ctime >= time(NULL) - 10 && stat.sem_otime <= time(NULL));
	stat.sem_perm.mode = 0640;
	IS(semctl(set, 0, IPC_SET, u), 0);
	IS(semctl(set, 0, IPC_STAT, u), 0);
	OK((stat.sem_perm.mode & 0777) == 0640);
	u.info = &info;
	OK(semctl(set, 0, IPC_INFO, u) >= 0);
	IS(info.semvmx, 32767);
	IS(info.semopm, 500);
	IS(info.semmsl, 32000);
}

static void waiting(void)
{
	struct timespec soon = timespec_of(50 * MS);
	struct sembuf take = {0, -1, 0};
	int64_t before;
	pid_t a, b;
	union semun u = {.val = 1};

	SAY("waiting");
	before = now_ns();
	FAILS(semtimedop(set, &take, 1, &soon), EAGAIN);
	TOOK(before, 50 * MS);
	soon.tv_nsec = -1;
	FAILS(semtimedop(set, &take, 1, &soon), EINVAL);

	a = start(take_first);
	await(0, GETNCNT, 1);
	IS(op(0, 1, 0), 0);
	IS(value(0), 0); /* the sleeper has it already */
	check_child(a);

	semctl(set, 1, SETVAL, u);
	a = start(wait_zero);
	await(1, GETZCNT, 1);
	IS(semctl(set, 1, GETNCNT), 0);
	IS(op(1, -1, 0), 0);
	check_child(a);

	/* one that needs less goes first though it came later */
	a = start(take_two);
	await(0, GETNCNT, 1);
	b = start(take_first);
	await(0, GETNCNT, 2);
	IS(op(0, 1, 0), 0);
	check_child(b);
	IS(semctl(set, 0, GETNCNT), 1);
	u.val = 2;
	IS(semctl(set, 0, SETVAL, u), 0);
	check_child(a);
	IS(value(0), 0);

	a = start(be_interrupted);
	await(0, GETNCNT, 1);
	kill(a, SIGUSR1);
	check_child(a);
	IS(semctl(set, 0, GETNCNT), 0);

	a = start(take_first);
	await(0, GETNCNT, 1);
	kill(a, SIGKILL);
	waitpid(a, NULL, 0);
	IS(semctl(set, 0, GETNCNT), 0);
}

static void undoing(void)
{
	union semun u = {.val = 2};

	SAY("undoing");
	semctl(set, 0, SETVAL, u);
	check_child(start(take_undo));
	IS(value(0), 2);
	u.val = 0;
	semctl(set, 1, SETVAL, u);
	check_child(start(add_undo));
	IS(value(1), 0);
	semctl(set, 0, SETVAL, u);
	IS(op(0, 2, SEM_UNDO), 0);
	u.val = 1;
	IS(semctl(set, 0, SETVAL, u), 0); /* clears what is to be undone */
}

int main(void)
{
	key_t key = 0x5eed0000 + getpid() % 60000;
	pid_t child;
	int other;

	SAY("making");
	FAILS(semget(IPC_PRIVATE, 0, 0600), EINVAL);
	FAILS(semget(IPC_PRIVATE, -1, 0600), EINVAL);
	FAILS(semget(IPC_PRIVATE, 32001, 0600), EINVAL);
	FAILS(semget(key, 3, 0600), ENOENT);
	set = semget(key, 3, IPC_CREAT | IPC_EXCL | 0600);
	OK(set >= 0);
	IS(semget(key, 0, 0600) == set, 1);
	FAILS(semget(key, 3, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	FAILS(semget(key, 4, 0600), EINVAL);
	other = semget(IPC_PRIVATE, 1, 0600);
	OK(other >= 0 && other != set);
	IS(semctl(other, 0, IPC_RMID), 0);
	FAILS(semctl(other, 0, IPC_RMID), EINVAL);
	FAILS(semctl(other, 0, GETVAL), EINVAL);

	operations();
	control();
	waiting();
	undoing();
	check_child(start(not_root));

	SAY("removing");
	IS(op(0, -1, 0), 0);
	child = start(see_removed);
	await(0, GETNCNT, 1);
	IS(semctl(set, 0, IPC_RMID), 0);
	check_child(child);
	FAILS(op(0, 1, 0), EINVAL);
	FAILS(semget(key, 3, 0600), ENOENT);
	return DONE();
}
