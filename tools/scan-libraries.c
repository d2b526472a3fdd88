/* scan-libraries.c: what a file's libraries bring into it. See scan.h. What the
 * environment adds (LD_LIBRARY_PATH) is not asked: it is another one when the program
 * runs. */
#include <config.h>

#include "scan.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "libraries.h"

static bool find_library(const struct file *file, const char *name, char path[PATH_MAX])
{
	const struct needing by = {
		.path = file->path, .runpath = file->details->rpath,
		.class = file->details->class, .other_endian = file->details->other_endian,
		.machine = file->details->machine_number,
	};

	return libraries_find(&by, name, path);
}

static void find_needed(struct files *files, size_t index)
{
	struct details *details = files->list[index].details;

	if (!details)
		return;
	details->libraries = scan_allocate(details->needed_count, sizeof *details->libraries);
	for (size_t i = 0; i < details->needed_count; i++) {
		char path[PATH_MAX];
		struct stat status;

		if (find_library(&files->list[index], details->needed[i], path) &&
		    stat(path, &status) == 0)
			details->libraries[details->libraries_count++] =
				files_add(files, path, status.st_dev, status.st_ino, false);
		else
			finding_add(details, KIND_NEEDED,
				    scan_text("needs %s, which is not found", details->needed[i]));
	}
}

/* What a library brings into the process that loads it. */
static bool is_inherited(const struct finding *finding)
{
	return finding->level == LEVEL_WARNING && !finding->library;
}

static void inherit(struct details *details, const struct file *library)
{
	unsigned kinds = 0;

	for (size_t i = 0; i < library->details->count; i++) {
		const struct finding *from = &library->details->findings[i];
		struct finding *finding;

		/* Where in the library is told under its own name. */
		if (!is_inherited(from) || kinds >> from->kind & 1)
			continue;
		kinds |= 1U << from->kind;
		finding = finding_add(details, from->kind,
				      scan_text("by its library %s", library->path));
		finding->library = library->path;
	}
}

/* All that is needed, directly or not, each once. SEEN is by index, and holds
 * the index of the file that was seen from last, plus one. */
static void inherit_all(struct files *files, size_t index, size_t *seen, size_t *queue)
{
	size_t count = 0;

	queue[count++] = index;
	seen[index] = index + 1;
	for (size_t next = 0; next < count; next++) {
		const struct details *details = files->list[queue[next]].details;

		for (size_t i = 0; details && i < details->libraries_count; i++) {
			size_t library = details->libraries[i];

			if (seen[library] == index + 1)
				continue;
			seen[library] = index + 1;
			queue[count++] = library;
		}
	}
	for (size_t i = 1; i < count; i++)
		if (files->list[queue[i]].details)
			inherit(files->list[index].details, &files->list[queue[i]]);
	verdict_find(files->list[index].details);
}

void libraries_follow(struct files *files, const struct settings_of_scan *settings)
{
	size_t *seen, *queue;

	libraries_begin();
	for (size_t from = 0, until; from < files->count; from = until) {
		until = files->count;
		for (size_t i = from; i < until; i++)
			find_needed(files, i);
		if (files->count > until)
			pool_run(files, until, settings);
	}
	seen = scan_allocate(files->count, sizeof *seen);
	queue = scan_allocate(files->count + 1, sizeof *queue);
	for (size_t i = 0; i < files->count; i++)
		if (files->list[i].details)
			inherit_all(files, i, seen, queue);
	free(seen);
	free(queue);
	libraries_end();
}
