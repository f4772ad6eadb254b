// uprobe FILE:OFFSET[,FILE:OFFSET...]: notes the calls of functions by uprobes, and
// tells how many the program and its descendants made. FILE has no comma.
#include "launch.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

enum {
	PAGE = 4096,
	RING = 128 * PAGE, // what an ordinary user may lock; room for 32 768 calls
	MOST = 64,
};

static int probeType(void)
{
	int type = -1;
	FILE *file = fopen("/sys/bus/event_source/devices/uprobe/type", "r");
	if (!file || fscanf(file, "%d", &type) != 1)
		cannot("/sys/bus/event_source/devices/uprobe/type");
	fclose(file);
	return type;
}

// openProbe notes calls of whoever runs on a processor. An event of one process
// would not do: that is inherited by reading its path at an address of the heir's.
static int openProbe(int type, char *probe, int cpu)
{
	char *colon = strrchr(probe, ':');
	if (!colon)
		_exit(2);
	*colon = 0;
	struct perf_event_attr attributes = {
		.type = type, .size = sizeof attributes, .sample_period = 1, .sample_type = PERF_SAMPLE_TID, .task = 1,
		.config1 = (unsigned long)probe, .config2 = strtoul(colon + 1, NULL, 0),
	};
	int event = syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (event < 0)
		cannot("perf_event_open of an uprobe");
	return event;
}

// countCalls counts those of a process and its descendants.
static int countCalls(const char *ring, uint64_t end, pid_t process)
{
	pid_t family[MOST] = {process};
	int members = 1, seen = 0;
	for (uint64_t at = 0; at < end && at < RING;) {
		const struct perf_event_header *header = (const void *)(ring + at);
		const struct { struct perf_event_header header; uint32_t pid, parent; } *record = (const void *)header;
		int known = 0;
		for (int i = 0; i < members; i++) {
			known |= header->type == PERF_RECORD_SAMPLE && family[i] == (pid_t)record->pid;
			if (header->type == PERF_RECORD_FORK && family[i] == (pid_t)record->parent && record->pid != record->parent && members < MOST) {
				family[members++] = record->pid;
				break;
			}
		}
		seen += known;
		at += header->size;
	}
	return seen;
}

int main(int argc, char **argv)
{
	int gate[2], status, first = -1;
	char go;
	if (argc < 5)
		return 2;
	if (pipe2(gate, O_CLOEXEC))
		cannot("pipe2");
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(gate[1]);
		pin(argv[3]);
		if (read(gate[0], &go, 1) != 1)
			_exit(CANNOT);
		run(argv + 4);
	}
	pin(argv[2]);
	int type = probeType();
	struct perf_event_mmap_page *control = NULL;
	for (char *probe = strtok(argv[1], ","); probe; probe = strtok(NULL, ",")) {
		int event = openProbe(type, probe, atoi(argv[3]));
		if (!control) {
			first = event;
			control = mmap(NULL, PAGE + RING, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0);
			if (control == MAP_FAILED)
				cannot("mmap of an event");
		} else if (ioctl(event, PERF_EVENT_IOC_SET_OUTPUT, first)) {
			cannot("PERF_EVENT_IOC_SET_OUTPUT");
		}
	}
	if (write(gate[1], "", 1) != 1 || waitpid(child, &status, 0) != child)
		cannot("waitpid");
	uint64_t end = __atomic_load_n(&control->data_head, __ATOMIC_ACQUIRE);
	printf("seen %d\n", countCalls((char *)control + PAGE, end, child));
	return statusOf(status);
}
