/* journal-plugin.c: a library that gets memory, makes it executable, and is
 * closed: the journal still knows its name. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>

void *plugin_memory(void);
int plugin_ask(void *page);

void *plugin_memory(void)
{
	void *memory;

	return posix_memalign(&memory, 4096, 4096) ? NULL : memory;
}

int plugin_ask(void *page)
{
	int result = mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);

	__asm__ volatile("" : : : "memory"); /* or it is no call but a jump */
	return result;
}
