/* engine.c: the walk of a call through the house. See engine.h; doc/HACKING
 * follows one mprotect through it. */
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/personality.h>

#include "backing.h"
#include "codepages.h"
#include "danger.h"
#include "decide.h"
#include "descriptors.h"
#include "lock.h"
#include "policy.h"
#include "rung/anonymous.h"
#include "rung/views.h"
#include "sys.h"
#include "vma.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* asm-generic/mman-common.h of Linux 5.14 */
#endif

#ifndef PROT_SEM
#define PROT_SEM 0x8 /* asm-generic/mman-common.h: taken and without effect */
#endif

static enum mode mode = MODE_OFF;
static const struct door *door;
static bool may_refuse; /* something is in force here that might */
static atomic_bool read_implies_exec;    /* in the kernel, in some thread */
static atomic_bool implies_exec_for_host; /* in the host's eyes: see engine_personality */

/* A bit of the personality that the kernel keeps, over exec too, and that means
 * nothing to it (sys/personality.h ends below): READ_IMPLIES_EXEC, kept by us. */
#define IMPLIES_EXEC_STAND_IN 0x40000000UL

bool engine_watches(void)
{
	return mode != MODE_OFF;
}

/* ------------------------------------------------------------ personality */

bool engine_may_mend_with_views(void)
{
	return mode == MODE_MEND && may_refuse;
}

bool engine_mends_with_views(void)
{
	return mode == MODE_MEND && policy_refuses(DANGER_EXECMEM);
}

/* Where nothing may be writable and executable, a kernel in which every readable
 * mapping is executable would refuse them all, malloc's too. So it is not told, and
 * what the host means by it is done here: what it executes is adopted. */
static long to_host(long personality)
{
	unsigned long kept = (unsigned long)personality & IMPLIES_EXEC_STAND_IN;

	if (sys_failed(personality) || !kept)
		return personality;
	return (long)(((unsigned long)personality & ~IMPLIES_EXEC_STAND_IN) | READ_IMPLIES_EXEC);
}

static long set_personality(unsigned long personality)
{
	bool implied = personality & READ_IMPLIES_EXEC;
	bool keep = implied && engine_mends_with_views();
	long before;

	if (keep)
		personality = (personality & ~(unsigned long)READ_IMPLIES_EXEC) |
			      IMPLIES_EXEC_STAND_IN;
	before = sys_personality(personality);
	if (sys_failed(before))
		return before;
	atomic_store(&read_implies_exec, implied && !keep);
	atomic_store(&implies_exec_for_host, keep);
	return before;
}

static void begin_personality(unsigned long personality)
{
	if (personality & (IMPLIES_EXEC_STAND_IN | READ_IMPLIES_EXEC))
		set_personality((unsigned long)to_host((long)personality));
}

long engine_personality(unsigned long personality)
{
	if ((uint32_t)personality == CURRENT_PERSONALITY)
		return to_host(sys_personality(CURRENT_PERSONALITY));
	return to_host(set_personality(personality));
}

void engine_begin(const struct settings *settings, const struct door *to)
{
	door = to;
	if (settings->policy & POLICY_NONE)
		return;
	policy_begin(settings->policy, settings->mode == MODE_MEND);
	may_refuse = policy_may_refuse();
	descriptors_begin();
	views_begin(to->single_threaded);
	vma_begin();
	mode = settings->mode; /* from now on calls are watched */
	begin_personality((unsigned long)sys_personality(CURRENT_PERSONALITY));
	if (mode == MODE_MEND && may_refuse)
		backing_begin();
}

/* ---------------------------------------------------------------- reports */

/* What is to be told once the lock is free again. */
struct reports {
	const struct request *request;
	unsigned count;
	struct event events[16];
};

