/* rung/adopt.c: pages move into the files of ours, and out of one that is left.
 * See rung/view.h. */
#include <errno.h>
#include <sys/mman.h>

#include "../backing.h"
#include "../detour.h"
#include "../policy.h"
#include "../reserve.h"
#include "../spare.h"
#include "../sys.h"
#include "advice.h"
#include "anonymous.h"
#include "view.h"

/* From so many on the process may come to have as many mappings as it may. */
#define ADOPTED_BEFORE_SPARE 2048UL

static size_t adopted;

/* What lies past the end of a file cannot be touched: it waits, as it will be when the
 * file has grown. */
static void leave_unfilled(uintptr_t start, size_t length, const struct code_page *before,
			   unsigned view)
{
	struct code_page page = *before;

	page.view = view;
	if (!sys_mprotect(start, length, (int)view, -1))
		codepages_set(start, length, page);
}

/* Whoever stores now waits. A host may have forbidden itself mprotect; what there is no
 * room for, view_join makes room for. */
static long close_to_stores(uintptr_t start, size_t length, const struct code_page *page)
{
	long result;

	if ((page->view & ~(unsigned)PROT_EXEC) == PROT_READ)
		return 0;
	result = sys_mprotect(start, length, PROT_READ, -1);
	return result == -ENOMEM || !view_is_single_threaded() ? result : 0;
}

/* Pages of one window of the backing; the entries are alike and without backing. */
static long adopt_window(uintptr_t start, size_t length, const struct code_page *page)
{
	struct code_page before = *page, after = *page;
	long offset = backing_place(start, &after.backing);
	size_t filled;
	long result;

	if (sys_failed(offset))
		return offset;
	view_watch_writes(start, length);
	after.offset = (uint64_t)offset;
	after.stores = 0;
	after.lent = false;
	after.view = view_executable(&after);
	result = close_to_stores(start, length, &before);
	if (result)
		return result;
	filled = backing_fill(after.backing, after.offset, start, length);
	/* In a signal handler every protection key but 0 is shut (pkeys(7)). */
	if (!filled && !sys_mprotect(start, length, PROT_READ, 0))
		filled = backing_fill(after.backing, after.offset, start, length);
	if (filled)
		result = view_remap_executable(start, filled, &before, &after);
	else
		result = sys_is_untouchable(start) ? 0 : -EFAULT;
	if (result)
		filled = 0;
	else if (filled)
		/* The program cleans caches for what it wrote, not for our copy of it. */
		arch_synchronise_code(start, filled);
	if (filled < length)
		leave_unfilled(start + filled, length - filled, &before, result ? before.view : view_waiting(page->ask));
	return result;
}

static void recount(void)
{
	struct code_page page;

	backing_recount();
	for (uintptr_t at = codepages_next(0, ADDRESS_LIMIT), stop; at < ADDRESS_LIMIT;
	     at = codepages_next(stop, ADDRESS_LIMIT)) {
		stop = codepages_run(at, ADDRESS_LIMIT, &page);
		if (page.backing)
			backing_use(page.backing, (stop - at) / PAGE_BYTES);
	}
	detour_recount();
	backing_recounted();
}

/* What never changes any more can be copied at any time. */
static long copy_to_current(uintptr_t start, size_t length, const struct code_page *page)
{
	struct code_page after = *page;
	long offset = backing_place(start, &after.backing), result;

	if (sys_failed(offset))
		return offset;
	after.offset = (uint64_t)offset;
	if (!backing_copy(page->backing, page->offset, after.backing, after.offset,
			  length / PAGE_BYTES))
		return -EFAULT;
	result = view_remap(start, length, page, &after);
	if (!result && (after.view & (PROT_READ | PROT_EXEC)) == (PROT_READ | PROT_EXEC))
		arch_synchronise_code(start, length);
	return result;
}

/* After many forks there are many frozen files, with a few pages in use in each. */
static void leave_frozen_file(unsigned frozen)
{
	struct code_page page;
	long result = 0;

	for (uintptr_t at = codepages_next(0, ADDRESS_LIMIT), stop; at < ADDRESS_LIMIT && !result;
	     at = codepages_next(stop, ADDRESS_LIMIT)) {
		uintptr_t window = (at / BACKING_WINDOW_BYTES + 1) * BACKING_WINDOW_BYTES;

		stop = codepages_run(at, window, &page);
		if (page.state != PAGE_VIEWED || page.backing != frozen)
			continue;
		view_forget_stale(at, stop);
		stop = codepages_run(at, window, &page);
		if (page.state == PAGE_VIEWED && page.backing == frozen)
			result = copy_to_current(at, stop - at, &page);
	}
	if (result)
		backing_not_left(frozen);
}

/* Pages that lie in one mapping, whose entries are alike and without backing. */
long view_adopt(uintptr_t start, uintptr_t limit, const struct code_page *page)
{
	long result = codepages_prepare(start, limit - start);
	unsigned to_leave;

	/* A child that makes code itself; one that only calls exec needs no count. */
	if (backing_is_miscounted())
		recount();
	to_leave = backing_to_leave();
	if (to_leave)
		leave_frozen_file(to_leave);

	while (!result && start < limit) {
		uintptr_t stop = (start / BACKING_WINDOW_BYTES + 1) * BACKING_WINDOW_BYTES;

		if (stop > limit)
			stop = limit;
		result = adopt_window(start, stop - start, page);
		start = stop;
	}
	if (!result && ++adopted == ADOPTED_BEFORE_SPARE)
		spare_want(SPARE_MANY);
	return result;
}

