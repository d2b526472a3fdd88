/* deepbind-module.c: a library that is opened with RTLD_DEEPBIND: what it calls
 * of libc is libc's own, past every preloaded library. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int module_protect(void *page, int protection);
int module_protect_by_syscall(void *page, int protection);
const char *module_whose(void);

int module_protect(void *page, int protection)
{
	int result = mprotect(page, 4096, protection);

	__asm__ volatile("" : : : "memory"); /* or it is no call but a jump */
	return result;
}

int module_protect_by_syscall(void *page, int protection)
{
	int result = (int)syscall(SYS_mprotect, page, 4096, protection);

	__asm__ volatile("" : : : "memory");
	return result;
}

/* Which library the calls above go to. */
const char *module_whose(void)
{
	Dl_info info;

	return dladdr((void *)mprotect, &info) ? info.dli_fname : "nobody's";
}
