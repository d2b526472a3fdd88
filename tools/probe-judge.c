/* probe-judge.c: what the answers mean. See probe.h. Pure.
 *
 * A permission of SELinux's is known to be refused, or not to be, by the requests
 * that would be answered otherwise with it than without it (deny-rules.h says
 * which these are), under what is already known to be refused. Where one of them
 * was allowed, the permission is granted. Where there is none, something else
 * refuses them all first, and nothing can be said. */
#include "probe.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "decide.h"
#include "settings.h"

#define MDWE_REFUSE_EXEC_GAIN 1 /* linux/prctl.h */

const char *how_word(enum how how)
{
	static const char *const words[] = {
		[HOW_NOT] = "-", [HOW_TRIED] = "tried", [HOW_ASKED] = "asked", [HOW_READ] = "read",
	};

	return words[how];
}

const char *answer_word(enum answer answer)
{
	static const char *const words[] = {
		[ANSWER_NOT_ASKED] = "not-asked", [ANSWER_OK] = "ok",
		[ANSWER_REFUSED] = "refused", [ANSWER_KILLED] = "killed",
		[ANSWER_WRONG] = "does-not-run", [ANSWER_UNAVAILABLE] = "unavailable",
	};

	return words[answer];
}

const char *selinux_word(enum selinux selinux)
{
	static const char *const words[] = {
		[SELINUX_ABSENT] = "absent", [SELINUX_PERMISSIVE] = "permissive",
		[SELINUX_ENFORCING] = "enforcing", [SELINUX_UNCLEAR] = "unclear",
	};

	return words[selinux];
}

static bool says_no(const struct probe_result *result)
{
	return result->answer == ANSWER_REFUSED || result->answer == ANSWER_KILLED ||
	       result->answer == ANSWER_WRONG;
}

static bool foresee(const struct probe_report *report, unsigned i, unsigned policies,
		    struct refusal *refusal)
{
	return probe_foresee(&probe_requests[i], policies, report->context.file_noexec, refusal);
}

/* ----------------------------------------------------------- which policies */

static struct probe_word *word_of(struct probe_report *report, enum policy_word bit)
{
	for (unsigned i = 0; i < PROBE_WORDS; i++)
		if (report->words[i].bit == bit)
			return &report->words[i];
	return NULL;
}

static void note_word(struct probe_report *report, enum policy_word bit, enum tri refused,
		      enum how how, const char *witness)
{
	struct probe_word *word = word_of(report, bit);

	word->refused = refused;
	word->how = how;
	word->witness = witness;
	if (refused == YES)
		report->policies |= bit;
}

static void judge_kernel(struct probe_report *report)
{
	const struct probe_context *context = &report->context;
	const struct probe_mount *dev = probe_mount(context, "/dev/zero");
	bool mdwe = context->mdwe >= 0 && context->mdwe & MDWE_REFUSE_EXEC_GAIN;

	note_word(report, POLICY_MDWE, mdwe ? YES : NO, HOW_ASKED, NULL);
	note_word(report, POLICY_SECCOMP, says_no(&context->filter_mprotect) ? YES : NO, HOW_ASKED,
		  NULL);
	if (dev && dev->there)
		note_word(report, POLICY_NOEXEC_DEV, dev->noexec ? YES : NO, HOW_READ, NULL);
}

/* What request number I says of a permission: the answer would change with it. */
static enum tri vote(const struct probe_report *report, unsigned i, unsigned bit)
{
	const struct probe_result *result = &report->results[i];
	struct refusal refusal;

	if (result->how != HOW_TRIED || foresee(report, i, report->policies, &refusal) ||
	    !foresee(report, i, report->policies | bit, &refusal))
		return UNKNOWN;
	if (result->answer == ANSWER_OK)
		return NO;
	return result->answer == ANSWER_REFUSED && result->error == refusal.error ? YES : UNKNOWN;
}

