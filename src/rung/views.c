/* rung/views.c: adopting, turning and giving back. See rung/views.h. */
#include "views.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "../backing.h"
#include "../codepages.h"
#include "../detour.h"
#include "../memory.h"
#include "../policy.h"
#include "../store.h"
#include "../sys.h"
#include "../vma.h"

/* Up to this size the kernel is asked to fill in the page tables at once, and
 * memory that is asked executable but not writable is adopted without waiting for
 * the fetch: both are cheaper than the faults that would come. */
#define SMALL_BYTES (16 * PAGE_BYTES)

/* So many stores into a page are carried out one by one; then it is turned. */
#define STORES_BEFORE_TURNING 4U

/* A page's stores: how many were carried out since its last turn, and whether that
 * has been too many once. */
#define STORES_MASK 7U
#define WRITTEN_BEFORE 8U

#define HEAP_MOST ((uintptr_t)1 << 40)
#define ADDRESS_LIMIT ((uintptr_t)1 << ARCH_ADDRESS_BITS)
#define ALL_ACCESS (PROT_READ | PROT_WRITE | PROT_EXEC)


static bool is_frozen(const struct code_page *page)
{
	return backing_is_frozen(page->backing);
}

/* ----------------------------------------------------------- last changes */

/* A fork copies the memory of a process page after page, while other threads go
 * on; but not the mappings, which are locked meanwhile. So in the child the page
 * table may tell of a mapping before or after the last change that another thread
 * made, and of no other: each change of a mapping waits for the fork. The last two
 * are kept, for the child to look what came of them. */
static struct change {
	uintptr_t start;
	size_t length; /* 0: nothing */
	struct code_page before, after;
} changes[2] __attribute__((aligned(512)));

static unsigned last_change;

static struct change *next_change(void)
{
	struct change *change = &changes[++last_change % 2];

	change->length = 0;
	return change;
}

/* Something else was changed since, which a child must not take back. */
static void forget_changes(void)
{
	changes[0].length = changes[1].length = 0;
}

/* ---------------------------------------------------------------- mappings */

/* The mapping that PAGE describes, in the place of what is at START. A page
 * without a backing maps FILE privately: its contents are the file's until they
 * are written. */
static long map_over(uintptr_t start, size_t length, const struct code_page *page, unsigned file,
		     uint64_t offset)
{
	int flags = MAP_FIXED | (page->backing ? MAP_SHARED : MAP_PRIVATE);
	long result;

	if (page->backing && length <= SMALL_BYTES)
		flags |= MAP_POPULATE;
	result = sys_mmap(start, length, (int)page->view, flags, backing_descriptor(file),
			  (int64_t)(offset * PAGE_BYTES));
	return sys_failed(result) ? result : 0;
}

static bool changes_backing(const struct code_page *from, const struct code_page *to)
{
	return to->backing && to->backing != from->backing;
}

/* What the program said of its memory besides its protection is said of what takes
 * its place. To look takes long, so only where the program ever said such a thing. */
static bool host_advises;

void views_note_advice(void)
{
	host_advises = true;
}

static struct vma_advice advice_of(uintptr_t start)
{
	return host_advises ? vma_advice(start) : (struct vma_advice){ 0 };
}

static void advise(const struct vma_advice *advice, uintptr_t start, size_t length)
{
	if (advice->dont_fork)
		sys_madvise(start, length, MADV_DONTFORK);
	if (advice->dont_dump)
		sys_madvise(start, length, MADV_DONTDUMP);
	if (advice->locked)
		sys_mlock2(start, length, advice->on_fault ? MLOCK_ONFAULT : 0);
}

static long map_after(uintptr_t start, size_t length, const struct code_page *before,
		      const struct code_page *after)
{
	const struct code_page *filed = after->backing ? after : before;

	return map_over(start, length, after, filed->backing, filed->offset);
}

/* BEFORE's entries become AFTER's, and its mapping the one that they tell of. */
static long remap(uintptr_t start, size_t length, const struct code_page *before,
		  const struct code_page *after)
{
	struct vma_advice advice = advice_of(start);
	struct change *change = next_change();
	long result;

	*change = (struct change){ start, length, *before, *after };
	result = map_after(start, length, before, after);
	if (result)
		return result;
	advise(&advice, start, length);
	codepages_set(start, length, *after);
	if (changes_backing(before, after))
		backing_use(after->backing, length / PAGE_BYTES);
	if (changes_backing(after, before))
		backing_drop(before->backing, before->offset, length / PAGE_BYTES);
	return 0;
}

