/* What mincore tells of pages that have been touched. */
#include "check.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
	enum { PAGES = 5000 };
	long page = sysconf(_SC_PAGESIZE);
	static unsigned char vector[PAGES + 1];
	char *memory = mmap(NULL, (PAGES + 1) * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int present = 0;

	OK(memory != MAP_FAILED);
	memset(memory, 1, PAGES * page);
	vector[PAGES] = 7;
	IS(mincore(memory, (PAGES - 1) * page + 1, vector), 0);
	for (int i = 0; i < PAGES; i++)
		present += vector[i] & 1;
	IS(present, PAGES);
	IS(vector[PAGES], 7);
	IS(mincore(memory, 0, vector), 0);
	FAILS(mincore(memory + 1, page, vector), EINVAL);
	FAILS(mincore(memory, page, (void *)8), EFAULT);
	IS(munmap(memory + page, page), 0);
	FAILS(mincore(memory, 3 * page, vector), ENOMEM);
	return 0;
}
