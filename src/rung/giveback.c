/* rung/giveback.c: viewed pages go, or become the program's own memory again. See
 * rung/views.h. */
#include <errno.h>
#include <sys/mman.h>

#include "../backing.h"
#include "../sys.h"
#include "advice.h"
#include "view.h"

static void drop_uses(uintptr_t start, uintptr_t end)
{
	struct code_page page;

	advice_forget(start, end);
	for (uintptr_t at = codepages_next(start, end), stop; at < end;
	     at = codepages_next(stop, end)) {
		stop = codepages_run(at, end, &page);
		if (page.backing)
			backing_drop(page.backing, page.offset, (stop - at) / PAGE_BYTES);
	}
}

void views_drop_uses(uintptr_t start, uintptr_t end)
{
	view_next_change();
	drop_uses(start, end);
}

void view_drop_stale(uintptr_t start, uintptr_t end)
{
	drop_uses(start, end);
	codepages_clear(start, end - start);
}

void views_drop(uintptr_t start, uintptr_t end)
{
	views_drop_uses(start, end);
	codepages_clear(start, end - start);
}

static bool copy_run(uintptr_t to, uintptr_t start, uintptr_t end, const struct code_page *page)
{
	size_t length = end - start;
	long copied;

	copied = sys_copy_memory(sys_getpid(), (void *)to, start, length);
	if (copied != (long)length && page->backing) /* no view of it may be read */
		copied = sys_pread(backing_descriptor(page->backing), (void *)to, length,
				   (int64_t)(page->offset * PAGE_BYTES));
	return copied == (long)length;
}

/* A viewed page that is the program's alone, and yet a file's of ours. */
static bool is_in_private_file(const struct code_page *page)
{
	return page->lent || (page->backing && !backing_is_shared(page->backing));
}

static bool is_shared(const struct code_page *page)
{
	return page->backing && backing_is_shared(page->backing);
}

/* Whether any page of the range is such a one. */
static bool has(uintptr_t start, uintptr_t end, bool (*is_such)(const struct code_page *))
{
	struct code_page page;

	for (uintptr_t at = start; at < end;) {
		at = codepages_run(at, end, &page);
		if (is_such(&page))
			return true;
	}
	return false;
}

/* What own memory is mapped as. */
static unsigned own_view(const struct code_page *page)
{
	return page->ask & PROT_EXEC ? view_waiting(page->ask) : page->ask;
}

/* The copy takes the pages' place, with the protections that own memory has. */
static long settle_copy(uintptr_t copy, uintptr_t start, uintptr_t end)
{
	struct vma_advice advice = advice_at(start);
	struct code_page page;
	long result;

	for (uintptr_t at = start, stop; at < end; at = stop) {
		stop = codepages_run(at, end, &page);
		if (page.state == PAGE_UNKNOWN)
			continue;
		result = sys_mprotect(copy + (at - start), stop - at, (int)own_view(&page), -1);
		if (result)
			return result;
	}
	view_note_return(start, end - start);
	result = sys_mremap(copy, end - start, end - start, MREMAP_MAYMOVE | MREMAP_FIXED, start);
	if (sys_failed(result))
		return result;
	advice_give(&advice, start, end - start);
	for (uintptr_t at = start, stop; at < end; at = stop) {
		stop = codepages_run(at, end, &page);
		if (page.backing)
			backing_drop(page.backing, page.offset, (stop - at) / PAGE_BYTES);
		if (page.state == PAGE_UNKNOWN)
			continue;
		page.view = own_view(&page);
		page.backing = 0;
		page.offset = 0;
		page.stores = 0;
		page.lent = false;
		codepages_set(at, stop - at, page);
	}
	return 0;
}

/* A file that was come by twice is taken for the first. */
static void take_first(uintptr_t start, uintptr_t end, unsigned first)
{
	struct code_page page;

	for (uintptr_t at = start, stop; at < end; at = stop) {
		struct code_page before;

		stop = codepages_run(at, end, &before);
		if (before.backing == first)
			continue;
		page = before;
		page.backing = first;
		backing_use(first, (stop - at) / PAGE_BYTES);
		codepages_set(at, stop - at, page);
		backing_drop(before.backing, before.offset, (stop - at) / PAGE_BYTES);
	}
}

