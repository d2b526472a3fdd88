/* patch.c: pages of libc's text, copied, changed and mapped back. See patch.h.
 *
 * An entry's jump goes to a stub of its own (ARCH_PATCH_STUBS), which looks at
 * the return address and goes on to one of two functions: to the hook, for calls
 * from outside, or, for calls out of libc's own text, to a function below that
 * only gives the call to the engine. Where malloc got its memory is not written
 * down: that would take a stack each time, with malloc's locks held. */
#include "patch.h"

#include <fcntl.h>
#include <gnu/lib-names.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "backing.h"
#include "engine.h"
#include "hook/hook.h"
#include "hook/symbols.h"
#include "memory.h"
#include "vma.h"

#ifdef ARCH_PATCH_STUBS

/* -------------------------------------------------------- libc's own calls */

/* malloc calls these with its locks held, which fork takes too: the engine's lock,
 * which they may wait for, must not be held by a thread that is in libc's fork. */

static void *mmap_within(void *address, size_t length, int protection, int flags, int fd,
			 off64_t offset)
{
	struct request request = request_mmap((uintptr_t)address, length, protection, flags, fd,
					      offset, HOOK_CALL_SITE);

	return (void *)hook_answer(engine_mmap(&request));
}

static int munmap_within(void *address, size_t length)
{
	return (int)hook_answer(engine_munmap((uintptr_t)address, length));
}

/* ------------------------------------------------------------- the entries */

/* The number of an entry is that of its stub. Each page of libc's costs 10 to 20
 * microseconds at start: shmat, alone on one, is left out, libc does not call it. */
enum {
	MMAP, MMAP64, MUNMAP, MPROTECT, MREMAP, MADVISE, PKEY_MPROTECT, SYSCALL, BRK,
	ENTRIES,
};

_Static_assert(ENTRIES == ARCH_PATCH_MOST, "a stub for each entry");

#define ENTRY(number, name) [number] = { (number) * sizeof(void *), name }

static const struct symbol names[ENTRIES] = {
	ENTRY(MMAP, "mmap"),
	ENTRY(MMAP64, "mmap64"),
	ENTRY(MUNMAP, "munmap"),
	ENTRY(MPROTECT, "mprotect"),
	ENTRY(MREMAP, "mremap"),
	ENTRY(MADVISE, "madvise"),
	ENTRY(PKEY_MPROTECT, "pkey_mprotect"),
	ENTRY(SYSCALL, "syscall"),
	ENTRY(BRK, "brk"),
};

/* Where the hook does more than to ask the engine. */
static void *const within[ENTRIES] = {
	[MMAP] = (void *)mmap_within,
	[MMAP64] = (void *)mmap_within,
	[MUNMAP] = (void *)munmap_within,
};

/* For the stubs. Written before the first of them can be met. */
struct patch_text patch_text;
struct patch_target patch_targets[ENTRIES];

__asm__(ARCH_PATCH_STUBS);

/* libc's definitions and ours; where libc has none, there is nothing to do. */
static bool find_entries(void *libc[ENTRIES])
{
	void *ours[ENTRIES] = { NULL };

	if (!symbols_find_in(symbols_library(LIBC_SO), names, ENTRIES, libc) ||
	    !symbols_find_in(symbols_library(NULL), names, ENTRIES, ours))
		return false;
	for (unsigned i = 0; i < ENTRIES; i++) {
		patch_targets[i].from_outside = ours[i];
		patch_targets[i].from_libc = within[i] ? within[i] : ours[i];
		if (!ours[i])
			libc[i] = NULL;
	}
	return libc[MMAP] != NULL;
}

/* --------------------------------------------------------------- the pages */

struct patching {
	void *libc[ENTRIES];
	struct vma text;
	int original; /* libc's file */
	int copy;     /* the file of the changed pages */
	unsigned pages;
	uintptr_t page[ENTRIES];
};

