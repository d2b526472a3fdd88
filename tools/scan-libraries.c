/* scan-libraries.c: the libraries that a file needs, found as ld.so finds them:
 * by its own DT_RUNPATH or DT_RPATH, in /etc/ld.so.cache, in the folders of the
 * system. See scan.h. What the environment adds (LD_LIBRARY_PATH) is not asked:
 * it is another one when the program runs. */
#include <config.h>

#include "scan.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------------------------------------------------- /etc/ld.so.cache */

#define CACHE_MAGIC "glibc-ld.so.cache1.1"

struct cache_entry {
	int32_t flags;
	uint32_t name, path; /* offsets from the head's start */
	uint32_t version;
	uint64_t hwcap;
};

struct cache_head {
	char magic[sizeof CACHE_MAGIC - 1];
	uint32_t count, strings_size;
	uint32_t unused[5];
	struct cache_entry entries[];
};

static struct {
	char *bytes;
	size_t size;
} cache;

static void read_cache(void)
{
	enum { CACHE_MAX = 64 << 20 };
	int fd = open("/etc/ld.so.cache", O_RDONLY | O_CLOEXEC);
	struct stat status;
	ssize_t got = 0;

	if (fd < 0)
		return;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size < CACHE_MAX) {
		cache.bytes = scan_allocate((size_t)status.st_size + 1, 1);
		got = read(fd, cache.bytes, (size_t)status.st_size);
	}
	close(fd);
	if (got > (ssize_t)sizeof(struct cache_head) &&
	    memcmp(cache.bytes, CACHE_MAGIC, sizeof CACHE_MAGIC - 1) == 0)
		cache.size = (size_t)got;
}

/* ------------------------------------------------------------- finding */

/* A library that this file can load. */
static bool suits(const char *path, const struct details *details)
{
	struct elf elf;
	const char *fault;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	bool suits;

	if (fd < 0)
		return false;
	suits = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
		elf_identify(fd, &elf, &fault) && elf.class == details->class &&
		elf.other_endian == details->other_endian &&
		elf.machine == details->machine_number;
	close(fd);
	return suits;
}

static bool find_in_cache(const struct details *details, const char *name, char path[PATH_MAX])
{
	const struct cache_head *head = (const struct cache_head *)(const void *)cache.bytes;

	if (!cache.size)
		return false;
	for (uint32_t i = 0; i < head->count; i++) {
		const struct cache_entry *entry = &head->entries[i];

		if ((const char *)(entry + 1) > cache.bytes + cache.size)
			break;
		if (entry->name >= cache.size || entry->path >= cache.size ||
		    strcmp(cache.bytes + entry->name, name) != 0)
			continue;
		snprintf(path, PATH_MAX, "%s", cache.bytes + entry->path);
		if (suits(path, details))
			return true;
	}
	return false;
}

static bool find_in_folder(const struct details *details, const char *folder, size_t length,
			   const char *name, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%.*s/%s", (int)length, folder, name) < PATH_MAX &&
	       suits(path, details);
}

/* One part of a DT_RUNPATH, with $ORIGIN put in; $LIB and $PLATFORM are rare. */
static bool find_in_part(const struct file *file, const char *part, size_t length,
			 const char *name, char path[PATH_MAX])
{
	static const char *const words[] = { "$ORIGIN", "${ORIGIN}" };
	const char *slash = strrchr(file->path, '/');
	size_t origin = slash ? (size_t)(slash - file->path) : 1;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t word = strlen(words[i]);
		char folder[PATH_MAX];
		int size;

		if (length < word || memcmp(part, words[i], word) != 0)
			continue;
		size = snprintf(folder, sizeof folder, "%.*s%.*s", (int)origin,
				slash ? file->path : ".", (int)(length - word), part + word);
		return size < (int)sizeof folder &&
		       find_in_folder(file->details, folder, (size_t)size, name, path);
	}
	return length && find_in_folder(file->details, part, length, name, path);
}

static bool find_library(const struct file *file, const char *name, char path[PATH_MAX])
{
	static const char *const folders[] = {
		"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/i386-linux-gnu",
		"/usr/lib/i386-linux-gnu", "/lib/aarch64-linux-gnu",
		"/usr/lib/aarch64-linux-gnu", "/lib64", "/usr/lib64", "/lib32", "/usr/lib32",
		"/lib", "/usr/lib",
	};
	const struct details *details = file->details;

	if (strchr(name, '/'))
		return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX && suits(path, details);
	for (const char *part = details->rpath, *end; part; part = *end ? end + 1 : NULL) {
		end = strchrnul(part, ':');
		if (find_in_part(file, part, (size_t)(end - part), name, path))
			return true;
	}
	if (find_in_cache(details, name, path))
		return true;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		if (find_in_folder(details, folders[i], strlen(folders[i]), name, path))
			return true;
	return false;
}

/* ------------------------------------------------------------- following */

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

	read_cache();
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
	free(cache.bytes);
}