static void note(struct reports *reports, const struct piece *piece, enum outcome outcome,
		 bool refused)
{
	if (reports->count == sizeof reports->events / sizeof *reports->events)
		return;
	reports->events[reports->count++] = (struct event){
		.request = reports->request,
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
static void note_execmem_too(struct reports *reports, const struct piece *piece)
{
	struct piece next = *piece;

	next.danger = DANGER_EXECMEM;
	note(reports, &next, OUTCOME_PASSED, false);
}

static void tell(const struct reports *reports)
{
	for (unsigned i = 0; i < reports->count && door->report; i++)
		door->report(&reports->events[i]);
}

static bool is_refusal(long result)
{
	return result == -EACCES || result == -EPERM;
}

/* ------------------------------------------------------ calls on code pages */

/* Where the next viewed page is. */
static uintptr_t next_viewed(uintptr_t at, uintptr_t limit)
{
	while (at < limit) {
		struct code_page page;
		uintptr_t stop = codepages_run(at, limit, &page);

		if (page.state == PAGE_VIEWED)
			return at;
		at = stop;
	}
	return limit;
}

/* Entries of pages that are other memory now. */
static void forget(uintptr_t address, size_t length)
{
	uint64_t mask;

	if (!codepages_any(address, length))
		return;
	lock_take(&mask);
	views_drop(address, address + length);
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
	result = sys_munmap(address, length);
	if (!sys_failed(result))
		views_drop(address, address + page_up(length));
	lock_release(&mask);
	return result;
}

/* Viewed pages have become others, at TO: the same memory, and what it grew by. */
static void follow_move(const struct code_page *page, uintptr_t from, size_t old_length,
			uintptr_t to, size_t length, int flags)
{
	struct vma vma;

	if (page->backing) { /* shared memory: its file is mapped there, too */
		views_note_file(to, to + length, (int)page->view, (int)page->ask, page->backing,
				page->offset);
		if (!(flags & MREMAP_DONTUNMAP) && to != from)
			views_drop(from, from + old_length);
		return;
	}
	if (!(flags & MREMAP_DONTUNMAP))
		views_drop(from, from + old_length);
	if (!vma_look(to, &vma) && vma.start <= to)
		views_note(to, to + length, vma.protection, (int)page->ask);
}

long engine_mremap(uintptr_t from, size_t old_length, size_t length, int flags, uintptr_t to)
{
	size_t old_whole = page_up(old_length), whole = page_up(length);
	struct code_page page;
	uint64_t mask;
	long result;

	if (!codepages_any(from, old_whole) &&
	    !(flags & MREMAP_FIXED && codepages_any(to, whole))) {
		result = sys_mremap(from, old_length, length, flags, to);
		if (!sys_failed(result))
			forget((uintptr_t)result, whole);
		return result;
	}
	lock_take(&mask);
	result = 0;
	if (codepages_get(from).state == PAGE_VIEWED && from % PAGE_BYTES == 0)
		result = views_unite(from, from + old_whole);
	page = codepages_get(from);
	if (!result)
		result = sys_mremap(from, old_length, length, flags, to);
	if (!sys_failed(result) && flags & MREMAP_FIXED)
		views_drop(to, to + whole);
	if (!sys_failed(result) && page.state == PAGE_VIEWED) {
		follow_move(&page, from, old_whole, (uintptr_t)result, whole, flags);
	} else if (!sys_failed(result)) {
		views_drop(from, from + old_whole);
		views_drop((uintptr_t)result, (uintptr_t)result + whole);
	}
	lock_release(&mask);
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
#ifdef MADV_DONTNEED_LOCKED
	case MADV_DONTNEED_LOCKED:
#endif
		return true;
	default:
		return false;
	}
}

static bool is_private_in_file(uintptr_t at, uintptr_t limit, uintptr_t *stop)
{
	struct code_page page;

	*stop = codepages_run(at, limit, &page);
	return page.state == PAGE_VIEWED &&
	       (page.lent || (page.backing && !backing_is_shared(page.backing)));
}

/* Stretch by stretch of what lies in a file of ours: the rest is as it was asked for. */
static long return_viewed(uintptr_t at, uintptr_t limit)
{
	long result = 0;

	while (at < limit && !result) {
		uintptr_t end, next;

		if (!is_private_in_file(at, limit, &end)) {
			at = end;
			continue;
		}
		while (end < limit && is_private_in_file(end, limit, &next))
			end = next;
		result = views_return(at, end);
		at = end;
	}
	return result;
}

long engine_madvise(uintptr_t address, size_t length, int advice)
{
	size_t whole = page_up(length);
	uint64_t mask;
	long result = 0;

	if (!codepages_any(address, whole))
		return sys_madvise(address, length, advice);
	/* Under the lock, so that it does not meet the hole of a move. */
	lock_take(&mask);
	if (is_of_private_memory(advice) && address % PAGE_BYTES == 0)
		result = return_viewed(address, address + whole);
	if (advice == MADV_DONTFORK || advice == MADV_DONTDUMP)
		views_note_advice();
	if (advice == MADV_POPULATE_WRITE)
		views_will_write(page_down(address), page_up(address + length));
	if (!result)
		result = sys_madvise(address, length, advice);
	lock_release(&mask);
	return result;
}

long engine_lock(long number, long a, long b, long c)
{
	bool all = number == SYS_mlockall;

	if (mode == MODE_MEND && (all || codepages_any(page_down((uintptr_t)a), (size_t)b)))
		views_note_advice();
	return SYS_CALL(number, a, b, c, 0, 0, 0);
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

/* ------------------------------------------------------------------- mmap */

static long pass_mmap(const struct request *r, int flags, int fd)
{
	/* A hint too: the hole of a move is no free place. */
	bool over_code = r->address && codepages_any(page_down(r->address), page_up(r->length));
	uint64_t mask;
	long result;

	if (!over_code) {
		result = sys_mmap(r->address, r->length, r->protection, flags, fd, r->offset);
		if (!sys_failed(result))
			forget((uintptr_t)result, page_up(r->length));
		return result;
	}
	lock_take(&mask);
	result = sys_mmap(r->address, r->length, r->protection, flags, fd, r->offset);
	if (!sys_failed(result))
		views_drop((uintptr_t)result, (uintptr_t)result + page_up(r->length));
	lock_release(&mask);
	return result;
}

/* A mapping of /dev/zero that MAP_ANONYMOUS can stand for: private, of a
 * descriptor that may be read, with no flag that a file and anonymous memory
 * take differently. */
static bool maps_dev_zero(const struct request *r)
{
	int odd = MAP_ANONYMOUS | MAP_HUGETLB | MAP_GROWSDOWN;
	long status;

	if ((r->flags & MAP_TYPE) != MAP_PRIVATE || r->flags & odd || !danger_is_dev_zero(r->fd))
		return false;
	status = sys_fcntl(r->fd, F_GETFL, 0);
	return !sys_failed(status) && !(status & O_PATH) && (status & O_ACCMODE) != O_WRONLY;
}

static struct piece whole_mapping(const struct request *r, long result, enum danger danger)
{
	uintptr_t start = sys_failed(result) ? r->address : (uintptr_t)result;

	return (struct piece){ .start = start, .end = start + r->length, .danger = danger };
}

/* What became of a mapping that needs a permission. */
static void report_mapping(const struct request *r, long result, enum danger danger)
{
	struct reports reports = { .request = r };
	struct piece piece = whole_mapping(r, result, danger);
	bool refused = is_refusal(result);

	if (danger == DANGER_NONE || (!refused && mode != MODE_AUDIT))
		return;
	if (refused)
		policy_learn_refusal(danger, (int)-result);
	note(&reports, &piece, refused ? OUTCOME_REFUSED : OUTCOME_PASSED, refused);
	if (danger == DANGER_DEVZERO && !refused && danger_is_execmem_too(r))
		note_execmem_too(&reports, &piece);
	tell(&reports);
}

static long pass_and_report_mmap(const struct request *r, enum danger danger)
{
	long result = pass_mmap(r, r->flags, r->fd);

	if (r->protection & PROT_EXEC)
		report_mapping(r, result, danger);
	return result;
}

/* ------------------------------------------------------- mapping, in views */

/* What the program asks of it, with what READ_IMPLIES_EXEC adds where we keep it. */
static int asked_protection(const struct request *r)
{
	int asked = r->protection & (PROT_READ | PROT_WRITE | PROT_EXEC);

	return asked & PROT_READ && atomic_load(&implies_exec_for_host) ? asked | PROT_EXEC : asked;
}

static bool is_shared_anonymous(const struct request *r)
{
	return (r->flags & MAP_TYPE) == MAP_SHARED && r->flags & MAP_ANONYMOUS;
}

/* Each of them is a file of its own that nobody else can open. */
static bool is_shared_memory(const struct request *r)
{
	return is_shared_anonymous(r) || danger_is_dev_zero(r->fd);
}

/* No error of mmap's: the rung could not be taken. */
#define NOT_MENDED (-ENOSYS)

/* The mapping as the kernel has it, for which entries are to be made. */
struct mapped {
	long result; /* its address, or an error of mmap's own */
	int protection;
};

static struct mapped map_with(const struct request *r, int protection, int flags, int fd)
{
	return (struct mapped){
		.result = sys_mmap(r->address, r->length, protection, flags, fd, r->offset),
		.protection = protection & (PROT_READ | PROT_WRITE | PROT_EXEC),
	};
}

static long settle_views(const struct request *r, const struct mapped *mapped, long backing)
{
	uintptr_t start = (uintptr_t)mapped->result, end = start + page_up(r->length);
	long result;

	if (sys_failed(mapped->result))
		return mapped->result;
	views_drop_uses(start, end);
	if (backing > 0)
		result = views_note_file(start, end, mapped->protection, asked_protection(r),
					 (unsigned)backing, (uint64_t)r->offset / PAGE_BYTES);
	else
		result = views_note(start, end, mapped->protection, asked_protection(r));
	if (!result)
		return mapped->result;
	codepages_clear(start, end - start);
	sys_munmap(start, end - start);
	return result;
}

/* Private memory: the program's own, until it is executed. */
static long map_private(const struct request *r)
{
	int without = r->protection & ~PROT_EXEC;
	struct mapped mapped;

	/* A file's pages can be executed as they are until they are written. */
	if (!(r->flags & MAP_ANONYMOUS) && r->protection & PROT_EXEC) {
		mapped = map_with(r, r->protection & ~PROT_WRITE, r->flags, r->fd);
		if (!is_refusal(mapped.result))
			return settle_views(r, &mapped, 0);
	}
	mapped = map_with(r, without ? without : PROT_READ, r->flags, r->fd);
	return settle_views(r, &mapped, 0);
}

/* Shared memory: a file that has to be at hand when its pages are turned. */
static long map_shared(const struct request *r)
{
	long backing = is_shared_memory(r) ? backing_share(page_up(r->length)) :
					     backing_share_file(r->fd);
	int protection = r->protection & PROT_WRITE ? r->protection & ~PROT_EXEC : r->protection;
	struct mapped mapped;
	long result;

	if (backing == -EBADF)
		return backing;
	if (sys_failed(backing))
		return NOT_MENDED;
	if (is_shared_memory(r)) {
		struct request whole = *r;

		whole.offset = 0;
		mapped = map_with(&whole, protection, r->flags & ~MAP_ANONYMOUS,
				  backing_descriptor((unsigned)backing));
		result = settle_views(&whole, &mapped, backing);
	} else {
		mapped = map_with(r, protection, r->flags, r->fd);
		result = settle_views(r, &mapped, backing);
	}
	if (sys_failed(result))
		backing_drop((unsigned)backing, 0, 0);
	return result;
}

/* What there is no rung for. The kernel may have an answer of its own to it. */
static long map_not_mended(const struct request *r)
{
	long result = sys_mmap(r->address, r->length, r->protection & ~PROT_EXEC,
			       r->flags & ~MAP_FIXED, r->fd, r->offset);

	if (sys_failed(result))
		return is_refusal(result) ? NOT_MENDED : result;
	sys_munmap((uintptr_t)result, r->length);
	return NOT_MENDED;
}

static long map_in_views(const struct request *r)
{
	int type = r->flags & MAP_TYPE;
	uint64_t mask;
	long result;

	if (r->flags & MAP_LOCKED)
		views_note_advice();
	if (r->flags & (MAP_HUGETLB | MAP_GROWSDOWN) || type == 0 || !door->guard_faults())
		return map_not_mended(r);
	lock_take(&mask);
	result = type == MAP_PRIVATE ? map_private(r) : map_shared(r);
	lock_release(&mask);
	return result;
}

/* ------------------------------------------------------------ mapping, all */

static enum verdict judge_mapping(const struct request *r)
{
	int asked = asked_protection(r);
	struct question question = {
		.call = CALL_MMAP,
		.danger = asked & PROT_EXEC ? danger_of_protection(r, asked) : DANGER_NONE,
		.refused = policy_refuses(DANGER_EXECMEM),
		.writable = asked & PROT_WRITE,
		.fresh_allowed = policy_allows_fresh_code(),
	};

	/* Whether shared memory will be made executable is not known when it is
	 * made, and later its file cannot be come by. */
	if (may_refuse && is_shared_anonymous(r) && asked & PROT_WRITE)
		return VERDICT_VIEWS;
	return decide(&question);
}

static void learn_mapping_refusal(const struct request *r, int error)
{
	policy_learn_refusal(DANGER_EXECMEM, error);
	policy_learn_no_anonymous();
	if (!(r->protection & PROT_WRITE))
		policy_learn_no_fresh_code();
}

static enum outcome views_outcome(const struct request *r)
{
	return policy_allows_writable_code() && r->protection & PROT_WRITE ? OUTCOME_SHARED :
									     OUTCOME_VIEWED;
}

static void report_views(const struct request *r, long result, enum danger danger)
{
	struct reports reports = { .request = r };
	struct piece piece = whole_mapping(r, result, danger);

	if (!(asked_protection(r) & PROT_EXEC))
		return;
	note(&reports, &piece, views_outcome(r), true);
	tell(&reports);
}

/* R as the program asked it, ACTUAL as it is carried out, of which DANGER is told. */
static long map_mended(const struct request *r, const struct request *actual, enum danger danger)
{
	bool refused = false;
	long result;

	if (judge_mapping(actual) != VERDICT_VIEWS) {
		result = pass_mmap(actual, actual->flags, actual->fd);
		if (!is_refusal(result) || !(actual->protection & PROT_EXEC))
			return result;
		if (danger_of_mapping(actual) != DANGER_EXECMEM) {
			report_mapping(r, result, danger);
			return result;
		}
		learn_mapping_refusal(actual, (int)-result);
		refused = true;
		if (judge_mapping(actual) != VERDICT_VIEWS) {
			report_mapping(r, result, danger);
			return result;
		}
	}
	result = map_in_views(actual);
	if (result != NOT_MENDED) {
		if (!sys_failed(result))
			report_views(r, result, danger);
		return result;
	}
	/* A list may be mistaken: then the kernel allows what was asked. */
	if (!refused)
		result = pass_mmap(r, r->flags, r->fd);
	else
		result = -policy_error(DANGER_EXECMEM);
	if (r->protection & PROT_EXEC)
		report_mapping(r, result, danger);
	return result;
}

static long map_anonymous_instead(const struct request *r)
{
	struct reports reports = { .request = r };
	struct request anonymous = *r;
	struct piece piece;
	long result;

	anonymous.flags |= MAP_ANONYMOUS;
	anonymous.fd = -1;
	result = map_mended(r, &anonymous, DANGER_DEVZERO);
	if (sys_failed(result) || codepages_get((uintptr_t)result).state == PAGE_VIEWED)
		return result;
	piece = whole_mapping(r, result, DANGER_DEVZERO);
	note(&reports, &piece, OUTCOME_ANONYMOUS, policy_expected(DANGER_DEVZERO));
	tell(&reports);
	return result;
}

/* What no policy minds, now or later. */
static bool is_innocent(const struct request *r)
{
	if (!(r->flags & MAP_ANONYMOUS) || asked_protection(r) & PROT_EXEC)
		return false;
	return !is_shared_anonymous(r) || mode != MODE_MEND || !may_refuse;
}

long engine_mmap(const struct request *r)
{
	if (mode == MODE_OFF || is_innocent(r))
		return pass_mmap(r, r->flags, r->fd);
	if (mode == MODE_AUDIT)
		return pass_and_report_mmap(r, maps_dev_zero(r) ? DANGER_DEVZERO :
								  danger_of_mapping(r));
	if (maps_dev_zero(r))
		return map_anonymous_instead(r);
	return map_mended(r, r, danger_of_protection(r, asked_protection(r)));
}

long engine_shmat(const struct request *r)
{
	uint64_t mask;
	long result;

	/* Its length is the segment's; not into the hole of a move. */
	lock_take(&mask);
	result = SYS_CALL(SYS_shmat, r->fd, r->address, r->flags, 0, 0, 0);
	lock_release(&mask);
	if (mode != MODE_OFF)
		report_mapping(r, result, danger_of_mapping(r));
	return result;
}

/* --------------------------------------------------------------- mprotect */

static bool wants_exec(const struct request *r)
{
	if (asked_protection(r) & PROT_EXEC)
		return true;
	/* Some thread has set it; each has a personality of its own. */
	return r->protection & PROT_READ && atomic_load(&read_implies_exec) &&
	       sys_personality(CURRENT_PERSONALITY) & READ_IMPLIES_EXEC;
}

static uintptr_t limit_of(const struct request *r)
{
	return r->address + page_up(r->length);
}

/* What the kernel makes of the protection asked for. */
static int effective_protection(const struct request *r)
{
	int protection = r->protection & (PROT_READ | PROT_WRITE | PROT_EXEC);

	return wants_exec(r) ? protection | PROT_EXEC : protection;
}

/* Whether the range can be taken piece by piece. What the kernel would refuse
 * at sight, or treats in a way of its own, is its own to answer. */
static bool is_plain_range(const struct request *r)
{
	uintptr_t end = r->address + page_up(r->length);

	return r->length != 0 && r->address % PAGE_BYTES == 0 && end > r->address &&
	       page_up(r->length) >= r->length &&
	       !(r->protection & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM));
}

static long pass_mprotect(const struct request *r)
{
	return sys_mprotect(r->address, r->length, r->protection, r->pkey);
}

/* Another thread may have had the pages away just then. */
static bool met_a_move(const struct request *r, long result)
{
	return result == -ENOMEM && codepages_any(r->address, page_up(r->length));
}

static long protect_plain(const struct request *r, uintptr_t start, uintptr_t end)
{
	long result = sys_mprotect(start, end - start, r->protection, r->pkey);

	/* What the page table holds of the pages must follow what the program asks. */
	if (!result)
		codepages_protect(start, end - start, (unsigned)effective_protection(r));
	return result;
}

static long mprotect_without_exec(const struct request *r)
{
	uintptr_t at = r->address, limit = limit_of(r);
	uint64_t mask;
	long result;

	if (!codepages_any(r->address, page_up(r->length))) {
		result = pass_mprotect(r);
		if (!codepages_any(r->address, page_up(r->length)))
			return result;
		/* A move began meanwhile: it may have been met, or undo this. */
	}
	if (!is_plain_range(r))
		return pass_mprotect(r);
	lock_take(&mask);
	result = views_protect(&at, limit, r->protection, r->pkey);
	while (!result && at < limit) {
		uintptr_t end = next_viewed(at, limit);

		result = protect_plain(r, at, end);
		at = end;
		if (!result)
			result = views_protect(&at, limit, r->protection, r->pkey);
	}
	lock_release(&mask);
	return result;
}

/* A stack in malloc'd memory, and this call is on it: it cannot be moved away
 * from under itself, nor what the calls to come will use of it. */
static bool holds_own_stack(const struct piece *piece)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	return here + PAGE_BYTES > piece->start && here - 2 * PAGE_BYTES < piece->end;
}

