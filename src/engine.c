/* engine.c: the walk of a call through the house. See engine.h; doc/HACKING
 * follows one mprotect through it. */
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/personality.h>

#include "codepages.h"
#include "danger.h"
#include "decide.h"
#include "lock.h"
#include "policy.h"
#include "rung/anonymous.h"
#include "sys.h"
#include "vma.h"

#ifndef PROT_SEM
#define PROT_SEM 0x8 /* asm-generic/mman-common.h: taken and without effect */
#endif

static enum mode mode = MODE_OFF;
static const struct door *door;
static atomic_bool read_implies_exec;

void engine_begin(const struct settings *settings, const struct door *to)
{
	door = to;
	if (settings->policy & POLICY_NONE)
		return;
	policy_begin(settings->policy);
	vma_note_heap();
	engine_note_personality((unsigned long)sys_personality(CURRENT_PERSONALITY));
	mode = settings->mode; /* last: from now on calls are watched */
}

bool engine_watches(void)
{
	return mode != MODE_OFF;
}

void engine_note_personality(unsigned long personality)
{
	atomic_store(&read_implies_exec, personality & READ_IMPLIES_EXEC);
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

/* Entries of pages that are other memory now. */
static void forget(uintptr_t address, size_t length)
{
	uint64_t mask;

	if (!codepages_any(address, length))
		return;
	lock_take(&mask);
	codepages_clear(address, length);
	lock_release(&mask);
}

long engine_munmap(uintptr_t address, size_t length)
{
	uint64_t mask;
	long result;

	if (!codepages_any(address, page_up(length))) {
		result = sys_munmap(address, length);
		if (sys_failed(result) || !codepages_any(address, page_up(length)))
			return result;
		/* A move began meanwhile, and would bring back what is gone. */
	}
	lock_take(&mask);
	result = sys_munmap(address, length);
	if (!sys_failed(result))
		codepages_clear(address, page_up(length));
	lock_release(&mask);
	return result;
}

long engine_mremap(uintptr_t from, size_t old_length, size_t length, int flags, uintptr_t to)
{
	uint64_t mask;
	long result;

	if (!codepages_any(from, page_up(old_length)) &&
	    !(flags & MREMAP_FIXED && codepages_any(to, page_up(length)))) {
		result = sys_mremap(from, old_length, length, flags, to);
		if (!sys_failed(result))
			forget((uintptr_t)result, page_up(length));
		return result;
	}
	lock_take(&mask);
	result = sys_mremap(from, old_length, length, flags, to);
	if (!sys_failed(result)) {
		codepages_clear(from, page_up(old_length));
		codepages_clear((uintptr_t)result, page_up(length));
	}
	lock_release(&mask);
	return result;
}

long engine_madvise(uintptr_t address, size_t length, int advice)
{
	uint64_t mask;
	long result;

	if (!codepages_any(address, page_up(length)))
		return sys_madvise(address, length, advice);
	/* Under the lock, so that it does not meet the hole of a move. */
	lock_take(&mask);
	result = sys_madvise(address, length, advice);
	lock_release(&mask);
	return result;
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
		codepages_clear((uintptr_t)result, page_up(r->length));
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

/* Where anonymous memory is refused too, the device itself may be allowed. */
static long map_anonymous_instead(const struct request *r)
{
	struct reports reports = { .request = r };
	struct piece piece;
	long result = pass_mmap(r, r->flags | MAP_ANONYMOUS, -1);

	if (is_refusal(result))
		return pass_and_report_mmap(r, DANGER_DEVZERO);
	if (sys_failed(result))
		return result;
	piece = whole_mapping(r, result, DANGER_DEVZERO);
	note(&reports, &piece, OUTCOME_ANONYMOUS, policy_expected(DANGER_DEVZERO));
	tell(&reports);
	return result;
}

long engine_mmap(const struct request *r)
{
	struct question question = { .call = CALL_MMAP };

	if (mode == MODE_OFF || (r->flags & MAP_ANONYMOUS && !(r->protection & PROT_EXEC)))
		return pass_mmap(r, r->flags, r->fd);
	question.danger = maps_dev_zero(r) ? DANGER_DEVZERO : danger_of_mapping(r);
	question.anonymous_allowed = policy_allows_anonymous();
	if (mode == MODE_MEND && decide(&question) == VERDICT_ANONYMOUS)
		return map_anonymous_instead(r);
	return pass_and_report_mmap(r, question.danger);
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
	if (r->protection & PROT_EXEC)
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

/* What the page table holds of the pages must follow what the program asks. */
static void note_protection(const struct request *r)
{
	codepages_protect(r->address, page_up(r->length), (unsigned)effective_protection(r));
}

static long mprotect_without_exec(const struct request *r)
{
	uint64_t mask;
	long result;

	if (!codepages_any(r->address, page_up(r->length))) {
		result = pass_mprotect(r);
		if (!codepages_any(r->address, page_up(r->length)))
			return result;
		/* A move began meanwhile: it may have been met, or undo this. */
	}
	lock_take(&mask);
	result = pass_mprotect(r);
	if (!sys_failed(result))
		note_protection(r);
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
	if (verdict == VERDICT_MOVE)
		result = rung_anonymous_move(piece, protection, r->pkey);
	else
		result = rung_anonymous_copy(piece, protection, r->pkey);
	if (persona & READ_IMPLIES_EXEC)
		sys_personality((unsigned long)persona);
	return result;
}

static enum verdict judge(const struct piece *piece)
{
	struct question question = {
		.call = CALL_MPROTECT,
		.danger = piece->danger,
		.refused = policy_refuses(piece->danger),
		.private_file = piece->private_file,
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
	*verdict = judge(piece);
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

static long give(const struct request *r, const struct piece *piece, struct reports *reports)
{
	enum verdict verdict = judge(piece);
	long result;

	if (verdict == VERDICT_PASS) {
		result = ask_kernel(r, piece, &verdict, reports);
		if (verdict == VERDICT_PASS)
			return result;
	}
	result = take_rung(verdict, piece, r);
	if (!result) {
		note(reports, piece, verdict == VERDICT_MOVE ? OUTCOME_MOVED : OUTCOME_COPIED,
		     true);
		return 0;
	}
	if (result == -EINVAL)
		return result; /* a protection key that there is not */
	if (is_refusal(result))
		policy_learn_no_anonymous();
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
	if (!certain || judge(piece) != VERDICT_PASS)
		return false;
	if (piece->danger != DANGER_NONE)
		note(reports, piece, OUTCOME_REFUSED, true);
	return true;
}

/* Piece by piece in the kernel's own order, so that where it stops, at a hole
 * or a refusal, the pieces before are changed and those behind are not.
 * REFUSAL is the kernel's answer to the whole, 0 where it was not asked. */
static long walk(const struct request *r, long refusal, struct reports *reports)
{
	uintptr_t at = r->address, limit = limit_of(r);

	while (at < limit) {
		struct piece piece;
		long result = danger_under(at, limit, r->protection, &piece);

		if (result == -ENOMEM)
			return result;
		if (result)
			return refusal ? refusal : sys_mprotect(at, limit - at, r->protection, r->pkey);
		if (refusal && piece.protection != effective_protection(r)) {
			if (is_refused_for_good(r, &piece, refusal, reports))
				return refusal;
			refusal = 0;
		}
		result = give(r, &piece, reports);
		if (result)
			return result;
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
	if (!sys_failed(result))
		note_protection(r);
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
