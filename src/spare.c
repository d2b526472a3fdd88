/* spare.c: some mappings for when there may be no more. See spare.h. */
#include "spare.h"

#include <errno.h>
#include <sys/mman.h>

#include "hostfilter.h"
#include "own.h"
#include "sys.h"

static uintptr_t spare; /* room for as many as are ever wanted; 0: to be had */
static size_t pages;    /* 0: none; each a mapping of its own */
static size_t wanted;
static size_t cleared;  /* pages of the room in which nothing else lies */

static long map_page(uintptr_t address, int protection)
{
	return sys_mmap(address, PAGE_BYTES, protection,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | hostfilter_noreplace(), -1, 0);
}

static bool have_room(void)
{
	long room = spare ? (long)spare : own_addresses(SPARE_MANY * PAGE_BYTES);

	if (sys_failed(room))
		return false;
	spare = (uintptr_t)room;
	if (cleared < wanted &&
	    sys_munmap(spare + cleared * PAGE_BYTES, (wanted - cleared) * PAGE_BYTES))
		return false;
	cleared = wanted;
	return true;
}

/* One by one: mmap makes one mapping more than mprotect does, which would be the
 * program's the next time, and so all of them. Every other page has another
 * protection, so that none is one with its neighbour. */
void spare_make(void)
{
	long made;

	if (pages || !wanted || !have_room())
		return;
	for (; pages < wanted; pages++) {
		uintptr_t next = spare + pages * PAGE_BYTES;

		made = map_page(next, pages % 2 ? PROT_READ : PROT_NONE);
		if (made == (long)next)
			continue;
		if (!sys_failed(made))
			sys_munmap((uintptr_t)made, PAGE_BYTES); /* before Linux 4.17 */
		return; /* there is no more to be had, or the program has got the place */
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