/* Memory that others see too is turned on the file that it is. */
static long give_shared(const struct piece *piece, int protection, int pkey)
{
	uintptr_t at = piece->start;
	struct vma vma;
	long backing;

	if (vma_find(piece->start, &vma) || vma.start > piece->start)
		return -EACCES;
	backing = backing_share_mapping(&vma, (protection | piece->protection) & PROT_WRITE);
	if (sys_failed(backing))
		return -EACCES;
	if (views_note_file(piece->start, piece->end, piece->protection, piece->protection,
			    (unsigned)backing,
			    (vma.offset + (piece->start - vma.start)) / PAGE_BYTES)) {
		backing_drop((unsigned)backing, 0, 0);
		return -EACCES;
	}
	return views_protect(&at, piece->end, protection, pkey);
}

static long take_rung(enum verdict verdict, const struct piece *piece, const struct request *r)
{
	int protection = effective_protection(r);
	long persona = 0, result;

	if (holds_own_stack(piece))
		return -EBUSY;
	if (!door->guard_faults())
		return -ENOSYS;
	/* Or even a read-only view, which a copy is made from, asks for EXEC. */
	if (atomic_load(&read_implies_exec))
		persona = sys_personality(CURRENT_PERSONALITY);
	if (persona & READ_IMPLIES_EXEC)
		sys_personality((unsigned long)persona & ~(unsigned long)READ_IMPLIES_EXEC);
	if (verdict == VERDICT_VIEWS && piece->shared)
		result = give_shared(piece, protection, r->pkey);
	else if (verdict == VERDICT_VIEWS)
		result = views_give(piece->start, piece->end, piece->protection, protection,
				    r->pkey);
	else if (verdict == VERDICT_MOVE)
		result = rung_anonymous_move(piece, protection, r->pkey);
	else
		result = rung_anonymous_copy(piece, protection, r->pkey);
	if (persona & READ_IMPLIES_EXEC)
		sys_personality((unsigned long)persona);
	return result;
}

