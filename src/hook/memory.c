/* hook/memory.c: mappings and their protection. Rules: hook/hook.h.
 *
 * The kernel is asked by the engine, never the next definition: allocators call
 * these before anything of libc works. */
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/types.h>
#include <unistd.h>

#include "../engine.h"
#include "../provenance.h"
#include "../start.h"
#include "hook.h"

static void *map(const struct request *request)
{
	long result;

	start_engine();
	result = engine_mmap(request);
	if (provenance_watches_mappings() && !sys_failed(result))
		provenance_note("mmap", (uintptr_t)result, page_up(request->length),
				request->call_site);
	return (void *)hook_answer(result);
}

HOOK void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset)
{
	struct request request = request_mmap((uintptr_t)address, length, protection, flags, fd,
					      offset, HOOK_CALL_SITE);

	return map(&request);
}

/* Where it is no other function, it is another entry point all the same. */
HOOK void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
	struct request request = request_mmap((uintptr_t)address, length, protection, flags, fd,
					      offset, HOOK_CALL_SITE);

	return map(&request);
}

HOOK int mprotect(void *address, size_t length, int protection)
{
	struct request request = request_mprotect((uintptr_t)address, length, protection, -1,
						  HOOK_CALL_SITE);

	start_engine();
	return (int)hook_answer(engine_mprotect(&request));
}

HOOK int pkey_mprotect(void *address, size_t length, int protection, int pkey)
{
	struct request request = request_mprotect((uintptr_t)address, length, protection, pkey,
						  HOOK_CALL_SITE);

	start_engine();
	return (int)hook_answer(engine_mprotect(&request));
}

HOOK int munmap(void *address, size_t length)
{
	if (provenance_watches_mappings())
		provenance_forget((uintptr_t)address, page_up(length));
	return (int)hook_answer(engine_munmap((uintptr_t)address, length));
}

/* libc's own word for the heap's end, by which sbrk goes. */
extern void *__curbrk;

/* libc's sbrk, and so malloc, comes by here where its entries are patched (patch.h). */
HOOK int brk(void *end)
{
	uintptr_t now = engine_brk((uintptr_t)end);

	__curbrk = (void *)now;
	return (int)hook_answer(now < (uintptr_t)end ? -ENOMEM : 0);
}

HOOK void *mremap(void *from, size_t old_length, size_t length, int flags, ...)
{
	uintptr_t to = 0;
	va_list arguments;

	va_start(arguments, flags);
	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
		to = va_arg(arguments, uintptr_t);
	va_end(arguments);
	return (void *)hook_answer(engine_mremap((uintptr_t)from, old_length, length, flags, to));
}

HOOK int madvise(void *address, size_t length, int advice)
{
	return (int)hook_answer(engine_madvise((uintptr_t)address, length, advice));
}

HOOK int mlock(const void *address, size_t length)
{
	return (int)hook_answer(engine_lock(SYS_mlock, (long)address, (long)length, 0));
}

HOOK int mlock2(const void *address, size_t length, unsigned flags)
{
	return (int)hook_answer(engine_lock(SYS_mlock2, (long)address, (long)length, (long)flags));
}

HOOK int mlockall(int flags)
{
	return (int)hook_answer(engine_lock(SYS_mlockall, flags, 0, 0));
}

HOOK int munlock(const void *address, size_t length)
{
	return (int)hook_answer(engine_lock(SYS_munlock, (long)address, (long)length, 0));
}

HOOK int munlockall(void)
{
	return (int)hook_answer(engine_lock(SYS_munlockall, 0, 0, 0));
}

HOOK void *shmat(int id, const void *address, int flags)
{
	struct request request = request_shmat(id, (uintptr_t)address, flags, HOOK_CALL_SITE);

	start_engine();
	return (void *)hook_answer(engine_shmat(&request));
}

HOOK int personality(unsigned long persona)
{
	start_engine();
	return (int)hook_answer(engine_personality(persona));
}
