// inject sigsys|vdso|tsc: puts code into a program when it begins, by ptrace:
//   sigsys  a handler of SIGSYS, and a seccomp filter that raises it at calls
//   vdso    a function in the place of the vDSO's clock_gettime
//   tsc     a handler of SIGSEGV, which the processor raises at rdtsc
// For vdso it goes on to wait for more programs to begin. For the others it lets
// go, because every signal stops whoever is traced.
#include "launch.h"

#include <dlfcn.h>
#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/user.h>
#include <ucontext.h>

// Functions in this section are copied: they refer to nothing outside, not even to
// constants that a compiler would load into vector registers.
#define INJECTED __attribute__((section("injected"), used, noinline, target("general-regs-only")))
extern const char __start_injected[], __stop_injected[];

INJECTED void onSIGSYS(int signal, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	(void)signal;
	if (info->si_syscall == SYS_getppid) {
		registers[REG_RAX] = MADE_UP;
		return;
	}
	struct timespec *t = (struct timespec *)registers[REG_RSI];
	t->tv_sec = MADE_UP;
	t->tv_nsec = 0;
	registers[REG_RAX] = 0;
}

INJECTED void onSIGSEGV(int signal, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	const unsigned char *code = (const unsigned char *)registers[REG_RIP];
	(void)signal;
	if (info->si_code == SI_KERNEL && code[0] == 0x0f && code[1] == 0x31) { // rdtsc
		registers[REG_RIP] += 2;
	} else if (info->si_code == SI_KERNEL && code[0] == 0x0f && code[1] == 0x01 && code[2] == 0xf9) { // rdtscp
		registers[REG_RIP] += 3;
		registers[REG_RCX] = 0;
	} else {
		__builtin_trap();
	}
	registers[REG_RAX] = MADE_UP;
	registers[REG_RDX] = 0;
}

INJECTED int clockGettime(clockid_t id, struct timespec *t)
{
	if (id == CLOCK_REALTIME) {
		t->tv_sec = MADE_UP;
		t->tv_nsec = 0;
		return 0;
	}
	long answer;
	__asm__ volatile("syscall" : "=a"(answer) : "0"((long)SYS_clock_gettime), "D"((long)id), "S"(t) : "rcx", "r11", "memory");
	return answer;
}

void restorer(void);
__asm__(".pushsection injected,\"ax\",@progbits\n.globl restorer\nrestorer: mov $15, %eax\nsyscall\n.popsection"); // rt_sigreturn

// struct sigaction of the kernel.
struct kernelAction {
	unsigned long handler, flags, restorer, mask;
};

static void writeTo(pid_t pid, unsigned long address, const void *data, size_t size)
{
	for (size_t at = 0; at < size; at += 8) {
		unsigned long word;
		if (size - at < 8)
			word = ptrace(PTRACE_PEEKDATA, pid, address + at, 0);
		memcpy(&word, (const char *)data + at, size - at < 8 ? size - at : 8);
		if (ptrace(PTRACE_POKEDATA, pid, address + at, word))
			cannot("PTRACE_POKEDATA");
	}
}

static void waitStopped(pid_t pid)
{
	int status;
	if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
		_exit(CANNOT);
}

// remoteCall lets a stopped program make a system call.
static long remoteCall(pid_t pid, long number, long a, long b, long c, long d, long e, long f)
{
	struct user_regs_struct before, registers;
	ptrace(PTRACE_GETREGS, pid, 0, &before);
	long code = ptrace(PTRACE_PEEKTEXT, pid, before.rip, 0);
	ptrace(PTRACE_POKETEXT, pid, before.rip, 0xcc050f); // syscall; int3
	registers = before;
	registers.orig_rax = -1;
	registers.rax = number;
	registers.rdi = a, registers.rsi = b, registers.rdx = c;
	registers.r10 = d, registers.r8 = e, registers.r9 = f;
	ptrace(PTRACE_SETREGS, pid, 0, &registers);
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitStopped(pid);
	ptrace(PTRACE_GETREGS, pid, 0, &registers);
	ptrace(PTRACE_POKETEXT, pid, before.rip, code);
	ptrace(PTRACE_SETREGS, pid, 0, &before);
	if ((long)registers.rax < 0 && (long)registers.rax > -4096) {
		errno = -registers.rax;
		cannot("a call in the program's place");
	}
	return registers.rax;
}