static bool is_about(const struct probe_request *request, enum policy_word bit)
{
	static const unsigned bits[DANGER_COUNT] = {
		[DANGER_DEVZERO] = POLICY_EXECMOD, [DANGER_EXECHEAP] = POLICY_EXECHEAP,
		[DANGER_EXECMOD] = POLICY_EXECMOD, [DANGER_EXECMEM] = POLICY_EXECMEM,
		[DANGER_EXECSTACK] = POLICY_EXECSTACK,
	};

	return bits[request->danger] == (unsigned)bit;
}

/* The best witness is a request that is about this permission. */
static void judge_permission(struct probe_report *report, enum policy_word bit)
{
	const struct probe_request *witness = NULL;
	enum tri refused = UNKNOWN;

	for (unsigned i = 0; i < probe_request_count; i++) {
		const struct probe_request *request = &probe_requests[i];
		enum tri said = vote(report, i, bit);

		if (said == UNKNOWN || (said == YES && refused == NO))
			continue;
		if (said == refused && (is_about(witness, bit) || !is_about(request, bit)))
			continue;
		refused = said;
		witness = request;
	}
	note_word(report, bit, refused, refused == UNKNOWN ? HOW_NOT : HOW_TRIED,
		  witness ? witness->name : NULL);
}

static void judge_words(struct probe_report *report)
{
	/* execmem first: it is asked for anonymous memory whatever was asked before. */
	static const enum policy_word permissions[] = {
		POLICY_EXECMEM, POLICY_EXECHEAP, POLICY_EXECMOD, POLICY_EXECSTACK,
	};
	unsigned count = 0;

	for (unsigned i = 0; i < SETTINGS_POLICY_WORDS && count < PROBE_WORDS; i++)
		if (!(settings_policy_word[i].bit & (POLICY_STRICT | POLICY_NONE)) &&
		    settings_policy_word[i].bit)
			report->words[count++] = (struct probe_word){
				.name = settings_policy_word[i].name,
				.bit = settings_policy_word[i].bit,
			};
	judge_kernel(report);
	for (size_t i = 0; i < sizeof permissions / sizeof *permissions; i++)
		judge_permission(report, permissions[i]);
}

/* Kernels 6.6 to 6.11-rc4 refuse as execheap what only touches the heap; so does
 * jitmend deny, which cannot see the heap's exact end. */
static void judge_overlap(struct probe_report *report)
{
	struct probe_result *beyond = &report->results[probe_index("brk-beyond-rx")];
	const struct probe_result *elsewhere = &report->results[probe_index("memfd-shared-rw-rx")];

	report->overlap = false;
	if (beyond->answer != ANSWER_REFUSED || beyond->by || beyond->error != EACCES ||
	    elsewhere->answer != ANSWER_OK || !(report->policies & POLICY_EXECHEAP))
		return;
	beyond->by = "execheap";
	report->overlap = probe_is_overlap_kernel(report->context.release);
}

/* Where nothing was tried, what is known to be in force answers. */
static void fill_in(struct probe_report *report)
{
	for (unsigned i = 0; i < probe_request_count; i++) {
		struct probe_result *result = &report->results[i];
		struct refusal refusal;
		bool foreseen = foresee(report, i, report->policies, &refusal);

		result->by = NULL;
		if (foreseen && result->answer == ANSWER_NOT_ASKED) {
			bool read = strcmp(refusal.who, "noexec-dev") == 0;

			result->answer = ANSWER_REFUSED;
			result->how = read ? HOW_READ : HOW_ASKED;
			result->error = refusal.error;
		}
		if (!says_no(result))
			continue;
		if (result->answer == ANSWER_KILLED && result->signal == SIGSYS)
			result->by = "seccomp";
		else if (foreseen && result->error == refusal.error)
			result->by = probe_refuser(&probe_requests[i], &refusal);
		else if (strchr(report->context.pax, 'M'))
			result->by = "pax";
	}
	judge_overlap(report);
}

/* -------------------------------------------------------- what jitmend would do */

static enum tri works(const struct probe_report *report, const char *name)
{
	const struct probe_result *result = &report->results[probe_index(name)];

	if (result->answer == ANSWER_NOT_ASKED)
		return UNKNOWN;
	return result->answer == ANSWER_OK ? YES : NO;
}

