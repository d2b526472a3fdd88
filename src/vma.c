/* vma.c: asks the kernel about mappings. See vma.h. */
#include "vma.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "descriptors.h"
#include "hostfilter.h"
#include "ledger.h"
#include "lock.h"
#include "memory.h"
#include "own.h"
#include "sys.h"

/* include/uapi/linux/fs.h of Linux 6.11; older headers lack it. */
struct procmap_query {
	uint64_t size;
	uint64_t query_flags;
	uint64_t query_addr;
	uint64_t vma_start;
	uint64_t vma_end;
	uint64_t vma_flags;
	uint64_t vma_page_size;
	uint64_t vma_offset;
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint32_t vma_name_size;
	uint32_t build_id_size;
	uint64_t vma_name_addr;
	uint64_t build_id_addr;
};

#define QUERY_READABLE 0x01
#define QUERY_WRITABLE 0x02
#define QUERY_EXECUTABLE 0x04
#define QUERY_SHARED 0x08
#define QUERY_COVERING_OR_NEXT 0x10

_Static_assert(sizeof(struct procmap_query) == 0x68, "the size is part of the request's number");

static atomic_bool no_query; /* this kernel does not know PROCMAP_QUERY */

static long query(int fd, uintptr_t address, struct vma *vma, bool named)
{
	struct procmap_query q = {
		.size = sizeof q,
		.query_flags = QUERY_COVERING_OR_NEXT,
		.query_addr = address,
		.vma_name_size = named ? sizeof vma->name : 0,
		.vma_name_addr = named ? (uintptr_t)vma->name : 0,
	};
	long result = sys_ioctl(fd, VMA_QUERY_REQUEST, &q);

	if (result == -ENAMETOOLONG) {
		q.vma_name_size = 0;
		q.vma_name_addr = 0;
		result = sys_ioctl(fd, VMA_QUERY_REQUEST, &q);
	}
	if (sys_failed(result))
		return result;
	if (q.vma_name_size == 0)
		vma->name[0] = '\0';
	vma->start = q.vma_start;
	vma->end = q.vma_end;
	vma->protection = (q.vma_flags & QUERY_READABLE ? PROT_READ : 0) |
			  (q.vma_flags & QUERY_WRITABLE ? PROT_WRITE : 0) |
			  (q.vma_flags & QUERY_EXECUTABLE ? PROT_EXEC : 0);
	vma->shared = q.vma_flags & QUERY_SHARED;
	vma->offset = q.vma_offset;
	vma->inode = q.inode;
	vma->dev_major = q.dev_major;
	vma->dev_minor = q.dev_minor;
	return 0;
}

/* A byte at a time out of a file, through a small buffer: a signal stack may be
 * all there is to stand on. */
struct reader {
	int fd;
	int64_t offset; /* its own: the descriptor may be shared */
	bool ended;
	long error; /* why it ended; 0: there is no more */
	unsigned next, end;
	char buffer[512];
};

/* The next byte, or -1 at the end, and from an error on. */
static int read_byte(struct reader *reader)
{
	if (reader->ended)
		return -1;
	if (reader->next == reader->end) {
		long got = sys_pread(reader->fd, reader->buffer, sizeof reader->buffer,
				     reader->offset);

		if (got <= 0) {
			reader->ended = true;
			reader->error = got;
			return -1;
		}
		reader->offset += got;
		reader->next = 0;
		reader->end = (unsigned)got;
	}
	return (unsigned char)reader->buffer[reader->next++];
}

/* A number in BASE and the byte that ends it, which is returned. */
static int read_number(struct reader *reader, unsigned base, uint64_t *number)
{
	*number = 0;
	for (;;) {
		int c = read_byte(reader);
		unsigned digit = c >= '0' && c <= '9' ? (unsigned)c - '0' :
				 c >= 'a' && c <= 'f' ? (unsigned)c - 'a' + 10 : base;

		if (digit >= base)
			return c;
		*number = *number * base + digit;
	}
}

