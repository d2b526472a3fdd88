/* engine.c: where it begins, and the calls that need no verdict. See engine.h;
 * mapping.c and protection.c have the others. */
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "backing.h"
#include "codepages.h"
#include "descriptors.h"
#include "hostfilter.h"
#include "ledger.h"
#include "lock.h"
#include "own.h"
#include "policy.h"
#include "rung/advice.h"
#include "rung/anonymous.h"
#include "rung/views.h"
#include "scratch.h"
#include "stack.h"
#include "sys.h"
#include "trampoline.h"
#include "vma.h"
#include "walk.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_READ 22 /* asm-generic/mman-common.h of Linux 5.14 */
#define MADV_POPULATE_WRITE 23
#endif

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* the same of Linux 6.13 */
#define MADV_GUARD_REMOVE 103
#endif

struct walk walk; /* MODE_OFF until it begins */

bool engine_watches(void)
{
	return walk.mode != MODE_OFF;
}

/* -------------------------------------------------------- what is expected */

bool engine_may_mend_with_views(void)
{
	return walk.mode == MODE_MEND && walk.may_refuse;
}

bool engine_mends_with_views(void)
{
	return walk.mode == MODE_MEND && policy_refuses(DANGER_EXECMEM);
}

bool engine_expects_refusals(void)
{
	return walk.mode == MODE_MEND && (walk.may_refuse || policy_refuses_any());
}

bool engine_watches_loader(void)
{
	return walk.mode == MODE_AUDIT || engine_expects_refusals();
}

void engine_adopt(uintptr_t start, uintptr_t end, int ask)
{
	struct vma vma;
	uint64_t mask;

	lock_take(&mask);
	for (uintptr_t at = start, stop; at < end && !vma_look(at, &vma); at = stop) {
		stop = vma.end < end ? vma.end : end;
		if (vma.start <= at)
			views_note(at, stop, vma.protection, ask);
	}
	lock_release(&mask);
}

void engine_learn(const struct event *event)
{
	if (!event->refused || event->expected)
		return;
	policy_learn_refusal(event->danger, event->error);
	if (event->danger == DANGER_EXECMEM && event->request->call == CALL_MPROTECT)
		policy_learn_no_anonymous();
}

/* --------------------------------------------------------------- beginning */

void engine_begin(const struct settings *settings, const struct door *to)
{
	walk.door = to;
	if (settings->policy & POLICY_NONE)
		return;
	policy_begin(settings->policy, settings->mode == MODE_MEND);
	walk.may_refuse = policy_may_refuse();
	if (settings->trampolines && settings->mode == MODE_MEND)
		trampolines_allow();
	views_begin(to->single_threaded, to->watch_writes);
	vma_begin();
	walk.mode = settings->mode; /* from now on calls are watched */
	if (engine_expects_refusals()) {
		own_begin();
		descriptors_begin();
		vma_begin_looking();
	}
	walk_begin_personality(sys_current_personality());
	if (!engine_may_mend_with_views())
		return;
	stack_begin();
	backing_ready();
}

/* ---------------------------------------------------------------- reports */

void walk_note(struct reports *reports, const struct piece *piece, enum outcome outcome,
		 bool refused)
{
	if (reports->count == sizeof reports->events / sizeof *reports->events)
		return;
	reports->events[reports->count++] = (struct event){
		.request = reports->request,
		.thread = reports->thread,
		.address = piece->start,
		.length = piece->end - piece->start,
		.danger = piece->danger,
		.outcome = outcome,
		.refused = refused,
		.expected = refused && policy_expected(piece->danger),
		.error = refused ? policy_error(piece->danger) : 0,
		.anonymous_refused = refused && !policy_allows_anonymous(),
	};
}

/* For an audit: the permission that the same request is asked for next. */
void walk_note_execmem_too(struct reports *reports, const struct piece *piece)
{
	struct piece next = *piece;

	next.danger = DANGER_EXECMEM;
	walk_note(reports, &next, OUTCOME_PASSED, false);
}

