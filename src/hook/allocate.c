/* hook/allocate.c: page-aligned allocations, to know where code memory came
 * from. What is returned is the next allocator's, untouched. Rules:
 * hook/hook.h.
 *
 * Where dlsym, in search of the next definition, itself asks for memory, glibc's
 * own entry point serves, whose memory glibc's free takes. */
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "../provenance.h"
#include "../start.h"
#include "hook.h"
#include "next.h"

extern void *__libc_memalign(size_t alignment, size_t length) __attribute__((weak));

static void *early_memalign(size_t alignment, size_t length)
{
	if (__libc_memalign)
		return __libc_memalign(alignment, length);
	errno = ENOMEM;
	return NULL;
}

/* There is no room for notes before the engine has begun. */
static void *noted(const char *function, void *address, size_t length, uintptr_t call_site)
{
	start_engine();
	provenance_note(function, (uintptr_t)address, length, call_site);
	return address;
}

static int early_posix_memalign(void **address, size_t alignment, size_t length)
{
	int before = errno;
	void *made;

	if (alignment % sizeof(void *) || alignment == 0 || alignment & (alignment - 1))
		return EINVAL;
	made = early_memalign(alignment, length);
	errno = before;
	if (!made)
		return ENOMEM;
	*address = made;
	return 0;
}

HOOK int posix_memalign(void **address, size_t alignment, size_t length)
{
	int result;

	next_ensure();
	result = next.posix_memalign ? next.posix_memalign(address, alignment, length)
				     : early_posix_memalign(address, alignment, length);
	if (result == 0)
		noted("posix_memalign", *address, length, HOOK_CALL_SITE);
	return result;
}

HOOK void *aligned_alloc(size_t alignment, size_t length)
{
	void *made;

	next_ensure();
	made = next.aligned_alloc ? next.aligned_alloc(alignment, length) : early_memalign(alignment, length);
	return noted("aligned_alloc", made, length, HOOK_CALL_SITE);
}

HOOK void *memalign(size_t alignment, size_t length)
{
	void *made;

	next_ensure();
	made = next.memalign ? next.memalign(alignment, length) : early_memalign(alignment, length);
	return noted("memalign", made, length, HOOK_CALL_SITE);
}

HOOK void *valloc(size_t length)
{
	void *made;

	next_ensure();
	made = next.valloc ? next.valloc(length) : early_memalign(PAGE_BYTES, length);
	return noted("valloc", made, length, HOOK_CALL_SITE);
}

HOOK void *pvalloc(size_t length)
{
	void *made;

	next_ensure();
	made = next.pvalloc ? next.pvalloc(length) : early_memalign(PAGE_BYTES, page_up(length));
	return noted("pvalloc", made, page_up(length), HOOK_CALL_SITE);
}

extern void *__sbrk(intptr_t increment) __attribute__((weak));

static void *early_sbrk(intptr_t increment)
{
	if (__sbrk)
		return __sbrk(increment);
	errno = ENOMEM;
	return (void *)-1;
}

/* The heap's own growth; glibc's malloc grows it without a symbol. */
HOOK void *sbrk(intptr_t increment)
{
	void *before;

	next_ensure();
	before = next.sbrk ? next.sbrk(increment) : early_sbrk(increment);
	if (before != (void *)-1 && increment > 0)
		noted("sbrk", (void *)page_down((uintptr_t)before),
		      (uintptr_t)before % PAGE_BYTES + (size_t)increment, HOOK_CALL_SITE);
	return before;
}
