/* scan-text.c: what was found, for people. See scan.h. */
#include <config.h>

#include "scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { LINES_MAX = 10 }; /* of one kind, in one file */

#define BOLD "\033[1m"
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define GREEN "\033[32m"
#define PLAIN "\033[0m"

static void print_quoted_text(const char *string)
{
	size_t size = 4 * strlen(string) + 2;
	char *buffer = scan_allocate(size, 1);
	struct text text = text_in(buffer, size);

	text_add_quoted(&text, string, strlen(string));
	fwrite(buffer, 1, text.length, stdout);
	free(buffer);
}

static const char *verdict_colour(enum verdict verdict)
{
	static const char *const colours[] = { "", GREEN, YELLOW, RED };

	return colours[verdict];
}

static const char *verdict_text(enum verdict verdict)
{
	static const char *const texts[] = {
		"nothing to mend", "jitmend works", "jitmend helps in part",
		"jitmend cannot help",
	};

	return texts[verdict];
}

static void print_head(const struct file *file, bool colour)
{
	const struct details *details = file->details;

	fputs(colour ? BOLD : "", stdout);
	print_quoted_text(file->path);
	fputs(colour ? PLAIN : "", stdout);
	printf(": %d-bit %s for %s: %s%s%s", details->bits, details->type, details->machine,
	       colour ? verdict_colour(details->verdict) : "", verdict_text(details->verdict),
	       colour ? PLAIN : "");
	if (details->why)
		printf(": %s", details->why);
	putchar('\n');
}

static void print_file(const struct file *file, const struct settings_of_scan *settings)
{
	const struct details *details = file->details;
	size_t lines[KINDS] = { 0 };

	print_head(file, settings->colour);
	for (size_t i = 0; i < details->count; i++) {
		const struct finding *finding = &details->findings[i];

		if (!finding_shown(settings, finding) || ++lines[finding->kind] > LINES_MAX)
			continue;
		printf("  %-13s ", kind_words[finding->kind].name);
		print_quoted_text(finding->text);
		putchar('\n');
	}
	for (int kind = 0; kind < KINDS; kind++)
		if (lines[kind] > LINES_MAX)
			printf("  %-13s and %zu more (--format=json has them all)\n",
			       kind_words[kind].name, lines[kind] - LINES_MAX);
}

static void print_summary(const struct settings_of_scan *settings, const struct summary *summary)
{
	printf("%zu ELF file%s", summary->elf, summary->elf == 1 ? "" : "s");
	if (summary->other)
		printf(", %zu other%s", summary->other, summary->other == 1 ? "" : "s");
	if (summary->objects)
		printf(", %zu object files and core dumps", summary->objects);
	if (summary->debug)
		printf(", %zu files of debug information", summary->debug);
	if (summary->faults)
		printf(", %zu that could not be read", summary->faults);
	printf("\njitmend: %zu works, %zu in part, %zu cannot help, %zu nothing to mend\n",
	       summary->verdicts[VERDICT_WORKS], summary->verdicts[VERDICT_PARTLY],
	       summary->verdicts[VERDICT_CANNOT], summary->verdicts[VERDICT_NOTHING]);
	for (int kind = 0; kind < KINDS; kind++)
		if (settings->only >> kind & 1 && summary->files_with[kind])
			printf("  %-13s %6zu file%s\n", kind_words[kind].name,
			       summary->files_with[kind], summary->files_with[kind] == 1 ? "" : "s");
}

void print_text(const struct files *files, const struct settings_of_scan *settings,
		const struct summary *summary)
{
	for (size_t i = 0; i < files->count; i++)
		if (file_shown(settings, &files->list[i]))
			print_file(&files->list[i], settings);
	if (!settings->quiet && files->count > 1)
		print_summary(settings, summary);
}