void walk_tell(const struct reports *reports)
{
	for (unsigned i = 0; i < reports->count && walk.door->report; i++)
		walk.door->report(&reports->events[i]);
}

enum outcome walk_views_outcome(const struct request *r)
{
	return policy_allows_writable_code() && r->protection & PROT_WRITE ? OUTCOME_SHARED :
									     OUTCOME_VIEWED;
}

/* ------------------------------------------------------ calls on code pages */

/* Entries of pages that are other memory now. */
void walk_forget(uintptr_t address, size_t length)
{
	uint64_t mask;

	if (!codepages_any(address, length))
		return;
	lock_take(&mask);
	views_drop(address, address + length);
	lock_release(&mask);
}

void walk_note_advice(uintptr_t address, size_t length)
{
	uint64_t mask;

	if (walk.mode != MODE_MEND || address + length < address)
		return;
	lock_take(&mask);
	advice_note(address, address + length);
	lock_release(&mask);
}

/* It takes along what was said of it. What MREMAP_DONTUNMAP leaves is locked no more. */
static void note_moved_advice(uintptr_t from, size_t old_whole, uintptr_t to, size_t whole)
{
	uint64_t mask;

	if (!advice_any())
		return;
	lock_take(&mask);
	advice_forget(from, from + old_whole);
	if (advice_may_be(from, from + old_whole))
		advice_note(to, to + whole);
	lock_release(&mask);
}

long engine_munmap(uintptr_t address, size_t length)
{
	uint64_t mask;
	long result;

	/* What appears there now is another thread's already. */
	if (!codepages_any(address, page_up(length)))
		return sys_munmap(address, length);
	lock_take(&mask);
	result = codepages_cut(address, page_up(length));
	if (!result)
		result = sys_munmap(address, length);
	if (!sys_failed(result))
		views_drop(address, address + page_up(length));
	lock_release(&mask);
	return result;
}

uintptr_t engine_brk(uintptr_t end)
{
	uintptr_t from = page_up(end), before, result;
	uint64_t mask;

	/* Asking the kernel where the heap ends costs as much as the call itself. */
	if (!codepages_any(from, VMA_HEAP_MOST))
		return (uintptr_t)sys_brk(end);
	lock_take(&mask);
	before = page_up((uintptr_t)sys_brk(0));
	if (from < before && codepages_cut(from, before - from))
		end = 0;
	result = (uintptr_t)sys_brk(end);
	if (page_up(result) < before)
		views_drop(page_up(result), before);
	lock_release(&mask);
	return result;
}

/* The pages of RUN are now at TO, to END; more than there were where they grew. */
static long note_moved(const struct code_page *run, uintptr_t to, uintptr_t end)
{
	struct vma vma;

	if (run->backing) /* shared memory: its file is mapped there, too */
		return views_note_file(to, end, (int)run->view, (int)run->ask, run->backing,
				       run->offset);
	if (vma_look(to, &vma)) /* nobody to ask */
		vma = (struct vma){ .start = to, .protection = (int)run->view };
	return vma.start <= to ? views_note(to, end, vma.protection, (int)run->ask) : 0;
}

/* What was viewed of FROM is so at TO. The last of it is what grew. */
static long follow_move(uintptr_t from, uintptr_t limit, uintptr_t to, size_t length)
{
	long result = 0;

	for (uintptr_t at = from, stop; at < limit && !result; at = stop) {
		struct code_page run;
		uintptr_t end;

		stop = codepages_run(at, limit, &run);
		end = stop == limit ? to + length : to + (stop - from);
		if (run.state == PAGE_VIEWED)
			result = note_moved(&run, to + (at - from), end);
	}
	return result;
}

/* A second mapping of what is shared: mremap(2), of no length. */
static long settle_copy(uintptr_t from, uintptr_t to, size_t length)
{
	struct code_page page = codepages_get(from);
	long result = page.state == PAGE_VIEWED ? note_moved(&page, to, to + length) : 0;

	if (!result)
		return (long)to;
	sys_munmap(to, length);
	return result;
}

