/* rung/touch.c: the program touches a viewed page, or the kernel does it for the
 * program. See rung/views.h. */
#include <errno.h>
#include <sys/mman.h>

#include "../backing.h"
#include "../detour.h"
#include "../fault.h"
#include "../policy.h"
#include "../store.h"
#include "../sys.h"
#include "together.h"
#include "view.h"

/* So many stores into a page are carried out one by one; then it is turned. */
#define STORES_BEFORE_TURNING 4U

/* What is added for an instruction that stored behind another store; from so much on, what
 * it stores is taken for one of many, and each time that it is takes one away. */
#define MANY_SEEN 64
#define MANY_MOST 255

/* The file of a page cannot be come by any more: a new one is taken. */
static bool leave_file(uintptr_t start, struct code_page *page)
{
	if (!page->backing || backing_is_shared(page->backing) ||
	    views_return(start, start + PAGE_BYTES))
		return false;
	*page = codepages_get(start);
	return true;
}

static bool fetch(uintptr_t address, struct code_page *page, const struct vma *vma,
		  const ucontext_t *context)
{
	uintptr_t start = page_down(address), end = start + PAGE_BYTES;
	long result = -ENOENT;

	if (page->backing)
		result = together_turn(start, PROT_EXEC, page, vma, context);
	if (!result)
		return true;
	if (result == -ENOMEM)
		return view_join(address, page, PROT_EXEC);
	if (page->backing && !leave_file(start, page))
		return false;
	together_widen(&start, &end, page, vma);
	result = view_adopt(start, end, page);
	if (result == -ENOMEM)
		return view_join(address, page, PROT_EXEC);
	return result == 0 && codepages_get(address).view & PROT_EXEC;
}

/* One page's part of a store. */
static bool write_part(uintptr_t address, const void *bytes, size_t length)
{
	struct code_page page = codepages_get(address);

	if (page.state != PAGE_VIEWED || !page.backing || page.view & PROT_WRITE)
		return sys_write_memory(sys_getpid(), address, bytes, length) == (long)length;
	if (!(page.ask & PROT_WRITE) || view_is_frozen(&page))
		return false;
	return backing_write(page.backing, page.offset * PAGE_BYTES + address % PAGE_BYTES, bytes,
			     length);
}

static bool may_write(uintptr_t address)
{
	struct code_page page = codepages_get(address);
	struct vma vma;

	if (page.state == PAGE_VIEWED && page.backing && !(page.view & PROT_WRITE))
		return page.ask & PROT_WRITE && !view_is_frozen(&page) &&
		       backing_takes(page.backing, page.offset * PAGE_BYTES + address % PAGE_BYTES);
	return !vma_look(address, &vma) && vma.start <= address && vma.protection & PROT_WRITE;
}

static bool write_store(uintptr_t address, const void *bytes, size_t length)
{
	uintptr_t last = address + length - 1;
	size_t first = PAGE_BYTES - address % PAGE_BYTES;

	if (page_down(last) == page_down(address))
		return may_write(last) && write_part(address, bytes, length);
	if (first + PAGE_BYTES < length || !may_write(address) || !may_write(last))
		return false;
	return write_part(address, bytes, first) &&
	       write_part(address + first, (const char *)bytes + first, length - first);
}

bool view_executes(const ucontext_t *context, uintptr_t page)
{
	uintptr_t at = arch_instruction(context);

	return page_down(at) == page || page_down(at + ARCH_INSTRUCTION_MOST - 1) == page;
}

/* libc's word for it (sys/single_threaded.h); NULL where it has none. */
static const char *libc_single_threaded;

static void (*doors_watch)(uintptr_t address, size_t length);

void views_begin(const char *single_threaded,
		 void (*watch_writes)(uintptr_t address, size_t length))
{
	libc_single_threaded = single_threaded;
	doors_watch = watch_writes;
}

void view_watch_writes(uintptr_t start, size_t length)
{
	if (doors_watch)
		doors_watch(start, length);
}

bool view_is_single_threaded(void)
{
	return libc_single_threaded && *(const volatile char *)libc_single_threaded;
}

