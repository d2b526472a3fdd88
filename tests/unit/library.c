/* library.c: which files are mapped as libraries. */
#include "library.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "config.h"
#include "own.h"
#include "tap.h"

/* A copy of what is at FD, up to LENGTH. */
static int beginning_of(int fd, size_t length)
{
	int copy = memfd_create("beginning", MFD_CLOEXEC);
	off_t from = 0;

	while (length) {
		ssize_t sent = sendfile(copy, fd, &from, length);

		if (sent <= 0)
			break;
		length -= (size_t)sent;
	}
	return copy;
}

/* As an installation that was broken off leaves it. */
static void cut_off(int fd, size_t length, const char *what)
{
	const struct link_map *map = NULL;
	int copy = beginning_of(fd, length);

	SAME(library_map(copy, &map), -ENOEXEC, what);
	close(copy);
}

int main(void)
{
	const struct link_map *map = NULL;
	long fd;

	own_begin();
	fd = library_find("no-such-library.so");
	SAME(fd, -ENOENT, "what is nowhere is not found");
	fd = library_find(ZYDIS_SONAME);
	if (!CHECK(fd >= 0, "the decoder's library is found"))
		return tap_done();
	cut_off((int)fd, 0, "an empty file is no library");
	cut_off((int)fd, 100, "nor is one with a part of its headers");
	cut_off((int)fd, 4096, "nor one with its headers alone");
	cut_off((int)fd, 0x10000, "nor one without its end");
	SAME(library_map((int)fd, &map), 0, "all of it is mapped");
	CHECK(map && map->l_addr && map->l_ld, "and lies somewhere");
	SAME(library_map((int)fd, &map), -ENOEXEC, "one alone");
	close((int)fd);
	return tap_done();
}