/* False: the line has no end. */
static bool read_name(struct reader *reader, int c, struct vma *vma)
{
	size_t length = 0;

	while (c == ' ')
		c = read_byte(reader);
	for (; c != '\n' && c != -1; c = read_byte(reader))
		if (length < sizeof vma->name)
			vma->name[length++] = (char)c;
	if (length == sizeof vma->name)
		length = 0;
	vma->name[length] = '\0';
	return c == '\n';
}

/* One line: start-end rwxp offset major:minor inode name. */
static bool read_line(struct reader *reader, struct vma *vma)
{
	uint64_t number;
	int c;

	if (read_number(reader, 16, &number) != '-')
		return false;
	vma->start = number;
	read_number(reader, 16, &number);
	vma->end = number;
	vma->protection = (read_byte(reader) == 'r' ? PROT_READ : 0);
	vma->protection |= (read_byte(reader) == 'w' ? PROT_WRITE : 0);
	vma->protection |= (read_byte(reader) == 'x' ? PROT_EXEC : 0);
	vma->shared = read_byte(reader) == 's';
	read_byte(reader);
	read_number(reader, 16, &vma->offset);
	read_number(reader, 16, &number);
	vma->dev_major = (uint32_t)number;
	read_number(reader, 16, &number);
	vma->dev_minor = (uint32_t)number;
	c = read_number(reader, 10, &vma->inode);
	return read_name(reader, c, vma);
}

/* /proc/self/maps is opened once and kept: opened each time it would take the
 * lowest number, for a moment, and that is the one that another thread of the
 * host's may be about to dup2 onto. It speaks of the process that opened it, so a
 * child of fork opens its own. */
#define PID_SHIFT 32
#define HANDLE_MASK 0xffffffffUL

static _Atomic uint64_t kept; /* process id, and the handle and 1; 0: none */

/* A page that a child of fork finds empty: quicker to look at than to ask the kernel
 * for the process id. NULL where the kernel has no such pages. */
static _Atomic uint32_t *_Atomic opened_here;

static void make_mark(void)
{
	long made;

	if (atomic_load(&opened_here))
		return;
	/* Not where pages of the program's are away just now (rung/anonymous.c). */
	made = own_memory(PAGE_BYTES);
	if (sys_failed(made))
		return;
	if (sys_madvise((uintptr_t)made, PAGE_BYTES, MADV_WIPEONFORK))
		sys_munmap((uintptr_t)made, PAGE_BYTES);
	else
		atomic_store(&opened_here, (_Atomic uint32_t *)made);
}

void vma_begin_looking(void)
{
	make_mark();
}

static bool is_this_process(uint64_t seen)
{
	_Atomic uint32_t *mark = atomic_load(&opened_here);

	return mark ? atomic_load(mark) != 0 : seen >> PID_SHIFT == (uint64_t)sys_getpid();
}

static uint64_t keep(long fd)
{
	int handle = descriptors_keep((int)fd);
	uint64_t old = atomic_load(&kept);

	if (handle < 0)
		return 0;
	if (old)
		descriptors_release((int)(old & HANDLE_MASK) - 1);
	return (uint64_t)sys_getpid() << PID_SHIFT | (uint64_t)(handle + 1);
}

