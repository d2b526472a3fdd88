/* fuzz-scan.c: any bytes as a file that jitmend scan looks at, for libFuzzer.
 * tests/fuzz-scan/run builds and runs it. The file is a memfd, opened by its name
 * in /proc, so that all of file_look() is in it. */
#include <config.h>

#include "scan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What scan.c gives to the others. */
void scan_fail(const char *format, ...)
{
	(void)format;
	abort();
}

void *scan_allocate(size_t count, size_t size)
{
	return calloc(count ? count : 1, size);
}

void *scan_grow(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? 2 * *room : 16;
	return reallocarray(array, *room, size);
}

char *scan_text(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		abort();
	va_end(arguments);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct settings_of_scan settings = { .preload = "/nowhere" };
	static char path[64];
	static int fd = -1;
	struct file file = { .path = path, .named = true };

	if (fd < 0) {
		elf_version(EV_CURRENT);
		fd = memfd_create("fuzz-scan", MFD_CLOEXEC);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	if (ftruncate(fd, 0) != 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size)
		abort();
	file_look(&file, &settings);
	details_free(file.details);
	free(file.fault);
	return 0;
}
