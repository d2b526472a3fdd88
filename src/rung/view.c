/* rung/view.c: one mapping is changed for another. See rung/view.h. */
#include "view.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "../backing.h"
#include "../hostfilter.h"
#include "../policy.h"
#include "../reserve.h"
#include "../spare.h"
#include "../sys.h"
#include "advice.h"

bool view_is_frozen(const struct code_page *page)
{
	return backing_is_frozen(page->backing);
}

bool view_is_never_written(const struct code_page *page)
{
	return view_is_frozen(page) || reserve_has_executed(page->backing, page->offset);
}

static bool is_never_executed(const struct code_page *page)
{
	return reserve_has(page->backing, page->offset) &&
	       !reserve_has_executed(page->backing, page->offset);
}

/* ----------------------------------------------------------- last changes */

/* A fork copies the memory of a process page after page, while other threads go
 * on; but not the mappings, which are locked meanwhile. So in the child the page
 * table may tell of a mapping before or after the last change that another thread
 * made, and of no other: each change of a mapping waits for the fork. The last two
 * are kept, for the child to look what came of them: one that was made, and one that
 * waits. Therefore a change is forgotten only when another mapping has been changed
 * since; what only the table tells may change meanwhile. */
static struct change {
	uintptr_t start;
	size_t length; /* 0: nothing */
	struct code_page before, after;
	bool returns; /* to new memory of the program's own; there is no one entry before it */
} changes[2] __attribute__((aligned(512)));

static unsigned last_change;

struct change *view_next_change(void)
{
	struct change *change = &changes[++last_change % 2];

	change->length = 0;
	return change;
}

/* A child may find any beginning of what is written here, and no more of it. */
static void note(uintptr_t start, size_t length, const struct code_page *before,
		 const struct code_page *after, bool returns)
{
	struct change *change = view_next_change();

	atomic_thread_fence(memory_order_release);
	change->start = start;
	change->before = *before;
	change->after = *after;
	change->returns = returns;
	atomic_thread_fence(memory_order_release);
	change->length = length;
	atomic_thread_fence(memory_order_release);
}

static void note_change(uintptr_t start, size_t length, const struct code_page *before,
			const struct code_page *after)
{
	note(start, length, before, after, false);
}

void view_note_return(uintptr_t start, size_t length)
{
	const struct code_page own = { .state = PAGE_VIEWED, .view = PROT_READ };

	note(start, length, &own, &own, true);
}

/* Something else was changed since, which a child must not take back. */
void view_forget_changes(void)
{
	changes[0].length = changes[1].length = 0;
}

/* What the program's own memory is mapped as until it is executed. */
unsigned view_waiting(unsigned ask)
{
	unsigned without = ask & ~(unsigned)PROT_EXEC;

	return without ? without : PROT_READ;
}

/* The kernel's mapping, in which ADDRESS lies, is the one that the entry tells of. */
static bool is_told_by(const struct code_page *page, uintptr_t address, const struct vma *vma)
{
	if (!page->backing) /* what was lent maps a file of ours still, or it is other memory */
		return !vma->shared && (!page->lent || vma->inode);
	return vma->shared && vma->inode == backing_inode(page->backing) &&
	       (vma->offset + (address - vma->start)) / PAGE_BYTES == page->offset;
}

/* The same of what the kernel has now. ld.so, and glibc if it is not patched, unmap where
 * no hook sees it. */
bool view_is_current(const struct code_page *page, uintptr_t address, struct vma *vma)
{
	long result = vma_look(address, vma);

	if (result == -ENOENT || (!result && vma->start > address)) {
		vma->protection = 0;
		return false;
	}
	if (result) { /* nobody to ask */
		vma->start = page_down(address);
		vma->end = vma->start + PAGE_BYTES;
		vma->protection = (int)page->view;
		return true;
	}
	return is_told_by(page, address, vma);
}

uintptr_t view_current_until(const struct code_page *page, uintptr_t start, uintptr_t end)
{
	struct code_page here = *page;
	struct vma vma;

	for (uintptr_t at = start; at < end; at = vma.end) {
		here.offset = page->offset + (at - start) / PAGE_BYTES;
		if (!view_is_current(&here, at, &vma))
			return at;
	}
	return end;
}

/* Room for what a run's entries become. */
long view_make_room(uintptr_t start, uintptr_t end, const struct code_page *page)
{
	return page->backing ? codepages_prepare(start, end - start) :
			       codepages_room(start, end - start);
}

/* ---------------------------------------------------------------- mappings */

