/* descriptors.c: handles to numbers, and numbers to handles. See descriptors.h.
 *
 * A number is put into the tables after it was opened and taken out after it was
 * closed. The host cannot have it in between: what it closes then would not be
 * its own. */
#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "hash.h"
#include "lock.h"
#include "sys.h"

/* In a mapping that is made when the first is kept. */
static struct tables {
	struct {
		atomic_int number; /* and 1; 0: a free handle; or LOST */
		uint64_t device, inode;
		int64_t position; /* at which no other file stands; 0: not known by that */
	} kept[DESCRIPTORS_MOST];
	_Atomic uint16_t handles[DESCRIPTORS_END]; /* by number: handle and 1 */
} *tables;

/* As long as nothing is ours, nobody looks further than here. */
_Atomic unsigned descriptors_depth;
static _Atomic unsigned highest;

static atomic_int process; /* whose table of descriptors this is about */

#define LOST (-1) /* the number is the host's */

static bool is_watched(int fd)
{
	return fd >= 0 && fd < DESCRIPTORS_END;
}

static void watch(int fd, int handle)
{
	if (!is_watched(fd))
		return;
	atomic_store(&tables->handles[fd], (uint16_t)(handle + 1));
	if ((unsigned)fd < descriptors_lowest())
		atomic_store(&descriptors_depth, ~(unsigned)fd);
	if ((unsigned)fd > atomic_load(&highest))
		atomic_store(&highest, (unsigned)fd);
}

/* Unless the number is another handle's by now. */
static void unwatch(int fd, int handle)
{
	if (is_watched(fd) && atomic_load(&tables->handles[fd]) == handle + 1)
		atomic_store(&tables->handles[fd], 0);
}

static bool is_file_of(int fd, int handle)
{
	int64_t wanted = tables->kept[handle].position, position;
	struct stat64 status;
	long result;

	if (wanted && !sys_failed(sys_tell(fd, &position)) && position == wanted)
		return true;
	result = sys_fstat(fd, &status);
	/* Where nobody says what it is (a filter of the host's may refuse that), what the
	 * hooks have seen counts. */
	if (sys_failed(result))
		return fd >= 0 && result != -EBADF;
	return status.st_dev == tables->kept[handle].device &&
	       status.st_ino == tables->kept[handle].inode;
}

static bool have_tables(void)
{
	long made;

	if (tables)
		return true;
	made = sys_mmap(0, sizeof *tables, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!sys_failed(made))
		tables = (struct tables *)made;
	return tables != NULL;
}

void descriptors_begin(void)
{
	have_tables();
}

static int free_handle(void)
{
	if (!have_tables())
		return -1;
	for (int i = 0; i < DESCRIPTORS_MOST; i++)
		if (atomic_load_explicit(&tables->kept[i].number, memory_order_relaxed) == 0)
			return i;
	return -1;
}

/* The host may have every number that it may have. Between its own limit and the one
 * that it could set there is room. */
static long above_limit(int fd)
{
	struct rlimit64 limit, wide;
	long other;

	if (sys_failed(sys_limit(RLIMIT_NOFILE, NULL, &limit)) ||
	    limit.rlim_cur >= limit.rlim_max)
		return -EMFILE;
	wide = limit;
	wide.rlim_cur = limit.rlim_max - limit.rlim_cur > DESCRIPTORS_MOST ?
				limit.rlim_cur + DESCRIPTORS_MOST : limit.rlim_max;
	sys_limit(RLIMIT_NOFILE, &wide, NULL);
	other = sys_fcntl(fd, F_DUPFD_CLOEXEC, (long)limit.rlim_cur);
	sys_limit(RLIMIT_NOFILE, &limit, NULL);
	return other;
}

/* Out of the host's way: a low number is one that it would have got, or counts. */
static int move_away(int fd)
{
	int high = sys_move_up(fd);
	long above;

	if (high >= SYS_HIGH_DESCRIPTOR)
		return high;
	above = above_limit(fd);
	if (sys_failed(above))
		return fd;
	sys_close(fd);
	return (int)above;
}