// vdsoOf is where a program's vDSO is.
static unsigned long vdsoOf(pid_t pid)
{
	char name[64];
	Elf64_auxv_t entry;
	snprintf(name, sizeof name, "/proc/%d/auxv", pid);
	FILE *file = fopen(name, "r");
	if (!file)
		cannot(name);
	while (fread(&entry, sizeof entry, 1, file) == 1)
		if (entry.a_type == AT_SYSINFO_EHDR) {
			fclose(file);
			return entry.a_un.a_val;
		}
	errno = ENOENT;
	cannot("vDSO");
	return 0;
}

static void replaceVDSO(pid_t pid, unsigned long function)
{
	void *own = dlopen("linux-vdso.so.1", RTLD_NOW | RTLD_NOLOAD);
	unsigned long symbol = own ? (unsigned long)dlsym(own, "__vdso_clock_gettime") : 0;
	if (!symbol) {
		errno = ENOENT;
		cannot("__vdso_clock_gettime");
	}
	unsigned char jump[] = {0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0}; // movabs rax; jmp rax
	memcpy(jump + 2, &function, 8);
	writeTo(pid, vdsoOf(pid) + symbol - getauxval(AT_SYSINFO_EHDR), jump, sizeof jump);
}

static const char *option;

// injectInto works in a program that is stopped before its first instruction.
static void injectInto(pid_t pid)
{
	long page = remoteCall(pid, SYS_mmap, 0, 8192, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	writeTo(pid, page, __start_injected, __stop_injected - __start_injected);
#define INJECTED_AT(f) (page + ((const char *)(f) - __start_injected))
	if (!strcmp(option, "vdso")) {
		replaceVDSO(pid, INJECTED_AT(clockGettime));
		return;
	}
	int sigsys = !strcmp(option, "sigsys");
	struct kernelAction action = {
		sigsys ? INJECTED_AT(onSIGSYS) : INJECTED_AT(onSIGSEGV),
		SA_SIGINFO | 0x04000000 /* SA_RESTORER */,
		INJECTED_AT(restorer),
		0,
	};
	long actionAt = page + 4096;
	writeTo(pid, actionAt, &action, sizeof action);
	remoteCall(pid, SYS_rt_sigaction, sigsys ? SIGSYS : SIGSEGV, actionAt, 0, 8, 0, 0);
	if (!sigsys)
		remoteCall(pid, SYS_prctl, PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0, 0);
}

static void trapCalls(void)
{
	if (stopCalls(SECCOMP_RET_TRAP, 0))
		cannot("seccomp");
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 2;
	option = argv[1];
	// The filter outlives exec, handlers do not: nothing runs between exec and us.
	pid_t child = startTraced(argv, 0, !strcmp(option, "sigsys") ? trapCalls : NULL);
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);
		if (pid < 0)
			cannot("waitpid");
		if (!WIFSTOPPED(status)) {
			if (pid == child)
				return statusOf(status);
			continue;
		}
		int event = status >> 16;
		if (event == PTRACE_EVENT_EXEC) {
			// At the event, registers are still those that execve will return to.
			ptrace(PTRACE_SYSCALL, pid, 0, 0);
			waitStopped(pid);
			injectInto(pid);
			if (strcmp(option, "vdso")) {
				ptrace(PTRACE_DETACH, pid, 0, 0);
				continue;
			}
		}
		ptrace(PTRACE_CONT, pid, 0, event ? 0 : WSTOPSIG(status));
	}
}
