/* probe-json.c: the report for programs, one object of JSON; jitmend-probe(1)
 * describes it. See probe.h.
 *
 * Written by hand, not by a library: a probe is carried into places where little
 * else is. The strings are text.h's. */
#include <config.h>

#include "probe.h"

#include <stdio.h>
#include <string.h>

#include "codefile.h"
#include "text.h"

static bool comma; /* what comes next is not the first of its object or array */

static void print_string(const char *string)
{
	char buffer[6 * 1024 + 8];
	struct text text = text_in(buffer, sizeof buffer);

	text_add_json(&text, string, strnlen(string, 1024));
	fwrite(buffer, 1, text.length, stdout);
}

/* KEY is NULL within an array. */
static void begin_member(const char *key)
{
	if (comma)
		putchar(',');
	comma = true;
	if (!key)
		return;
	print_string(key);
	putchar(':');
}

static void open_group(const char *key, char bracket)
{
	begin_member(key);
	putchar(bracket);
	comma = false;
}

static void close_group(char bracket)
{
	putchar(bracket);
	comma = true;
}

/* NULL is null. */
static void string(const char *key, const char *value)
{
	begin_member(key);
	if (value)
		print_string(value);
	else
		fputs("null", stdout);
}

static void string_or_null(const char *key, const char *value)
{
	string(key, *value ? value : NULL);
}

static void number(const char *key, long value)
{
	begin_member(key);
	printf("%ld", value);
}

static void boolean(const char *key, bool value)
{
	begin_member(key);
	fputs(value ? "true" : "false", stdout);
}

static void number_or_null(const char *key, long value)
{
	if (value < 0)
		string(key, NULL);
	else
		number(key, value);
}

static void three(const char *key, enum tri value)
{
	if (value == UNKNOWN)
		string(key, NULL);
	else
		boolean(key, value == YES);
}

static void how(enum how value)
{
	string("how", value == HOW_NOT ? NULL : how_word(value));
}

/* --------------------------------------------------------------------- parts */

static void answer(const struct probe_result *result)
{
	string("answer", answer_word(result->answer));
	how(result->how);
	string("errno", result->error ? strerrorname_np(result->error) : NULL);
	string("signal", result->signal ? sigabbrev_np(result->signal) : NULL);
}

static void filter(const struct probe_context *context)
{
	open_group("seccomp", '{');
	boolean("filter", context->filtered);
	number_or_null("filters", context->filters);
	string("mprotect_exec", answer_word(context->filter_mprotect.answer));
	string("mmap_write_exec", answer_word(context->filter_mmap.answer));
	string_or_null("actions_logged", context->actions_logged);
	close_group('}');
}

static void context(const struct probe_context *context)
{
	open_group("context", '{');
	string("kernel", context->release);
	string("machine", context->machine);
	open_group("selinux", '{');
	string("state", selinux_word(context->selinux));
	close_group('}');
	string_or_null("label", context->label);
	string_or_null("lsm", context->lsm);
	three("mdwe", context->mdwe < 0 ? UNKNOWN : context->mdwe & 1 ? YES : NO);
	filter(context);
	boolean("no_new_privs", context->no_new_privs);
	number_or_null("memfd_noexec", context->memfd_noexec);
	string_or_null("pax", context->pax);
	string("container", context->container);
	open_group("mounts", '[');
	for (unsigned i = 0; i < context->mount_count; i++) {
		const struct probe_mount *mount = &context->mounts[i];

		open_group(NULL, '{');
		string("path", mount->path);
		three("noexec", !mount->there ? UNKNOWN : mount->noexec ? YES : NO);
		three("readonly", !mount->there ? UNKNOWN : mount->readonly ? YES : NO);
		close_group('}');
	}
	close_group(']');
	close_group('}');
}

static void request(const struct probe_request *request, const struct probe_result *result)
{
	open_group(NULL, '{');
	string("name", request->name);
	string("what", request->what);
	string("call", probe_call(request));
	string("danger", request->danger == DANGER_NONE ? NULL : danger_name(request->danger));
	boolean("own", request->own);
	answer(result);
	string("by", result->by);
	if (request->own)
		string("rung", NULL);
	else
		number_or_null("rung", result->rung);
	three("cure", result->cure);
	close_group('}');
}

static void requests(const struct probe_report *report)
{
	open_group("requests", '[');
	for (unsigned i = 0; i < probe_request_count; i++)
		request(&probe_requests[i], &report->results[i]);
	close_group(']');
	open_group("backings", '[');
	for (unsigned i = 0; i < report->backing_count; i++) {
		open_group(NULL, '{');
		string("name", codefile_kind(i));
		answer(&report->backings[i]);
		close_group('}');
	}
	close_group(']');
}

static void policies(const struct probe_report *report)
{
	char words[256];

	open_group("policies", '{');
	for (unsigned i = 0; i < PROBE_WORDS; i++) {
		const struct probe_word *word = &report->words[i];

		open_group(word->name, '{');
		three("refused", word->refused);
		how(word->how);
		string("witness", word->witness);
		close_group('}');
	}
	close_group('}');
	boolean("execheap_overlap", report->overlap);
	open_group("looks_like", '[');
	for (unsigned i = 0; i < report->look_count; i++)
		string(NULL, report->looks[i]);
	close_group(']');
	probe_policy_words(report, words, sizeof words);
	string_or_null("policy", words);
}

static void audit(const struct probe_report *report)
{
	open_group("audit", '{');
	boolean("quiet", report->quiet);
	string("auditor", report->context.auditor);
	number("refusals_tried", report->refusals);
	close_group('}');
}

static void print_program(const struct probe_program *program)
{
	open_group("program", '{');
	string("name", program->name);
	string("path", program->path);
	string_or_null("not_run", program->refused);
	three("domain_changes", program->changes);
	how(program->how);
	string_or_null("file_label", program->file_label);
	string_or_null("label", program->label);
	three("execheap_refused", program->execheap);
	three("execmem_refused", program->execmem);
	three("execstack_refused", program->execstack);
	three("keeps_preload", program->keeps_preload);
	string("gains", program->gains);
	string_or_null("pax", program->pax);
	close_group('}');
}

void probe_print_json(const struct probe_report *report, const struct probe_program *program)
{
	comma = false;
	open_group(NULL, '{');
	number("v", 1);
	string("jitmend", PACKAGE_VERSION);
	context(&report->context);
	requests(report);
	policies(report);
	audit(report);
	if (program)
		print_program(program);
	else
		string("program", NULL);
	number("status", probe_exit_status(report));
	close_group('}');
	putchar('\n');
}