static long reopen_maps(uint64_t seen)
{
	uint64_t mask, now;
	long fd;

	lock_take(&mask);
	now = atomic_load(&kept);
	if (now == seen) {
		fd = sys_open("/proc/self/maps", O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
		now = sys_failed(fd) ? 0 : keep(fd);
		if (now) {
			make_mark();
			atomic_store(&kept, now);
			if (atomic_load(&opened_here))
				atomic_store(atomic_load(&opened_here), 1);
		}
		else if (!sys_failed(fd))
			sys_close((int)fd);
	}
	lock_release(&mask);
	if (!now)
		return -ENOSYS;
	return descriptors_number((int)(now & HANDLE_MASK) - 1);
}

static long open_maps(void)
{
	uint64_t seen = atomic_load(&kept);
	int fd = seen ? descriptors_number((int)(seen & HANDLE_MASK) - 1) : -1;

	if (fd >= 0 && is_this_process(seen))
		return fd;
	return reopen_maps(seen);
}

/* The host may have closed it by a way without hooks, and have a file of its own
 * at the number. */
static bool lost_maps(void)
{
	uint64_t seen = atomic_load(&kept);

	if (!seen || descriptors_is_open((int)(seen & HANDLE_MASK) - 1))
		return false;
	return !sys_failed(reopen_maps(seen));
}

static long find_in_text(long fd, uintptr_t address, struct vma *vma)
{
	struct reader reader = { .fd = (int)fd };

	while (read_line(&reader, vma))
		if (address < vma->end)
			return 0;
	return reader.error ? reader.error : -ENOENT;
}

/* An emulator of user space gives a file that it wrote at that moment, which tells of no
 * later one: QEMU does. The kernel's own has no size. */
static bool is_copy(long fd)
{
	struct stat64 status = { 0 };

	return !sys_failed(sys_fstat((int)fd, &status)) && status.st_size != 0;
}

/* An emulator looks whether the memory is the program's before it hands the call on; a
 * kernel looks at the descriptor first. */
static int rights_by_emulator(uintptr_t page)
{
	bool reads = sys_pwrite(-1, (const void *)page, 1, 0) != -EFAULT;
	bool writes = reads && sys_pread(-1, (void *)page, 1, 0) != -EFAULT;

	return (reads ? PROT_READ : 0) | (writes ? PROT_WRITE : 0);
}

/* QEMU's list leaves out what the kernel has joined with private memory of QEMU's own, of
 * the same rights: where a range that it goes through begins with the latter, it drops the
 * whole. An emulator to which even the first page is readable cannot be asked this way. */
static long find_left_out(uintptr_t address, struct vma *vma)
{
	uintptr_t page = page_down(address);
	int rights = rights_by_emulator(page);

	if (!rights || rights_by_emulator(0))
		return -ENOENT;
	*vma = (struct vma){ .start = page, .end = page + PAGE_BYTES, .protection = rights };
	return 0;
}

static long find_in_copy(uintptr_t address, struct vma *vma)
{
	long fd = sys_open("/proc/self/maps", O_RDONLY | O_CLOEXEC | O_NOCTTY, 0), result;

	if (sys_failed(fd))
		return fd;
	result = find_in_text(fd, address, vma);
	sys_close((int)fd);
	if (result != -ENOENT && (result || vma->start <= address))
		return result;
	return find_left_out(address, vma) ? result : 0;
}

long vma_find_in_text(uintptr_t address, struct vma *vma)
{
	long fd = open_maps();

	if (sys_failed(fd))
		return fd;
	return is_copy(fd) ? find_in_copy(address, vma) : find_in_text(fd, address, vma);
}

static long find(uintptr_t address, struct vma *vma, bool named)
{
	if (ledger_is_kept())
		return ledger_find(address, vma, named);
	if (atomic_load_explicit(&no_query, memory_order_relaxed) ||
	    hostfilter_ends(HOSTFILTER_QUERY))
		return vma_find_in_text(address, vma);

	long fd = open_maps();

	if (sys_failed(fd))
		return fd;

	long result = query((int)fd, address, vma, named);

	if ((result == -ENOTTY || result == -EBADF || result == -EINVAL) && lost_maps())
		return find(address, vma, named);
	if (!result || result == -ENOENT)
		return result;
	if (result == -ENOTTY || result == -EINVAL)
		atomic_store(&no_query, true);
	return vma_find_in_text(address, vma);
}

long vma_find(uintptr_t address, struct vma *vma)
{
	return find(address, vma, true);
}

long vma_look(uintptr_t address, struct vma *vma)
{
	return find(address, vma, false);
}

bool vma_is_still(uintptr_t start, size_t length, int protection, uint64_t inode, uint64_t offset)
{
	struct vma vma;
	long result = vma_look(start, &vma);

	if (result)
		return result != -ENOENT;
	return vma.start <= start && start + length <= vma.end && vma.shared &&
	       vma.protection == protection && vma.inode == inode &&
	       vma.offset + (start - vma.start) == offset;
}

/* ------------------------------------------------------- without /proc, later on */

void vma_before_confinement(void)
{
	struct vma vma;

	vma_look(0, &vma);
}

#define OPEN_TREE_CLONE 1 /* linux/mount.h, which does not go with sys/mount.h */
#define AT_RECURSIVE 0x8000

/* By a mount of its own, which lies nowhere. */
static long open_maps_apart(void)
{
	long tree, fd;

	if (hostfilter_ends(HOSTFILTER_OPEN) || hostfilter_ends(HOSTFILTER_TREE))
		return -EPERM;
	tree = SYS_CALL(SYS_open_tree, -100 /* AT_FDCWD */, "/proc",
			OPEN_TREE_CLONE | AT_RECURSIVE | O_CLOEXEC, 0, 0, 0);
	if (sys_failed(tree))
		return tree;
	fd = SYS_CALL(SYS_openat, tree, "self/maps", O_RDONLY | O_CLOEXEC | O_NOCTTY, 0, 0, 0);
	sys_close((int)tree);
	return fd;
}

/* Not in a child of vfork, whose parent has the file as well. */
void vma_before_unmount(void)
{
	static uint64_t apart; /* what is kept is such a one */
	uint64_t mask, now;
	long fd;

	vma_before_confinement();
	lock_take(&mask);
	now = atomic_load(&kept);
	if (now && now != apart && now >> PID_SHIFT == (uint64_t)sys_getpid()) {
		fd = open_maps_apart();
		now = sys_failed(fd) ? 0 : keep(fd);
		if (now)
			atomic_store(&kept, apart = now);
		else if (!sys_failed(fd))
			sys_close((int)fd);
	}
	lock_release(&mask);
}

static bool can_open_maps(void)
{
	long fd = sys_open("/proc/self/maps", O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);

	if (sys_failed(fd))
		return false;
	sys_close((int)fd);
	return true;
}

static void write_down(int fd)
{
	struct reader reader = { .fd = fd };
	struct vma vma;

	while (read_line(&reader, &vma))
		ledger_add(&vma);
	if (reader.error)
		ledger_lose();
}

void vma_before_fork(void)
{
	uint64_t seen = atomic_load(&kept);
	int handle = (int)(seen & HANDLE_MASK) - 1;

	if (ledger_is_kept())
		return;
	ledger_close();
	if (!seen || !is_this_process(seen) || can_open_maps() || !descriptors_is_open(handle))
		return;
	if (is_copy(descriptors_number(handle))) /* of an earlier moment */
		return;
	if (ledger_open())
		write_down(descriptors_number(handle));
}

void vma_in_child(bool torn)
{
	ledger_in_child(torn);
}

/* A line without its newline, cut off where it does not fit. False: there is no whole one. */
static bool read_text_line(struct reader *reader, char *line, size_t size)
{
	size_t length = 0;
	int c = read_byte(reader);

	if (c == -1)
		return false;
	for (; c != '\n' && c != -1; c = read_byte(reader))
		if (length + 1 < size)
			line[length++] = (char)c;
	line[length] = '\0';
	return c == '\n';
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static uint64_t hex_number(const char **text)
{
	uint64_t number = 0;

	for (; is_hex(**text); ++*text)
		number = number * 16 + (uint64_t)(**text <= '9' ? **text - '0' : **text - 'a' + 10);
	return number;
}

/* A mapping's first line: start-end and more. */
static bool read_range(const char *line, uintptr_t *start, uintptr_t *end)
{
	*start = hex_number(&line);
	if (*line++ != '-')
		return false;
	*end = hex_number(&line);
	return true;
}

/* Words of two letters, each with a blank before it. */
static struct vma_advice advice_of(const char *flags)
{
	struct vma_advice advice = { .known = true, .never_exec = true, .never_write = true };

	for (; flags[0] == ' ' && flags[1] && flags[2]; flags += 3) {
		advice.locked |= flags[1] == 'l' && flags[2] == 'o';
		advice.on_fault |= flags[1] == 'l' && flags[2] == 'f';
		advice.dont_fork |= flags[1] == 'd' && flags[2] == 'c';
		advice.dont_dump |= flags[1] == 'd' && flags[2] == 'd';
		advice.never_exec &= !(flags[1] == 'm' && flags[2] == 'e');
		advice.never_write &= !(flags[1] == 'm' && flags[2] == 'w');
	}
	return advice;
}

static bool is_same_advice(const struct vma_advice *one, const struct vma_advice *other)
{
	return one->locked == other->locked && one->on_fault == other->on_fault &&
	       one->dont_fork == other->dont_fork && one->dont_dump == other->dont_dump;
}

/* The next mapping. Its first line begins with a number, the others with a name. */
static bool read_advice(struct reader *reader, uintptr_t *start, uintptr_t *end,
			struct vma_advice *advice)
{
	char line[128];

	while (read_text_line(reader, line, sizeof line)) {
		const char *flags = string_after(line, "VmFlags:");

		if (is_hex(line[0]))
			read_range(line, start, end);
		if (!flags)
			continue;
		*advice = advice_of(flags);
		return true;
	}
	return false;
}

struct vma_advice vma_advice_around(uintptr_t address, uintptr_t *start, uintptr_t *end)
{
	long fd = sys_open("/proc/self/smaps", O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
	struct reader reader = { .fd = (int)fd };
	struct vma_advice said = { 0 }, next;
	uintptr_t from = 0, to = 0;
	bool none = true;

	if (sys_failed(fd))
		return said;
	while (read_advice(&reader, &from, &to, &next) && from < *end) {
		if (to <= *start || (!none && is_same_advice(&said, &next)))
			continue;
		if (!none && from > address) {
			*end = from;
			break;
		}
		if (!none)
			*start = from;
		none = false;
		said = next;
	}
	sys_close((int)fd);
	return said;
}

struct vma_advice vma_advice(uintptr_t address)
{
	uintptr_t end = address + 1;

	return vma_advice_around(address, &address, &end);
}

static _Atomic uintptr_t noted_heap_start;

void vma_begin(void)
{
	atomic_store(&noted_heap_start, (uintptr_t)sys_brk(0));
}

/* start_brk is field 47 of /proc/self/stat (proc_pid_stat(5)); the second field,
 * the name, may hold anything but ends at the last parenthesis. */
static uintptr_t heap_start_from_stat(void)
{
	long fd = sys_open("/proc/self/stat", O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
	struct reader reader = { .fd = (int)fd };
	char line[1024];
	size_t length = 0, i;
	uintptr_t start = 0;
	int field = 2, c;

	if (sys_failed(fd))
		return 0;
	while ((c = read_byte(&reader)) != -1 && length < sizeof line)
		line[length++] = (char)c;
	sys_close((int)fd);
	for (i = length; i > 0 && line[i - 1] != ')'; i--)
		;
	for (; i < length && field < 47; i++)
		if (line[i] == ' ')
			field++;
	for (; i < length && line[i] >= '0' && line[i] <= '9'; i++)
		start = start * 10 + (uintptr_t)(line[i] - '0');
	return start;
}

uintptr_t vma_heap_start(void)
{
	static _Atomic uintptr_t known_start;
	uintptr_t start = atomic_load(&known_start);

	if (!start) {
		start = heap_start_from_stat();
		if (!start)
			start = atomic_load(&noted_heap_start);
		atomic_store(&known_start, start);
	}
	return start;
}

struct heap vma_heap(void)
{
	return (struct heap){ .start = vma_heap_start(), .end = (uintptr_t)sys_brk(0) };
}
