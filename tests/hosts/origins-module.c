/* origins-module.c: a library that allocates. As a module it is opened, asked
 * and closed by origins.c. Linked to a program (built from this file too, with
 * ORIGINS_PROGRAM defined) its constructor allocates before that of a preloaded
 * library. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096

void *module_allocate(void);
extern void *module_first;

#ifdef ORIGINS_PROGRAM
int main(void)
{
	unsigned char *page = (unsigned char *)(((uintptr_t)module_first + PAGE - 1) & -PAGE);

#ifdef __aarch64__
	memcpy(page, "\x40\x05\x80\x52\xc0\x03\x5f\xd6", 8); /* mov w0, #42; ret */
	__builtin___clear_cache((char *)page, (char *)page + 8);
#else
	memcpy(page, "\xb8\x2a\x00\x00\x00\xc3", 6); /* mov $42, %eax; ret */
#endif
	if (mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC))
		return 1;
	printf("%d\n", ((int (*)(void))page)());
	mprotect(page, PAGE, PROT_READ | PROT_WRITE);
	module_first = realloc(module_first, 100);
	free(module_first);
	return 0;
}
#else
void *module_first;

__attribute__((noinline)) void *module_allocate(void)
{
	void *volatile made = malloc(3 * PAGE);

	return made;
}

__attribute__((constructor)) static void construct(void)
{
	module_first = module_allocate();
}
#endif
