/* backing.c: files numbered, grown, filled, frozen and given back. See backing.h. */
#include "backing.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "codefile.h"
#include "descriptors.h"
#include "hash.h"
#include "memory.h"
#include "own.h"
#include "sys.h"
#include "vma.h"

#define WINDOW_BYTES BACKING_WINDOW_BYTES
#define WINDOW_PAGES (WINDOW_BYTES / PAGE_BYTES)
/* 64 GiB, most of it a hole: a limit that comes later does no harm. */
#define WINDOWS_AT_ONCE 0x10000UL
#define MOST_BACKINGS 4096U
#define MOST_FROZEN 16U
#define FEWEST_WASTED 64U

struct backing {
	int descriptor;    /* of descriptors.h; -1: this number is free */
	bool shared;
	bool frozen;
	uint64_t device, inode;
	long access;       /* O_ACCMODE of its descriptor */
	uint64_t windows;  /* given out */
	uint64_t size;     /* windows that the file has */
	size_t used;       /* pages that the page table refers to */
	size_t most;       /* of them that there have been */
	bool stuck;        /* could not be left */
};

/* Number 0 stands for none. In a mapping made when the first is needed. */
static struct backing *backings;
static unsigned last; /* the highest number ever given */
static unsigned current; /* for private pages; 0: to be made */
static unsigned forks;   /* threads within one */
static bool miscounted;  /* in a child, as another thread left it: see backing_recount */

/* The file that has the reserve, and the number that pages of it are taken under. */
static struct backing reserve;
static bool has_reserve;
static unsigned reserve_number;

/* ---------------------------------------------------------------- numbers */

static bool have_table(void)
{
	long made;

	if (backings)
		return true;
	made = sys_mmap(0, MOST_BACKINGS * sizeof *backings, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!sys_failed(made))
		backings = (struct backing *)made;
	return backings != NULL;
}

static unsigned free_number(void)
{
	for (unsigned i = 1; i <= last; i++)
		if (backings[i].descriptor < 0)
			return i;
	return last + 1 < MOST_BACKINGS ? ++last : 0;
}

/* FD is ours from now on, or closed. */
static long take_in(int fd, bool shared)
{
	long access = sys_fcntl(fd, F_GETFL, 0) & O_ACCMODE; /* before its number is another */
	struct stat64 status;
	unsigned number;

	if (sys_failed(sys_fstat(fd, &status)) || !have_table() || !(number = free_number())) {
		sys_close(fd);
		return -ENOMEM;
	}
	backings[number] = (struct backing){
		.descriptor = descriptors_keep(fd),
		.shared = shared,
		.frozen = !shared && forks,
		.device = status.st_dev,
		.inode = status.st_ino,
		.access = access,
	};
	if (backings[number].descriptor < 0) {
		sys_close(fd);
		return -EMFILE;
	}
	if (!shared)
		descriptors_mark(backings[number].descriptor);
	return number;
}

static void give_up(unsigned number)
{
	if (!backing_is_reserve(number))
		descriptors_release(backings[number].descriptor);
	if (number == reserve_number)
		reserve_number = 0;
	backings[number].descriptor = -1;
	backings[number].inode = 0;
}

/* The host may have closed it by a way without hooks, and have a file of its own at the
 * number; or this is a child of vfork, with a table of its own. */
static int number_of(int handle)
{
	return descriptors_is_open(handle) ? descriptors_number(handle) : -1;
}

int backing_descriptor(unsigned number)
{
	return number_of(backings[number].descriptor);
}

uint64_t backing_inode(unsigned number)
{
	return backings[number].inode;
}

bool backing_is_same_file(unsigned number, unsigned other)
{
	const struct backing *one = &backings[number], *two = &backings[other];

	return number == other || (one->shared && two->shared && one->inode == two->inode &&
				   one->device == two->device && one->access == two->access);
}

bool backing_is_frozen(unsigned number)
{
	return backings[number].frozen;
}

bool backing_is_shared(unsigned number)
{
	return backings[number].shared;
}

/* ---------------------------------------------------------------- windows */

/* Which window of the current file each MiB of addresses has: a table by hash. */
struct window {
	uint64_t key; /* MiB of the address, plus 1; 0: a free place */
	uint64_t window;
};

static struct window *windows;
static size_t places, taken; /* places: a power of two */