/* Whether a store is the last for a while, as the patch of a jump is, or one of many,
 * cannot be seen of the page: pauses tell nothing, for a compiler thinks in between. But
 * it is what an instruction is there for. So it is remembered of an instruction, by a few
 * bits of its address, that it has stored where another store had been carried out before;
 * the next times the page is turned at once, and after a while it is tried again. */
static unsigned char one_of_many[512] LARGE;

static unsigned char *one_of_many_at(uintptr_t instruction)
{
	return &one_of_many[(instruction ^ instruction / sizeof one_of_many) %
			    sizeof one_of_many];
}

/* DONE stores into the page have been carried out since it was last turned. */
static void learn_of_store(unsigned done, uintptr_t instruction)
{
	unsigned char *seen = one_of_many_at(instruction);

	if (!done && *seen)
		--*seen;
	else if (done && *seen <= MANY_MOST - MANY_SEEN)
		*seen += MANY_SEEN;
}

static bool is_likely_alone(unsigned done, uintptr_t instruction)
{
	return done || *one_of_many_at(instruction) < MANY_SEEN;
}

/* Once for each store, since it learns from it: whether the store, into a page of a file,
 * is to be carried out. With more threads none is: another thread might see a half of it,
 * as pwrite does not promise to copy at once. */
static bool learn_and_choose(uintptr_t address, const ucontext_t *context)
{
	struct code_page page = codepages_get(address);
	unsigned done = page.stores & STORES_MASK;

	if (!view_is_single_threaded() || !page.backing || view_is_frozen(&page))
		return false;
	learn_of_store(done, arch_instruction(context));
	return is_likely_alone(done, arch_instruction(context)) &&
	       done < (page.stores & WRITTEN_BEFORE ? 1U : STORES_BEFORE_TURNING);
}

static bool carry_out(uintptr_t start, struct code_page *page, ucontext_t *context,
		      store_write *write)
{
	if (!store_carry_out(context, write))
		return false;
	if ((page->stores & STORES_MASK) < STORES_BEFORE_TURNING)
		page->stores++;
	codepages_set(start, PAGE_BYTES, *page);
	return true;
}

/* ------------------------------------------------- a store, without asking first */

/* Whether the kernel's mapping is the one that the entry tells of can be asked before a
 * store is carried out, which takes a fifth as long as all the rest; or be seen after
 * it: then what was written to the file stands at the address. That is for the page of
 * the fault, which just now could be read, in a file of the engine's own, and for a thread
 * that is alone. */
static uintptr_t readable_page;

static bool stands_at(uintptr_t address, const unsigned char *bytes, size_t length)
{
	const volatile unsigned char *there = (const volatile unsigned char *)address;

	for (size_t i = 0; i < length; i++)
		if (there[i] != bytes[i])
			return false;
	return true;
}

static bool write_and_look(uintptr_t address, const void *bytes, size_t length)
{
	return page_down(address) == readable_page &&
	       page_down(address + length - 1) == readable_page &&
	       write_part(address, bytes, length) && stands_at(address, bytes, length);
}

