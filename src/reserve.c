/* reserve.c: the mappings that others are made of, and the count. See reserve.h. */
#include "reserve.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "backing.h"
#include "own.h"
#include "spare.h"
#include "sys.h"
#include "vma.h"

#define EXECUTED_BYTES ((RESERVE_STANDING + RESERVE_STANDING_PAGES) * PAGE_BYTES)
#define WRITTEN_BYTES PAGE_BYTES

/* Pages of the first part, and behind them one of the second, which has the count. */
static uintptr_t mapped;

static uintptr_t written_at(void)
{
	return mapped + EXECUTED_BYTES;
}

static _Atomic uint32_t *taken(void)
{
	return (_Atomic uint32_t *)written_at();
}

static bool map_one(uintptr_t at, size_t length, int protection, int fd, uint64_t page)
{
	return !sys_failed(sys_mmap(at, length, protection, MAP_SHARED | MAP_FIXED, fd,
				    (int64_t)(page * PAGE_BYTES)));
}

static void make(void)
{
	long at;
	int fd;

	if (mapped || backing_make_reserve(RESERVE_PAGES * PAGE_BYTES, EXECUTED_BYTES, WRITTEN_BYTES))
		return;
	fd = backing_reserve_descriptor();
	at = own_addresses(EXECUTED_BYTES + WRITTEN_BYTES);
	if (sys_failed(at))
		return;
	mapped = (uintptr_t)at;
	if (map_one(mapped, EXECUTED_BYTES, PROT_READ | PROT_EXEC, fd, 0) &&
	    map_one(written_at(), WRITTEN_BYTES, PROT_READ | PROT_WRITE, fd, RESERVE_PAGES))
		return;
	sys_munmap(mapped, EXECUTED_BYTES + WRITTEN_BYTES);
	mapped = 0;
}

long reserve_ready(void)
{
	long result = backing_ready();

	if (!result)
		make();
	/* With it pages can be turned all the same, as after a fork. */
	return mapped ? 0 : result;
}

/* PAGE, by its number in the file, and what follows. */
static bool is_there(uintptr_t at, size_t length, uint64_t page)
{
	int protection = page < RESERVE_PAGES ? PROT_READ | PROT_EXEC : PROT_READ | PROT_WRITE;

	return vma_is_still(at, length, protection, backing_reserve_inode(), page * PAGE_BYTES);
}

uintptr_t reserve_standing(void)
{
	uintptr_t at = mapped + RESERVE_STANDING * PAGE_BYTES;

	return mapped && is_there(at, RESERVE_STANDING_PAGES * PAGE_BYTES, RESERVE_STANDING) ? at : 0;
}

long reserve_take(size_t pages)
{
	const uint64_t first = RESERVE_SPOKEN_FOR;
	uint32_t before;

	if (!mapped || !is_there(written_at(), WRITTEN_BYTES, RESERVE_PAGES))
		return -ENOMEM;
	before = atomic_load(taken());
	do {
		if (first + before + pages > RESERVE_PAGES)
			return -ENOMEM;
	} while (!atomic_compare_exchange_weak(taken(), &before,
					       before + (uint32_t)pages));
	return (long)(first + before);
}

bool reserve_has(unsigned number, uint64_t offset)
{
	return number && offset < 2 * RESERVE_PAGES && backing_is_reserve(number);
}

bool reserve_has_executed(unsigned number, uint64_t offset)
{
	return reserve_has(number, offset) && offset < RESERVE_PAGES;
}

/* All of the part up to there, of which only the end is wanted. */
static long copy_mapping(uintptr_t from, uintptr_t start, size_t before, size_t length)
{
	long whole = sys_mremap(from, 0, before + length, MREMAP_MAYMOVE, 0), result;
	uintptr_t wanted = (uintptr_t)whole + before;

	if (sys_failed(whole))
		return whole;
	result = start ? sys_mremap(wanted, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, start) :
			 (long)wanted;
	sys_munmap((uintptr_t)whole, sys_failed(result) ? before + length : before);
	return result;
}

long reserve_map(uintptr_t start, size_t length, uint64_t offset)
{
	bool executed = offset < RESERVE_PAGES;
	uint64_t part = executed ? 0 : RESERVE_PAGES;
	uintptr_t from = executed ? mapped : written_at();
	long result;

	if (!mapped || !is_there(from, PAGE_BYTES, part))
		return -ENOMEM;
	spare_free();
	result = copy_mapping(from, start, (offset - part) * PAGE_BYTES, length);
	spare_make();
	return result;
}