static long protect(uintptr_t start, size_t length, struct code_page *page, unsigned view, int pkey)
{
	long result = sys_mprotect(start, length, (int)view, pkey);

	if (result)
		return result;
	forget_changes();
	page->view = view;
	codepages_set(start, length, *page);
	return 0;
}

/* How a page that is adopted is mapped to be executed. */
static unsigned executable_view(const struct code_page *page)
{
	if (page->ask & PROT_WRITE && policy_allows_writable_code() &&
	    !(page->backing && is_frozen(page)))
		return ALL_ACCESS;
	return PROT_READ | PROT_EXEC;
}

static bool is_refusal(long result)
{
	return result == -EACCES || result == -EPERM;
}

/* Where one mapping may not be all of it, the page is turned from now on. */
static long remap_executable(uintptr_t start, size_t length, const struct code_page *before,
			     struct code_page *after)
{
	long result = remap(start, length, before, after);

	if (!is_refusal(result) || after->view != ALL_ACCESS)
		return result;
	policy_learn_no_writable_code();
	after->view = PROT_READ | PROT_EXEC;
	return remap(start, length, before, after);
}

/* Gains execute permission. The page tables stay where mprotect may do it. */
static long turn_executable(uintptr_t start, size_t length, struct code_page *page)
{
	struct code_page after = *page;
	long result;

	page->stores = after.stores = page->stores & WRITTEN_BEFORE;
	after.view = executable_view(page);
	if (policy_allows_gain()) {
		result = protect(start, length, page, after.view, -1);
		if (!is_refusal(result))
			return result;
		policy_learn_no_gain();
	}
	result = remap_executable(start, length, page, &after);
	if (!result)
		*page = after;
	return result;
}

/* The page becomes the program's own, with the file's contents until it is written. */
static void lend(struct code_page *page)
{
	page->backing = 0;
	page->offset = 0;
	page->stores = 0;
	page->lent = true;
}

/* Loses execute permission. */
static long turn_writable(uintptr_t start, size_t length, struct code_page *page, unsigned view,
			  int pkey)
{
	struct code_page own = *page;
	long result;

	page->stores &= WRITTEN_BEFORE;
	if (!page->backing || !(view & PROT_WRITE) || !is_frozen(page))
		return protect(start, length, page, view, pkey);
	own.view = view;
	lend(&own);
	result = remap(start, length, page, &own);
	if (!result)
		*page = own;
	return result;
}

/* ---------------------------------------------------------------- adopting */

/* Pages of one window of the backing; the entries are alike and without backing. */
static long adopt_window(uintptr_t start, size_t length, const struct code_page *page)
{
	struct code_page before = *page, after = *page;
	long offset = backing_place(start, &after.backing);
	size_t filled;
	long result;

	if (sys_failed(offset))
		return offset;
	after.offset = (uint64_t)offset;
	after.stores = 0;
	after.lent = false;
	after.view = executable_view(&after);
	/* Whoever stores now waits. */
	if ((before.view & ~(unsigned)PROT_EXEC) != PROT_READ) {
		result = sys_mprotect(start, length, PROT_READ, -1);
		if (result)
			return result;
	}
	filled = backing_fill(after.backing, after.offset, start, length);
	/* In a signal handler every protection key but 0 is shut (pkeys(7)). */
	if (!filled && !sys_mprotect(start, length, PROT_READ, 0))
		filled = backing_fill(after.backing, after.offset, start, length);
	result = filled ? remap_executable(start, filled, &before, &after) : -EFAULT;
	if (result)
		filled = 0;
	else
		/* The program cleans caches for what it wrote, not for our copy of it. */
		arch_synchronise_code(start, filled);
	if (filled < length)
		sys_mprotect(start + filled, length - filled, (int)before.view, -1);
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
	long offset = backing_place(start, &after.backing);

	if (sys_failed(offset))
		return offset;
	after.offset = (uint64_t)offset;
	if (!backing_copy(page->backing, page->offset, after.backing, after.offset,
			  length / PAGE_BYTES))
		return -EFAULT;
	return remap(start, length, page, &after);
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
		if (page.state == PAGE_VIEWED && page.backing == frozen)
			result = copy_to_current(at, stop - at, &page);
	}
	if (result)
		backing_not_left(frozen);
}

