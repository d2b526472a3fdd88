/* scan-verdict.c: can jitmend help this file? See scan.h. What `jitmend run'
 * would refuse is "cannot" here: both go by check-elf.c and check-fits.c. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "scan.h"

/* A clause more, the same one not twice. */
static void add_reason(struct details *details, const char *reason)
{
	char *before = details->why;

	if (!reason || (before && strstr(before, reason)))
		return;
	details->why = before ? scan_text("%s; %s", before, reason) : scan_text("%s", reason);
	free(before);
}

/* src/rtld.c knows the loaders of these machines alone. The program's own segments are
 * the kernel's to map: there it is the agent that helps, which is x86_64's. */
static bool is_helped(const struct details *details, const struct finding *finding)
{
	bool programs = finding->kind == KIND_RWX && !finding->library &&
			strcmp(details->type, "program") == 0;

	if (!kind_words[finding->kind].helped)
		return false;
	if (details->class == ELFCLASS64)
		return details->machine_number == EM_X86_64;
	return details->machine_number == EM_386 && !programs;
}

static bool is_limit(const struct details *details, const struct finding *finding)
{
	return kind_words[finding->kind].limit && !is_helped(details, finding);
}

static void add_reasons(struct details *details, enum level level)
{
	for (size_t i = 0; i < details->count; i++)
		if (details->findings[i].level == level && is_limit(details, &details->findings[i]))
			add_reason(details, kind_words[details->findings[i].kind].limit);
}

void verdict_find(struct details *details)
{
	bool at[LEVEL_ERROR + 1] = { false }, calls = false, unloadable = false, limited = false;

	free(details->why);
	details->why = NULL;
	for (size_t i = 0; i < details->count; i++) {
		at[details->findings[i].level] = true;
		limited |= details->findings[i].level == LEVEL_WARNING &&
			   is_limit(details, &details->findings[i]);
		calls |= details->findings[i].kind == KIND_CALLS;
		unloadable |= details->findings[i].kind == KIND_STATIC ||
			      details->findings[i].kind == KIND_LOADER;
	}
	if (at[LEVEL_ERROR]) {
		details->verdict = VERDICT_CANNOT;
		add_reasons(details, LEVEL_ERROR);
	} else if (limited) {
		details->verdict = VERDICT_PARTLY;
		add_reasons(details, LEVEL_WARNING);
	} else if (at[LEVEL_WARNING]) {
		details->verdict = VERDICT_WORKS;
		add_reason(details, "jitmend run mends what is asked for when it is loaded");
	} else if (unloadable) {
		details->verdict = VERDICT_WORKS;
		add_reason(details, "jitmend run watches its system calls");
	} else if (calls) {
		details->verdict = VERDICT_WORKS;
		add_reason(details, "what it asks for through the C library is mended");
	} else {
		details->verdict = VERDICT_NOTHING;
	}
	if (details->incomplete)
		add_reason(details, "not all of it could be read");
}