/* The pages that become others, as the program sees them; the rest of FROM, which the
 * kernel unmaps, does not matter. */
static long prepare_move(uintptr_t from, size_t old_whole, size_t whole)
{
	uintptr_t end = from + (old_whole < whole ? old_whole : whole);

	if (end < from)
		return 0; /* the kernel's to refuse */
	return views_unite(from, end, whole > old_whole);
}

/* The kernel takes for several mappings what the program asked the same of, and what it
 * may have made one: then it is asked again of one. */
static long move_again(uintptr_t from, size_t old_length, size_t length, int flags, uintptr_t to)
{
	long result = views_make_one(from, from + page_up(old_length < length ? old_length : length));

	if (!result)
		return sys_mremap(from, old_length, length, flags, to);
	return result == -EFAULT && !advice_was_lost() ? -EFAULT : -ENOMEM;
}

/* There is no room to write it down. */
static void move_back(uintptr_t from, size_t old_whole, uintptr_t to, size_t whole)
{
	if (to == from) {
		sys_mremap(from, whole, old_whole, 0, 0);
		return;
	}
	views_drop(to, to + whole);
	sys_mremap(to, whole, old_whole, MREMAP_MAYMOVE | MREMAP_FIXED, from);
}

static long settle_move(uintptr_t from, size_t old_whole, uintptr_t to, size_t whole, int flags)
{
	size_t kept = old_whole < whole ? old_whole : whole;
	long result;

	if (to != from)
		views_drop(to, to + whole);
	if (!old_whole)
		return settle_copy(from, to, whole);
	if (to == from)
		views_drop(from + kept, from + (old_whole > whole ? old_whole : whole));
	result = follow_move(from, from + kept, to, whole);
	if (result)
		return move_back(from, old_whole, to, whole), result;
	if (to != from && !(flags & MREMAP_DONTUNMAP))
		views_drop(from, from + old_whole);
	return (long)to;
}

/* Where it stays what it is, or becomes less, nothing but that is done, whatever lies
 * there. */
static bool is_moved_or_grown(size_t old_whole, size_t whole, int flags)
{
	return whole > old_whole || flags & (MREMAP_FIXED | MREMAP_DONTUNMAP);
}

/* By its numbers alone: then nothing is to be made ready for it. */
static bool is_no_move(uintptr_t from, size_t old_whole, size_t whole, int flags, uintptr_t to)
{
	if (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) || from % PAGE_BYTES || !whole)
		return true;
	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(flags & MREMAP_MAYMOVE))
		return true;
	if (flags & MREMAP_DONTUNMAP && old_whole != whole)
		return true;
	return flags & MREMAP_FIXED &&
	       (to % PAGE_BYTES || (from + old_whole > to && to + whole > from));
}

static long move_any(uintptr_t from, size_t old_length, size_t length, int flags, uintptr_t to)
{
	size_t old_whole = page_up(old_length), whole = page_up(length);
	bool moves = is_moved_or_grown(old_whole, whole, flags);
	uint64_t mask;
	long result = 0;

	if (!codepages_any(from, old_whole) &&
	    !(flags & MREMAP_FIXED && codepages_any(to, whole))) {
		result = sys_mremap(from, old_length, length, flags, to);
		if (!sys_failed(result))
			walk_forget((uintptr_t)result, whole);
		return result;
	}
	lock_take(&mask);
	result = codepages_cut(from, old_whole);
	if (!result && flags & MREMAP_FIXED)
		result = codepages_cut(to, whole);
	if (!result && moves && !is_no_move(from, old_whole, whole, flags, to))
		result = prepare_move(from, old_whole, whole);
	if (!result) {
		result = sys_mremap(from, old_length, length, flags, to);
		if (result == -EFAULT && moves)
			result = move_again(from, old_length, length, flags, to);
	}
	if (!sys_failed(result) && moves)
		result = settle_move(from, old_whole, (uintptr_t)result, whole, flags);
	else if (!sys_failed(result))
		views_drop(from + whole, from + old_whole);
	lock_release(&mask);
	return result;
}

