/* mapping.c: a request for new memory, from what is asked to what is given. See
 * engine.h. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "backing.h"
#include "codepages.h"
#include "danger.h"
#include "decide.h"
#include "engine.h"
#include "lock.h"
#include "policy.h"
#include "reserve.h"
#include "rung/views.h"
#include "sys.h"
#include "walk.h"

static long pass_mmap(const struct request *r, int flags, int fd)
{
	/* A hint too: the hole of a move is no free place. */
	bool over_code = r->address && codepages_any(page_down(r->address), page_up(r->length));
	uint64_t mask;
	long result;

	if (!over_code) {
		result = sys_mmap(r->address, r->length, r->protection, flags, fd, r->offset);
		if (!sys_failed(result))
			walk_forget((uintptr_t)result, page_up(r->length));
		return result;
	}
	lock_take(&mask);
	result = codepages_cut(page_down(r->address), page_up(r->length));
	if (!result)
		result = sys_mmap(r->address, r->length, r->protection, flags, fd, r->offset);
	if (!sys_failed(result))
		views_drop((uintptr_t)result, (uintptr_t)result + page_up(r->length));
	lock_release(&mask);
	return result;
}

/* A mapping of /dev/zero that MAP_ANONYMOUS can stand for: private, of a
 * descriptor that may be read, with no flag that a file and anonymous memory
 * take differently. What file it is takes a system call to tell: where no refusal is
 * expected, not for what may be read and no more, which is a library's mostly, or data.
 * One of /dev/zero is copied page by page if it is made executable and refused after
 * all, and is not one mapping to mremap any more. */
static bool maps_dev_zero(const struct request *r)
{
	int odd = MAP_ANONYMOUS | MAP_HUGETLB | MAP_GROWSDOWN;
	long status;

	if ((r->flags & MAP_TYPE) != MAP_PRIVATE || r->flags & odd ||
	    (walk_asked(r) == PROT_READ && !engine_expects_refusals()) ||
	    !danger_is_dev_zero(r->fd))
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
	struct reports reports;
	struct piece piece = whole_mapping(r, result, danger);
	bool refused = sys_refused(result);

	walk_begin_reports(&reports, r);
	if (danger == DANGER_NONE || (!refused && walk.mode != MODE_AUDIT))
		return;
	if (refused)
		policy_learn_refusal(danger, (int)-result);
	walk_note(&reports, &piece, refused ? OUTCOME_REFUSED : OUTCOME_PASSED, refused);
	if (danger == DANGER_DEVZERO && !refused && danger_is_execmem_too(r))
		walk_note_execmem_too(&reports, &piece);
	walk_tell(&reports);
}

static long pass_and_report_mmap(const struct request *r, enum danger danger)
{
	long result = pass_mmap(r, r->flags, r->fd);

	if (r->protection & PROT_EXEC)
		report_mapping(r, result, danger);
	return result;
}

/* ------------------------------------------------------- mapping, in views */

static bool is_shared_anonymous(const struct request *r)
{
	return (r->flags & MAP_TYPE) == MAP_SHARED && r->flags & MAP_ANONYMOUS;
}

