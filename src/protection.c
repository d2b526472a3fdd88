/* protection.c: a request for another protection, piece by piece. See engine.h;
 * doc/HACKING follows one through it. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/personality.h>

#include "backing.h"
#include "codepages.h"
#include "danger.h"
#include "decide.h"
#include "engine.h"
#include "lock.h"
#include "policy.h"
#include "rung/anonymous.h"
#include "rung/views.h"
#include "sys.h"
#include "trampoline.h"
#include "vma.h"
#include "walk.h"

#ifndef PROT_SEM
#define PROT_SEM 0x8 /* asm-generic/mman-common.h: taken and without effect */
#endif

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

static bool wants_exec(const struct request *r)
{
	if (walk_asked(r) & PROT_EXEC)
		return true;
	return r->protection & PROT_READ && atomic_load(&walk.read_implies_exec) &&
	       sys_current_personality() & READ_IMPLIES_EXEC;
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
	long backing, result;

	if (vma_find(piece->start, &vma) || vma.start > piece->start)
		return -EACCES;
	backing = backing_share_mapping(&vma, !vma_advice(piece->start).never_write);
	if (sys_failed(backing))
		return -EACCES;
	result = views_note_file(piece->start, piece->end, piece->protection, piece->protection,
				 (unsigned)backing,
				 (vma.offset + (piece->start - vma.start)) / PAGE_BYTES);
	if (result) {
		backing_drop((unsigned)backing, 0, 0);
		return result;
	}
	return views_protect(&at, piece->end, protection, pkey);
}

static long take_rung(enum verdict verdict, const struct piece *piece, const struct request *r)
{
	int protection = effective_protection(r);
	unsigned long persona = 0;
	long result;

	if (holds_own_stack(piece))
		return -EBUSY;
	if (!walk.door->guard_faults())
		return -ENOSYS;
	/* Or even a read-only view, which a copy is made from, asks for EXEC. */
	if (atomic_load(&walk.read_implies_exec))
		persona = sys_current_personality();
	if (persona & READ_IMPLIES_EXEC)
		sys_personality(persona & ~(unsigned long)READ_IMPLIES_EXEC);
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
		sys_personality(persona);
	return result;
}

/* Shared memory of a descriptor that may only be read: not a question of policies. */
static bool is_never_writable(const struct request *r, const struct piece *piece)
{
	return piece->shared && r->protection & PROT_WRITE && !(piece->protection & PROT_WRITE) &&
	       vma_advice(piece->start).never_write;
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

/* A refusal that the kernel has given before, or that the user foretells, and that
 * has no cure here: it would only be given again, with another record in the audit
 * log. Of execmem this cannot be said, since policies allow some of its forms. */
static bool known_answer(const struct piece *piece)
{
	return piece->danger != DANGER_EXECMEM &&
	       (policy_has_refused(piece->danger) || policy_is_told(piece->danger));
}

/* Stacks that an object wants executable. Where a policy refuses that, code on them is
 * not all lost: what gcc writes there is carried out. An object that says it for no
 * reason, as many do, loads. */
static bool is_for_stack(const struct request *r, enum danger danger)
{
	return r->by_loader && danger == DANGER_EXECSTACK && r->protection & PROT_EXEC;
}

static long emulate(const struct piece *piece, struct reports *reports)
{
	if (!walk.door->guard_faults()) {
		walk_note(reports, piece, OUTCOME_REFUSED, true);
		return -policy_error(piece->danger);
	}
	trampolines_allow();
	walk_note(reports, piece, OUTCOME_EMULATED, true);
	return 0;
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
	if (!sys_refused(result))
		return result;
	if (piece->danger == DANGER_NONE)
		return result;
	learn(piece, result);
	if (is_for_stack(r, piece->danger))
		return emulate(piece, reports);
	*verdict = judge(r, piece);
	if (*verdict == VERDICT_PASS)
		walk_note(reports, piece, OUTCOME_REFUSED, true);
	return result;
}

/* A list may be mistaken: then the kernel allows what was asked, though no rung
 * gives it. ANONYMOUS_REFUSED tells a policy from pages that cannot be moved. */
static long ask_kernel_after(const struct request *r, const struct piece *piece,
			     bool anonymous_refused, struct reports *reports)
{
	long result = sys_mprotect(piece->start, piece->end - piece->start, r->protection, r->pkey);

	if (!sys_refused(result))
		return result;
	if (anonymous_refused)
		learn(piece, result);
	walk_note(reports, piece, OUTCOME_REFUSED, true);
	return result;
}

static enum outcome outcome_of(enum verdict verdict, const struct request *r)
{
	if (verdict == VERDICT_VIEWS)
		return walk_views_outcome(r);
	return verdict == VERDICT_MOVE ? OUTCOME_MOVED : OUTCOME_COPIED;
}

static void note_given(struct reports *reports, const struct request *r,
		       const struct piece *piece, enum outcome outcome)
{
	struct piece given = *piece;

	given.danger = danger_of_piece(r, piece);
	walk_note(reports, &given, outcome, true);
}

/* FAILURE is the rung's. It may be in want of memory, as the kernel may be: a program
 * that hears of a policy then gives up what it could have later. */
static long not_given(const struct request *r, const struct piece *piece, bool anonymous_refused,
		      long failure, struct reports *reports)
{
	long result = -policy_error(piece->danger);

	if (policy_expected(piece->danger))
		result = ask_kernel_after(r, piece, anonymous_refused, reports);
	else
		walk_note(reports, piece, OUTCOME_REFUSED, true);
	return sys_refused(result) && failure == -ENOMEM ? failure : result;
}

static long give(const struct request *r, const struct piece *piece, struct reports *reports)
{
	enum verdict verdict = judge(r, piece);
	bool anonymous_refused = false;
	long result;

	if (is_never_writable(r, piece))
		return -EACCES;
	/* A filter knows nothing of what the memory is already. */
	if (piece->protection == effective_protection(r) && r->pkey == -1)
		return 0;
	if (is_for_stack(r, piece->danger) && policy_refuses(piece->danger))
		return emulate(piece, reports);
	if (verdict == VERDICT_PASS) {
		result = ask_kernel(r, piece, &verdict, reports);
		if (verdict == VERDICT_PASS)
			return result;
	}
	result = take_rung(verdict, piece, r);
	if (sys_refused(result) && verdict != VERDICT_VIEWS) {
		/* Then a file of ours may do. What was refused was execmem. */
		policy_learn_execmem((int)-result);
		verdict = judge(r, piece);
		anonymous_refused = true;
		if (verdict == VERDICT_VIEWS)
			result = take_rung(verdict, piece, r);
	}
	if (!result) {
		note_given(reports, r, piece, outcome_of(verdict, r));
		return 0;
	}
	if (result == -EINVAL)
		return result; /* a protection key that there is not */
	return not_given(r, piece, anonymous_refused || sys_refused(result), result, reports);
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
		walk_note(reports, piece, OUTCOME_REFUSED, true);
	return true;
}

/* Each time that the program asks it of pages that have it already in this way. */
static void note_viewed(const struct request *r, uintptr_t start, uintptr_t end,
			struct reports *reports)
{
	struct piece piece = { .start = start, .end = end, .danger = DANGER_EXECMEM };

	walk_note(reports, &piece, walk_views_outcome(r), true);
}

/* Piece by piece in the kernel's own order, so that where it stops, at a hole
 * or a refusal, the pieces before are changed and those behind are not.
 * REFUSAL is the kernel's answer to the whole, 0 where it was not asked. */
static long walk_pieces(const struct request *r, long refusal, struct reports *reports)
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
	struct reports reports;
	uint64_t mask;
	long result = 0;

	walk_begin_reports(&reports, r);
	/* As long as nothing is known to be refused the kernel is asked at once. */
	if (!policy_refuses_any() && !codepages_any(r->address, page_up(r->length))) {
		result = pass_mprotect(r);
		if (!sys_refused(result) && !met_a_move(r, result))
			return result;
	}
	lock_take(&mask);
	reports.thread = lock_holder();
	result = walk_pieces(r, sys_refused(result) ? result : 0, &reports);
	lock_release(&mask);
	walk_tell(&reports);
	return result;
}