long engine_mremap(uintptr_t from, size_t old_length, size_t length, int flags, uintptr_t to)
{
	long result = move_any(from, old_length, length, flags, to);

	if (!sys_failed(result))
		note_moved_advice(from, page_up(old_length), (uintptr_t)result, page_up(length));
	return result;
}

/* Advice whose meaning is another for a shared file mapping than for the private
 * memory that the program asked for. */
static bool is_of_private_memory(int advice)
{
	switch (advice) {
	case MADV_DONTNEED:
	case MADV_FREE:
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_WIPEONFORK:
	case MADV_KEEPONFORK:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_REMOVE: /* or what it takes away is our file's */
	case MADV_GUARD_INSTALL: /* or it goes when the page is turned */
	case MADV_GUARD_REMOVE:
#ifdef MADV_DONTNEED_LOCKED
	case MADV_DONTNEED_LOCKED:
#endif
		return true;
	default:
		return false;
	}
}

/* Mapped so that it can be read, and not asked so; the heap's end may have gone, and
 * come again as other memory. */
static bool is_read_unasked(const struct code_page *page, uintptr_t at)
{
	struct vma vma;

	if (page->state != PAGE_VIEWED || page->ask & PROT_READ || !(page->view & PROT_READ))
		return false;
	return !vma_look(at, &vma) && vma.start <= at && vma.protection & PROT_READ &&
	       vma.shared == (page->backing != 0);
}

/* Up to where the kernel would come in filling in page tables for reading. */
static uintptr_t end_of_readable(uintptr_t address, uintptr_t end)
{
	for (uintptr_t at = address, stop; at < end; at = stop) {
		struct code_page page;

		stop = codepages_run(at, end, &page);
		if (is_read_unasked(&page, at))
			return at;
	}
	return end;
}

static long populate_read(uintptr_t address, size_t length)
{
	uintptr_t end = address + length, readable = end_of_readable(address, end);
	long result;

	if (readable == end || address % PAGE_BYTES || end < address)
		return sys_madvise(address, length, MADV_POPULATE_READ);
	result = sys_madvise(address, readable - address, MADV_POPULATE_READ);
	return result ? result : -EINVAL;
}

long engine_madvise(uintptr_t address, size_t length, int advice)
{
	size_t whole = page_up(length);
	uint64_t mask;
	long result = 0;

	if (advice == MADV_DONTFORK || advice == MADV_DONTDUMP)
		walk_note_advice(address, whole);
	if (!codepages_any(address, whole))
		return sys_madvise(address, length, advice);
	/* Under the lock, so that it does not meet the hole of a move. */
	lock_take(&mask);
	if (is_of_private_memory(advice) && address % PAGE_BYTES == 0)
		result = views_return_files(address, address + whole);
	if (advice == MADV_POPULATE_WRITE)
		views_will_write(page_down(address), page_up(address + length));
	if (!result && advice == MADV_POPULATE_READ)
		result = populate_read(address, whole);
	else if (!result)
		result = sys_madvise(address, length, advice);
	advice_forget(address, address + whole);
	lock_release(&mask);
	return result;
}

long engine_lock(long number, long a, long b, long c)
{
	bool all = number == SYS_mlockall || number == SYS_munlockall;
	uintptr_t start = all ? 0 : page_down((uintptr_t)a);
	size_t length = all ? ARCH_ADDRESS_LIMIT - 1 : page_up((size_t)b) + PAGE_BYTES;
	unsigned given = advice_times_given();
	uint64_t mask;
	long result;

	if (number != SYS_munlock && number != SYS_munlockall)
		walk_note_advice(start, length);
	if (number == SYS_mlockall && a & MCL_FUTURE)
		advice_lock_new();
	/* Not under the lock: to fill in all of a program's memory takes long. */
	result = SYS_CALL(number, a, b, c, 0, 0, 0);
	if (!codepages_any(start, length))
		return result;
	lock_take(&mask);
	advice_forget(start, start + length);
	/* What was turned meanwhile may be as it was before. */
	if (advice_times_given() != given)
		SYS_CALL(number, a, b, c, 0, 0, 0);
	lock_release(&mask);
	return result;
}