static bool store_at_once(uintptr_t address, ucontext_t *context)
{
	uintptr_t start = page_down(address);
	struct code_page page = codepages_get(address);

	if (!arch_fault_is_store_to_readable(context) || backing_is_shared(page.backing) ||
	    page.view & PROT_WRITE || !(page.ask & PROT_WRITE) || policy_allows_writable_code())
		return false;
	readable_page = start;
	return carry_out(start, &page, context, write_and_look);
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

/* A page of the program's own file, of which the kernel changes no protection: in a file of
 * ours a new mapping does it. The store is tried again there. */
static bool adopt_instead(uintptr_t start, const struct code_page *page)
{
	return !page->backing && !(page->view & PROT_WRITE) &&
	       !view_adopt(start, start + PAGE_BYTES, page) && codepages_get(start).backing;
}

static bool store(uintptr_t address, struct code_page *page, const struct vma *vma,
		  ucontext_t *context, bool carried)
{
	uintptr_t start = page_down(address);
	bool executed = view_executes(context, start);
	bool in_file = page->backing && !view_is_frozen(page);
	long result;

	if (in_file && policy_allows_writable_code() && !view_is_never_written(page)) {
		result = view_turn_executable(start, PAGE_BYTES, page);
		return !result || (result == -ENOMEM && view_join(address, page, PROT_EXEC));
	}
	if (in_file && view_is_single_threaded() && (executed || carried) &&
	    carry_out(start, page, context, write_store))
		return true;
	page->stores |= WRITTEN_BEFORE;
	/* Else the page comes to be so by the next fetch, and the store again. */
	if (executed && !step_aside(context, start) && in_file)
		return false;
	result = together_turn(start, PROT_WRITE, page, vma, context);
	if (!result || (result == -ENOMEM && view_join(address, page, PROT_WRITE)) ||
	    (result != -ENOMEM && leave_file(start, page)) || adopt_instead(start, page))
		return true;
	detour_restore(context);
	return in_file && view_is_single_threaded() && carry_out(start, page, context, write_store);
}

/* PAGE gets what it was refused. */
static bool turn(uintptr_t address, int access, struct code_page *page, const struct vma *vma,
		 ucontext_t *context, bool carried)
{
	if (access == PROT_EXEC)
		return fetch(address, page, vma, context);
	if (access == PROT_WRITE)
		return store(address, page, vma, context, carried);
	return view_turn_writable(page_down(address), PAGE_BYTES, page, view_waiting(page->ask),
				  -1) == 0;
}

/* A fault cannot be answered with an error: what the kernel had no room for just now is
 * asked for again. */
#define ATTEMPTS 3

static bool turn_at_last(uintptr_t address, int access, ucontext_t *context)
{
	uintptr_t start = page_down(address);
	struct code_page page = codepages_get(address);
	unsigned view = view_waiting(page.ask);
	struct vma vma;

	if (page.state != PAGE_VIEWED || !fault_is_permitted(page.ask, access) ||
	    !view_is_current(&page, address, &vma))
		return false;
	page.view = (unsigned)vma.protection;
	if (access == PROT_EXEC)
		view = PROT_READ | PROT_EXEC;
	if (access == PROT_WRITE && view_executes(context, start) && !step_aside(context, start))
		return false;
	if (!view_turn_in_reserve(start, PAGE_BYTES, &page, view))
		return true;
	detour_restore(context);
	return false;
}

bool views_fault(uintptr_t address, int access, ucontext_t *context)
{
	bool carried = access == PROT_WRITE && learn_and_choose(address, context);

	if (carried && store_at_once(address, context))
		return true;
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		struct code_page page = codepages_get(address);
		struct vma vma;

		if (!fault_is_permitted(page.ask, access))
			return false;
		if (!view_is_current(&page, address, &vma)) {
			view_drop_stale(page_down(address), page_down(address) + PAGE_BYTES);
			return fault_is_permitted((unsigned)vma.protection, access);
		}
		if (codepages_prepare(page_down(address), PAGE_BYTES))
			continue;
		page.view = (unsigned)vma.protection;
		/* An old fault: meanwhile another thread has had the same. Or the host's:
		 * a guard (madvise(2), MADV_GUARD_INSTALL). */
		if (fault_is_permitted(page.view, access)) {
			if (sys_is_untouchable(address))
				return false;
			codepages_set(page_down(address), PAGE_BYTES, page);
			return true;
		}
		if (turn(address, access, &page, &vma, context, carried))
			return true;
	}
	return turn_at_last(address, access, context);
}

void views_will_write(uintptr_t start, uintptr_t end)
{
	struct code_page page;

	/* Where the heap's end was, nothing may come to be mapped. */
	view_forget_stale(start, end);
	for (uintptr_t at = codepages_next(start, end), stop; at < end;
	     at = codepages_next(stop, end)) {
		stop = codepages_run(at, end, &page);
		if (page.state != PAGE_VIEWED || !(page.ask & PROT_WRITE) || page.view & PROT_WRITE)
			continue;
		if (!view_make_room(at, stop, &page) &&
		    view_turn_writable(at, stop - at, &page, view_waiting(page.ask), -1))
			view_turn_in_reserve(at, stop - at, &page, view_waiting(page.ask));
	}
}