/* As the engine takes it: true until the contrary is known. */
static bool may(const struct probe_report *report, const char *name)
{
	return works(report, name) != NO;
}

static enum tri has_backing(const struct probe_report *report)
{
	enum tri found = NO;

	for (unsigned i = 0; i < report->backing_count; i++) {
		if (report->backings[i].answer == ANSWER_OK)
			return YES;
		if (report->backings[i].answer == ANSWER_NOT_ASKED)
			found = UNKNOWN;
	}
	return found;
}

static enum verdict verdict_on(const struct probe_report *report, unsigned i)
{
	const struct probe_request *request = &probe_requests[i];
	enum asked_call call = request->way == WAY_ATTACH ? ASKED_SHMAT :
			       request->way == WAY_MAP	  ? ASKED_MMAP :
							    ASKED_MPROTECT;
	enum memory memory = request->memory;
	struct question question = {
		.call = call == ASKED_SHMAT ? CALL_SHMAT :
			call == ASKED_MMAP  ? CALL_MMAP :
					      CALL_MPROTECT,
		.danger = request->danger,
		.refused = true,
		.private_file = !request->shared && (memory == MEMORY_DEVZERO ||
						     memory == MEMORY_FILE ||
						     memory == MEMORY_MEMFD),
		.gains = true,
		.writable = request->protection & PROT_WRITE,
		.anonymous_allowed = may(report, "anon-rw-rx"),
		.fresh_allowed = may(report, "anon-rx"),
	};

	return decide(&question);
}

/* The engine takes one mapping for both where it may. */
static int views_rung(const struct probe_report *report, const struct probe_request *request)
{
	return request->protection & PROT_WRITE && may(report, "memfd-shared-rwx") ? 2 : 3;
}

/* Whether a file for it can be had, and code in it be reached. */
static enum tri views_work(const struct probe_report *report)
{
	enum tri backing = has_backing(report), flip = works(report, "memfd-flip");

	if (backing == NO || flip == NO)
		return NO;
	return backing == YES && flip == YES ? YES : UNKNOWN;
}

static void take_rung(struct probe_result *result, int rung, enum tri cure)
{
	result->rung = rung;
	result->cure = cure;
}

static void judge_cure(struct probe_report *report, unsigned i)
{
	struct probe_result *result = &report->results[i];
	const struct probe_request *request = &probe_requests[i];

	take_rung(result, result->answer == ANSWER_OK ? 0 : -1, UNKNOWN);
	/* What is given and does not run was not refused: the engine sees nothing. */
	if (!says_no(result) || result->answer == ANSWER_WRONG || request->own)
		return;
	/* A file that its mount forbids to execute is not the engine's to cure. */
	if (result->by && strcmp(result->by, "noexec") == 0)
		return;
	/* A filter says no to what is so already; the engine does not ask it. */
	if (request->memory == MEMORY_TEXT) {
		take_rung(result, 0, YES);
		return;
	}
	switch (verdict_on(report, i)) {
	case VERDICT_PASS:
		return;
	case VERDICT_MOVE:
	case VERDICT_COPY:
		take_rung(result, 1, works(report, "brk-moved-rx"));
		return;
	case VERDICT_ANONYMOUS:
		if (may(report, "anon-rwx")) {
			take_rung(result, 1, works(report, "anon-rwx"));
			return;
		}
		break;
	case VERDICT_VIEWS:
		break;
	}
	take_rung(result, views_rung(report, request), views_work(report));
}

/* ------------------------------------------------------------ what it looks like */

static void look_like(struct probe_report *report, const char *what)
{
	if (report->look_count < PROBE_MOST_LOOKS)
		report->looks[report->look_count++] = what;
}

#define SELINUX_WORDS (POLICY_EXECHEAP | POLICY_EXECMOD | POLICY_EXECMEM | POLICY_EXECSTACK)

static bool is_one_of(const char *type, const char *const *types)
{
	for (; *types; types++)
		if (strcmp(*types, type) == 0)
			return true;
	return false;
}

