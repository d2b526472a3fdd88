/* rung/together.c: what is done for the page of a fault, and for those beside it at once.
 * See rung/together.h. */
#include "together.h"

#include <signal.h>
#include <sys/mman.h>

#include "../backing.h"
#include "../sys.h"

/* Whether the stack of the fault's thread, or its signal stack, lies between START and END,
 * or may come down to there. */
static bool holds_stack(const ucontext_t *context, uintptr_t start, uintptr_t end)
{
	uintptr_t top = arch_stack(context), signals = (uintptr_t)context->uc_stack.ss_sp;

	if (start < top && top <= end + SMALL_BYTES)
		return true;
	return !(context->uc_stack.ss_flags & SS_DISABLE) && signals < end &&
	       start < signals + context->uc_stack.ss_size;
}

static bool is_alike(uintptr_t address, const struct code_page *page)
{
	struct code_page other = codepages_get(address);

	return other.state == PAGE_VIEWED && !other.backing && other.ask == page->ask &&
	       other.view == page->view;
}

/* Nothing but the page where the program may also write: its data, its stacks even, may lie
 * beside the code. */
void together_widen(uintptr_t *start, uintptr_t *end, const struct code_page *page,
		    const struct vma *vma)
{
	uintptr_t first = *start / SMALL_BYTES * SMALL_BYTES, last = first + SMALL_BYTES;

	if (page->ask & PROT_WRITE)
		return;
	while (*start > first && *start > vma->start && is_alike(*start - PAGE_BYTES, page))
		*start -= PAGE_BYTES;
	while (*end < last && *end < vma->end && is_alike(*end, page))
		*end += PAGE_BYTES;
}

/* Whether the page at AT, in the same mapping, is turned with the one at START: it is no
 * more in use than that, and if it is writable, nobody has been seen to write to it. */
static bool goes_along(uintptr_t at, uintptr_t start, const struct code_page *page,
		       const ucontext_t *context)
{
	struct code_page other = codepages_get(at);

	return other.state == PAGE_VIEWED && other.backing == page->backing &&
	       other.ask == page->ask && other.view == page->view &&
	       other.offset + start / PAGE_BYTES == page->offset + at / PAGE_BYTES &&
	       (!(other.view & PROT_WRITE) || (other.stores & STORES_MASK) == TURNED_ALONG) &&
	       !view_executes(context, at);
}

/* The entry of the first of the pages that are turned together. Of a frozen file each page
 * that is written leaves it, and those beside it would have to be copied for the next fetch. */
static struct code_page spread(uintptr_t *start, uintptr_t *end, int access,
			       const struct code_page *page, const struct vma *vma,
			       const ucontext_t *context)
{
	uintptr_t at = *start, first = at / TURN_BYTES * TURN_BYTES, last = first + TURN_BYTES;
	struct code_page all = *page;

	if (!page->backing || backing_is_reserve(page->backing) || view_is_frozen(page) ||
	    (access == PROT_EXEC && holds_stack(context, first, last)))
		return all;
	while (*start > first && *start > vma->start &&
	       goes_along(*start - PAGE_BYTES, at, page, context))
		*start -= PAGE_BYTES;
	while (*end < last && *end < vma->end && goes_along(*end, at, page, context))
		*end += PAGE_BYTES;
	all.offset -= (at - *start) / PAGE_BYTES;
	return all;
}

/* What is remembered of stores is PAGE's own. */
long together_turn(uintptr_t at, int access, struct code_page *page, const struct vma *vma,
		   const ucontext_t *context)
{
	uintptr_t start = at, end = at + PAGE_BYTES;
	struct code_page all = spread(&start, &end, access, page, vma, context);
	long result;

	if (access == PROT_EXEC)
		result = view_turn_executable(start, end - start, &all);
	else
		result = view_turn_writable(start, end - start, &all,
					    page->ask & ~(unsigned)PROT_EXEC, -1);
	if (result)
		return result;
	if (end - start > PAGE_BYTES) {
		struct code_page beside = all;

		beside.stores = access == PROT_WRITE ? TURNED_ALONG : 0;
		codepages_set(start, end - start, beside);
		all.offset += (at - start) / PAGE_BYTES;
		codepages_set(at, PAGE_BYTES, all);
	}
	*page = all;
	return 0;
}
