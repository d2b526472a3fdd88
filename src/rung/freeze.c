/* rung/freeze.c: a fork. See rung/views.h. */
#include <sys/mman.h>

#include "../backing.h"
#include "../detour.h"
#include "../sys.h"
#include "advice.h"
#include "view.h"

static bool is_to_freeze(const struct code_page *page)
{
	return page->state == PAGE_VIEWED && page->backing &&
	       !backing_is_shared(page->backing) && page->view & PROT_WRITE;
}

/* Where the mapping that AT lies in ends, as far as the table tells: pages that differ
 * in what was asked, or how often they were stored to, are in one. */
static uintptr_t end_of_mapping(uintptr_t at, const struct code_page *page)
{
	uint64_t offset = page->offset;
	struct code_page next;

	for (uintptr_t end = at, stop;; end = stop) {
		stop = codepages_run(end, ADDRESS_LIMIT, &next);
		if (next.state != PAGE_VIEWED || next.backing != page->backing ||
		    next.view != page->view || next.offset != offset)
			return end;
		offset += (stop - end) / PAGE_BYTES;
	}
}

/* What is writable and would be shared with the child. One mapping at once: to cut one
 * in pieces may be more than there can be. */
static uintptr_t freeze(uintptr_t start, const struct code_page *page)
{
	uintptr_t all = view_current_until(page, start, end_of_mapping(start, page));
	uintptr_t end = advice_same_until(start, all);
	struct vma_advice advice = advice_at(start);
	struct code_page own = *page, run;
	bool lent = !(own.view & PROT_EXEC) && !codepages_prepare(start, end - start);

	/* The heap's end may have gone, and come again as other memory. */
	if (end == start)
		return start + PAGE_BYTES;
	if (lent)
		view_lend(&own);
	else
		own.view &= ~(unsigned)PROT_WRITE; /* the next store makes it its own */
	if (view_map_over(start, end - start, &own, page->backing, page->offset)) {
		/* There is no error that a fork's preparations could give, and what both
		 * can write to would not be two. */
		own = *page;
		own.view &= ~(unsigned)PROT_WRITE;
		if (sys_mprotect(start, end - start, (int)own.view, -1))
			return end;
	}
	view_forget_changes();
	advice_give(&advice, start, end - start);
	for (uintptr_t at = start, stop; at < end; at = stop) {
		stop = codepages_run(at, end, &run);
		if (!own.backing)
			backing_drop(run.backing, run.offset, (stop - at) / PAGE_BYTES);
		run.view = own.view;
		if (!own.backing)
			view_lend(&run);
		codepages_set(at, stop - at, run);
	}
	return end;
}

void views_before_fork(void)
{
	struct code_page page;

	backing_before_fork(); /* first: nothing may be punched out of what is mapped privately */
	for (uintptr_t at = codepages_next(0, ADDRESS_LIMIT), stop; at < ADDRESS_LIMIT;
	     at = codepages_next(stop, ADDRESS_LIMIT)) {
		stop = codepages_run(at, ADDRESS_LIMIT, &page);
		if (is_to_freeze(&page))
			stop = freeze(at, &page);
	}
}

/* What was adopted meanwhile is in the child too. */
void views_after_fork(void)
{
	backing_after_fork();
}

void views_in_child(void)
{
	backing_in_child();
	detour_in_child();
	advice_in_child();
	view_review_changes();
	/* MADV_DONTFORK: it is not there. */
	view_forget_advised();
}