/* Pages that lie in one mapping, whose entries are alike and without backing. */
static long adopt(uintptr_t start, uintptr_t limit, const struct code_page *page)
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
	return result;
}

/* ---------------------------------------------------------------- requests */

/* What the program's own memory is mapped as until it is executed. */
static unsigned waiting_view(unsigned ask)
{
	unsigned without = ask & ~(unsigned)PROT_EXEC;

	return without ? without : PROT_READ;
}

static long note_own(uintptr_t start, uintptr_t end, const struct code_page *page)
{
	long result = codepages_room(start, end - start);

	next_change();
	if (!result)
		codepages_set(start, end - start, *page);
	return result;
}

long views_note(uintptr_t start, uintptr_t end, int protection, int ask)
{
	struct code_page page = {
		.state = PAGE_VIEWED,
		.ask = (unsigned)ask & ALL_ACCESS,
		.view = (unsigned)protection & ALL_ACCESS,
	};

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
	codepages_set(start, end - start, page);
	backing_use(backing, (end - start) / PAGE_BYTES);
	return 0;
}

static bool is_adopted_at_once(uintptr_t start, uintptr_t end, unsigned ask)
{
	return !(ask & PROT_WRITE) && end - start <= SMALL_BYTES;
}

/* Own memory with ASK, of which the kernel has PROTECTION now. */
static long give_own(uintptr_t start, uintptr_t end, struct code_page *page, unsigned ask, int pkey)
{
	struct code_page before = codepages_get(start);
	unsigned view = waiting_view(ask);
	long result;

	/* First: whoever executes it, or stores, while it changes has to wait. */
	page->ask = ask;
	result = note_own(start, end, page);
	if (result)
		return result;
	if (ask & PROT_EXEC && is_adopted_at_once(start, end, ask))
		result = adopt(start, end, page);
	else
		result = sys_mprotect(start, end - start, (int)view, pkey);
	if (result) {
		codepages_set(start, end - start, before);
		return result;
	}
	if (ask & PROT_EXEC && is_adopted_at_once(start, end, ask))
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

/* The kernel's mapping at ADDRESS is the one that the entry tells of. glibc and
 * ld.so unmap where no hook sees it. */
static bool is_current(const struct code_page *page, uintptr_t address, struct vma *vma)
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
	if (!page->backing)
		return !vma->shared;
	return vma->shared && backing_is_file(page->backing, vma->inode) &&
	       (vma->offset + (address - vma->start)) / PAGE_BYTES == page->offset;
}

/* A run of adopted pages, for which ASK is wanted with PROT_EXEC. */
static long give_adopted(uintptr_t start, uintptr_t end, struct code_page *page, unsigned ask,
			 int pkey)
{
	long result;

	forget_changes();
	page->ask = ask;
	/* Where a store and a fetch are both to come, the fault says which. */
	if (ask & PROT_WRITE && page->view & (PROT_WRITE | PROT_EXEC))
		return codepages_set(start, end - start, *page), 0;
	if (page->view & PROT_EXEC && !(page->view & PROT_WRITE))
		return codepages_set(start, end - start, *page), 0;
	result = turn_executable(start, end - start, page);
	if (!result && pkey > 0)
		sys_mprotect(start, end - start, (int)page->view, pkey);
	return result;
}

static long protect_run(uintptr_t start, uintptr_t end, struct code_page *page, unsigned ask,
			int pkey)
{
	if (!(ask & PROT_EXEC)) {
		page->ask = ask;
		return turn_writable(start, end - start, page, ask, pkey);
	}
	if (page->backing)
		return give_adopted(start, end, page, ask, pkey);
	return give_own(start, end, page, ask, pkey);
}

/* Room for what a run's entries become. */
static long make_room(uintptr_t start, uintptr_t end, const struct code_page *page)
{
	return page->backing ? codepages_prepare(start, end - start) :
			       codepages_room(start, end - start);
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
		    (ask & PROT_WRITE && page.backing && is_frozen(&page)))
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
		result = make_room(at, stop, &page);
		if (!result)
			codepages_set(at, stop - at, page);
	}
	return result;
}

