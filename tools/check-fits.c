/* check-fits.c: does our library fit a program: is there one for its machine,
 * and does its loader load what was linked with glibc? See check.h. */
#include <config.h>

#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Which file ld.so will find for this program is ld.so's secret ($LIB); these
 * are the names that distributions use. */
bool fits_library(const struct elf *elf, const char *folder, const char *name)
{
	static const char *const folders[] = {
		DL_LIB, "lib", "lib64", "lib32", "libx32", "lib/x86_64-linux-gnu",
		"lib/i386-linux-gnu", "lib/x86_64-linux-gnux32", "lib/aarch64-linux-gnu",
	};

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		char path[PATH_MAX];
		const char *fault;
		struct elf library;
		bool fits;
		int fd;

		if (snprintf(path, sizeof path, "%s/%s/%s", folder, folders[i], name) >=
		    (int)sizeof path)
			continue;
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0)
			continue;
		fits = elf_identify(fd, &library, &fault) && library.class == elf->class &&
		       library.other_endian == elf->other_endian &&
		       library.machine == elf->machine;
		close(fd);
		if (fits)
			return true;
	}
	return false;
}

/* Only glibc's loader can load what was linked with glibc. Others come under
 * names of their own, or behind a link with glibc's name. */
bool fits_loader(const char *path)
{
	char resolved[PATH_MAX];
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	if (strncmp(name, "ld-linux", 8) != 0 && strncmp(name, "ld-lsb", 6) != 0)
		return false;
	if (!realpath(path, resolved))
		return true;
	name = strrchr(resolved, '/') + 1;
	return strncmp(name, "ld-musl", 7) != 0 && strncmp(name, "libc.musl", 9) != 0 &&
	       strncmp(name, "libgcompat", 10) != 0;
}
