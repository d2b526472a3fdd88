/* faults.c: each system call that the library makes, failed in turn.
 *
 *	faults [--policy=WORD] [--errors=N] [--occurrences=N] [--callers=N] LIBRARY JOURNAL
 *		HOST PART...
 *	faults --policy=WORD --list LIBRARY JOURNAL HOST PART...
 *	faults --policy=WORD --one=PLACE,NTH,once|for-good,ERROR LIBRARY JOURNAL HOST PART
 *
 *	faults --judge NATIVE RUN
 *
 * HOST (host.c) runs its PART natively; then, mended, under the policy WORD, to see
 * which calls LIBRARY makes; then once for each of those with it failing: with each
 * of the errors below (or N of them in turn), the first time alone, and from the first
 * time on; and later occurrences, N at most, with one error each. Each run must print
 * what a run may print (judge.h), end as the native one does, and end at all.
 *
 * A call made for another caller is another (callers.h): two that go by the same N
 * functions are one. --list shows them: how often, PLACE, and the functions, the
 * innermost first.
 *
 * Policies: selinux (execheap and execmod: rung 1), execmem (all of SELinux's, rung
 * 2), mdwe and strict (rung 3). SELinux's are refused by the tracer.
 *
 * --judge holds what a run left in a file against what the native one did.
 *
 * Prints TAP: a test for each call, named by its place in the source where there is
 * an addr2line. The last line is "# N passed, N failed, N skipped", of tests. Exit
 * status: 0 all passed, 1 not, 2 there was no way to try. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "judge.h"
#include "settings.h"
#include "trace.h"

static const int errors[] = { ENOMEM, EACCES, EPERM, EMFILE, EAGAIN, ENOSYS };

enum { ERRORS = sizeof errors / sizeof *errors, PATIENCE = 120, SHOWN_MOST = 6 };

static struct policy {
	const char *name;
	const char *word; /* of JITMEND_POLICY; NULL: the kernel is asked */
	unsigned refused; /* by the tracer */
	bool mdwe;
} policies[] = {
	{ "selinux", NULL, POLICY_EXECHEAP | POLICY_EXECMOD, false },
	{ "execmem", "execheap,execmod,execmem",
	  POLICY_EXECHEAP | POLICY_EXECMOD | POLICY_EXECMEM, false },
	{ "mdwe", NULL, 0, true },
	{ "strict", "strict", 0, false },
};

static const struct policy *policy = &policies[3];
static int errors_first = ERRORS, occurrences_most = 3;
static unsigned callers = CALLERS_MOST;
static const char *library, *journal, *host;
static unsigned passed, failed, skipped, runs, rotation;

/* -------------------------------------------------------------------- a run */

static void set_environment(bool mended)
{
	char log[4096];

	unsetenv("LD_PRELOAD");
	unsetenv("JITMEND_POLICY");
	if (!mended)
		return;
	setenv("LD_PRELOAD", library, 1);
	if (policy->word)
		setenv("JITMEND_POLICY", policy->word, 1);
	snprintf(log, sizeof log, "%s", journal);
	setenv("JITMEND_LOG", log, 1);
}

/* What of its output, and of its end, is to be the same. The text is the caller's. */
static char *seen(const struct traced *traced)
{
	char *text = NULL;
	int status = traced->status;

	if (WIFSIGNALED(status)) {
		if (asprintf(&text, "%sended by SIG%s\n", traced->output,
			     sigabbrev_np(WTERMSIG(status))) < 0)
			exit(2);
	} else if (asprintf(&text, "%sstatus %d\n", traced->output, WEXITSTATUS(status)) < 0) {
		exit(2);
	}
	return text;
}

static void run(char *part, bool mended, struct plan *plan, struct traced *traced)
{
	char *command[] = { (char *)host, part, NULL };

	plan->command = command;
	plan->object = "/libjitmend.so";
	plan->seconds = PATIENCE;
	plan->callers = callers;
	plan->mdwe = mended && policy->mdwe;
	plan->policies = mended ? policy->refused : 0;
	set_environment(mended);
	if (!trace_run(plan, traced))
		exit(2);
	runs++;
}