/* Word by word: memcmp is a slow one here. */
static bool same_page(const uint64_t *a, const uint64_t *b)
{
	for (size_t i = 0; i < PAGE_BYTES / sizeof *a; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

/* Where indirect jumps are tracked (CET), what an entry begins with stays. */
static uintptr_t place_of_jump(uintptr_t entry)
{
	static const unsigned char landing[] = ARCH_LANDING;

	return memcmp((const void *)entry, landing, sizeof landing) == 0 ? entry + sizeof landing :
									    entry;
}

static bool write_jumps(const struct patching *p, uintptr_t page, unsigned char *bytes)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		uintptr_t at = (uintptr_t)p->libc[i];

		if (page_down(at) != page)
			continue;
		at = place_of_jump(at);
		if (at + ARCH_JUMP_BYTES > page + PAGE_BYTES ||
		    !arch_write_jump(bytes + (at - page), at,
				     (uintptr_t)arch_patch_stubs + i * ARCH_PATCH_STUB_BYTES))
			return false;
	}
	return true;
}

/* What is in memory must be what is in the file: a debugger that finds its
 * breakpoint overwritten would write the old byte into the jump, and a probe of
 * the kernel's would be a trap that nobody knows. */
static bool copy_page(struct patching *p, uintptr_t page)
{
	int64_t offset = (int64_t)(p->text.offset + (page - p->text.start));
	uint64_t bytes[PAGE_BYTES / sizeof(uint64_t)];

	if (page < p->text.start || page >= p->text.end ||
	    sys_pread(p->original, bytes, PAGE_BYTES, offset) != (long)PAGE_BYTES ||
	    !same_page(bytes, (const uint64_t *)page) ||
	    !write_jumps(p, page, (unsigned char *)bytes))
		return false;
	if (SYS_CALL(SYS_pwrite64, p->copy, bytes, PAGE_BYTES, p->pages * PAGE_BYTES, 0, 0) !=
	    (long)PAGE_BYTES)
		return false;
	p->page[p->pages++] = page;
	return true;
}

static bool copy_pages(struct patching *p)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		uintptr_t page = page_down((uintptr_t)p->libc[i]);
		bool done = page == 0;

		for (unsigned j = 0; j < p->pages && !done; j++)
			done = p->page[j] == page;
		if (!done && !copy_page(p, page))
			return false;
	}
	return true;
}

/* Tried elsewhere first: a mapping that failed in the place of another might leave
 * a hole there. Each page is exchanged at one stroke. */
static bool map_pages(const struct patching *p)
{
	int protection = PROT_READ | PROT_EXEC;
	long trial = sys_mmap(0, p->pages * PAGE_BYTES, protection, MAP_PRIVATE, p->copy, 0);
	bool all = true;

	if (sys_failed(trial))
		return false;
	sys_munmap((uintptr_t)trial, p->pages * PAGE_BYTES);
	for (unsigned i = 0; i < p->pages; i++)
		if (sys_failed(sys_mmap(p->page[i], PAGE_BYTES, protection, MAP_PRIVATE | MAP_FIXED,
					p->copy, (int64_t)(i * PAGE_BYTES))))
			all = false;
	return all;
}

/* Libc's text as the kernel mapped it, and nothing else in it. */
static bool is_untouched(const struct vma *text)
{
	return text->inode && !text->shared && text->protection == (PROT_READ | PROT_EXEC) &&
	       text->name[0] == '/';
}

/* Beyond RLIMIT_FSIZE a write raises a signal. */
static bool may_write(size_t length)
{
	struct rlimit limit;

	return !sys_failed(SYS_CALL(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, &limit, 0, 0)) &&
	       limit.rlim_cur >= length;
}

static bool patch(struct patching *p)
{
	bool done;

	if (!may_write(ENTRIES * PAGE_BYTES))
		return false;
	p->original = (int)sys_open(p->text.name, O_RDONLY | O_CLOEXEC, 0);
	if (p->original < 0)
		return false;
	p->copy = (int)backing_new_file("jitmend-libc");
	done = p->copy >= 0 && copy_pages(p) && map_pages(p);
	if (p->copy >= 0)
		sys_close(p->copy);
	sys_close(p->original);
	return done;
}

bool patch_libc(void)
{
	struct patching p = { .pages = 0 };
	uintptr_t mmap_entry;

	if (!find_entries(p.libc))
		return false;
	mmap_entry = (uintptr_t)p.libc[MMAP];
	if (vma_find(mmap_entry, &p.text) || p.text.start > mmap_entry || !is_untouched(&p.text))
		return false;
	patch_text = (struct patch_text){ p.text.start, p.text.end - p.text.start };
	return patch(&p);
}

#else /* a processor whose jumps nobody has written down yet */

bool patch_libc(void)
{
	return false;
}

#endif
