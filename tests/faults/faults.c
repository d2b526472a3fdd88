/* faults.c: each system call that the library makes, failed in turn.
 *
 *	faults [--policy=WORD] [--errors=N] [--occurrences=N] LIBRARY JOURNAL HOST PART...
 *	faults --policy=WORD --one=OFFSET,NTH,once|for-good,ERROR LIBRARY JOURNAL HOST PART
 *
 *	faults --judge NATIVE RUN
 *
 * HOST (host.c) runs its PART natively; then, mended, under the policy WORD, to see
 * which calls LIBRARY makes; then once for each of those with it failing: with each
 * of the errors below, the first time alone, and from the first time on; and later
 * occurrences, with fewer errors. Each run must print what a run may print (judge.h),
 * end as the native one does, and end at all.
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "judge.h"
#include "settings.h"
#include "trace.h"

static const int errors[] = { ENOMEM, EACCES, EPERM, EMFILE, EAGAIN, ENOSYS };

enum { ERRORS = sizeof errors / sizeof *errors, PATIENCE = 60, SHOWN_MOST = 6 };

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
static int errors_later = 1, occurrences_most = 3;
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
	plan->mdwe = mended && policy->mdwe;
	plan->policies = mended ? policy->refused : 0;
	set_environment(mended);
	if (!trace_run(plan, traced))
		exit(2);
	runs++;
}

/* ------------------------------------------------------------------ a place */

static bool has_source;

/* The innermost functions at the site: "write_to < backing_fill (backing.c:372)". */
static void place_of(uint64_t offset, char *text, size_t size)
{
	char command[5000], function[256], line[512];
	unsigned depth = 0;
	FILE *words;

	snprintf(text, size, "+%#lx", (unsigned long)offset);
	if (!has_source)
		return;
	/* The call is before the address that it returns to. */
	snprintf(command, sizeof command, "addr2line -f -i -e '%s' %#lx 2>/dev/null", library,
		 (unsigned long)offset - 1);
	words = popen(command, "re");
	if (!words)
		return;
	while (depth < 4 && fgets(function, sizeof function, words) &&
	       fgets(line, sizeof line, words)) {
		char *file = strrchr(line, '/');
		size_t used = strlen(text);

		function[strcspn(function, "\n")] = 0;
		file = file ? file + 1 : line;
		file[strcspn(file, " \n")] = 0;
		if (strcmp(function, "arch_syscall") == 0)
			continue;
		snprintf(text + used, size - used, " %s %s(%s)", depth ? "<" : "", function, file);
		depth++;
	}
	pclose(words);
}

/* --------------------------------------------------------------- the faults */

/* Who faults cannot be given an error. Where the kernel will not, for good, what it
 * takes to turn a page, and there is no second way, the program has a fault of its
 * own; see LIMITATIONS in libjitmend(7). Where that can be known when the pages are
 * asked for, it must be: LATER says that it is enough for it to work then. */
static const struct {
	const char *function;
	bool later;
} known_limits[] = {
	{ " adopt_window(", false },    /* the page is closed to stores */
	{ " view_map_over(", false },   /* the file's page is mapped */
	{ " view_turn_writable(", false }, /* pages of a file of the program's */
	{ " spare_mmap(", true },        /* the same, and what a new file takes */
	{ " backing_try(", true },       /* after a fork: a new file */
	{ " take_in(", true },
	{ " descriptors_keep(", true },
	{ " grow_file(", true },
	{ " grow_windows(", true },
};

static bool is_known_limit(const char *place, const struct plan *plan, const char *why)
{
	if (!plan->for_good || (!strstr(why, "SIGSEGV") && !strstr(why, "signal 11")))
		return false;
	for (size_t i = 0; i < sizeof known_limits / sizeof *known_limits; i++)
		if (strstr(place, known_limits[i].function))
			return plan->nth > 1 || !known_limits[i].later;
	return false;
}

