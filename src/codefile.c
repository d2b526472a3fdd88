/* codefile.c: kinds of files, tried one after the other. See codefile.h. */
#include "codefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "spare.h"
#include "sys.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* linux/memfd.h of Linux 6.3 */
#endif

long codefile_memfd(const char *name)
{
	long fd = sys_memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd == -EINVAL)
		fd = sys_memfd_create(name, MFD_CLOEXEC);
	return fd;
}

static long unlinked_file(const char *directory)
{
	return sys_open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
}

/* Whether pages of it may be executed here: 0, or why not. A page long, afterwards. */
static long try_execution(int fd)
{
	long map, result = sys_ftruncate(fd, PAGE_BYTES);

	if (sys_failed(result))
		return result;
	map = spare_mmap(0, PAGE_BYTES, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	if (sys_failed(map))
		return map;
	sys_munmap((uintptr_t)map, PAGE_BYTES);
	return 0;
}

/* Descriptors may have run out for the program: between its own limit and the
 * one that it could set there may be room. */
static long make_beyond_limit(long (*make)(const char *), const char *argument)
{
	struct rlimit64 limit, wide;
	long fd;

	if (sys_failed(sys_limit(RLIMIT_NOFILE, NULL, &limit)) ||
	    limit.rlim_cur >= limit.rlim_max)
		return -EMFILE;
	wide = (struct rlimit64){ limit.rlim_cur + 16 < limit.rlim_max ? limit.rlim_cur + 16 :
								       limit.rlim_max,
				limit.rlim_max };
	sys_limit(RLIMIT_NOFILE, &wide, NULL);
	fd = make(argument);
	sys_limit(RLIMIT_NOFILE, &limit, NULL);
	return fd;
}

static long new_file(long (*make)(const char *), const char *argument)
{
	long fd = make(argument);

	if (fd == -EMFILE)
		fd = make_beyond_limit(make, argument);
	return sys_failed(fd) ? fd : sys_move_up((int)fd);
}

/* The kinds of file, the best first; NULL is a memfd. */
static const char *const kinds[] = { NULL, "/dev/shm", "/tmp", "/var/tmp", "." };

#define KINDS (sizeof kinds / sizeof *kinds)

/* One that was refused, and never could be had, is not tried again: a refusal leaves a
 * record in the audit log. Nor is one that is full. */
static bool abandoned[KINDS], was_had[KINDS];
static unsigned last_kind; /* of the last file made */

const char *codefile_kind(unsigned kind)
{
	if (kind >= KINDS)
		return NULL;
	return kinds[kind] ? kinds[kind] : "memfd";
}

long codefile_try(unsigned kind, const char *name)
{
	const char *place = kinds[kind];
	long fd = place ? new_file(unlinked_file, place) : new_file(codefile_memfd, name);
	long result = sys_failed(fd) ? fd : try_execution((int)fd);

	if (!sys_failed(result))
		return fd;
	if (!sys_failed(fd))
		sys_close((int)fd);
	return sys_refused(result) ? -EACCES : result;
}

long codefile_new(const char *name)
{
	long error = -EACCES;

	for (unsigned i = 0; i < KINDS; i++) {
		long fd;

		if (abandoned[i])
			continue;
		fd = codefile_try(i, name);
		if (!sys_failed(fd)) {
			last_kind = i;
			was_had[i] = true;
			return fd;
		}
		abandoned[i] = fd == -EACCES && !was_had[i];
		error = fd;
	}
	return error;
}

bool codefile_go_on(void)
{
	for (unsigned i = 0; i < KINDS; i++)
		if (i != last_kind && !abandoned[i])
			return abandoned[last_kind] = true;
	return false;
}

/* A file system may be full, and to touch what it has no room for raises a signal. Only a
 * memfd has room as long as there is memory. */
static long make_room(int fd, const struct extent *extent)
{
	long result;

	if (!kinds[last_kind] || !extent->length)
		return 0;
	result = sys_fallocate(fd, 0, extent->at, extent->length);
	return result == -EOPNOTSUPP ? 0 : result;
}

long codefile_with_room(size_t length, const struct extent touched[2])
{
	long result;

	do {
		long fd = codefile_new(CODEFILE_NAME);

		if (sys_failed(fd))
			return fd;
		result = sys_ftruncate((int)fd, length);
		for (int i = 0; i < 2 && !result; i++)
			result = make_room((int)fd, &touched[i]);
		if (!result)
			return fd;
		sys_close((int)fd);
	} while (result == -ENOSPC && codefile_go_on());
	return result;
}
