/* own.c: addresses given out from the lowest. See own.h. */
#include "own.h"

#include <sys/mman.h>

#include "spare.h"
#include "sys.h"

/* The decoder's library (see library.h) takes 630 KiB; the rest does for a page table of
 * 1.5 GiB in which no 16 MiB are alike, and where there is less room, of 512 MiB. */
#define RESERVED_BYTES (ARCH_ADDRESS_BITS > 32 ? 4UL << 20 : 2UL << 20)

static uintptr_t free_start, free_end;

static long reserve(size_t length)
{
	return sys_mmap(0, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

void own_begin(void)
{
	long made = reserve(RESERVED_BYTES);

	if (sys_failed(made))
		return;
	free_start = (uintptr_t)made;
	free_end = free_start + RESERVED_BYTES;
}

long own_addresses(size_t length)
{
	uintptr_t start = free_start;

	if (free_end - free_start < length)
		return reserve(length);
	free_start += length;
	return (long)start;
}

long own_memory(size_t length)
{
	size_t whole = page_up(length);
	bool among = free_end - free_start >= whole;
	long made = spare_mmap(among ? free_start : 0, whole, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | (among ? MAP_FIXED : 0), -1, 0);

	if (among && !sys_failed(made))
		free_start += whole;
	return made;
}