/* ------------------------------------------------------------ the last resort */

/* Where in the part of the reserve for VIEW: a page that is there already keeps its place. */
static long place_in_reserve(const struct code_page *page, size_t pages, unsigned view,
			     unsigned *backing)
{
	uint64_t part = view & PROT_EXEC ? 0 : RESERVE_PAGES;
	long number = backing_reserve(), first;

	if (sys_failed(number))
		return number;
	*backing = (unsigned)number;
	if (page->backing == *backing && !view_is_frozen(page))
		return (long)(part + page->offset % RESERVE_PAGES);
	first = reserve_take(pages);
	return sys_failed(first) ? first : (long)(part + (uint64_t)first);
}

/* Where no protection can be changed either, the pages are away until others are there. */
static long fill_and_map(uintptr_t start, size_t length, const struct code_page *page,
			 const struct code_page *after)
{
	const struct piece piece = {
		.start = start, .end = start + length, .protection = (int)page->view,
	};
	uintptr_t contents = start;
	long result = close_to_stores(start, length, page);
	bool away = result && !rung_anonymous_take_away(&piece, &contents);

	if (result && !away)
		return result;
	/* What was closed, and stays so, is mended by the next fault on it. */
	result = backing_fill(after->backing, after->offset, contents, length) == length ?
			 view_remap(start, length, page, after) : -EFAULT;
	if (away)
		rung_anonymous_end(result != 0);
	return result;
}

long view_turn_in_reserve(uintptr_t start, size_t length, struct code_page *page, unsigned view)
{
	struct code_page after = *page;
	long offset, result = codepages_prepare(start, length);

	if (result || (page->backing && backing_is_shared(page->backing)))
		return result ? result : -EACCES;
	offset = place_in_reserve(page, length / PAGE_BYTES, view, &after.backing);
	if (sys_failed(offset))
		return offset;
	view_watch_writes(start, length);
	after.offset = (uint64_t)offset;
	after.stores = page->stores & WRITTEN_BEFORE;
	after.lent = false;
	after.view = view;
	result = fill_and_map(start, length, page, &after);
	if (result)
		return result;
	if (view & PROT_EXEC)
		arch_synchronise_code(start, length);
	*page = after;
	return 0;
}

/* -------------------------------------------------------- too many mappings */

/* A page that is turned by itself makes up to two mappings more. Where there is no
 * room for one, all of its MiB becomes one mapping again. */

/* Whether a neighbour of PAGE can be in one mapping with it, in the file BACKING. */
static bool can_join(uintptr_t address, const struct code_page *page, unsigned backing)
{
	struct code_page other = codepages_get(address);

	return other.state == PAGE_VIEWED && other.ask == page->ask &&
	       (other.backing == backing || !other.backing);
}

/* All of START to END into the file, where it is not there yet. */
static bool fill_gaps(uintptr_t start, uintptr_t end, unsigned backing, uint64_t offset)
{
	struct code_page page;

	for (uintptr_t at = start, stop; at < end; at = stop) {
		size_t length;

		stop = codepages_run(at, end, &page);
		length = stop - at;
		if (page.backing)
			continue;
		if (backing_fill(backing, offset + (at - start) / PAGE_BYTES, at, length) != length)
			return false;
	}
	return true;
}

static bool join(uintptr_t start, uintptr_t end, struct code_page after)
{
	struct code_page page;
	size_t joined = 0;

	if ((sys_mprotect(start, end - start, PROT_READ, -1) && !view_is_single_threaded()) ||
	    !fill_gaps(start, end, after.backing, after.offset) ||
	    view_map_over(start, end - start, &after, after.backing, after.offset))
		return false; /* what was changed is mended by the next fault on it */
	for (uintptr_t at = start, stop; at < end; at = stop) {
		stop = codepages_run(at, end, &page);
		joined += page.backing ? 0 : (stop - at) / PAGE_BYTES;
	}
	view_forget_changes();
	codepages_set(start, end - start, after);
	backing_use(after.backing, joined);
	return true;
}

/* Executable, or writable, with all that lies around it. */
bool view_join(uintptr_t address, struct code_page *page, int access)
{
	uintptr_t start = page_down(address), end = start + PAGE_BYTES;
	uintptr_t first = start / BACKING_WINDOW_BYTES * BACKING_WINDOW_BYTES;
	uintptr_t last = first + BACKING_WINDOW_BYTES;
	struct vma_advice advice;
	struct code_page after = *page;
	long offset = backing_place(start, &after.backing);
	bool done;

	if (sys_failed(offset) || (page->backing && page->backing != after.backing) ||
	    view_is_frozen(&after) || codepages_prepare(first, BACKING_WINDOW_BYTES))
		return false;
	view_forget_stale(first, last);
	advice = advice_around(start, &first, &last);
	while (start > first && can_join(start - PAGE_BYTES, page, after.backing))
		start -= PAGE_BYTES;
	while (end < last && can_join(end, page, after.backing))
		end += PAGE_BYTES;
	after.offset = (uint64_t)offset - (page_down(address) - start) / PAGE_BYTES;
	after.view = access == PROT_EXEC ? view_executable(&after) : view_waiting(page->ask);
	after.lent = false;
	spare_free();
	done = join(start, end, after);
	if (done)
		advice_give(&advice, start, end - start);
	spare_make();
	return done;
}