/* ------------------------------------------------------------------ a place */

static bool has_source;

/* Functions, inlined ones too, the innermost first. */
struct words {
	char chain[2048];  /* all of them: " write_to backing_fill adopt_window " */
	char shown[1024];  /* the first: "+0x12 write_to(backing.c:372) < backing_fill(...)" */
};

enum { FUNCTIONS_SHOWN = 6 };

static void append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + used, size - used, format, arguments);
	va_end(arguments);
}

static void words_of(const struct place *place, struct words *words)
{
	char command[5000], function[256], line[512];
	unsigned depth = 0;
	FILE *source;

	*words = (struct words){ " ", "" };
	append(words->shown, sizeof words->shown, "+%#x", place->at);
	if (!has_source)
		return;
	/* A call is before the address that it returns to. */
	snprintf(command, sizeof command, "addr2line -f -i -e '%s' %#x", library, place->at - 1);
	for (int i = 0; i < CALLERS_MOST && place->callers[i]; i++)
		append(command, sizeof command, " %#x", place->callers[i] - 1);
	append(command, sizeof command, " 2>/dev/null");
	source = popen(command, "re");
	if (!source)
		return;
	while (fgets(function, sizeof function, source) && fgets(line, sizeof line, source)) {
		char *file = strrchr(line, '/');

		function[strcspn(function, "\n")] = 0;
		file = file ? file + 1 : line;
		file[strcspn(file, " \n")] = 0;
		if (strncmp(function, "arch_", 5) == 0) /* how a call is made here */
			continue;
		append(words->chain, sizeof words->chain, "%s ", function);
		if (depth++ < FUNCTIONS_SHOWN)
			append(words->shown, sizeof words->shown, "%s%s(%s)",
			       depth == 1 ? " " : " < ", function, file);
	}
	pclose(source);
}

/* "OFFSET[:CALLER]...", in hexadecimal, as --one= takes it. */
static char *place_text(const struct place *place)
{
	static char text[16 * (CALLERS_MOST + 1)];

	snprintf(text, sizeof text, "%x", place->at);
	for (int i = 0; i < CALLERS_MOST && place->callers[i]; i++)
		append(text, sizeof text, ":%x", place->callers[i]);
	return text;
}

/* How many callers it names; -1: it is no place. */
static int read_place(const char *text, struct place *place)
{
	char *end;

	*place = (struct place){ .at = (uint32_t)strtoul(text, &end, 16) };
	for (int i = 0; i <= CALLERS_MOST; i++) {
		if (!*end)
			return i;
		if (*end != ':' || i == CALLERS_MOST)
			return -1;
		place->callers[i] = (uint32_t)strtoul(end + 1, &end, 16);
	}
	return -1;
}

/* --------------------------------------------------------------- the faults */

/* Who faults cannot be given an error. Where the kernel will not, for good, what it
 * takes to turn a page, and there is no second way, the program has a fault of its
 * own; see LIMITATIONS in libjitmend(7). What can be known when the pages are asked
 * for must be known then: so these are limits only on the way from a fault. */
static const struct {
	const char *calls; /* the innermost functions */
	const char *part;  /* of host.c */
	const char *reason;
} known_limits[] = {
	{ "sys_mmap spare_mmap view_map_over", "shared",
	  "shared memory cannot be executed but by mmap" },
};

static bool has_functions(const char *chain, const char *names, bool first)
{
	char words[256];
	const char *at;

	snprintf(words, sizeof words, " %s ", names);
	at = strstr(chain, words);
	return at && (!first || at == chain);
}

/* Why it is one; NULL: it is not. */
static const char *known_limit(const char *chain, const struct plan *plan, const char *part,
			       const char *why)
{
	if (!plan->for_good || (!strstr(why, "SIGSEGV") && !strstr(why, "signal 11")))
		return NULL;
	for (size_t i = 0; i < sizeof known_limits / sizeof *known_limits; i++)
		if (has_functions(chain, "views_fault", false) &&
		    has_functions(chain, known_limits[i].calls, true) &&
		    strcmp(known_limits[i].part, part) == 0)
			return known_limits[i].reason;
	return NULL;
}