static long protect_in_one_call(uintptr_t start, uintptr_t end, int asked, int pkey)
{
	long result = sys_mprotect(start, end - start, asked, pkey);

	forget_changes();
	return result ? result : note_views(start, end, (unsigned)asked & ALL_ACCESS);
}

/* Pages that went, and came again as others, where no hook saw it. */
static bool forget_stale(uintptr_t start, uintptr_t end, const struct code_page *page)
{
	struct vma vma;

	if (!page->backing || is_current(page, start, &vma))
		return false;
	views_drop(start, end);
	return true;
}

/* The heap's end comes and goes by brk, which no hook sees. */
static bool comes_and_goes(uintptr_t address)
{
	uintptr_t start = vma_heap_start();

	return address >= start && address - start < HEAP_MOST;
}

/* Programs make all of their code executable again for each piece that is new. */
static bool has_it_already(uintptr_t start, const struct code_page *page, unsigned ask)
{
	unsigned view = page->backing ? PROT_READ | PROT_EXEC : waiting_view(ask);

	return page->ask == ask && page->view == view && !comes_and_goes(start);
}

long views_protect(uintptr_t *at, uintptr_t limit, int asked, int pkey)
{
	unsigned ask = (unsigned)asked & ALL_ACCESS;

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
			if (page.state != PAGE_VIEWED || forget_stale(*at, stop, &page))
				return 0;
			result = make_room(*at, stop, &page);
			if (!result)
				result = protect_run(*at, stop, &page, ask, pkey);
		}
		if (result)
			return result;
		*at = stop;
	}
	return 0;
}

/* ------------------------------------------------------------------ faults */

static bool permits(unsigned protection, int access)
{
	return access == PROT_READ ? protection != PROT_NONE : (protection & (unsigned)access) != 0;
}

static bool is_alike(uintptr_t address, const struct code_page *page)
{
	struct code_page other = codepages_get(address);

	return other.state == PAGE_VIEWED && !other.backing && other.ask == page->ask &&
	       other.view == page->view;
}

/* What is adopted with a page. Nothing but the page where the program may also
 * write: its data, its stacks even, may lie beside the code. */