static size_t place_of(const struct window *table, size_t size, uint64_t key)
{
	size_t at = (size_t)(key * HASH_FACTOR >> 32) & (size - 1);

	while (table[at].key && table[at].key != key)
		at = (at + 1) & (size - 1);
	return at;
}

static bool grow_windows(void)
{
	size_t size = places ? 2 * places : 256;
	long made = own_memory(size * sizeof *windows);
	struct window *table = (struct window *)made, *old = windows;

	if (sys_failed(made))
		return false;
	for (size_t i = 0; i < places; i++)
		if (windows[i].key)
			table[place_of(table, size, windows[i].key)] = windows[i];
	windows = table;
	places = size;
	if (old)
		sys_munmap((uintptr_t)old, size / 2 * sizeof *old);
	return true;
}

/* To reach beyond it raises a signal. */
static uint64_t size_allowed(void)
{
	struct rlimit64 limit;

	if (sys_failed(sys_limit(RLIMIT_FSIZE, NULL, &limit)))
		return UINT64_MAX;
	return limit.rlim_cur;
}

static long grow_file(struct backing *backing)
{
	uint64_t size = backing->size + WINDOWS_AT_ONCE, allowed = size_allowed() / WINDOW_BYTES;
	long result;

	if (size > allowed)
		size = allowed;
	if (size <= backing->size)
		return -EFBIG;
	result = sys_ftruncate(descriptors_number(backing->descriptor), size * WINDOW_BYTES);
	if (!result)
		backing->size = size;
	return result;
}

static long new_current(void)
{
	long fd, number;

	if (size_allowed() < WINDOW_BYTES)
		return -EFBIG;
	fd = codefile_new(CODEFILE_NAME);
	if (sys_failed(fd))
		return fd;
	number = take_in((int)fd, false);
	if (sys_failed(number))
		return number;
	current = (unsigned)number;
	taken = 0;
	/* Its number may have been another's. */
	if (windows)
		memset(windows, 0, places * sizeof *windows);
	return 0;
}

/* One window more in the current file, or in a new one where that is full. */
static long new_window(void)
{
	long result;

	if (current && backings[current].windows < backings[current].size)
		return (long)backings[current].windows++;
	result = current ? grow_file(&backings[current]) : 0;
	if (result == -EFBIG || !current) {
		result = new_current();
		if (!result)
			result = grow_file(&backings[current]);
	}
	return result ? result : (long)backings[current].windows++;
}

long backing_ready(void)
{
	long result = current ? 0 : new_current();

	if (!result && !backings[current].size)
		result = grow_file(&backings[current]);
	if (!result && !windows && !grow_windows())
		result = -ENOMEM;
	return result;
}

long backing_place(uintptr_t address, unsigned *number)
{
	uint64_t key = address / WINDOW_BYTES + 1;
	size_t at;

	if (current && backing_descriptor(current) < 0)
		current = 0;
	if (taken * 2 >= places && !grow_windows())
		return -ENOMEM;
	at = place_of(windows, places, key);
	if (windows[at].key != key || !current) {
		long window = new_window();

		if (sys_failed(window))
			return window;
		/* In a new file all places are free again. */
		at = place_of(windows, places, key);
		windows[at] = (struct window){ key, (uint64_t)window };
		taken++;
	}
	*number = current;
	return (long)(windows[at].window * WINDOW_PAGES +
		      address % WINDOW_BYTES / PAGE_BYTES);
}

/* ----------------------------------------------------------------- reserve */

long backing_make_reserve(size_t part, size_t executed, size_t written)
{
	const struct extent touched[2] = { { 0, executed }, { part, written } };
	long fd, number;

	if (has_reserve)
		return 0;
	if (2 * part > size_allowed())
		return -EFBIG;
	fd = codefile_with_room(2 * part, touched);
	if (sys_failed(fd))
		return fd;
	number = take_in((int)fd, false);
	if (sys_failed(number))
		return number;
	reserve = backings[number];
	has_reserve = true;
	give_up((unsigned)number); /* the number alone */
	return 0;
}

int backing_reserve_descriptor(void)
{
	return has_reserve ? number_of(reserve.descriptor) : -1;
}

bool backing_is_reserve(unsigned number)
{
	return has_reserve && backings[number].descriptor == reserve.descriptor;
}