/* Of execstack nothing can be known where execmem is refused. */
static void looks_of_selinux(struct probe_report *report)
{
	static const char *const users[] = { "unconfined_t", "sysadm_t", "staff_t", "user_t", NULL };
	unsigned set = report->policies & SELINUX_WORDS;
	char type[256];

	probe_label_type(report->context.label, type, sizeof type);
	if (!set)
		return;
	if (set == POLICY_EXECHEAP)
		look_like(report, "Fedora and RHEL: SELinux refuses execheap, to everybody");
	else if (set == (POLICY_EXECHEAP | POLICY_EXECMOD | POLICY_EXECSTACK))
		look_like(report, "openSUSE: SELinux refuses execheap, execmod and execstack");
	else if (set & POLICY_EXECMEM && is_one_of(type, users))
		look_like(report, "Debian's reference policy, or deny_execmem switched on: SELinux "
				  "refuses execmem to users too");
	else if (set & POLICY_EXECMEM)
		look_like(report, "a confined domain of SELinux, Debian's reference policy, or "
				  "deny_execmem switched on");
	else
		look_like(report, "SELinux with booleans of its own: no distribution's default");
	if (report->context.selinux == SELINUX_ABSENT)
		look_like(report, "but there is no SELinux here: a supervisor such as jitmend deny, "
				  "or another security module");
}

static bool is_hardened(const struct probe_context *context)
{
	const struct probe_mount *shm = probe_mount(context, "/dev/shm");
	const struct probe_mount *tmp = probe_mount(context, "/tmp");

	return context->container &&
	       (context->no_new_privs || (shm && shm->noexec) || (tmp && tmp->noexec));
}

static void judge_looks(struct probe_report *report)
{
	const struct probe_context *context = &report->context;

	looks_of_selinux(report);
	if (report->policies & POLICY_MDWE)
		look_like(report, "systemd's MemoryDenyWriteExecute= (253 and later, by PR_SET_MDWE)");
	if (report->policies & POLICY_SECCOMP)
		look_like(report, "systemd's MemoryDenyWriteExecute= by a seccomp filter (before 253, "
				  "or where the kernel has no MDWE)");
	if (report->policies & POLICY_NOEXEC_DEV)
		look_like(report, "systemd's PrivateDevices=: /dev is mounted noexec");
	if (strchr(context->pax, 'M'))
		look_like(report, "grsecurity: PaX MPROTECT is on");
	if (is_hardened(context))
		look_like(report, "a hardened container");
	else if (!report->look_count && context->container)
		look_like(report, "a container, with the defaults of its engine");
}

/* ----------------------------------------------------------------------- all */

void probe_judge(struct probe_report *report)
{
	report->policies = report->look_count = report->refusals = 0;
	for (unsigned i = 0; i < probe_request_count; i++)
		if (report->results[i].how == HOW_TRIED && says_no(&report->results[i]))
			report->refusals++;
	for (unsigned i = 0; i < report->backing_count; i++)
		if (says_no(&report->backings[i]))
			report->refusals++;
	judge_words(report);
	fill_in(report);
	for (unsigned i = 0; i < probe_request_count; i++)
		judge_cure(report, i);
	judge_looks(report);
}

enum probe_status probe_exit_status(const struct probe_report *report)
{
	bool unknown = false;

	for (unsigned i = 0; i < probe_request_count; i++) {
		if (says_no(&report->results[i]))
			return PROBE_SOMETHING_REFUSED;
		unknown |= report->results[i].answer == ANSWER_NOT_ASKED;
	}
	return unknown ? PROBE_NOT_FOUND_OUT : PROBE_NOTHING_REFUSED;
}

void probe_policy_words(const struct probe_report *report, char *words, unsigned size)
{
	size_t length = 0;

	words[0] = '\0';
	for (unsigned i = 0; i < PROBE_WORDS && length < size; i++)
		if (report->words[i].refused == YES)
			length += (size_t)snprintf(words + length, size - length, "%s%s",
						   length ? "," : "", report->words[i].name);
}
