/* vma.c: the two ways of asking the kernel about a mapping say the same. */
#define _GNU_SOURCE
#include "vma.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"

static bool alike(const struct vma *a, const struct vma *b)
{
	return a->start == b->start && a->end == b->end && a->protection == b->protection &&
	       a->shared == b->shared && a->inode == b->inode && a->dev_major == b->dev_major &&
	       a->dev_minor == b->dev_minor && a->offset == b->offset &&
	       strcmp(a->name, b->name) == 0;
}

static void both_ways(uintptr_t address, const char *what)
{
	struct vma query, text;

	memset(&query, 0, sizeof query);
	memset(&text, 0, sizeof text);
	SAME(vma_find(address, &query), 0, what);
	SAME(vma_find_in_text(address, &text), 0, "and in the text");
	CHECK(alike(&query, &text), "both say the same");
}

static void own_mappings(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char *shared = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 4096);
	char *anonymous = mmap(NULL, 12288, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vma vma;
	int local;

	both_ways((uintptr_t)own_mappings, "the program's text is found");
	both_ways((uintptr_t)&local, "the stack is found");
	both_ways((uintptr_t)shared, "a shared mapping is found");
	both_ways((uintptr_t)anonymous + 5000, "anonymous memory is found");
	vma_find((uintptr_t)shared, &vma);
	CHECK(vma.shared && vma.inode != 0 && vma.offset == 4096, "shared, a file's, at its offset");
	vma_find((uintptr_t)&local, &vma);
	SAME_TEXT(vma.name, "[stack]", "the stack has its name");
	munmap(anonymous + 4096, 4096);
	vma_find((uintptr_t)anonymous + 4096, &vma);
	CHECK(vma.start > (uintptr_t)anonymous + 4096, "at a hole the next mapping is found");
	close(fd);
}

static void no_mapping(void)
{
	struct vma vma;

	SAME(vma_find(~0UL, &vma), -ENOENT, "above everything there is none");
	SAME(vma_find_in_text(~0UL, &vma), -ENOENT, "nor in the text");
}

/* A mapping that was made, asked for again. */
static void still_there(void)
{
	int rw = PROT_READ | PROT_WRITE, fd = memfd_create("still", MFD_CLOEXEC);
	uintptr_t at = (uintptr_t)mmap(NULL, 4 * 4096, rw, MAP_SHARED, fd, 4096);
	struct vma vma;

	SAME(vma_look(at, &vma), 0, "it is there");
	CHECK(vma_is_still(at, 4 * 4096, rw, vma.inode, 4096), "as it was made");
	CHECK(vma_is_still(at + 4096, 4096, rw, vma.inode, 2 * 4096), "and so is a part of it");
	CHECK(!vma_is_still(at, 5 * 4096, rw, vma.inode, 4096), "it is no longer than that");
	CHECK(!vma_is_still(at, 4096, rw, vma.inode, 0), "nor of another place in the file");
	CHECK(!vma_is_still(at, 4096, rw, vma.inode + 1, 4096), "nor of another file");
	mprotect((void *)at, 4096, PROT_READ);
	CHECK(!vma_is_still(at, 4096, rw, vma.inode, 4096), "what has another protection is not it");
	CHECK(vma_is_still(at + 4096, 4096, rw, vma.inode, 2 * 4096), "what is behind that is");
	mmap((void *)(at + 4096), 4096, rw, MAP_PRIVATE | MAP_FIXED, fd, 2 * 4096);
	CHECK(!vma_is_still(at + 4096, 4096, rw, vma.inode, 2 * 4096), "a private one is not it");
	munmap((void *)at, 4096);
	CHECK(!vma_is_still(at, 4096, PROT_READ, vma.inode, 4096), "nor is a hole");
	munmap((void *)(at + 4096), 3 * 4096);
	close(fd);
}

static void heap_bounds(void)
{
	void *end = sbrk(8192);
	struct heap heap = vma_heap();

	CHECK(heap.start != 0 && heap.start <= (uintptr_t)end, "the heap begins before its end");
	SAME((long long)heap.end, (long long)(uintptr_t)sbrk(0), "and ends at brk");
}

int main(void)
{
	own_mappings();
	no_mapping();
	still_there();
	heap_bounds();
	return tap_done();
}