struct case_words {
	char place[1024];
	unsigned shown;
	unsigned bad, known, met;
};

static void complain(struct case_words *words, const struct plan *plan, const char *part,
		     const char *why)
{
	if (is_known_limit(words->place, plan, why)) {
		words->known++;
		return;
	}
	words->bad++;
	if (words->shown++ >= SHOWN_MOST)
		return;
	printf("#   --policy=%s --one=%#lx,%u,%s,%s %s: %s\n", policy->name,
	       (unsigned long)plan->offset, plan->nth, plan->for_good ? "for-good" : "once",
	       strerrorname_np(plan->error), part, why);
}

/* One run with the fault of PLAN; TEXT has what the native one was like. */
static void try_fault(char *part, const char *native, long number, struct plan *plan,
		      struct case_words *words)
{
	struct traced traced;
	char why[WHY_SIZE];
	char *text;

	run(part, true, plan, &traced);
	text = seen(&traced);
	if (traced.hung)
		complain(words, plan, part, "hangs");
	else if (!judge(native, text, number, plan->error, why))
		complain(words, plan, part, why);
	if (traced.failed)
		words->met++;
	free(text);
	free(traced.output);
}

static void try_errors(char *part, const char *native, const struct site *site, unsigned nth,
		       int count, struct case_words *words)
{
	for (int i = 0; i < count; i++) {
		struct plan plan = { .offset = site->offset, .nth = nth };

		plan.error = count < ERRORS ? errors[rotation++ % ERRORS] : errors[i];
		try_fault(part, native, site->number, &plan, words);
		plan.for_good = true;
		if (site->count > nth)
			try_fault(part, native, site->number, &plan, words);
	}
}

/* The first time, the last, and some between. */
static void try_site(char *part, const char *native, const struct site *site)
{
	struct case_words words = { 0 };
	unsigned later = site->count - 1, tried;

	place_of(site->offset, words.place, sizeof words.place);
	try_errors(part, native, site, 1, ERRORS, &words);
	tried = later < (unsigned)occurrences_most ? later : (unsigned)occurrences_most;
	for (unsigned i = 1; i <= tried; i++)
		try_errors(part, native, site, 1 + (later * i + tried - 1) / tried, errors_later,
			   &words);
	if (words.bad) {
		failed++;
		printf("not ok - %s, %s: %s: %u went wrong\n", part, policy->name, words.place,
		       words.bad);
	} else if (words.met) {
		passed++;
		printf("ok - %s, %s: %s\n", part, policy->name, words.place);
	} else {
		skipped++;
		printf("ok - %s, %s: %s # skip was not made again\n", part, policy->name,
		       words.place);
	}
	if (words.known) {
		skipped++;
		printf("ok - %s, %s: %s, for good # skip known limit: a fault has no error\n", part,
		       policy->name, words.place);
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

/* One fault, and all that the run prints. */
static int show_one(char *part, const char *words)
{
	struct plan plan = { 0 };
	struct traced traced;
	char often[16], error[16];
	unsigned long offset;

	if (sscanf(words, "%lx,%u,%15[^,],%15s", &offset, &plan.nth, often, error) != 4) {
		fputs("faults: --one= wants OFFSET,NTH,once|for-good,ERROR\n", stderr);
		return 2;
	}
	plan.offset = offset;
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
		{ "one", required_argument, NULL, '1' },
		{ "judge", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	const char *one = NULL;
	bool good = true, judges = false;
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1)
		switch (option) {
		case 'p': good &= set_policy(optarg); break;
		case 'e': errors_later = atoi(optarg); break;
		case 'o': occurrences_most = atoi(optarg); break;
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
	has_source = system("addr2line --version >/dev/null 2>&1") == 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (one)
		return show_one(argv[optind + 3], one);
	for (int i = optind + 3; i < argc; i++)
		try_part(argv[i]);
	printf("# %u runs\n# %u passed, %u failed, %u skipped\n", runs, passed, failed, skipped);
	return failed || !passed;
}