static long map_from_reserve(uintptr_t start, size_t length, unsigned view, uint64_t offset)
{
	unsigned usual = offset < RESERVE_PAGES ? PROT_READ | PROT_EXEC : PROT_READ | PROT_WRITE;
	long result = reserve_map(start, length, offset);

	if (!sys_failed(result) && view != usual)
		result = sys_mprotect(start, length, (int)view, -1);
	return result;
}

/* The mapping that PAGE describes, in the place of what is at START. A page
 * without a backing maps FILE privately: its contents are the file's until they
 * are written. */
long view_map_over(uintptr_t start, size_t length, const struct code_page *page, unsigned file,
		   uint64_t offset)
{
	int flags = MAP_FIXED | (page->backing ? MAP_SHARED : MAP_PRIVATE);
	long result;

	if (page->backing && length <= SMALL_BYTES && !hostfilter_ends(HOSTFILTER_POPULATE))
		flags |= MAP_POPULATE;
	result = spare_mmap(start, length, (int)page->view, flags, backing_descriptor(file),
			    (int64_t)(offset * PAGE_BYTES));
	if (sys_failed(result) && reserve_has(page->backing, offset))
		result = map_from_reserve(start, length, page->view, offset);
	return sys_failed(result) ? result : 0;
}

static bool changes_backing(const struct code_page *from, const struct code_page *to)
{
	return to->backing && to->backing != from->backing;
}

void view_forget_advised(void)
{
	uintptr_t start, end;

	for (unsigned i = 0; advice_range(i, &start, &end); i++)
		view_forget_stale(start, end);
}

static long map_after(uintptr_t start, size_t length, const struct code_page *before,
		      const struct code_page *after)
{
	const struct code_page *filed = after->backing ? after : before;

	return view_map_over(start, length, after, filed->backing, filed->offset);
}

static long remap_piece(uintptr_t start, size_t length, const struct code_page *before,
		const struct code_page *after)
{
	struct vma_advice advice = advice_at(start);
	long result;

	note_change(start, length, before, after);
	result = map_after(start, length, before, after);
	if (result)
		return result;
	advice_give(&advice, start, length);
	codepages_set(start, length, *after);
	if (changes_backing(before, after))
		backing_use(after->backing, length / PAGE_BYTES);
	if (changes_backing(after, before))
		backing_drop(before->backing, before->offset, length / PAGE_BYTES);
	return 0;
}

/* How much of it lies in one mapping, of which the program said one thing. */
static size_t piece_of(uintptr_t start, size_t length)
{
	struct vma vma;

	if (!advice_may_be(start, start + length) || vma_look(start, &vma) ||
	    vma.end - start > length)
		return length;
	return vma.end - start;
}

/* BEFORE's entries become AFTER's, and its mapping the one that they tell of. */
long view_remap(uintptr_t start, size_t length, const struct code_page *before,
		const struct code_page *after)
{
	struct code_page from = *before, to = *after;
	long result = 0;

	for (size_t piece; length && !result; start += piece, length -= piece) {
		piece = piece_of(start, length);
		result = remap_piece(start, piece, &from, &to);
		from.offset += from.backing ? piece / PAGE_BYTES : 0;
		to.offset += to.backing ? piece / PAGE_BYTES : 0;
	}
	return result;
}

long view_protect(uintptr_t start, size_t length, struct code_page *page, unsigned view, int pkey)
{
	long result = sys_mprotect(start, length, (int)view, pkey);

	if (result)
		return result;
	view_forget_changes();
	page->view = view;
	codepages_set(start, length, *page);
	return 0;
}

/* How a page that is adopted is mapped to be executed. */
unsigned view_executable(const struct code_page *page)
{
	if (page->ask & PROT_WRITE && policy_allows_writable_code() &&
	    !(page->backing && view_is_never_written(page)))
		return ALL_ACCESS;
	return PROT_READ | PROT_EXEC;
}

/* Where one mapping may not be all of it, the page is turned from now on. */
long view_remap_executable(uintptr_t start, size_t length, const struct code_page *before,
			   struct code_page *after)
{
	long result = view_remap(start, length, before, after);

	if (!sys_refused(result) || after->view != ALL_ACCESS)
		return result;
	policy_learn_no_writable_code();
	after->view = PROT_READ | PROT_EXEC;
	return view_remap(start, length, before, after);
}

bool view_may_be_heap(uintptr_t address)
{
	uintptr_t start = vma_heap_start();

	return address >= start && address - start < VMA_HEAP_MOST;
}

