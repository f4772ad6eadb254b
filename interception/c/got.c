// A library that, once it is loaded, writes addresses of its own functions into the
// tables (GOT) by which the program and its libraries call those of the C library.
#define _GNU_SOURCE
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "madeup.h"

static pid_t ownGetppid(void) { return MADE_UP; }

static int ownClockGettime(clockid_t id, struct timespec *t)
{
	if (id != CLOCK_REALTIME)
		return syscall(SYS_clock_gettime, id, t);
	t->tv_sec = MADE_UP;
	t->tv_nsec = 0;
	return 0;
}

static void patch(ElfW(Addr) base, const ElfW(Rela) *entries, size_t size, const ElfW(Sym) *symbols, const char *names)
{
	for (const ElfW(Rela) *r = entries; (const char *)r < (const char *)entries + size; r++) {
		unsigned type = ELF64_R_TYPE(r->r_info);
		if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT)
			continue;
		const char *name = names + symbols[ELF64_R_SYM(r->r_info)].st_name;
		void *own = !strcmp(name, "getppid") ? (void *)ownGetppid : !strcmp(name, "clock_gettime") ? (void *)ownClockGettime : NULL;
		if (!own)
			continue;
		// The table may have been made read-only after relocation.
		void **slot = (void **)(base + r->r_offset);
		mprotect((void *)((uintptr_t)slot & -4096), 8192, PROT_READ | PROT_WRITE);
		*slot = own;
	}
}

static int patchObject(struct dl_phdr_info *object, size_t size, void *unused)
{
	const ElfW(Rela) *calls = NULL, *others = NULL;
	const ElfW(Sym) *symbols = NULL;
	const char *names = NULL;
	size_t callsSize = 0, othersSize = 0;
	(void)size, (void)unused;
	if (strstr(object->dlpi_name, "linux-vdso"))
		return 0;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		if (object->dlpi_phdr[i].p_type != PT_DYNAMIC)
			continue;
		for (ElfW(Dyn) *d = (ElfW(Dyn) *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr); d->d_tag != DT_NULL; d++)
			switch (d->d_tag) {
			case DT_JMPREL: calls = (void *)d->d_un.d_ptr; break;
			case DT_PLTRELSZ: callsSize = d->d_un.d_val; break;
			case DT_RELA: others = (void *)d->d_un.d_ptr; break;
			case DT_RELASZ: othersSize = d->d_un.d_val; break;
			case DT_SYMTAB: symbols = (void *)d->d_un.d_ptr; break;
			case DT_STRTAB: names = (void *)d->d_un.d_ptr; break;
			}
	}
	if (symbols && names) {
		patch(object->dlpi_addr, calls, callsSize, symbols, names);
		patch(object->dlpi_addr, others, othersSize, symbols, names);
	}
	return 0;
}

__attribute__((constructor)) static void patchAll(void) { dl_iterate_phdr(patchObject, NULL); }