struct case_words {
	struct words place;
	unsigned shown;
	const char *known; /* the limit that was met */
	unsigned bad, met;
	bool hung;
};

static void complain(struct case_words *words, const struct plan *plan, const char *part,
		     const char *why)
{
	const char *limit = known_limit(words->place.chain, plan, part, why);

	if (limit) {
		words->known = limit;
		return;
	}
	words->bad++;
	if (words->shown++ >= SHOWN_MOST)
		return;
	printf("#   --policy=%s --one=%s,%u,%s,%s %s: %s\n", policy->name,
	       place_text(&plan->place), plan->nth, plan->for_good ? "for-good" : "once",
	       strerrorname_np(plan->error), part, why);
}

/* One run with the fault of PLAN; NATIVE has what the native one was like. How often the
 * call was made. */
static unsigned try_fault(char *part, const char *native, long number, struct plan *plan,
			  struct case_words *words)
{
	struct traced traced;
	char why[WHY_SIZE];
	char *text;

	run(part, true, plan, &traced);
	text = seen(&traced);
	words->hung |= traced.hung;
	if (traced.hung)
		complain(words, plan, part, "hangs");
	else if (!judge(native, text, number, plan->error, why))
		complain(words, plan, part, why);
	if (traced.failed)
		words->met++;
	free(text);
	free(traced.output);
	return traced.met;
}

static void try_errors(char *part, const char *native, const struct site *site, unsigned nth,
		       int count, struct case_words *words)
{
	for (int i = 0; i < count && !words->hung; i++) {
		struct plan plan = { .place = site->place, .nth = nth };

		plan.error = count < ERRORS ? errors[rotation++ % ERRORS] : errors[i];
		/* What failed once may be tried again at once. */
		if (try_fault(part, native, site->number, &plan, words) <= nth)
			continue;
		plan.for_good = true;
		try_fault(part, native, site->number, &plan, words);
	}
}

/* The first time, the last, and some between. */
static void try_site(char *part, const char *native, const struct site *site)
{
	struct case_words words = { 0 };
	unsigned later = site->count - 1, tried;

	words_of(&site->place, &words.place);
	try_errors(part, native, site, 1, errors_first, &words);
	tried = later < (unsigned)occurrences_most ? later : (unsigned)occurrences_most;
	for (unsigned i = 1; i <= tried; i++)
		try_errors(part, native, site, 1 + (later * i + tried - 1) / tried, 1, &words);
	if (words.bad) {
		failed++;
		printf("not ok - %s, %s: %s: %u went wrong\n", part, policy->name, words.place.shown,
		       words.bad);
	} else if (words.met) {
		passed++;
		printf("ok - %s, %s: %s\n", part, policy->name, words.place.shown);
	} else {
		skipped++;
		printf("ok - %s, %s: %s # skip was not made again\n", part, policy->name,
		       words.place.shown);
	}
	if (words.known) {
		skipped++;
		printf("ok - %s, %s: %s, for good # skip known limit: %s\n", part, policy->name,
		       words.place.shown, words.known);
	}
}

static void try_part(char *part)
{
	struct plan none = { 0 };
	struct traced native, mended;
	char *text, *mended_text, why[WHY_SIZE];

	run(part, false, &none, &native);
	run(part, true, &none, &mended);
	text = seen(&native);
	mended_text = seen(&mended);
	if (native.hung || mended.hung || !judge(text, mended_text, 0, 0, why) ||
	    mended.count == 0) {
		failed++;
		printf("not ok - %s, %s: differs though nothing fails: %s\n", part, policy->name,
		       mended.count ? why : "the library is not there");
	} else {
		for (size_t i = 0; i < mended.count; i++)
			try_site(part, text, &mended.sites[i]);
	}
	free(text);
	free(mended_text);
	free(native.output);
	free(mended.output);
}