/* Whether PIECE gets what it had not: execute permission, or write beside it. */
static bool gains(const struct request *r, const struct piece *piece)
{
	if (!(piece->protection & PROT_EXEC))
		return true;
	return r->protection & PROT_WRITE && !(piece->protection & PROT_WRITE);
}

/* Of a file that is shared SELinux does not mind it; other policies do. */
static enum danger danger_of_piece(const struct request *r, const struct piece *piece)
{
	bool both = r->protection & PROT_WRITE;

	if (piece->danger != DANGER_NONE || !piece->shared)
		return piece->danger;
	return !policy_allows_gain() || (both && !policy_allows_writable_code()) ? DANGER_EXECMEM :
										   DANGER_NONE;
}

static enum verdict judge(const struct request *r, const struct piece *piece)
{
	enum danger danger = danger_of_piece(r, piece);
	struct question question = {
		.call = CALL_MPROTECT,
		.danger = danger,
		.refused = policy_refuses(danger),
		.private_file = piece->private_file,
		.gains = gains(r, piece),
		.writable = r->protection & PROT_WRITE,
		.anonymous_allowed = policy_allows_anonymous(),
	};

	return decide(&question);
}

/* What a refusal says of the dangers to come. */
static void learn(const struct piece *piece, long refusal)
{
	if (piece->danger == DANGER_NONE)
		return;
	policy_learn_refusal(piece->danger, (int)-refusal);
	if (piece->danger == DANGER_EXECMEM)
		policy_learn_no_anonymous();
}

