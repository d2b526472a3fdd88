/* libraries.h: the libraries that a file needs, found as ld.so finds them: by what the
 * environment names, by the file's own DT_RUNPATH or DT_RPATH, in /etc/ld.so.cache, in
 * the folders of the system.
 *
 * One thread. Files are anybody's: they are looked at as check.h says. */
#ifndef JITMEND_LIBRARIES_H
#define JITMEND_LIBRARIES_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* The file that needs one. Strings may be NULL, but for the first. */
struct needing {
	const char *path;
	const char *runpath;
	const char *library_path; /* LD_LIBRARY_PATH, where it counts */
	unsigned char class;      /* these three as struct elf of check.h has them */
	bool other_endian;
	uint16_t machine;
};

/* Around all looking. */
void libraries_begin(void);
void libraries_end(void);

bool libraries_find(const struct needing *by, const char *name, char path[PATH_MAX]);

#endif
