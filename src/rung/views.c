/* rung/views.c: what the program asks of viewed pages. See rung/views.h. */
#include "views.h"

#include <errno.h>
#include <sys/mman.h>

#include "../backing.h"
#include "../policy.h"
#include "../reserve.h"
#include "../spare.h"
#include "../sys.h"
#include "../vma.h"
#include "view.h"

static long note(uintptr_t start, uintptr_t end, const struct code_page *page)
{
	long result = codepages_room(start, end - start);

	spare_want(SPARE_FEW);
	if (!result)
		codepages_set(start, end - start, *page);
	return result;
}

/* Beside a change of the mapping that no child need look at. */
static long note_own(uintptr_t start, uintptr_t end, const struct code_page *page)
{
	view_next_change();
	return note(start, end, page);
}

long views_note(uintptr_t start, uintptr_t end, int protection, int ask)
{
	struct code_page page = {
		.state = PAGE_VIEWED,
		.ask = (unsigned)ask & ALL_ACCESS,
		.view = (unsigned)protection & ALL_ACCESS,
	};

	/* A file's pages can be executed as they are, before anything is adopted. */
	if (page.ask & ~page.view & PROT_WRITE)
		view_watch_writes(start, end - start);
	return note_own(start, end, &page);
}

long views_note_file(uintptr_t start, uintptr_t end, int protection, int ask, unsigned backing,
		     uint64_t offset)
{
	struct code_page page = {
		.state = PAGE_VIEWED,
		.ask = (unsigned)ask & ALL_ACCESS,
		.view = (unsigned)protection & ALL_ACCESS,
		.backing = backing,
		.offset = offset,
	};
	long result = codepages_prepare(start, end - start);

	if (result)
		return result;
	view_watch_writes(start, end - start);
	codepages_set(start, end - start, page);
	backing_use(backing, (end - start) / PAGE_BYTES);
	return 0;
}

static bool is_adopted_at_once(uintptr_t start, uintptr_t end, unsigned ask)
{
	return !(ask & PROT_WRITE) && end - start <= SMALL_BYTES;
}

/* Nothing came of it, but for pages that are in a file by now. */
static void take_back(uintptr_t start, uintptr_t end, const struct code_page *before)
{
	struct code_page page;

	for (uintptr_t at = start, stop; at < end; at = stop) {
		stop = codepages_run(at, end, &page);
		if (!page.backing)
			codepages_set(at, stop - at, *before);
	}
}

/* Own memory with ASK, of which the kernel has PROTECTION now. */
static long give_own(uintptr_t start, uintptr_t end, struct code_page *page, unsigned ask, int pkey)
{
	struct code_page before = codepages_get(start);
	bool at_once = ask & PROT_EXEC && is_adopted_at_once(start, end, ask);
	unsigned view = view_waiting(ask);
	long result;

	result = ask & PROT_EXEC ? reserve_ready() : 0;
	if (result)
		return result;
	/* First: whoever executes it, or stores, while it changes has to wait. */
	page->ask = ask;
	result = at_once ? note(start, end, page) : note_own(start, end, page);
	if (result)
		return result;
	if (at_once)
		result = view_adopt(start, end, page);
	else
		result = sys_mprotect(start, end - start, (int)view, pkey);
	if (result) {
		take_back(start, end, &before);
		return result;
	}
	if (at_once)
		return 0;
	page->view = view;
	return note_own(start, end, page);
}

long views_give(uintptr_t start, uintptr_t end, int protection, int ask, int pkey)
{
	struct code_page page = {
		.state = PAGE_VIEWED,
		.ask = (unsigned)ask & ALL_ACCESS,
		.view = (unsigned)protection & ALL_ACCESS,
	};
	long result = codepages_room(start, end - start);

	return result ? result : give_own(start, end, &page, page.ask, pkey);
}

/* Of a few pages that have been written before, and are asked writable again, a store is
 * to come: its fault need not be waited for. Of more, as where all code is made writable
 * for each piece that is new, most will be executed first. */
static bool is_to_be_written(const struct code_page *page, unsigned ask, bool few)
{
	return few && ask & PROT_WRITE && !(page->ask & PROT_WRITE) &&
	       page->stores & WRITTEN_BEFORE && !view_is_frozen(page) &&
	       !policy_allows_writable_code();
}

/* A run of adopted pages, for which ASK is wanted with PROT_EXEC. */
static long give_adopted(uintptr_t start, uintptr_t end, struct code_page *page, unsigned ask,
			 int pkey, bool few)
{
	bool writes = is_to_be_written(page, ask, few);
	long result;

	/* What the kernel would say, which need not be asked before the first store. */
	if (ask & PROT_WRITE && !(page->ask & PROT_WRITE) && backing_is_shared(page->backing) &&
	    vma_advice(start).never_write)
		return -EACCES;
	page->ask = ask;
	if (writes && !view_turn_writable(start, end - start, page, ask & ~(unsigned)PROT_EXEC, pkey))
		return 0;
	/* Where a store and a fetch are both to come, the fault says which. The kernel reads
	 * for the program only where the view says so, too. */
	if (ask & PROT_WRITE && page->view & (PROT_WRITE | PROT_EXEC) && !(ask & ~page->view & PROT_READ))
		return codepages_set(start, end - start, *page), 0;
	if (page->view & PROT_EXEC && !(page->view & PROT_WRITE))
		return codepages_set(start, end - start, *page), 0;
	result = view_turn_executable(start, end - start, page);
	if (!result && pkey > 0)
		sys_mprotect(start, end - start, (int)page->view, pkey);
	return result;
}

