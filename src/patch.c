/* patch.c: libc's entry points, and where they lead to. See patch.h.
 *
 * An entry's jump goes to a stub of its own (patch_stubs), which looks at
 * the return address and goes on to one of two functions: to the hook, for calls
 * from outside, or, for calls out of libc's own text, to a function below that
 * only gives the call to the engine. Where malloc got its memory is not written
 * down: that would take a stack each time, with malloc's locks held. */
#include "patch.h"

#include <gnu/lib-names.h>
#include <link.h>

#include "engine.h"
#include "hook/hook.h"
#include "hook/symbols.h"
#include "memory.h"
#include "rewrite.h"

#ifdef ARCH_PATCH_STUB

/* -------------------------------------------------------- libc's own calls */

/* malloc calls these with its locks held, which fork takes too: the engine's lock,
 * which they may wait for, must not be held by a thread that is in libc's fork. */

static void *mmap_within(void *address, size_t length, int protection, int flags, int fd,
			 off_t offset)
{
	struct request request = request_mmap((uintptr_t)address, length, protection, flags, fd,
					      offset, HOOK_CALL_SITE);

	return (void *)hook_answer(engine_mmap(&request));
}

static void *mmap64_within(void *address, size_t length, int protection, int flags, int fd,
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

_Static_assert(ENTRIES <= REWRITE_MOST, "all of them at one go");

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
	[MMAP64] = (void *)mmap64_within,
	[MUNMAP] = (void *)munmap_within,
};

/* What the stubs read, by these names. Written before the first of them can be met. */
struct patch_text {
	uintptr_t start, length;
} patch_text __attribute__((visibility("hidden")));

struct patch_target {
	void *from_outside, *from_libc;
} patch_targets[ENTRIES] __attribute__((visibility("hidden")));

#define STUB_BYTES 64
#define STUB_NUMBERS "0, 1, 2, 3, 4, 5, 6, 7, 8"

_Static_assert(sizeof STUB_NUMBERS == 3 * ENTRIES - 1, "a stub for each entry");

extern const char patch_stubs[] __attribute__((visibility("hidden")));

__asm__(".text\n"
	".p2align 6\n"
	".globl patch_stubs\n"
	".hidden patch_stubs\n"
	".type patch_stubs, %function\n"
	"patch_stubs:\n"
	"	.cfi_startproc\n"
	".irp number, " STUB_NUMBERS "\n"
	"	.p2align 6\n"
	ARCH_PATCH_STUB
	".endr\n"
	"	.cfi_endproc\n"
	".size patch_stubs, .-patch_stubs\n");

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

/* ---------------------------------------------------------------- patching */

/* Where indirect jumps are tracked (CET), what an entry begins with stays. */
static uintptr_t place_of_jump(uintptr_t entry)
{
	static const unsigned char landing[] = ARCH_LANDING;

	return memcmp((const void *)entry, landing, sizeof landing) == 0 ? entry + sizeof landing :
									    entry;
}

static bool make_jump(uintptr_t entry, unsigned number, struct rewrite *jump)
{
	uintptr_t stub = (uintptr_t)patch_stubs + number * STUB_BYTES;

	jump->at = place_of_jump(entry);
	jump->length = ARCH_JUMP_BYTES;
	return arch_write_jump(jump->bytes, jump->at, stub);
}

bool patch_libc(void)
{
	void *libc[ENTRIES] = { NULL };
	struct rewrite jumps[ENTRIES];
	unsigned count = 0;
	struct vma text;

	if (!find_entries(libc) || !rewrite_find_text((uintptr_t)libc[MMAP], &text))
		return false;
	patch_text = (struct patch_text){ text.start, text.end - text.start };
	for (unsigned i = 0; i < ENTRIES; i++)
		if (libc[i] && !make_jump((uintptr_t)libc[i], i, &jumps[count++]))
			return false;
	return rewrite_text(&text, jumps, count, "jitmend-libc");
}

#else /* a processor whose jumps nobody has written down yet */

bool patch_libc(void)
{
	return false;
}

#endif