/* A refusal that the kernel has given before and that has no cure here: it
 * would only give it again, with another record in the audit log. Of execmem
 * this cannot be said, since policies allow some of its forms. */
static bool known_answer(const struct piece *piece)
{
	return piece->danger != DANGER_EXECMEM && policy_has_refused(piece->danger);
}

/* The request as asked, for one piece. Where the kernel refuses it and a rung
 * would cure that, the verdict changes and nothing is returned yet. */
static long ask_kernel(const struct request *r, const struct piece *piece, enum verdict *verdict,
		       struct reports *reports)
{
	long result;

	if (known_answer(piece))
		result = -policy_error(piece->danger);
	else
		result = sys_mprotect(piece->start, piece->end - piece->start, r->protection,
				      r->pkey);
	if (!is_refusal(result))
		return result;
	if (piece->danger == DANGER_NONE)
		return result;
	learn(piece, result);
	*verdict = judge(r, piece);
	if (*verdict == VERDICT_PASS)
		note(reports, piece, OUTCOME_REFUSED, true);
	return result;
}

/* A list may be mistaken: then the kernel allows what was asked, though no rung
 * gives it. ANONYMOUS_REFUSED tells a policy from pages that cannot be moved. */
static long ask_kernel_after(const struct request *r, const struct piece *piece,
			     bool anonymous_refused, struct reports *reports)
{
	long result = sys_mprotect(piece->start, piece->end - piece->start, r->protection, r->pkey);

	if (!is_refusal(result))
		return result;
	if (anonymous_refused)
		learn(piece, result);
	note(reports, piece, OUTCOME_REFUSED, true);
	return result;
}