/* Shared memory becomes one mapping with one view. */
static long unite_shared(uintptr_t start, uintptr_t end)
{
	struct code_page page, first = codepages_get(start);
	struct code_page whole = first;

	whole.view = first.ask;
	if (first.ask & PROT_EXEC)
		whole.view = first.ask & PROT_WRITE ? view_waiting(first.ask) :
						      PROT_READ | PROT_EXEC;
	for (uintptr_t at = start; at < end;) {
		uintptr_t stop = codepages_run(at, end, &page);

		if (!backing_is_same_file(page.backing, first.backing) ||
		    page.offset != first.offset + (at - start) / PAGE_BYTES)
			return -EFAULT;
		at = stop;
	}
	take_first(start, end, first.backing);
	return view_remap(start, end - start, &first, &whole);
}

/* One new mapping for all of it. */
static long return_all(uintptr_t start, uintptr_t end)
{
	struct code_page page;
	long copy, result = codepages_prepare(start, end - start);

	if (result)
		return result;
	copy = sys_mmap(0, end - start, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (sys_failed(copy))
		return copy;
	/* Whoever stores now waits. */
	result = sys_mprotect(start, end - start, PROT_READ, -1);
	for (uintptr_t at = start, stop; at < end && !result; at = stop) {
		stop = codepages_run(at, end, &page);
		if (!copy_run((uintptr_t)copy + (at - start), at, stop, &page))
			result = -EFAULT;
	}
	if (!result)
		result = settle_copy((uintptr_t)copy, start, end);
	if (result)
		sys_munmap((uintptr_t)copy, end - start);
	return result;
}

/* What is in the way is nothing that the program has asked for. */
long views_return(uintptr_t start, uintptr_t end)
{
	for (uintptr_t at = start, stop; at < end; at = stop) {
		stop = advice_same_until(at, end);
		if (has(at, stop, is_in_private_file) && return_all(at, stop))
			return -ENOMEM;
	}
	return 0;
}

/* Whether PAGE and the one behind it, NEXT, are in one mapping as the program sees it. */
static bool is_one(const struct code_page *page, const struct code_page *next, uint64_t pages)
{
	if (page->state != next->state)
		return false;
	if (page->state != PAGE_VIEWED)
		return true; /* the kernel's to tell */
	if (page->ask != next->ask || is_shared(page) != is_shared(next))
		return false;
	return !is_shared(page) ||
	       (backing_is_same_file(page->backing, next->backing) &&
		page->offset + pages == next->offset);
}

/* Where what begins at START ends that is one mapping as the program sees it. */
static uintptr_t end_of_one(uintptr_t start, uintptr_t limit, struct code_page *page)
{
	uintptr_t at = codepages_run(start, limit, page);

	while (at < limit) {
		struct code_page next;
		uintptr_t stop = codepages_run(at, limit, &next);

		if (!is_one(page, &next, (at - start) / PAGE_BYTES))
			break;
		at = stop;
	}
	return at;
}

/* Own memory all mapped as VIEW. */
static long view_alike(uintptr_t start, uintptr_t end, unsigned view)
{
	struct code_page page;
	long result = 0;

	for (uintptr_t at = start, stop; at < end && !result; at = stop) {
		stop = codepages_run(at, end, &page);
		if (page.view == view)
			continue;
		result = view_make_room(at, stop, &page);
		if (!result)
			result = view_protect(at, stop - at, &page, view, -1);
	}
	return result;
}

static long unite_own(uintptr_t start, uintptr_t end)
{
	struct code_page page = codepages_get(start);
	long result = views_return(start, end);

	return result ? result : view_alike(start, end, own_view(&page));
}

/* Memory that others know nothing of, once turned page by page, is in many mappings
 * that stay apart. But memory of the program's own that never was in a file of ours
 * is as it made it. */
static long unite(uintptr_t start, uintptr_t end, const struct code_page *page)
{
	if (page->state != PAGE_VIEWED)
		return 0;
	return is_shared(page) ? unite_shared(start, end) : unite_own(start, end);
}

void view_forget_stale(uintptr_t start, uintptr_t end)
{
	struct code_page page;

	for (uintptr_t at = codepages_next(start, end), stop; at < end;
	     at = codepages_next(stop, end)) {
		stop = codepages_run(at, end, &page);
		if (page.state == PAGE_VIEWED)
			stop = view_current_until(&page, at, stop);
		if (stop > at)
			continue;
		stop = at + PAGE_BYTES;
		view_drop_stale(at, stop);
	}
}

/* Memory that waits to be executed: mapped as if it were data. */
static bool waits(const struct code_page *page)
{
	return page->state == PAGE_VIEWED && !page->backing && page->ask & PROT_EXEC &&
	       page->view & PROT_WRITE;
}

/* Whether what lies before ADDRESS and behind it is one mapping of the kernel's. */
static bool is_within_mapping(uintptr_t address)
{
	struct vma vma;

	return !vma_look(address - PAGE_BYTES, &vma) && vma.start < address && vma.end > address;
}

/* What is two mappings as the program sees it is two to the kernel as well: the next
 * store makes it writable again. */
static long divide(uintptr_t start, uintptr_t end)
{
	long result = 0;

	for (uintptr_t at = start, stop; at < end && !result; at = stop) {
		struct code_page page;

		stop = end_of_one(at, end, &page);
		if (waits(&page) && ((at > start && is_within_mapping(at)) ||
				     (stop < end && is_within_mapping(stop))))
			result = view_alike(at, stop, PROT_READ);
	}
	return result;
}

/* Whether what is at AT, without an entry, is one mapping for the program with the shared
 * memory at BESIDE; then *PAGE is the entry for it. */
static bool goes_with(uintptr_t beside, uintptr_t at, struct code_page *page)
{
	struct vma vma;

	*page = codepages_get(beside);
	if (!is_shared(page))
		return false;
	page->offset += at / PAGE_BYTES - beside / PAGE_BYTES;
	return view_is_current(page, at, &vma) && (unsigned)vma.protection == page->ask;
}

/* Where only a part of shared memory was asked executable, the rest is of the same file,
 * and in another mapping all the same if that file was come by anew: it is noted for
 * what it is. */
static long note_rest(uintptr_t start, uintptr_t end)
{
	long result = 0;

	for (uintptr_t at = start, stop; at < end && !result; at = stop) {
		struct code_page page;
		struct vma vma;

		stop = codepages_run(at, end, &page);
		if (page.state != PAGE_UNKNOWN)
			continue;
		if (vma_look(at, &vma) || vma.start > at)
			continue;
		if (vma.end < stop)
			stop = vma.end;
		if (!vma.shared)
			continue;
		if ((at > start && goes_with(at - PAGE_BYTES, at, &page)) ||
		    (stop < end && goes_with(stop, at, &page)))
			result = views_note_file(at, stop, vma.protection, vma.protection,
						 page.backing, page.offset);
	}
	return result;
}

long views_unite(uintptr_t start, uintptr_t end, bool grows)
{
	long result;

	view_forget_stale(start, end);
	result = note_rest(start, end);
	for (uintptr_t at = start, stop; at < end && !result; at = stop) {
		struct code_page page;

		stop = end_of_one(at, end, &page);
		if (grows && stop < end && page.state == PAGE_VIEWED &&
		    codepages_get(stop).state == PAGE_VIEWED)
			return -EFAULT; /* mremap(2): what it says of several mappings */
		result = unite(at, stop, &page);
	}
	return result ? result : divide(start, end);
}

/* Whether the program may take it for one mapping, whoever has turned a part of it once. */
static bool is_asked_alike(uintptr_t start, uintptr_t end)
{
	unsigned first = 0;

	for (uintptr_t at = start, stop; at < end; at = stop) {
		struct code_page page;
		struct vma vma;
		unsigned ask;

		stop = codepages_run(at, end, &page);
		if (page.state == PAGE_PLAIN || vma_look(at, &vma) || vma.start > at ||
		    vma.shared || vma.inode)
			return false;
		if (vma.end < stop)
			stop = vma.end;
		ask = page.state == PAGE_VIEWED ? page.ask : (unsigned)vma.protection;
		if (at > start && ask != first)
			return false;
		first = ask;
	}
	return end > start && advice_same_until(start, end) == end;
}

long views_make_one(uintptr_t start, uintptr_t end)
{
	long result = is_asked_alike(start, end) ? 0 : -EFAULT;

	for (uintptr_t at = start, stop; at < end && !result; at = stop) {
		struct code_page page;
		struct vma vma;

		stop = codepages_run(at, end, &page);
		if (page.state == PAGE_UNKNOWN && !vma_look(at, &vma))
			result = views_note(at, stop, vma.protection, vma.protection);
	}
	return result ? result : return_all(start, end);
}

static uintptr_t end_of_private_files(uintptr_t at, uintptr_t limit)
{
	while (at < limit) {
		struct code_page page;
		uintptr_t stop = codepages_run(at, limit, &page);

		if (!is_in_private_file(&page))
			return at;
		at = stop;
	}
	return limit;
}

long views_return_files(uintptr_t at, uintptr_t limit)
{
	long result = 0;

	view_forget_stale(at, limit);
	while (at < limit && !result) {
		uintptr_t end = end_of_private_files(at, limit);
		struct code_page other;

		if (end > at)
			result = views_return(at, end);
		else
			end = codepages_run(at, limit, &other);
		at = end;
	}
	return result;
}