uint64_t backing_reserve_inode(void)
{
	return reserve.inode;
}

/* What is taken while a fork goes on is frozen from then on. */
long backing_reserve(void)
{
	unsigned number = reserve_number;

	if (!has_reserve)
		return -ENOENT;
	if (number)
		return number;
	number = free_number();
	if (!number)
		return -ENOMEM;
	backings[number] = (struct backing){
		.descriptor = reserve.descriptor,
		.frozen = forks,
		.device = reserve.device,
		.inode = reserve.inode,
		.access = reserve.access,
	};
	reserve_number = number;
	return number;
}

/* ------------------------------------------------------------ shared memory */

long backing_share(size_t length)
{
	const struct extent touched[2] = { { 0, length } };
	long fd;

	if (length > size_allowed())
		return -EFBIG;
	fd = codefile_with_room(length, touched);
	return sys_failed(fd) ? fd : take_in((int)fd, true);
}

long backing_share_file(int fd)
{
	long copy = sys_fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return sys_failed(copy) ? copy : take_in((int)copy, true);
}

static bool is_file_of(int fd, const struct vma *vma, bool writable)
{
	struct stat64 status;
	long flags;

	if (sys_failed(sys_fstat(fd, &status)) || status.st_ino != vma->inode ||
	    major(status.st_dev) != vma->dev_major || minor(status.st_dev) != vma->dev_minor)
		return false;
	flags = sys_fcntl(fd, F_GETFL, 0);
	return !sys_failed(flags) && !(flags & O_PATH) &&
	       (flags & O_ACCMODE) == (writable ? O_RDWR : O_RDONLY);
}

#define DESCRIPTORS_LOOKED_AT 1024

long backing_share_mapping(const struct vma *vma, bool writable)
{
	struct stat64 status;
	long fd = -ENOENT;

	/* To open a device may do something. */
	if (vma->name[0] == '/' && !sys_failed(sys_stat(vma->name, &status)) &&
	    S_ISREG(status.st_mode))
		fd = sys_open(vma->name, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY |
			      O_NONBLOCK, 0);
	if (!sys_failed(fd) && is_file_of((int)fd, vma, writable))
		return take_in((int)fd, true);
	if (!sys_failed(fd))
		sys_close((int)fd);
	for (int host = 0; host < DESCRIPTORS_LOOKED_AT; host++)
		if (is_file_of(host, vma, writable))
			return backing_share_file(host);
	return -ENOENT;
}

/* ---------------------------------------------------------------- contents */

/* To write beyond RLIMIT_FSIZE raises a signal, which is blocked here, and must not
 * be left to come later. To ask for the limit each time takes as long as to write. */
static void forget_size_signal(void)
{
	uint64_t set = sys_signal_bit(SIGXFSZ);
	struct timespec none = { 0 };

	SYS_CALL(SYS_rt_sigtimedwait, &set, 0, &none, sizeof set, 0, 0);
}

static long write_to(unsigned number, uint64_t at, const void *bytes, size_t length)
{
	long written = sys_pwrite(backing_descriptor(number), bytes, length, at);

	if (written == -EFBIG)
		forget_size_signal();
	/* What is adopted from now on goes to a file elsewhere. */
	if (written == -ENOSPC && number == current && codefile_go_on())
		current = 0;
	return written;
}

bool backing_takes(unsigned number, uint64_t at)
{
	int fd = backing_descriptor(number);
	struct stat64 status;
	long flags;

	if (!backing_is_shared(number))
		return true;
	flags = sys_fcntl(fd, F_GETFL, 0);
	return !sys_failed(flags) && !(flags & O_APPEND) && !sys_failed(sys_fstat(fd, &status)) &&
	       at < (uint64_t)status.st_size;
}

bool backing_write(unsigned number, uint64_t at, const void *bytes, size_t length)
{
	return write_to(number, at, bytes, length) == (long)length;
}

/* A mapping may be written beyond the limit on a file's size, and where a filter of the
 * host's refuses pwrite. The pages are not executable anywhere yet. */
