/* rewrite.c: pages of an object's text, copied, changed and mapped back. See
 * rewrite.h. */
#include "rewrite.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "codefile.h"
#include "memory.h"
#include "sys.h"

struct copy {
	const struct vma *text;
	const struct rewrite *changes;
	unsigned count;
	int original; /* the object's file */
	int file;     /* of the changed pages */
	unsigned pages;
	uintptr_t page[REWRITE_MOST];
};

/* Word by word: memcmp is a slow one here. */
static bool same_page(const uint64_t *a, const uint64_t *b)
{
	for (size_t i = 0; i < PAGE_BYTES / sizeof *a; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static bool change_page(const struct copy *copy, uintptr_t page, unsigned char *bytes)
{
	for (unsigned i = 0; i < copy->count; i++) {
		const struct rewrite *change = &copy->changes[i];

		if (page_down(change->at) != page)
			continue;
		if (change->at + change->length > page + PAGE_BYTES)
			return false;
		memcpy(bytes + (change->at - page), change->bytes, change->length);
	}
	return true;
}

static bool copy_page(struct copy *copy, uintptr_t page)
{
	const struct vma *text = copy->text;
	int64_t offset = (int64_t)(text->offset + (page - text->start));
	uint64_t bytes[PAGE_BYTES / sizeof(uint64_t)];

	if (page < text->start || page >= text->end ||
	    sys_pread(copy->original, bytes, PAGE_BYTES, offset) != (long)PAGE_BYTES ||
	    !same_page(bytes, (const uint64_t *)page) ||
	    !change_page(copy, page, (unsigned char *)bytes))
		return false;
	if (sys_pwrite(copy->file, bytes, PAGE_BYTES, copy->pages * PAGE_BYTES) != (long)PAGE_BYTES)
		return false;
	copy->page[copy->pages++] = page;
	return true;
}

static bool copy_pages(struct copy *copy)
{
	for (unsigned i = 0; i < copy->count; i++) {
		uintptr_t page = page_down(copy->changes[i].at);
		bool done = false;

		for (unsigned j = 0; j < copy->pages && !done; j++)
			done = copy->page[j] == page;
		if (!done && !copy_page(copy, page))
			return false;
	}
	return true;
}

/* Tried elsewhere first: a mapping that failed in the place of another might leave
 * a hole there. Each page is exchanged at one stroke. */
static bool map_pages(const struct copy *copy)
{
	int protection = PROT_READ | PROT_EXEC;
	long trial = sys_mmap(0, copy->pages * PAGE_BYTES, protection, MAP_PRIVATE, copy->file, 0);
	bool all = true;

	if (sys_failed(trial))
		return false;
	sys_munmap((uintptr_t)trial, copy->pages * PAGE_BYTES);
	for (unsigned i = 0; i < copy->pages; i++)
		if (sys_failed(sys_mmap(copy->page[i], PAGE_BYTES, protection,
					MAP_PRIVATE | MAP_FIXED, copy->file,
					(int64_t)(i * PAGE_BYTES))))
			all = false;
	return all;
}

/* Beyond RLIMIT_FSIZE a write raises a signal. */
static bool may_write(size_t length)
{
	struct rlimit64 limit;

	return !sys_failed(sys_limit(RLIMIT_FSIZE, NULL, &limit)) &&
	       limit.rlim_cur >= length;
}

bool rewrite_find_text(uintptr_t address, struct vma *text)
{
	return !vma_find(address, text) && text->start <= address && text->inode &&
	       !text->shared && text->protection == (PROT_READ | PROT_EXEC) &&
	       text->name[0] == '/';
}

bool rewrite_text(const struct vma *text, const struct rewrite *changes, unsigned count,
		  const char *name)
{
	struct copy copy = { .text = text, .changes = changes, .count = count };
	bool done;

	if (count > REWRITE_MOST || !may_write(count * PAGE_BYTES))
		return false;
	copy.original = (int)sys_open(text->name, O_RDONLY | O_CLOEXEC, 0);
	if (copy.original < 0)
		return false;
	copy.file = (int)codefile_new(name);
	done = copy.file >= 0 && copy_pages(&copy) && map_pages(&copy);
	if (copy.file >= 0)
		sys_close(copy.file);
	sys_close(copy.original);
	return done;
}