static void list_part(char *part)
{
	struct plan none = { 0 };
	struct traced mended;
	struct words words;

	run(part, true, &none, &mended);
	for (size_t i = 0; i < mended.count; i++) {
		words_of(&mended.sites[i].place, &words);
		printf("%u %s %s\n", mended.sites[i].count, place_text(&mended.sites[i].place),
		       words.chain);
	}
}

/* One fault, and all that the run prints. */
static int show_one(char *part, const char *words)
{
	struct plan plan = { 0 };
	struct traced traced;
	char place[128], often[16], error[16];
	int named = -1;

	if (sscanf(words, "%127[^,],%u,%15[^,],%15s", place, &plan.nth, often, error) == 4)
		named = read_place(place, &plan.place);
	if (named < 0) {
		fputs("faults: --one= wants OFFSET[:CALLER]...,NTH,once|for-good,ERROR\n", stderr);
		return 2;
	}
	callers = (unsigned)named;
	plan.for_good = strcmp(often, "for-good") == 0;
	for (int i = 0; i < ERRORS; i++)
		if (strcmp(strerrorname_np(errors[i]), error) == 0)
			plan.error = errors[i];
	run(part, true, &plan, &traced);
	printf("%s# %s, failed %u times, status %#x\n", traced.output,
	       traced.hung ? "hung" : "ended", traced.failed, (unsigned)traced.status);
	return 0;
}

static char *text_of(const char *name)
{
	FILE *file = fopen(name, "re");
	char *text = NULL;
	size_t size = 0;

	if (!file || getdelim(&text, &size, 0, file) < 0)
		text = strdup("");
	if (file)
		fclose(file);
	return text;
}

/* Nothing but limits stood in the way. */
static int judge_files(const char *native, const char *mended)
{
	char *a = text_of(native), *b = text_of(mended), why[WHY_SIZE];
	bool good = judge(a, b, 0, 0, why);

	if (!good)
		printf("%s: %s\n", mended, why);
	free(a);
	free(b);
	return good ? 0 : 1;
}

static bool set_policy(const char *name)
{
	for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
		if (strcmp(policies[i].name, name) == 0) {
			policy = &policies[i];
			return true;
		}
	return false;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "policy", required_argument, NULL, 'p' },
		{ "errors", required_argument, NULL, 'e' },
		{ "occurrences", required_argument, NULL, 'o' },
		{ "callers", required_argument, NULL, 'c' },
		{ "list", no_argument, NULL, 'l' },
		{ "one", required_argument, NULL, '1' },
		{ "judge", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	const char *one = NULL;
	bool good = true, judges = false, lists = false;
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1)
		switch (option) {
		case 'p': good &= set_policy(optarg); break;
		case 'e': errors_first = atoi(optarg); break;
		case 'o': occurrences_most = atoi(optarg); break;
		case 'c': callers = (unsigned)atoi(optarg); break;
		case 'l': lists = true; break;
		case 'j': judges = true; break;
		case '1': one = optarg; break;
		default: good = false;
		}
	if (good && judges && argc - optind == 2)
		return judge_files(argv[optind], argv[optind + 1]);
	if (!good || judges || argc - optind < 4) {
		fputs("usage: faults [OPTION...] LIBRARY JOURNAL HOST PART...\n", stderr);
		return 2;
	}
	library = argv[optind];
	journal = argv[optind + 1];
	host = argv[optind + 2];
	callers_begin(library);
	has_source = system("addr2line --version >/dev/null 2>&1") == 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (one)
		return show_one(argv[optind + 3], one);
	for (int i = optind + 3; lists && i < argc; i++)
		list_part(argv[i]);
	for (int i = optind + 3; !lists && i < argc; i++)
		try_part(argv[i]);
	printf("# %u runs\n# %u passed, %u failed, %u skipped\n", runs, passed, failed, skipped);
	return failed || !passed;
}
