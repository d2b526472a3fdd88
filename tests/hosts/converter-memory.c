/* converter-memory.c: the ways in which programs get memory for their code.
 *
 * Each is one that the articles on SELinux's memory checks tell of: Chris
 * Wellons, "A JIT Compiler Skirmish with SELinux", and Ulrich Drepper, "SELinux
 * Memory Protection Tests". What the checks call each is said beside it.
 *
 * The functions that make the system calls are not inlined: tests compare the
 * call sites that jitmend reports with this file's debug information. They look
 * at the result, so that no call becomes a jump that leaves no return address. */
#include "converter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CALL_SITE __attribute__((noinline))

/* Above malloc's threshold for memory straight from mmap, 128 KiB. */
#define LARGE (256 * 1024)

#define SLOT_LENGTH (64 * 1024)
#define SLOT_COUNT 4

struct allocator {
	const char *name;
	void *(*allocate)(size_t length);
	void (*release)(void *start, size_t length);
	int protection;       /* while code runs from it */
	bool born_executable; /* has that protection from the start, for good */
	bool shares_pages;    /* others' data lies on the same pages */
	size_t least;         /* bytes, 0 for as many as needed */
};

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* ---- anonymous memory: nothing but execmem is asked */

static CALL_SITE void *allocate_anonymous(size_t length)
{
	void *start = mmap(NULL, length, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (start == MAP_FAILED)
		fail("mmap");
	return start;
}

static void release_mapping(void *start, size_t length)
{
	if (munmap(start, length) < 0)
		fail("munmap");
}

/* ---- /dev/zero, the way before MAP_ANONYMOUS: execmod once it is written,
 * and nothing executable at all where /dev is mounted noexec */

static CALL_SITE void *map_devzero(size_t length, int protection)
{
	int fd = open("/dev/zero", O_RDWR);
	void *start;

	if (fd < 0)
		fail("/dev/zero");
	start = mmap(NULL, length, protection, MAP_PRIVATE, fd, 0);
	if (start == MAP_FAILED)
		fail("mmap of /dev/zero");
	close(fd);
	return start;
}

static void *allocate_devzero(size_t length)
{
	return map_devzero(length, PROT_READ | PROT_WRITE);
}

static void *allocate_devzero_rwx(size_t length)
{
	return map_devzero(length, PROT_READ | PROT_WRITE | PROT_EXEC);
}

/* ---- the malloc heap: execheap where it is the brk's */

static CALL_SITE void *allocate_memalign(size_t length)
{
	void *start;
	int error = posix_memalign(&start, page_size(), length);

	if (!error)
		return start;
	errno = error;
	fail("posix_memalign");
}

static CALL_SITE void *allocate_aligned(size_t length)
{
	void *start = aligned_alloc(page_size(), length);

	if (!start)
		fail("aligned_alloc");
	return start;
}

static CALL_SITE void *allocate_malloc(size_t length)
{
	void *start = malloc(length);

	if (!start)
		fail("malloc");
	return start;
}

static void release_heap(void *start, size_t length)
{
	(void)length;
	free(start);
}

/* ---- pages of a file, privately changed: execmod */

static CALL_SITE void *allocate_file(size_t length)
{
	const char *folder = getenv("TMPDIR");
	char path[4096];
	void *start;
	int fd;

	snprintf(path, sizeof(path), "%s/converter-XXXXXX", folder ? folder : "/tmp");
	fd = mkstemp(path);
	if (fd < 0)
		fail(path);
	unlink(path);
	if (ftruncate(fd, (off_t)length) < 0)
		fail("ftruncate");
	start = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (start == MAP_FAILED)
		fail("mmap of a file");
	close(fd);
	return start;
}

/* The program's own data. Not all zero, so that it is no .bss: pages of the
 * program's file, not anonymous ones. */
static _Alignas(4096) unsigned char slots[SLOT_COUNT][SLOT_LENGTH] = {{1}, {1}, {1}, {1}};
static bool slot_taken[SLOT_COUNT];

static void *allocate_data_segment(size_t length)
{
	if (length > SLOT_LENGTH)
		refuse("the data segment has no room for %zu bytes of code", length);
	for (size_t i = 0; i < SLOT_COUNT; i++) {
		if (slot_taken[i])
			continue;
		slot_taken[i] = true;
		return slots[i];
	}
	refuse("the data segment has no room for more than %d parsers", SLOT_COUNT);
}

static void release_data_segment(void *start, size_t length)
{
	size_t slot = (size_t)((unsigned char *)start - slots[0]) / SLOT_LENGTH;

	(void)length;
	slot_taken[slot] = false;
}

/* ---- all of them */

#define RX (PROT_READ | PROT_EXEC)
#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)

static const struct allocator allocators[] = {
	{
		.name = "anonymous",
		.allocate = allocate_anonymous,
		.release = release_mapping,
		.protection = RX,
	}, {
		.name = "devzero",
		.allocate = allocate_devzero,
		.release = release_mapping,
		.protection = RX,
	}, {
		.name = "devzero-rwx",
		.allocate = allocate_devzero_rwx,
		.release = release_mapping,
		.protection = RWX,
		.born_executable = true,
	}, {
		.name = "memalign-small",
		.allocate = allocate_memalign,
		.release = release_heap,
		.protection = RX,
	}, {
		.name = "memalign-large",
		.allocate = allocate_memalign,
		.release = release_heap,
		.protection = RX,
		.least = LARGE,
	}, {
		.name = "aligned",
		.allocate = allocate_aligned,
		.release = release_heap,
		.protection = RX,
	}, {
		/* TinyCC's way: whatever pages the code happens to touch
		 * become executable, and stay writable for the data there. */
		.name = "malloc",
		.allocate = allocate_malloc,
		.release = release_heap,
		.protection = RWX,
		.shares_pages = true,
	}, {
		.name = "file",
		.allocate = allocate_file,
		.release = release_mapping,
		.protection = RX,
	}, {
		.name = "data-segment",
		.allocate = allocate_data_segment,
		.release = release_data_segment,
		.protection = RX,
	},
};

#define ALLOCATOR_COUNT (sizeof(allocators) / sizeof(allocators[0]))

const struct allocator *find_allocator(const char *name)
{
	for (size_t i = 0; i < ALLOCATOR_COUNT; i++)
		if (strcmp(allocators[i].name, name) == 0)
			return &allocators[i];
	return NULL;
}

const char *allocator_names(void)
{
	static char names[256];

	names[0] = '\0';
	for (size_t i = 0; i < ALLOCATOR_COUNT; i++) {
		strcat(names, i ? " " : "");
		strcat(names, allocators[i].name);
	}
	return names;
}

static size_t round_up(size_t length)
{
	size_t page = page_size();

	return (length + page - 1) / page * page;
}

void allocate_code(struct code_memory *memory,
		   const struct allocator *allocator, size_t length)
{
	if (length < allocator->least)
		length = allocator->least;
	if (!allocator->shares_pages)
		length = round_up(length);
	memory->allocator = allocator;
	memory->start = allocator->allocate(length);
	memory->length = length;
}

/* The whole pages that the code touches. */
static void pages_of(const struct code_memory *memory, void **start, size_t *length)
{
	uintptr_t first = (uintptr_t)memory->start / page_size() * page_size();
	uintptr_t end = round_up((uintptr_t)memory->start + memory->length);

	*start = (void *)first;
	*length = end - first;
}

CALL_SITE void make_executable(struct code_memory *memory)
{
	void *start;
	size_t length;

	if (memory->allocator->born_executable)
		return;
	pages_of(memory, &start, &length);
	if (mprotect(start, length, memory->allocator->protection) < 0)
		fail("mprotect");
}

/* Pages that others' data shares were never made read-only, and other code on
 * them must stay executable. */
CALL_SITE void make_writable(struct code_memory *memory)
{
	void *start;
	size_t length;

	if (memory->allocator->protection & PROT_WRITE)
		return;
	pages_of(memory, &start, &length);
	if (mprotect(start, length, PROT_READ | PROT_WRITE) < 0)
		fail("mprotect");
}

void release_code(struct code_memory *memory)
{
	/* free() keeps its lists in the memory that it is given back. */
	make_writable(memory);
	memory->allocator->release(memory->start, memory->length);
	memory->start = NULL;
	memory->length = 0;
}