void engine_will_write(uintptr_t address, size_t length)
{
	uint64_t mask;

	if (!length || !codepages_any_viewed(address, length))
		return;
	lock_take(&mask);
	views_will_write(page_down(address), page_up(address + length));
	lock_release(&mask);
}

/* From AT on: up to where the answer is the same, which goes to *STOP. */
static bool may_write_at(uintptr_t at, uintptr_t end, uintptr_t *stop)
{
	struct code_page page;
	struct vma vma;
	long result;

	*stop = codepages_run(at, end, &page);
	result = vma_look(at, &vma);
	/* Pages that are alike to the table may be of two files. */
	if (!result && vma.start <= at && vma.end < *stop)
		*stop = vma.end;
	if (page.state == PAGE_VIEWED)
		return page.ask & PROT_WRITE && !sys_is_untouchable(*stop - 1);
	if (result == -ENOENT || (!result && vma.start > at))
		return false;
	if (result) /* nobody to ask */
		return true;
	return vma.protection & PROT_WRITE && !sys_is_untouchable(*stop - 1);
}

bool engine_may_write(uintptr_t address, size_t length)
{
	uintptr_t at = page_down(address), end = page_up(address + length);
	bool may = address + length >= address;
	uint64_t mask;

	lock_take(&mask);
	for (uintptr_t stop; may && at < end; at = stop)
		may = may_write_at(at, end, &stop);
	lock_release(&mask);
	return may;
}

/* ------------------------------------------------ what the program denies itself */

void engine_before_confinement(void)
{
	if (engine_expects_refusals())
		vma_before_confinement();
}

void engine_before_unmount(void)
{
	if (engine_expects_refusals())
		vma_before_unmount();
}

/* For an account of them (ledger.h), of this process or its children. */
static bool mappings_are_watched;

static void watch_mappings(void)
{
	uint64_t mask;

	lock_take(&mask);
	if (!mappings_are_watched)
		mappings_are_watched = !walk.door->watch_mappings || walk.door->watch_mappings();
	lock_release(&mask);
}

void engine_before_filter(uintptr_t program)
{
	bool was_ended = hostfilter_ends(HOSTFILTER_FILTER);

	if (!engine_expects_refusals())
		return;
	vma_before_confinement();
	hostfilter_read(program);
	if (!was_ended && hostfilter_ends(HOSTFILTER_FILTER)) /* not yet in force */
		watch_mappings();
	if (hostfilter_ends(HOSTFILTER_READ_MEMORY) || hostfilter_ends(HOSTFILTER_WRITE_MEMORY))
		scratch_begin();
}

/* ------------------------------------------------------------------- forks */

void engine_before_fork(uint64_t *mask)
{
	lock_take(mask);
	views_before_fork();
	if (engine_expects_refusals()) /* as the child is going to have it */
		vma_before_fork();
	lock_release_blocked();
}

void engine_after_fork(const uint64_t *mask)
{
	lock_take_blocked();
	views_after_fork();
	lock_release(mask);
}

void engine_in_child(const uint64_t *mask)
{
	vma_in_child(lock_holder() != 0);
	lock_in_child();
	if (ledger_is_kept() && !hostfilter_ends(HOSTFILTER_FILTER))
		watch_mappings();
	if (ledger_is_kept() && !mappings_are_watched)
		ledger_lose();
	scratch_in_child();
	rung_anonymous_in_child();
	views_in_child();
	lock_restore_signals(mask);
}
