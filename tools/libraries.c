/* libraries.c: what ld.so(8) says of where it looks. See libraries.h. */
#include <config.h>

#include "libraries.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

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

void libraries_begin(void)
{
	enum { CACHE_MAX = 64 << 20 };
	int fd = open("/etc/ld.so.cache", O_RDONLY | O_CLOEXEC);
	struct stat status;
	ssize_t got = 0;

	if (fd < 0)
		return;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size < CACHE_MAX) {
		cache.bytes = calloc((size_t)status.st_size + 1, 1);
		if (cache.bytes)
			got = read(fd, cache.bytes, (size_t)status.st_size);
	}
	close(fd);
	if (got > (ssize_t)sizeof(struct cache_head) &&
	    memcmp(cache.bytes, CACHE_MAGIC, sizeof CACHE_MAGIC - 1) == 0)
		cache.size = (size_t)got;
}

void libraries_end(void)
{
	free(cache.bytes);
	cache.bytes = NULL;
	cache.size = 0;
}

/* ------------------------------------------------------------- finding */

/* A library that this file can load. */
static bool suits(const char *path, const struct needing *by)
{
	struct elf elf;
	const char *fault;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	bool suits;

	if (fd < 0)
		return false;
	suits = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
		elf_identify(fd, &elf, &fault) && elf.class == by->class &&
		elf.other_endian == by->other_endian &&
		elf.machine == by->machine;
	close(fd);
	return suits;
}

static bool find_in_cache(const struct needing *by, const char *name, char path[PATH_MAX])
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
		if (suits(path, by))
			return true;
	}
	return false;
}

static bool find_in_folder(const struct needing *by, const char *folder, size_t length,
			   const char *name, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%.*s/%s", (int)length, folder, name) < PATH_MAX &&
	       suits(path, by);
}

/* One part of a DT_RUNPATH, with $ORIGIN put in; $LIB and $PLATFORM are rare. */
static bool find_in_part(const struct needing *by, const char *part, size_t length,
			 const char *name, char path[PATH_MAX])
{
	static const char *const words[] = { "$ORIGIN", "${ORIGIN}" };
	const char *slash = strrchr(by->path, '/');
	size_t origin = slash ? (size_t)(slash - by->path) : 1;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t word = strlen(words[i]);
		char folder[PATH_MAX];
		int size;

		if (length < word || memcmp(part, words[i], word) != 0)
			continue;
		size = snprintf(folder, sizeof folder, "%.*s%.*s", (int)origin,
				slash ? by->path : ".", (int)(length - word), part + word);
		return size < (int)sizeof folder &&
		       find_in_folder(by, folder, (size_t)size, name, path);
	}
	return length && find_in_folder(by, part, length, name, path);
}

/* In parts that stand between colons, or semicolons where the environment has them. */
static bool find_in_parts(const struct needing *by, const char *parts, const char *name,
			  char path[PATH_MAX])
{
	for (const char *part = parts, *end; part; part = *end ? end + 1 : NULL) {
		end = part + strcspn(part, ":;");
		if (find_in_part(by, part, (size_t)(end - part), name, path))
			return true;
	}
	return false;
}

bool libraries_find(const struct needing *by, const char *name, char path[PATH_MAX])
{
	static const char *const folders[] = {
		"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/i386-linux-gnu",
		"/usr/lib/i386-linux-gnu", "/lib/aarch64-linux-gnu",
		"/usr/lib/aarch64-linux-gnu", "/lib64", "/usr/lib64", "/lib32", "/usr/lib32",
		"/lib", "/usr/lib",
	};

	if (strchr(name, '/'))
		return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX && suits(path, by);
	if (find_in_parts(by, by->library_path, name, path) ||
	    find_in_parts(by, by->runpath, name, path) || find_in_cache(by, name, path))
		return true;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		if (find_in_folder(by, folders[i], strlen(folders[i]), name, path))
			return true;
	return false;
}