static void widen(uintptr_t *start, uintptr_t *end, const struct code_page *page,
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

/* The file of a page cannot be come by any more: a new one is taken. */
static bool leave_file(uintptr_t start, struct code_page *page)
{
	if (!page->backing || backing_is_shared(page->backing) ||
	    views_return(start, start + PAGE_BYTES))
		return false;
	*page = codepages_get(start);
	return true;
}

/* -------------------------------------------------------- too many mappings */

/* A process has so many mappings at most (vm.max_map_count), and a page that is
 * turned by itself makes up to two more. Where there is no room for one, all of
 * its MiB becomes one mapping again. To get there takes a few, which are kept. */
#define SPARE_MAPPINGS 64UL
#define ADOPTED_BEFORE_SPARE 2048UL

static uintptr_t spare;
static size_t adopted;

static void make_spare(void)
{
	long made = sys_mmap(0, SPARE_MAPPINGS * PAGE_BYTES, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (sys_failed(made))
		return;
	spare = (uintptr_t)made;
	for (size_t i = 0; i < SPARE_MAPPINGS; i += 2)
		sys_mprotect(spare + i * PAGE_BYTES, PAGE_BYTES, PROT_READ, -1);
}

static void free_spare(void)
{
	if (spare)
		sys_munmap(spare, SPARE_MAPPINGS * PAGE_BYTES);
	spare = 0;
}

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

	if (sys_mprotect(start, end - start, PROT_READ, -1) ||
	    !fill_gaps(start, end, after.backing, after.offset) ||
	    map_over(start, end - start, &after, after.backing, after.offset))
		return false; /* what was changed is mended by the next fault on it */
	for (uintptr_t at = start, stop; at < end; at = stop) {
		stop = codepages_run(at, end, &page);
		joined += page.backing ? 0 : (stop - at) / PAGE_BYTES;
	}
	forget_changes();
	codepages_set(start, end - start, after);
	backing_use(after.backing, joined);
	return true;
}

/* Executable, or writable, with all that lies around it. */
static bool join_neighbours(uintptr_t address, struct code_page *page, int access)
{
	uintptr_t start = page_down(address), end = start + PAGE_BYTES;
	uintptr_t first = start / BACKING_WINDOW_BYTES * BACKING_WINDOW_BYTES;
	struct code_page after = *page;
	long offset = backing_place(start, &after.backing);
	bool done;

	if (sys_failed(offset) || (page->backing && page->backing != after.backing) ||
	    is_frozen(&after) || codepages_prepare(first, BACKING_WINDOW_BYTES))
		return false;
	while (start > first && can_join(start - PAGE_BYTES, page, after.backing))
		start -= PAGE_BYTES;
	while (end < first + BACKING_WINDOW_BYTES && can_join(end, page, after.backing))
		end += PAGE_BYTES;
	after.offset = (uint64_t)offset - (page_down(address) - start) / PAGE_BYTES;
	after.view = access == PROT_EXEC ? executable_view(&after) : waiting_view(page->ask);
	after.lent = false;
	free_spare();
	done = join(start, end, after);
	make_spare();
	return done;
}

static bool fetch(uintptr_t address, struct code_page *page, const struct vma *vma)
{
	uintptr_t start = page_down(address), end = start + PAGE_BYTES;

	long result = page->backing ? turn_executable(start, PAGE_BYTES, page) : -ENOENT;

	if (!result)
		return true;
	if (result == -ENOMEM)
		return join_neighbours(address, page, PROT_EXEC);
	if (page->backing && !leave_file(start, page))
		return false;
	widen(&start, &end, page, vma);
	result = adopt(start, end, page);
	if (++adopted == ADOPTED_BEFORE_SPARE)
		make_spare();
	return result == -ENOMEM ? join_neighbours(address, page, PROT_EXEC) :
				   result == 0;
}

/* One page's part of a store. */
static bool write_part(uintptr_t address, const void *bytes, size_t length)
{
	struct code_page page = codepages_get(address);

	if (page.state != PAGE_VIEWED || !page.backing || page.view & PROT_WRITE)
		return sys_write_memory(sys_getpid(), address, bytes, length) == (long)length;
	if (!(page.ask & PROT_WRITE) || is_frozen(&page))
		return false;
	return backing_write(page.backing, page.offset * PAGE_BYTES + address % PAGE_BYTES, bytes,
			     length);
}

static bool may_write(uintptr_t address)
{
	struct code_page page = codepages_get(address);
	struct vma vma;

	if (page.state == PAGE_VIEWED && page.backing && !(page.view & PROT_WRITE))
		return page.ask & PROT_WRITE && !is_frozen(&page);
	return !vma_look(address, &vma) && vma.start <= address && vma.protection & PROT_WRITE;
}

static bool write_store(uintptr_t address, const void *bytes, size_t length)
{
	uintptr_t last = address + length - 1;
	size_t first = PAGE_BYTES - address % PAGE_BYTES;

	if (page_down(last) == page_down(address))
		return may_write(address) && write_part(address, bytes, length);
	if (first + PAGE_BYTES < length || !may_write(address) || !may_write(last))
		return false;
	return write_part(address, bytes, first) &&
	       write_part(address + first, (const char *)bytes + first, length - first);
}

static bool executes(const ucontext_t *context, uintptr_t page)
{
	uintptr_t at = arch_instruction(context);

	return page_down(at) == page || page_down(at + ARCH_INSTRUCTION_MOST - 1) == page;
}

/* Whether a store is the last for a while, as the patch of a jump is, or one of
 * many, cannot be seen: pauses tell nothing, for a compiler thinks in between. So a
 * few are carried out, then the page is turned; where that has happened before, one. */
static bool has_stores_left(const struct code_page *page)
{
	unsigned done = page->stores & STORES_MASK;

	return done < (page->stores & WRITTEN_BEFORE ? 1U : STORES_BEFORE_TURNING);
}

/* libc's word for it (sys/single_threaded.h); NULL where it has none. */
static const char *libc_single_threaded;

void views_begin(const char *single_threaded)
{
	libc_single_threaded = single_threaded;
}

static bool is_single_threaded(void)
{
	return libc_single_threaded && *(const volatile char *)libc_single_threaded;
}

static bool carry_out(uintptr_t start, struct code_page *page, ucontext_t *context)
{
	if (!store_carry_out(context, write_store))
		return false;
	if (has_stores_left(page))
		page->stores++;
	codepages_set(start, PAGE_BYTES, *page);
	return true;
}

/* From a page that is writable no instruction is fetched: where this one lies on
 * PAGE it goes on with a copy. */
static bool step_aside(ucontext_t *context, uintptr_t page)
{
	struct instruction instruction;

	if (!store_decode(context, &instruction))
		return page_down(arch_instruction(context)) != page;
	if (page_down(instruction.at) != page &&
	    page_down(instruction.at + instruction.length - 1) != page)
		return true;
	return detour_take(context, &instruction);
}

static bool store(uintptr_t address, struct code_page *page, ucontext_t *context)
{
	uintptr_t start = page_down(address);
	bool executed = executes(context, start), in_file = page->backing && !is_frozen(page);
	long result;

	if (in_file && policy_allows_writable_code()) {
		result = turn_executable(start, PAGE_BYTES, page);
		return !result || (result == -ENOMEM && join_neighbours(address, page, PROT_EXEC));
	}
	/* Another thread might see a half of it: pwrite does not promise to copy at once. */
	if (in_file && is_single_threaded() && (executed || has_stores_left(page)) &&
	    carry_out(start, page, context))
		return true;
	page->stores |= WRITTEN_BEFORE;
	/* Else the page comes to be so by the next fetch, and the store again. */
	if (executed && !step_aside(context, start) && in_file)
		return false;
	result = turn_writable(start, PAGE_BYTES, page, page->ask & ~(unsigned)PROT_EXEC, -1);
	if (!result || (result == -ENOMEM && join_neighbours(address, page, PROT_WRITE)) ||
	    (result != -ENOMEM && leave_file(start, page)))
		return true;
	detour_restore(context);
	return false;
}

bool views_fault(uintptr_t address, int access, ucontext_t *context)
{
	struct code_page page = codepages_get(address);
	struct vma vma;

	if (!permits(page.ask, access))
		return false;
	if (!is_current(&page, address, &vma)) {
		views_drop(page_down(address), page_down(address) + PAGE_BYTES);
		return permits((unsigned)vma.protection, access);
	}
	if (codepages_prepare(page_down(address), PAGE_BYTES))
		return false;
	/* An old fault: meanwhile another thread has had the same. */
	if (permits((unsigned)vma.protection, access)) {
		page.view = (unsigned)vma.protection;
		codepages_set(page_down(address), PAGE_BYTES, page);
		return true;
	}
	page.view = (unsigned)vma.protection;
	if (access == PROT_EXEC)
		return fetch(address, &page, &vma);
	if (access == PROT_WRITE)
		return store(address, &page, context);
	return turn_writable(page_down(address), PAGE_BYTES, &page, waiting_view(page.ask), -1) == 0;
}

void views_will_write(uintptr_t start, uintptr_t end)
{
	struct code_page page;

	for (uintptr_t at = codepages_next(start, end), stop; at < end;
	     at = codepages_next(stop, end)) {
		stop = codepages_run(at, end, &page);
		if (page.state != PAGE_VIEWED || !(page.ask & PROT_WRITE) || page.view & PROT_WRITE)
			continue;
		if (!make_room(at, stop, &page))
			turn_writable(at, stop - at, &page, page.ask & ~(unsigned)PROT_EXEC, -1);
	}
}

/* ------------------------------------------------------------- giving back */

void views_drop_uses(uintptr_t start, uintptr_t end)
{
	struct code_page page;

	next_change();

	for (uintptr_t at = codepages_next(start, end), stop; at < end;
	     at = codepages_next(stop, end)) {
		stop = codepages_run(at, end, &page);
		if (page.backing)
			backing_drop(page.backing, page.offset, (stop - at) / PAGE_BYTES);
	}
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

	copied = sys_read_memory(sys_getpid(), (void *)to, start, length);
	if (copied != (long)length && page->backing) /* no view of it may be read */
		copied = sys_pread(backing_descriptor(page->backing), (void *)to, length,
				   (int64_t)(page->offset * PAGE_BYTES));
	return copied == (long)length;
}

static bool is_filed(uintptr_t start, uintptr_t end)
{
	struct code_page page;

	for (uintptr_t at = start; at < end;) {
		at = codepages_run(at, end, &page);
		if (page.lent || (page.backing && !backing_is_shared(page.backing)))
			return true;
	}
	return false;
}

/* The copy takes the pages' place, with the protections that own memory has. */
static long settle_copy(uintptr_t copy, uintptr_t start, uintptr_t end)
{
	struct vma_advice advice = advice_of(start);
	struct code_page page;
	long result;

	for (uintptr_t at = start, stop; at < end; at = stop) {
		stop = codepages_run(at, end, &page);
		if (page.state == PAGE_UNKNOWN)
			continue;
		page.view = page.ask & PROT_EXEC ? waiting_view(page.ask) : page.ask;
		sys_mprotect(copy + (at - start), stop - at, (int)page.view, -1);
	}
	result = sys_mremap(copy, end - start, end - start, MREMAP_MAYMOVE | MREMAP_FIXED, start);
	if (sys_failed(result))
		return result;
	advise(&advice, start, end - start);
	for (uintptr_t at = start, stop; at < end; at = stop) {
		stop = codepages_run(at, end, &page);
		if (page.backing)
			backing_drop(page.backing, page.offset, (stop - at) / PAGE_BYTES);
		if (page.state == PAGE_UNKNOWN)
			continue;
		page.view = page.ask & PROT_EXEC ? waiting_view(page.ask) : page.ask;
		page.backing = 0;
		page.offset = 0;
		page.stores = 0;
		page.lent = false;
		codepages_set(at, stop - at, page);
	}
	return 0;
}

/* Shared memory becomes one mapping with one view. */
static long unite_shared(uintptr_t start, uintptr_t end)
{
	struct code_page page, first = codepages_get(start);
	struct code_page whole = first;

	whole.view = first.ask;
	if (first.ask & PROT_EXEC)
		whole.view = first.ask & PROT_WRITE ? waiting_view(first.ask) :
						      PROT_READ | PROT_EXEC;
	for (uintptr_t at = start; at < end;) {
		uintptr_t stop = codepages_run(at, end, &page);

		if (page.backing != first.backing ||
		    page.offset != first.offset + (at - start) / PAGE_BYTES)
			return -EFAULT;
		at = stop;
	}
	return remap(start, end - start, &first, &whole);
}

static bool has_shared(uintptr_t start, uintptr_t end)
{
	struct code_page page;

	for (uintptr_t at = start; at < end;) {
		at = codepages_run(at, end, &page);
		if (page.backing && backing_is_shared(page.backing))
			return true;
	}
	return false;
}

long views_unite(uintptr_t start, uintptr_t end)
{
	struct code_page page = codepages_get(start);

	if (page.backing && backing_is_shared(page.backing))
		return unite_shared(start, end);
	if (has_shared(start, end))
		return -EFAULT; /* mremap(2): what it says of memory of two kinds */
	return views_return(start, end);
}

/* One new mapping for all of it: the program may go on to move it as one. */
long views_return(uintptr_t start, uintptr_t end)
{
	struct code_page page;
	long copy, result;

	if (!is_filed(start, end))
		return 0;
	result = codepages_prepare(start, end - start);
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

/* ------------------------------------------------------------------- forks */

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
	uintptr_t end = end_of_mapping(start, page);
	struct vma_advice advice = advice_of(start);
	struct code_page own = *page, run;

	if (own.view & PROT_EXEC)
		own.view = PROT_READ | PROT_EXEC; /* the next store makes it its own */
	else
		lend(&own);
	if (codepages_prepare(start, end - start) ||
	    map_over(start, end - start, &own, page->backing, page->offset))
		return end;
	advise(&advice, start, end - start);
	for (uintptr_t at = start, stop; at < end; at = stop) {
		stop = codepages_run(at, end, &run);
		if (!own.backing)
			backing_drop(run.backing, run.offset, (stop - at) / PAGE_BYTES);
		run.view = own.view;
		if (!own.backing)
			lend(&run);
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
	forget_changes();
}

/* What was adopted meanwhile is in the child too. */
void views_after_fork(void)
{
	backing_after_fork();
}

/* Which of the two the page table tells of, and which the kernel has. */
static void review(const struct change *change)
{
	struct vma vma;

	if (!change->length)
		return;
	if (is_current(&change->after, change->start, &vma))
		codepages_set(change->start, change->length, change->after);
	else if (is_current(&change->before, change->start, &vma))
		codepages_set(change->start, change->length, change->before);
}

void views_in_child(void)
{
	backing_in_child();
	detour_in_child();
	review(&changes[(last_change + 1) % 2]);
	review(&changes[last_change % 2]);
}
