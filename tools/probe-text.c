/* probe-text.c: the report for people: tables, and what follows from them. See
 * probe.h. */
#include <config.h>

#include "probe.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codefile.h"

enum { INDENT = 2, KEY = 20, COLUMN_WHAT = INDENT + KEY + 8 + 7 + 12 + 10, NARROW = 16 };

static const struct probe_style *style;

static const char GREEN[] = "32", RED[] = "31", YELLOW[] = "33", BOLD[] = "1";

static void coloured(const char *colour, int size, const char *word)
{
	if (style->colour && colour)
		printf("\033[%sm%s\033[0m%*s", colour, word,
		       (int)strlen(word) < size ? size - (int)strlen(word) : 0, "");
	else
		printf("%-*s", size, word);
}

/* Words from column AT on, in lines that begin at INDENT_TO. What a file or a label
 * is called is anybody's: nothing of it reaches the terminal but print. */
static void wrapped(const char *text, unsigned at, unsigned indent)
{
	bool first = true;

	while (*text) {
		size_t length = strcspn(text, " ");

		if (!first && style->width && at + 1 + length > style->width) {
			printf("\n%*s", (int)indent, "");
			at = indent;
			first = true;
		}
		if (!first) {
			putchar(' ');
			at++;
		}
		for (size_t i = 0; i < length; i++)
			putchar((unsigned char)text[i] < ' ' || text[i] == 127 ? '?' : text[i]);
		at += (unsigned)length;
		text += length + strspn(text + length, " ");
		first = false;
	}
	putchar('\n');
}

static void heading(const char *text)
{
	coloured(BOLD, 0, text);
	putchar('\n');
}