/* To SELinux what lies at the heap's addresses is heap, whatever it is. */
static bool may_gain(uintptr_t start)
{
	return policy_allows_gain() &&
	       !(view_may_be_heap(start) && policy_refuses(DANGER_EXECHEAP));
}

/* Gains execute permission. The page tables stay where mprotect may do it. */
long view_turn_executable(uintptr_t start, size_t length, struct code_page *page)
{
	struct code_page after = *page;
	long result;

	page->stores = after.stores = page->stores & WRITTEN_BEFORE;
	after.view = view_executable(page);
	if (is_never_executed(page))
		return view_turn_in_reserve(start, length, page, after.view);
	if (may_gain(start)) {
		result = view_protect(start, length, page, after.view, -1);
		if (!result)
			return 0;
		if (sys_refused(result))
			policy_learn_no_gain();
	}
	result = view_remap_executable(start, length, page, &after);
	if (!result)
		*page = after;
	return result;
}

/* The page becomes the program's own, with the file's contents until it is written. */
void view_lend(struct code_page *page)
{
	page->backing = 0;
	page->offset = 0;
	page->stores = 0;
	page->lent = true;
}

/* Loses execute permission. */
long view_turn_writable(uintptr_t start, size_t length, struct code_page *page, unsigned view,
			int pkey)
{
	struct code_page own = *page;
	long result;

	page->stores &= WRITTEN_BEFORE;
	if (view & PROT_WRITE && page->backing && view_is_never_written(page) && !view_is_frozen(page))
		return view_turn_in_reserve(start, length, page, view);
	own.stores = page->stores;
	own.view = view;
	if (!page->backing || !(view & PROT_WRITE) || !view_is_frozen(page)) {
		result = view_protect(start, length, page, view, pkey);
		if (!result || !page->backing || pkey > 0)
			return result;
	} else {
		view_lend(&own);
	}
	result = view_remap(start, length, page, &own);
	if (!result)
		*page = own;
	return result;
}

/* The mapping is CAME's; what was asked for may be another thing by now. */
static void set_mapping(uintptr_t start, uintptr_t end, const struct code_page *came)
{
	struct code_page page;

	for (uintptr_t at = start, stop; at < end; at = stop) {
		stop = codepages_run(at, end, &page);
		if (page.state != PAGE_VIEWED || codepages_prepare(at, stop - at))
			continue;
		page.view = came->view;
		page.backing = came->backing;
		page.offset = came->backing ? came->offset + (at - start) / PAGE_BYTES : 0;
		page.lent = came->lent;
		codepages_set(at, stop - at, page);
	}
}

/* Something of what is returned was a file's, ours or the program's. */
static bool is_anonymous(uintptr_t start, uintptr_t end)
{
	struct vma vma;

	for (uintptr_t at = start; at < end; at = vma.end)
		if (vma_look(at, &vma) || vma.start > at || vma.shared || vma.inode)
			return false;
	return true;
}

/* PAGE, so far behind the one that it tells of. */
static struct code_page page_behind(const struct code_page *page, size_t bytes)
{
	struct code_page behind = *page;

	if (page->backing)
		behind.offset += bytes / PAGE_BYTES;
	return behind;
}

/* Of the change at AT, up to END at the most: the kernel has what came, what was, or by now
 * something else. Where it has the next. */
static uintptr_t review_part(const struct change *change, uintptr_t at, uintptr_t end)
{
	struct code_page after = page_behind(&change->after, at - change->start);
	struct code_page before = page_behind(&change->before, at - change->start);
	struct vma vma;
	long result = vma_look(at, &vma);
	uintptr_t stop = result ? at + PAGE_BYTES : vma.end;

	if (result == -ENOENT)
		return end;
	if (!result && vma.start > at)
		return vma.start;
	if (stop > end)
		stop = end;
	if (result || is_told_by(&after, at, &vma)) /* or there is nobody to ask */
		set_mapping(at, stop, &after);
	else if (is_told_by(&before, at, &vma))
		set_mapping(at, stop, &before);
	return stop;
}

/* Which of the two the page table tells of, and which the kernel has: of a part something
 * else may have been made since, which was no change of a page, but a new mapping. */
static void review(const struct change *change)
{
	uintptr_t start = change->start, end = start + change->length;

	if (change->returns) {
		if (change->length && is_anonymous(start, end))
			set_mapping(start, end, &change->after);
		return;
	}
	for (uintptr_t at = start; at < end;)
		at = review_part(change, at, end);
}

void view_review_changes(void)
{
	review(&changes[(last_change + 1) % 2]);
	review(&changes[last_change % 2]);
}
