/* scan.c: jitmend-scan, which tells of ELF files what they will ask for before
 * they are run, and whether jitmend can help. See jitmend-scan(1), and scan.h
 * for the parts. */
#include <config.h>

#include "scan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static void say(const char *format, va_list arguments)
{
	static char message[2 * PATH_MAX], line[8 * PATH_MAX + 64];
	struct text text = text_in(line, sizeof line);

	vsnprintf(message, sizeof message, format, arguments);
	text_add(&text, "jitmend: scan: ");
	text_add_quoted(&text, message, sizeof message);
	fwrite(line, 1, text_end_line(&text), stderr);
}

void scan_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
	exit(STATUS_USAGE);
}

void scan_warn(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
}

void *scan_allocate(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size);

	if (!memory)
		scan_fail("out of memory");
	return memory;
}

void *scan_grow(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? 2 * *room : 16;
	array = reallocarray(array, *room, size);
	if (!array)
		scan_fail("out of memory");
	return array;
}

char *scan_text(const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		scan_fail("out of memory");
	return text;
}

bool finding_shown(const struct settings_of_scan *settings, const struct finding *finding)
{
	return settings->only >> finding->kind & 1;
}

bool finding_counts(const struct settings_of_scan *settings, const struct finding *finding)
{
	/* A note is worth a status to those alone who asked for it by name. */
	return finding_shown(settings, finding) &&
	       (finding->level > LEVEL_NOTE || settings->chosen);
}

bool file_shown(const struct settings_of_scan *settings, const struct file *file)
{
	if (!file->details)
		return false;
	if (settings->all || file->named)
		return true;
	for (size_t i = 0; i < file->details->count; i++)
		if (finding_counts(settings, &file->details->findings[i]))
			return true;
	return false;
}

static int by_path(const void *left, const void *right)
{
	const struct file *a = left, *b = right;

	return strcmp(a->path, b->path);
}

static void count_file(const struct settings_of_scan *settings, const struct file *file,
		       struct summary *summary)
{
	bool seen[KINDS] = { false };

	summary->elf += file->nature == NATURE_ELF;
	summary->other += file->nature == NATURE_OTHER;
	summary->objects += file->nature == NATURE_OBJECT || file->nature == NATURE_CORE;
	summary->debug += file->nature == NATURE_DEBUG;
	summary->faults += file->fault != NULL;
	if (!file->details)
		return;
	summary->verdicts[file->details->verdict]++;
	for (size_t i = 0; i < file->details->count; i++) {
		const struct finding *finding = &file->details->findings[i];

		summary->found |= finding_counts(settings, finding);
		if (finding_shown(settings, finding))
			seen[finding->kind] = true;
	}
	for (int kind = 0; kind < KINDS; kind++)
		summary->files_with[kind] += seen[kind];
}

static struct summary summarize(const struct files *files, const struct settings_of_scan *settings)
{
	struct summary summary = { .faults = files->fault_count };

	for (size_t i = 0; i < files->count; i++)
		count_file(settings, &files->list[i], &summary);
	return summary;
}

static void say_faults(const struct files *files)
{
	for (size_t i = 0; i < files->fault_count; i++)
		scan_warn("%s %s", files->faults[i].path, files->faults[i].fault);
	for (size_t i = 0; i < files->count; i++)
		if (files->list[i].fault)
			scan_warn("%s %s", files->list[i].path, files->list[i].fault);
}

int main(int argc, char **argv)
{
	struct settings_of_scan settings = scan_options(argc, argv);
	struct files files = { 0 };
	struct summary summary;
	enum status status;

	elf_version(EV_CURRENT);
	progress_start(&settings);
	walk(&files, settings.paths);
	pool_run(&files, 0, &settings);
	if (settings.libraries)
		libraries_follow(&files, &settings);
	progress_end();
	if (files.count)
		qsort(files.list, files.count, sizeof *files.list, by_path);
	summary = summarize(&files, &settings);
	status = summary.faults ? STATUS_UNREAD : summary.found ? STATUS_FOUND : STATUS_NOTHING;
	say_faults(&files);
	switch (settings.format) {
	case FORMAT_TEXT: print_text(&files, &settings, &summary); break;
	case FORMAT_JSON: print_json(&files, &settings, &summary); break;
	case FORMAT_SARIF: print_sarif(&files, &settings, status); break;
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		scan_fail("cannot write what was found: %s", strerror(errno));
	return status;
}