__attribute__((format(printf, 3, 4)))
static void line(const char *key, const char *colour, const char *format, ...)
{
	char text[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	printf("%*s%-*s ", INDENT, "", KEY - 1, key);
	if (style->colour && colour)
		printf("\033[%sm", colour);
	wrapped(text, INDENT + KEY, INDENT + KEY);
	if (style->colour && colour)
		fputs("\033[0m", stdout);
}

/* ------------------------------------------------------------------- context */

static void selinux_line(const struct probe_context *context)
{
	static const char *const words[] = {
		[SELINUX_ABSENT] = "not there (read)",
		[SELINUX_PERMISSIVE] = "permissive: it records, and refuses nothing (read)",
		[SELINUX_ENFORCING] = "enforcing (read)",
		[SELINUX_UNCLEAR] = "there, but whether it enforces cannot be seen from here",
	};

	line("SELinux", context->selinux == SELINUX_ENFORCING ? YELLOW : NULL, "%s",
	     words[context->selinux]);
	if (*context->label)
		line("label", NULL, "%s (read)", context->label);
}

static void mdwe_line(const struct probe_context *context)
{
	if (context->mdwe < 0)
		line("MDWE", NULL, "not known to this kernel, or not to be asked for: %s (asked)",
		     strerror((int)-context->mdwe));
	else
		line("MDWE", context->mdwe & 1 ? YELLOW : NULL, "%s (asked: PR_GET_MDWE)",
		     context->mdwe & 1 ? "in force" : "not in force");
}

static const char *filter_verdict(const struct probe_result *result)
{
	if (result->answer == ANSWER_OK)
		return "lets pass";
	if (result->answer == ANSWER_KILLED)
		return "kills for";
	return result->answer == ANSWER_REFUSED ? "refuses" : "cannot be asked about";
}

static void filter_line(const struct probe_context *context)
{
	if (!context->filtered) {
		line("seccomp", NULL, "no filter (asked: PR_GET_SECCOMP)");
		return;
	}
	line("seccomp", YELLOW,
	     "in force; a filter %s mprotect with PROT_EXEC, and %s mmap with write and "
	     "execute (asked, with calls that change nothing)",
	     filter_verdict(&context->filter_mprotect), filter_verdict(&context->filter_mmap));
}

static void memfd_line(const struct probe_context *context)
{
	if (context->memfd_noexec < 0)
		line("vm.memfd_noexec", NULL, "this kernel has none, or /proc cannot be read");
	else
		line("vm.memfd_noexec", NULL, "%d%s (read)", context->memfd_noexec,
		     context->memfd_noexec == 2 ? ": memfd_create with MFD_EXEC fails; jitmend "
						  "does not ask for it" :
						  "");
}

static void mounts_line(const struct probe_context *context)
{
	char list[PROBE_MOST_MOUNTS * 260] = "";
	size_t length = 0;

	for (unsigned i = 0; i < context->mount_count; i++)
		if (context->mounts[i].there && context->mounts[i].noexec)
			length += (size_t)snprintf(list + length, sizeof list - length, "%s%s",
						   length ? ", " : "", context->mounts[i].path);
	line("noexec mounts", *list ? YELLOW : NULL, "%s (read)",
	     *list ? list : "none of those looked at");
}

static void print_context(const struct probe_context *context)
{
	heading("Context");
	line("kernel", NULL, "%s %s", context->release, context->machine);
	selinux_line(context);
	if (*context->lsm)
		line("security modules", NULL, "%s (read)", context->lsm);
	mdwe_line(context);
	filter_line(context);
	line("no_new_privs", NULL, "%s (read)", context->no_new_privs ? "yes" : "no");
	line("PaX", NULL, "%s (read)", *context->pax ? context->pax : "not there");
	memfd_line(context);
	mounts_line(context);
	if (context->container)
		line("container", NULL, "yes: %s (read)", context->container);
	putchar('\n');
}

/* -------------------------------------------------------------------- tables */

static const char *answer_text(const struct probe_result *result)
{
	switch (result->answer) {
	case ANSWER_OK:
		return "ok";
	case ANSWER_REFUSED:
		return strerrorname_np(result->error) ? strerrorname_np(result->error) : "refused";
	case ANSWER_KILLED:
		return sigabbrev_np(result->signal) ? sigabbrev_np(result->signal) : "killed";
	case ANSWER_WRONG:
		return "no run";
	case ANSWER_UNAVAILABLE:
		return "n/a";
	case ANSWER_NOT_ASKED:
		break;
	}
	return "?";
}

static const char *answer_colour(const struct probe_result *result)
{
	if (result->answer == ANSWER_OK)
		return GREEN;
	return result->answer == ANSWER_NOT_ASKED || result->answer == ANSWER_UNAVAILABLE ? YELLOW :
											    RED;
}

static bool is_refused(const struct probe_result *result)
{
	return result->answer == ANSWER_REFUSED || result->answer == ANSWER_KILLED ||
	       result->answer == ANSWER_WRONG;
}

static const char *run_text(const struct probe_result *result, bool own)
{
	static const char *const rungs[] = { "as it is", "rung 1", "rung 2", "rung 3" };
	static const char *const doubts[] = { "as it is", "rung 1?", "rung 2?", "rung 3?" };

	if (own || result->rung < 0)
		return is_refused(result) && !own ? "none" : "-";
	if (result->rung > 0 && result->cure == NO)
		return "none";
	return (result->rung > 0 && result->cure == UNKNOWN ? doubts : rungs)[result->rung];
}

static const char *by_text(const struct probe_result *result)
{
	if (!is_refused(result))
		return "-";
	return result->by ? result->by : "unknown";
}

static bool is_narrow(void)
{
	return style->width && style->width < COLUMN_WHAT + NARROW;
}

/* On a line of its own where the terminal is narrow. */
static void what(const char *text)
{
	unsigned at = is_narrow() ? 2 * INDENT : COLUMN_WHAT;

	if (is_narrow())
		printf("\n%*s", (int)at, "");
	wrapped(text, at, at);
}

static void row(const char *name, const struct probe_result *result, bool own, const char *text)
{
	printf("%*s%-*s", INDENT, "", KEY, name);
	coloured(answer_colour(result), 8, answer_text(result));
	printf("%-7s%-12s%-10s", how_word(result->how), by_text(result), run_text(result, own));
	what(text);
}

static void table_heading(const char *title, const char *run)
{
	heading(title);
	printf("%*s%-*s%-8s%-7s%-12s%-10s%s\n", INDENT, "", KEY, "REQUEST", "ANSWER", "HOW", "BY",
	       run, is_narrow() ? "" : "WHAT");
}

static void print_requests(const struct probe_report *report)
{
	table_heading("What programs ask for, and what jitmend run makes of it", "RUN");
	for (unsigned i = 0; i < probe_request_count; i++)
		if (!probe_requests[i].own)
			row(probe_requests[i].name, &report->results[i], false,
			    probe_requests[i].what);
	putchar('\n');
	table_heading("What jitmend run needs for that", "");
	for (unsigned i = 0; i < probe_request_count; i++)
		if (probe_requests[i].own)
			row(probe_requests[i].name, &report->results[i], true,
			    probe_requests[i].what);
	for (unsigned i = 0; i < report->backing_count; i++)
		row(codefile_kind(i), &report->backings[i], true,
		    i ? "an unlinked file there, mapped r-x" : "a file of no mount, mapped r-x");
	putchar('\n');
}

/* --------------------------------------------------------------- on the whole */

static void print_words(const struct probe_report *report, enum tri refused, const char *key)
{
	char list[512] = "";
	size_t length = 0;

	for (unsigned i = 0; i < PROBE_WORDS; i++) {
		const struct probe_word *word = &report->words[i];

		if (word->refused != refused)
			continue;
		length += (size_t)snprintf(list + length, sizeof list - length, "%s%s",
					   length ? ", " : "", word->name);
		if (word->witness)
			length += (size_t)snprintf(list + length, sizeof list - length, " (%s)",
						   word->witness);
	}
	if (*list)
		line(key, refused == YES ? RED : refused == NO ? GREEN : YELLOW, "%s", list);
}

static void list_requests(const struct probe_report *report, bool cured, char *list, size_t size)
{
	size_t length = 0;

	list[0] = '\0';
	for (unsigned i = 0; i < probe_request_count && length < size; i++) {
		const struct probe_result *result = &report->results[i];

		if (probe_requests[i].own || !is_refused(result) ||
		    cured != (result->rung > 0 && result->cure != NO))
			continue;
		length += (size_t)snprintf(list + length, size - length, "%s%s",
					   length ? ", " : "", probe_requests[i].name);
	}
}

static void print_cures(const struct probe_report *report)
{
	char list[1024], words[256];
	bool any;

	list_requests(report, true, list, sizeof list);
	any = *list;
	if (any)
		line("jitmend run mends", GREEN, "%s", list);
	list_requests(report, false, list, sizeof list);
	if (*list)
		line("and cannot mend", RED, "%s", list);
	probe_policy_words(report, words, sizeof words);
	if (any && *words)
		line("without records", NULL,
		     "jitmend run --policy=%s PROGRAM (the kernel is not asked for what the list "
		     "says is refused, so nothing is recorded)", words);
}

static void print_audit(const struct probe_report *report)
{
	const char *auditor = report->context.auditor;

	if (!auditor)
		line("audit records", NULL, "none: nobody is known here who records refusals");
	else if (report->quiet)
		line("audit records", NULL, "none: with %s in force nothing was tried, and what is "
		     "marked ? is not known", auditor);
	else if (strcmp(auditor, "a seccomp filter") == 0)
		line("audit records", NULL, "of a seccomp filter's refusals by errno there are none, "
		     "unless it was loaded to log them; of each one that kills there is one");
	else if (report->refusals)
		line("audit records", YELLOW, "up to %u, by %s (ausearch -c jitmend-probe); "
		     "--quiet-audit leaves none", report->refusals, auditor);
	else
		line("audit records", NULL, "none, as nothing was refused; %s would record a "
		     "refusal", auditor);
}

static void print_whole(const struct probe_report *report)
{
	heading("On the whole");
	print_words(report, YES, "refused");
	print_words(report, NO, "not refused");
	print_words(report, UNKNOWN, "cannot be told");
	if (report->context.filter_mprotect.answer == ANSWER_KILLED)
		line("beware", RED, "a filter here kills for mprotect with PROT_EXEC; jitmend run "
		     "asks it in a child at start, and takes that for a refusal");
	if (report->overlap)
		line("beware", YELLOW, "this kernel (6.6 to 6.11-rc4) refuses as execheap also what "
		     "only touches the heap: a newer one does not");
	for (unsigned i = 0; i < report->look_count; i++)
		line(i ? "" : "looks like", BOLD, "%s", report->looks[i]);
	print_cures(report);
	print_audit(report);
}

/* -------------------------------------------------------------------- program */

static const char *is_refused_there(enum tri refused)
{
	return refused == UNKNOWN ? "not known" : refused == YES ? "refused" : "allowed";
}

static void domain_lines(const struct probe_program *program)
{
	switch (program->changes) {
	case NO:
		line("domain", NULL, "as here (%s): what is said above holds for it",
		     how_word(program->how));
		break;
	case YES:
		line("domain", YELLOW, "changes to %s (%s): above is not what it will meet",
		     program->label, how_word(program->how));
		line("LD_PRELOAD", program->keeps_preload == NO ? RED : NULL, "%s",
		     program->keeps_preload == YES ? "stays (noatsecure is allowed)" :
		     program->keeps_preload == NO  ? "is dropped: noatsecure is not allowed" :
						     "not known: unless noatsecure is allowed, it is "
						     "dropped");
		break;
	case UNKNOWN:
		if (*program->label) {
			line("domain", YELLOW, "not known: it would change to %s (%s), if "
			     "no_new_privs or a nosuid mount does not hold it back",
			     program->label, how_word(program->how));
			return;
		}
		line("domain", YELLOW, "not known: whether SELinux changes it could not be asked; "
		     "its file is labelled %s",
		     *program->file_label ? program->file_label : "in a way that cannot be read");
		return;
	}
	if (program->execheap != UNKNOWN || program->execmem != UNKNOWN)
		line("there", NULL, "execheap %s, execmem %s, execstack %s (asked); execmod "
		     "depends on the file's label", is_refused_there(program->execheap),
		     is_refused_there(program->execmem), is_refused_there(program->execstack));
}

static void print_program(const struct probe_program *program)
{
	putchar('\n');
	heading("Program");
	line("file", NULL, "%s", program->path);
	domain_lines(program);
	if (program->gains)
		line("rights", RED, "%s: AT_SECURE is set, and LD_PRELOAD dropped", program->gains);
	if (*program->pax)
		line("PaX", NULL, "user.pax.flags is %s (read)", program->pax);
	if (*program->refused)
		line("jitmend run", RED, "refuses: %s", program->refused);
	else
		line("jitmend run", GREEN, "would run it");
	line("policies", NULL, "MDWE, filters and mounts pass over exec as they are here; an "
	     "AppArmor profile that attaches by path cannot be seen");
}

void probe_print_text(const struct probe_report *report, const struct probe_program *program,
		      const struct probe_style *chosen)
{
	style = chosen;
	print_context(&report->context);
	print_requests(report);
	print_whole(report);
	if (program)
		print_program(program);
}