static enum outcome outcome_of(enum verdict verdict, const struct request *r)
{
	if (verdict == VERDICT_VIEWS)
		return views_outcome(r);
	return verdict == VERDICT_MOVE ? OUTCOME_MOVED : OUTCOME_COPIED;
}

static void note_given(struct reports *reports, const struct request *r,
		       const struct piece *piece, enum outcome outcome)
{
	struct piece given = *piece;

	given.danger = danger_of_piece(r, piece);
	note(reports, &given, outcome, true);
}

static long give(const struct request *r, const struct piece *piece, struct reports *reports)
{
	enum verdict verdict = judge(r, piece);
	long result;

	if (verdict == VERDICT_PASS) {
		result = ask_kernel(r, piece, &verdict, reports);
		if (verdict == VERDICT_PASS)
			return result;
	}
	result = take_rung(verdict, piece, r);
	if (!result) {
		note_given(reports, r, piece, outcome_of(verdict, r));
		return 0;
	}
	if (result == -EINVAL)
		return result; /* a protection key that there is not */
	if (is_refusal(result) && verdict != VERDICT_VIEWS) {
		/* Then a file of ours may do. */
		policy_learn_no_anonymous();
		verdict = judge(r, piece);
		if (verdict == VERDICT_VIEWS && !take_rung(verdict, piece, r)) {
			note(reports, piece, views_outcome(r), true);
			return 0;
		}
	}
	if (policy_expected(piece->danger))
		return ask_kernel_after(r, piece, is_refusal(result), reports);
	note(reports, piece, OUTCOME_REFUSED, true);
	return -policy_error(piece->danger);
}

