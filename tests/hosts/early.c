/* early.c: a library whose constructor makes code on the brk heap, before the
 * program's own constructors and, since it is loaded later, before those of a
 * preloaded library. Also built as the program that is linked to it, with
 * EARLY_PROGRAM defined. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int early_result(void);

#ifdef EARLY_PROGRAM
int main(void)
{
	printf("%d\n", early_result());
	return 0;
}
#else
#ifdef __aarch64__
static const char code[] = "\x40\x05\x80\x52\xc0\x03\x5f\xd6"; /* mov w0, #42; ret */
#else
static const char code[] = "\xb8\x2a\x00\x00\x00\xc3"; /* mov $42, %eax; ret */
#endif
static int result;

__attribute__((constructor)) static void construct(void)
{
	uintptr_t page = ((uintptr_t)sbrk(3 * 4096) + 4095) & ~(uintptr_t)4095;
	int (*function)(void) = (int (*)(void))page;

	memcpy((void *)page, code, sizeof(code));
	__builtin___clear_cache((char *)page, (char *)page + sizeof(code));
	result = mprotect((void *)page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) ? -1 : function();
}

int early_result(void)
{
	return result;
}
#endif