int descriptors_keep(int fd)
{
	int handle = free_handle();
	struct stat64 status;

	if (handle < 0 || sys_failed(sys_fstat(fd, &status)))
		return -1;
	if (atomic_load(&process) == 0)
		descriptors_in_child();
	tables->kept[handle].device = status.st_dev;
	tables->kept[handle].inode = status.st_ino;
	tables->kept[handle].position = 0;
	fd = move_away(fd);
	sys_fcntl(fd, F_SETFD, FD_CLOEXEC);
	atomic_store(&tables->kept[handle].number, fd + 1);
	watch(fd, handle);
	return handle;
}

/* 2^39 at least, where no file ends, and 2^40 at most, which most file systems take. */
void descriptors_mark(int handle)
{
	uint64_t any = (tables->kept[handle].inode + (uintptr_t)tables) * HASH_FACTOR;
	int64_t position = (int64_t)(any >> 25 | 1ULL << 39);

	if (!sys_failed(sys_set_position(descriptors_number(handle), position)))
		tables->kept[handle].position = position;
}

void descriptors_release(int handle)
{
	int fd = descriptors_number(handle);

	if (handle < 0)
		return;
	if (is_file_of(fd, handle))
		sys_close(fd);
	unwatch(fd, handle);
	atomic_store(&tables->kept[handle].number, 0);
}

int descriptors_number(int handle)
{
	return handle < 0 ? -1 : atomic_load(&tables->kept[handle].number) - 1;
}

bool descriptors_is_open(int handle)
{
	return handle >= 0 && is_file_of(descriptors_number(handle), handle);
}

bool descriptors_look(int fd)
{
	int handle = is_watched(fd) ? (int)atomic_load(&tables->handles[fd]) - 1 : -1;

	return handle >= 0 && is_file_of(fd, handle);
}

int descriptors_next(unsigned first, unsigned last)
{
	unsigned lowest = descriptors_lowest(), end = atomic_load(&highest);

	if (first < lowest)
		first = lowest;
	for (unsigned fd = first; fd <= last && fd <= end; fd++)
		if (atomic_load_explicit(&tables->handles[fd], memory_order_relaxed) &&
		    descriptors_look((int)fd))
			return (int)fd;
	return -1;
}

void descriptors_in_child(void)
{
	atomic_store(&process, sys_getpid());
}

bool descriptors_of_another(void)
{
	int owner = atomic_load(&process);

	return owner && owner != sys_getpid();
}

/* ------------------------------------------------------------- giving way */

static long duplicate(int old, int fd, int flags)
{
	return SYS_CALL(SYS_dup3, old, fd, flags == DESCRIPTORS_DUP2 ? 0 : flags, 0, 0, 0);
}

static long another_number(int fd)
{
	long other = sys_fcntl(fd, F_DUPFD_CLOEXEC, fd + 1);

	if (sys_failed(other))
		other = above_limit(fd);
	return sys_failed(other) ? sys_fcntl(fd, F_DUPFD_CLOEXEC, 3) : other;
}

/* Until the host's file is there, either number is closed to it. */
static long move_and_duplicate(int old, int fd, int flags)
{
	int handle = (int)atomic_load(&tables->handles[fd]) - 1;
	long other = another_number(fd), result;

	/* No number is left: the host goes first. Who needs ours finds it closed. */
	if (sys_failed(other)) {
		result = duplicate(old, fd, flags);
		if (!sys_failed(result)) {
			unwatch(fd, handle);
			atomic_store(&tables->kept[handle].number, LOST);
		}
		return result;
	}
	watch((int)other, handle);
	result = duplicate(old, fd, flags);
	if (sys_failed(result)) {
		sys_close((int)other);
		unwatch((int)other, handle);
		return result;
	}
	atomic_store(&tables->kept[handle].number, (int)other + 1);
	unwatch(fd, handle);
	return result;
}

long descriptors_give_way(int old, int fd, int flags)
{
	uint64_t mask;
	long result;

	if (old == fd)
		return flags == DESCRIPTORS_DUP2 ? -EBADF : -EINVAL; /* dup(2) */
	if (descriptors_is_ours(old))
		return duplicate(-1, fd, flags);
	if (descriptors_of_another())
		return duplicate(old, fd, flags);
	lock_take(&mask);
	result = descriptors_is_ours(fd) ? move_and_duplicate(old, fd, flags) :
					   duplicate(old, fd, flags);
	lock_release(&mask);
	return result;
}