/* Audit: what lies under the range is looked at before the call, and who was
 * refused after it. */
static long mprotect_audited(const struct request *r)
{
	struct reports reports;
	uintptr_t limit = limit_of(r);
	struct piece pieces[sizeof reports.events / sizeof *reports.events / 2], now;
	unsigned count = 0;
	long result;

	walk_begin_reports(&reports, r);
	for (uintptr_t at = r->address; at < limit && count < sizeof pieces / sizeof *pieces;
	     at = pieces[count++].end)
		if (danger_under(at, limit, r->protection, &pieces[count]))
			break;
	result = pass_mprotect(r);
	for (unsigned i = 0; i < count; i++) {
		bool refused = sys_refused(result) &&
			       danger_under(pieces[i].start, pieces[i].end, r->protection, &now) == 0 &&
			       now.protection != effective_protection(r);

		if (pieces[i].danger == DANGER_NONE)
			continue;
		if (refused)
			policy_learn_refusal(pieces[i].danger, (int)-result);
		walk_note(&reports, &pieces[i], refused ? OUTCOME_REFUSED : OUTCOME_PASSED, refused);
		if (refused)
			break;
		if (pieces[i].execmem)
			walk_note_execmem_too(&reports, &pieces[i]);
	}
	walk_tell(&reports);
	return result;
}

/* The kernel's own word for the main stack, down to where it ends. */
static bool is_main_stack(const struct request *r)
{
	return r->protection & PROT_GROWSDOWN && is_for_stack(r, DANGER_EXECSTACK);
}

static long protect_main_stack(const struct request *r)
{
	struct reports reports;
	struct piece piece = {
		.start = r->address, .end = limit_of(r), .danger = DANGER_EXECSTACK,
	};
	long result;

	walk_begin_reports(&reports, r);
	if (!policy_refuses(DANGER_EXECSTACK)) {
		result = pass_mprotect(r);
		if (!sys_refused(result))
			return result;
		learn(&piece, result);
	}
	result = emulate(&piece, &reports);
	walk_tell(&reports);
	return result;
}

long engine_mprotect(const struct request *r)
{
	if (walk.mode == MODE_OFF)
		return pass_mprotect(r);
	if (!wants_exec(r))
		return mprotect_without_exec(r);
	if (walk.mode == MODE_MEND && is_main_stack(r))
		return protect_main_stack(r);
	if (!is_plain_range(r))
		return pass_mprotect(r);
	return walk.mode == MODE_AUDIT ? mprotect_audited(r) : mprotect_mended(r);
}