/* Each of them is a file of its own that nobody else can open. */
static bool is_shared_memory(const struct request *r)
{
	return is_shared_anonymous(r) ||
	       (!(r->flags & MAP_ANONYMOUS) && danger_is_dev_zero(r->fd));
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
		result = views_note_file(start, end, mapped->protection, walk_asked(r),
					 (unsigned)backing, (uint64_t)r->offset / PAGE_BYTES);
	else
		result = views_note(start, end, mapped->protection, walk_asked(r));
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

	if (walk_asked(r) & PROT_EXEC && reserve_ready())
		return NOT_MENDED;
	/* A file's pages can be executed as they are until they are written. Not by
	 * themselves: what can be written can be read. */
	if (!(r->flags & MAP_ANONYMOUS) && r->protection & PROT_EXEC) {
		int executable = r->protection & PROT_WRITE ? PROT_READ | PROT_EXEC : r->protection;

		mapped = map_with(r, executable, r->flags, r->fd);
		if (!sys_refused(mapped.result))
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
		return sys_refused(result) ? NOT_MENDED : result;
	sys_munmap((uintptr_t)result, r->length);
	return NOT_MENDED;
}

/* For the entries that map_private or map_shared will make. */
static long room_at(uintptr_t address, size_t length, int type)
{
	return type == MAP_PRIVATE ? codepages_room(address, length) :
				     codepages_prepare(address, length);
}

/* Not what the kernel may drop (MAP_DROPPABLE), and no type that it does not know, or not
 * together with MAP_ANONYMOUS. */
static bool is_of_known_type(const struct request *r)
{
	int type = r->flags & MAP_TYPE;

	return type == MAP_PRIVATE || type == MAP_SHARED ||
	       (type == MAP_SHARED_VALIDATE && !(r->flags & MAP_ANONYMOUS));
}

static long map_in_views(const struct request *r)
{
	int type = r->flags & MAP_TYPE;
	uint64_t mask;
	long result;

	if (r->flags & (MAP_HUGETLB | MAP_GROWSDOWN) || !is_of_known_type(r) ||
	    !walk.door->guard_faults())
		return map_not_mended(r);
	lock_take(&mask);
	/* What it takes the place of is gone once it is there. */
	result = r->flags & MAP_FIXED ? room_at(r->address, page_up(r->length), type) : 0;
	if (!result)
		result = type == MAP_PRIVATE ? map_private(r) : map_shared(r);
	lock_release(&mask);
	return result;
}

/* ------------------------------------------------------------ mapping, all */

static enum verdict judge_mapping(const struct request *r)
{
	int asked = walk_asked(r);
	struct question question = {
		.call = CALL_MMAP,
		.danger = asked & PROT_EXEC ? danger_of_protection(r, asked) : DANGER_NONE,
		.refused = policy_refuses(DANGER_EXECMEM),
		.writable = asked & PROT_WRITE,
		.fresh_allowed = policy_allows_fresh_code(),
	};

	/* Whether shared memory will be made executable is not known when it is
	 * made, and later its file cannot be come by. */
	if (walk.may_refuse && (r->flags & MAP_TYPE) == MAP_SHARED && is_shared_memory(r))
		return VERDICT_VIEWS;
	return decide(&question);
}

/* Whether a file's mapping is refused without PROT_EXEC too: by the file, or the way it
 * was opened, then, and by no policy. */
static bool is_refused_by_file(const struct request *r)
{
	long result;

	if (r->flags & MAP_ANONYMOUS)
		return false;
	result = sys_mmap(0, r->length, r->protection & ~PROT_EXEC, r->flags & MAP_TYPE, r->fd,
			  r->offset);
	if (!sys_failed(result))
		sys_munmap((uintptr_t)result, r->length);
	return sys_refused(result);
}

static void learn_mapping_refusal(const struct request *r, int error)
{
	policy_learn_execmem(error);
	if (!(r->protection & PROT_WRITE))
		policy_learn_no_fresh_code();
}

static void report_views(const struct request *r, long result, enum danger danger)
{
	struct reports reports;
	struct piece piece = whole_mapping(r, result, danger);

	walk_begin_reports(&reports, r);
	if (!(walk_asked(r) & PROT_EXEC))
		return;
	walk_note(&reports, &piece, walk_views_outcome(r), true);
	walk_tell(&reports);
}

/* R as the program asked it, ACTUAL as it is carried out, of which DANGER is told. */
static long map_mended(const struct request *r, const struct request *actual, enum danger danger)
{
	bool refused = false;
	long result;

	if (judge_mapping(actual) != VERDICT_VIEWS) {
		result = pass_mmap(actual, actual->flags, actual->fd);
		if (!sys_refused(result) || !(actual->protection & PROT_EXEC))
			return result;
		if (danger_of_mapping(actual) != DANGER_EXECMEM) {
			report_mapping(r, result, danger);
			return result;
		}
		if (is_refused_by_file(actual))
			return result;
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
	struct reports reports;
	struct request anonymous = *r;
	struct piece piece;
	long result;

	walk_begin_reports(&reports, r);
	anonymous.flags |= MAP_ANONYMOUS;
	anonymous.fd = -1;
	result = map_mended(r, &anonymous, DANGER_DEVZERO);
	if (sys_failed(result) || codepages_get((uintptr_t)result).state == PAGE_VIEWED)
		return result;
	piece = whole_mapping(r, result, DANGER_DEVZERO);
	walk_note(&reports, &piece, OUTCOME_ANONYMOUS, policy_expected(DANGER_DEVZERO));
	walk_tell(&reports);
	return result;
}

/* What no policy minds, now or later. */
static bool is_innocent(const struct request *r)
{
	if (!(r->flags & MAP_ANONYMOUS) || walk_asked(r) & PROT_EXEC)
		return false;
	return !is_shared_anonymous(r) || walk.mode != MODE_MEND || !walk.may_refuse;
}

static long map_any(const struct request *r)
{
	if (walk.mode == MODE_OFF || is_innocent(r))
		return pass_mmap(r, r->flags, r->fd);
	if (walk.mode == MODE_AUDIT)
		return pass_and_report_mmap(r, maps_dev_zero(r) ? DANGER_DEVZERO :
								  danger_of_mapping(r));
	if (maps_dev_zero(r))
		return map_anonymous_instead(r);
	return map_mended(r, r, danger_of_protection(r, walk_asked(r)));
}

long engine_mmap(const struct request *r)
{
	long result = map_any(r);

	if (r->flags & MAP_LOCKED && !sys_failed(result))
		walk_note_advice((uintptr_t)result, page_up(r->length));
	return result;
}

long engine_shmat(const struct request *r)
{
	uint64_t mask;
	long result;

	/* Its length is the segment's; not into the hole of a move. */
	lock_take(&mask);
	result = sys_shmat(r->fd, r->address, r->flags);
	lock_release(&mask);
	if (walk.mode != MODE_OFF)
		report_mapping(r, result, danger_of_mapping(r));
	return result;
}