/* The refusal of a range is that of the first piece that the kernel left
 * unchanged. But who answers in the kernel's place (seccomp, and so jitmend
 * deny) changes nothing before it refuses: then the first of several pieces may
 * be innocent. */
static bool refusal_is_certain(const struct request *r, const struct piece *piece)
{
	return piece->start != r->address || piece->end == limit_of(r);
}

/* Takes the kernel's answer to the whole range as one to PIECE. False: PIECE is
 * to be asked for by itself, or to be mended. */
static bool is_refused_for_good(const struct request *r, const struct piece *piece, long refusal,
				struct reports *reports)
{
	bool certain = refusal_is_certain(r, piece);

	if (certain || piece->danger != DANGER_EXECMEM)
		learn(piece, refusal);
	if (!certain || judge(r, piece) != VERDICT_PASS)
		return false;
	if (piece->danger != DANGER_NONE)
		note(reports, piece, OUTCOME_REFUSED, true);
	return true;
}

/* Each time that the program asks it of pages that have it already in this way. */
static void note_viewed(const struct request *r, uintptr_t start, uintptr_t end,
			struct reports *reports)
{
	struct piece piece = { .start = start, .end = end, .danger = DANGER_EXECMEM };

	note(reports, &piece, views_outcome(r), true);
}