static size_t fill_by_mapping(unsigned number, uint64_t at, uintptr_t start, size_t length)
{
	long map = sys_mmap(0, length, PROT_READ | PROT_WRITE, MAP_SHARED,
			    backing_descriptor(number), (int64_t)at);
	long copied;

	if (sys_failed(map))
		return 0;
	copied = sys_copy_memory(sys_getpid(), (void *)map, start, length);
	sys_munmap((uintptr_t)map, length);
	return sys_failed(copied) ? 0 : (size_t)copied;
}

size_t backing_fill(unsigned number, uint64_t offset, uintptr_t start, size_t length)
{
	uint64_t at = offset * PAGE_BYTES;
	size_t done = 0;

	while (done < length) {
		long written = write_to(number, at + done, (void *)(start + done), length - done);

		/* To touch a page that there is no room for raises a signal. */
		if (written == -ENOSPC)
			break;
		if (sys_failed(written) && written != -EFAULT)
			return page_down(fill_by_mapping(number, at, start, length));
		if (sys_failed(written) || written == 0)
			break;
		done += (size_t)written;
	}
	return page_down(done);
}

/* ------------------------------------------------------------------- usage */

void backing_use(unsigned number, size_t pages)
{
	backings[number].used += pages;
	if (backings[number].used > backings[number].most)
		backings[number].most = backings[number].used;
}

static bool is_wasteful(const struct backing *backing)
{
	return backing->most >= FEWEST_WASTED && backing->used < backing->most / 2;
}

void backing_not_left(unsigned number)
{
	backings[number].stuck = true;
}

/* Not on the stack: a signal's may be all that there is. The lock is held. */
#define COPIED_AT_ONCE (4 * PAGE_BYTES)

LARGE static char copied[COPIED_AT_ONCE];

bool backing_copy(unsigned from, uint64_t from_offset, unsigned to, uint64_t offset, size_t pages)
{
	size_t piece;

	for (uint64_t done = 0; done < pages * PAGE_BYTES; done += piece) {
		piece = pages * PAGE_BYTES - done;
		if (piece > sizeof copied)
			piece = sizeof copied;
		if (sys_pread(backing_descriptor(from), copied, piece,
			      (int64_t)(from_offset * PAGE_BYTES + done)) != (long)piece ||
		    !backing_write(to, offset * PAGE_BYTES + done, copied, piece))
			return false;
	}
	return true;
}

unsigned backing_to_leave(void)
{
	unsigned count = 0, fewest = 0;

	if (miscounted)
		return 0;
	for (unsigned i = 1; i <= last; i++) {
		if (backings[i].descriptor < 0 || !backings[i].frozen || i == current ||
		    backings[i].stuck)
			continue;
		count++;
		if (!fewest || backings[i].used < backings[fewest].used)
			fewest = i;
	}
	return fewest && (count > MOST_FROZEN || is_wasteful(&backings[fewest])) ? fewest : 0;
}

void backing_drop(unsigned number, uint64_t offset, size_t pages)
{
	struct backing *backing = &backings[number];

	if (miscounted)
		return;
	backing->used -= pages;
	/* Its page may be the child's too, so it cannot be filled again. */
	if (backing->frozen && number == current)
		current = 0;
	if (backing->used == 0 && number != current) {
		give_up(number);
		return;
	}
	if (backing->frozen || backing->shared)
		return;
	sys_fallocate(backing_descriptor(number), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      offset * PAGE_BYTES, pages * PAGE_BYTES);
}

static void freeze(void)
{
	for (unsigned i = 1; i <= last; i++) {
		if (backings[i].descriptor < 0 || backings[i].shared)
			continue;
		backings[i].frozen = true;
		if (backings[i].used == 0 && !miscounted)
			give_up(i);
	}
	current = 0;
	reserve_number = 0;
}

bool backing_is_miscounted(void)
{
	return miscounted;
}

void backing_recount(void)
{
	for (unsigned i = 1; i <= last; i++)
		backings[i].used = 0;
}

void backing_recounted(void)
{
	miscounted = false;
	for (unsigned i = 1; i <= last; i++)
		if (backings[i].descriptor >= 0 && backings[i].used == 0 && i != current)
			give_up(i);
}

void backing_before_fork(void)
{
	freeze();
	forks++;
}

void backing_after_fork(void)
{
	freeze();
	forks--;
}

void backing_in_child(void)
{
	miscounted = last != 0;
	freeze();
	forks = 0;
	/* Another thread may have been at it. */
	windows = NULL;
	places = taken = 0;
}