static long protect_run(uintptr_t start, uintptr_t end, struct code_page *page, unsigned ask,
			int pkey, bool few)
{
	if (!(ask & PROT_EXEC)) {
		page->ask = ask;
		return view_turn_writable(start, end - start, page, ask, pkey);
	}
	if (page->backing)
		return give_adopted(start, end, page, ask, pkey, few);
	return give_own(start, end, page, ask, pkey);
}

/* Without PROT_EXEC one call does for all viewed pages from START on, unless a frozen
 * one must be written: then it does for those before. */
static uintptr_t end_of_one_call(uintptr_t start, uintptr_t limit, unsigned ask)
{
	uintptr_t at = start;

	while (at < limit) {
		struct code_page page;
		uintptr_t stop = codepages_run(at, limit, &page);

		if (page.state != PAGE_VIEWED ||
		    (ask & PROT_WRITE && page.backing && view_is_never_written(&page)))
			return at;
		at = stop;
	}
	return at;
}

static long note_views(uintptr_t start, uintptr_t end, unsigned view)
{
	struct code_page page;
	long result = 0;

	for (uintptr_t at = start, stop; at < end && !result; at = stop) {
		stop = codepages_run(at, end, &page);
		page.ask = page.view = view;
		page.stores = 0;
		result = view_make_room(at, stop, &page);
		if (!result)
			codepages_set(at, stop - at, page);
	}
	return result;
}

/* How far the kernel came before an error: it goes mapping by mapping. */
static uintptr_t end_of_view(uintptr_t start, uintptr_t end, unsigned view)
{
	uintptr_t at = start;
	struct vma vma;

	while (at < end && !vma_look(at, &vma) && vma.start <= at &&
	       (unsigned)vma.protection == view)
		at = vma.end;
	return at < end ? at : end;
}

static long protect_in_one_call(uintptr_t start, uintptr_t end, int asked, int pkey)
{
	unsigned view = (unsigned)asked & ALL_ACCESS;
	long result = sys_mprotect(start, end - start, asked, pkey);
	long noted;

	view_forget_changes();
	noted = note_views(start, result ? end_of_view(start, end, view) : end, view);
	return result ? result : noted;
}

/* Pages that went, and came again as others, where no hook saw it. *END is where those
 * begin that did. */
static bool forget_stale(uintptr_t start, uintptr_t *end, const struct code_page *page)
{
	uintptr_t stop = *end;

	if (page->backing)
		*end = view_current_until(page, start, stop);
	if (*end > start)
		return false;
	view_drop_stale(start, start + PAGE_BYTES);
	return true;
}

/* Programs make all of their code executable again for each piece that is new. */
static bool has_it_already(uintptr_t start, const struct code_page *page, unsigned ask)
{
	unsigned view = page->backing ? PROT_READ | PROT_EXEC : view_waiting(ask);

	return page->ask == ask && page->view == view && !view_may_be_heap(start);
}

/* What it takes to turn pages has more errors than mprotect(2) has. */
static long as_of_mprotect(long result, unsigned ask)
{
	if (result == -EPERM && ask & PROT_EXEC)
		return -EACCES;
	if (!result || sys_refused(result) || result == -EINVAL)
		return result;
	return -ENOMEM;
}

long views_protect(uintptr_t *at, uintptr_t limit, int asked, int pkey)
{
	unsigned ask = (unsigned)asked & ALL_ACCESS;
	bool few = limit - *at <= SMALL_BYTES;

	while (*at < limit) {
		uintptr_t stop = ask & PROT_EXEC ? *at : end_of_one_call(*at, limit, ask);
		struct code_page page;
		long result;

		if (stop > *at) {
			result = protect_in_one_call(*at, stop, asked, pkey);
		} else {
			stop = codepages_run(*at, limit, &page);
			if (pkey == -1 && page.state == PAGE_VIEWED &&
			    has_it_already(*at, &page, ask)) {
				*at = stop;
				continue;
			}
			if (page.state != PAGE_VIEWED || forget_stale(*at, &stop, &page))
				return 0;
			result = view_make_room(*at, stop, &page);
			if (!result)
				result = as_of_mprotect(protect_run(*at, stop, &page, ask, pkey,
								    few),
							ask);
		}
		if (result)
			return result;
		*at = stop;
	}
	return 0;
}
