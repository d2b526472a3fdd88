/* spare.c: some mappings for when there may be no more. See spare.h. */
#include "spare.h"

#include <errno.h>
#include <sys/mman.h>

#include "sys.h"

static uintptr_t spare;
static size_t pages; /* 0: none; each a mapping of its own */
static size_t wanted;

static long map_page(uintptr_t address, int protection)
{
	return sys_mmap(address, PAGE_BYTES, protection,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
}

/* One by one: mmap makes one mapping more than mprotect does, which would be the
 * program's the next time, and so all of them. Every other page has another
 * protection, so that none is one with its neighbour. */
void spare_make(void)
{
	long made;

	if (pages || !wanted)
		return;
	made = sys_mmap(0, wanted * PAGE_BYTES, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (sys_failed(made))
		return;
	spare = (uintptr_t)made;
	sys_munmap(spare, wanted * PAGE_BYTES);
	for (; pages < wanted; pages++) {
		uintptr_t next = spare + pages * PAGE_BYTES;

		made = map_page(next, pages % 2 ? PROT_READ : PROT_NONE);
		if (made == (long)next)
			continue;
		if (!sys_failed(made))
			sys_munmap((uintptr_t)made, PAGE_BYTES); /* before Linux 4.17 */
		return;
	}
}

void spare_want(size_t mappings)
{
	if (mappings > wanted) {
		spare_free();
		wanted = mappings;
	}
	spare_make();
}

void spare_free(void)
{
	if (pages)
		sys_munmap(spare, pages * PAGE_BYTES);
	pages = 0;
}

long spare_mmap(uintptr_t address, size_t length, int protection, int flags, int fd, int64_t offset)
{
	long result = sys_mmap(address, length, protection, flags, fd, offset);

	if (result != -ENOMEM || !pages)
		return result;
	spare_free();
	result = sys_mmap(address, length, protection, flags, fd, offset);
	spare_make();
	return result;
}