/* Piece by piece in the kernel's own order, so that where it stops, at a hole
 * or a refusal, the pieces before are changed and those behind are not.
 * REFUSAL is the kernel's answer to the whole, 0 where it was not asked. */
static long walk(const struct request *r, long refusal, struct reports *reports)
{
	uintptr_t at = r->address, limit = limit_of(r);

	while (at < limit) {
		uintptr_t start = at, end;
		struct piece piece;
		long result = views_protect(&at, limit, effective_protection(r), r->pkey);

		if (result)
			return result;
		if (at > start) {
			note_viewed(r, start, at, reports);
			refusal = 0;
			continue;
		}
		end = next_viewed(at, limit);
		result = danger_under(at, end, r->protection, &piece);
		if (result == -ENOMEM)
			return result;
		if (result)
			return refusal ? refusal : sys_mprotect(at, end - at, r->protection, r->pkey);
		if (refusal && piece.protection != effective_protection(r)) {
			if (is_refused_for_good(r, &piece, refusal, reports))
				return refusal;
			refusal = 0;
		}
		result = give(r, &piece, reports);
		if (result)
			return result;
		codepages_protect(at, piece.end - at, (unsigned)effective_protection(r));
		at = piece.end;
	}
	return refusal;
}

static long mprotect_mended(const struct request *r)
{
	struct reports reports = { .request = r };
	uint64_t mask;
	long result = 0;

	/* As long as nothing is known to be refused the kernel is asked at once. */
	if (!policy_refuses_any() && !codepages_any(r->address, page_up(r->length))) {
		result = pass_mprotect(r);
		if (!is_refusal(result) && !met_a_move(r, result))
			return result;
	}
	lock_take(&mask);
	result = walk(r, is_refusal(result) ? result : 0, &reports);
	lock_release(&mask);
	tell(&reports);
	return result;
}

/* Audit: what lies under the range is looked at before the call, and who was
 * refused after it. */
static long mprotect_audited(const struct request *r)
{
	struct reports reports = { .request = r };
	uintptr_t limit = limit_of(r);
	struct piece pieces[sizeof reports.events / sizeof *reports.events / 2], now;
	unsigned count = 0;
	long result;

	for (uintptr_t at = r->address; at < limit && count < sizeof pieces / sizeof *pieces;
	     at = pieces[count++].end)
		if (danger_under(at, limit, r->protection, &pieces[count]))
			break;
	result = pass_mprotect(r);
	for (unsigned i = 0; i < count; i++) {
		bool refused = is_refusal(result) &&
			       danger_under(pieces[i].start, pieces[i].end, r->protection, &now) == 0 &&
			       now.protection != effective_protection(r);

		if (pieces[i].danger == DANGER_NONE)
			continue;
		if (refused)
			policy_learn_refusal(pieces[i].danger, (int)-result);
		note(&reports, &pieces[i], refused ? OUTCOME_REFUSED : OUTCOME_PASSED, refused);
		if (refused)
			break;
		if (pieces[i].execmem)
			note_execmem_too(&reports, &pieces[i]);
	}
	tell(&reports);
	return result;
}

long engine_mprotect(const struct request *r)
{
	if (mode == MODE_OFF)
		return pass_mprotect(r);
	if (!wants_exec(r))
		return mprotect_without_exec(r);
	if (!is_plain_range(r))
		return pass_mprotect(r);
	return mode == MODE_AUDIT ? mprotect_audited(r) : mprotect_mended(r);
}

/* ------------------------------------------------------------------- forks */

void engine_before_fork(uint64_t *mask)
{
	lock_take(mask);
	views_before_fork();
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
	lock_in_child();
	rung_anonymous_in_child();
	views_in_child();
	lock_restore_signals(mask);
}
