/* trampoline.c: gcc's trampolines. See trampoline.h. */
#include "trampoline.h"

#include <stdatomic.h>

#include "memory.h"
#include "sys.h"
#include "vma.h"

static atomic_bool allowed;

void trampolines_allow(void)
{
	atomic_store(&allowed, true);
}

bool trampolines_allowed(void)
{
	return atomic_load_explicit(&allowed, memory_order_relaxed);
}

#ifdef ARCH_TRAMPOLINE_MOST

/* The look at the name takes the kernel longer. */
static bool is_on_stack(uintptr_t at, uintptr_t stack)
{
	struct vma vma;

	if (vma_look(at, &vma) || vma.start > at || vma.shared || vma.inode)
		return false;
	if (stack >= vma.start && stack < vma.end)
		return true;
	return !vma_find(at, &vma) && string_equal(vma.name, "[stack]");
}

bool trampoline_run(ucontext_t *context, uintptr_t at, bool asked, struct trampoline *trampoline)
{
	unsigned char code[ARCH_TRAMPOLINE_MOST] = { 0 };
	struct arch_trampoline found;
	long length;

	if (!asked && !trampolines_allowed())
		return false;
	length = sys_read_memory(sys_getpid(), code, at, sizeof code);
	if (length <= 0 || !arch_read_trampoline(code, at, &found) || found.length > length ||
	    !is_on_stack(at, arch_stack(context)) ||
	    sys_read_memory(sys_getpid(), &trampoline->caller, arch_stack(context),
			    sizeof trampoline->caller) != (long)sizeof trampoline->caller)
		return false;
	trampoline->at = at;
	trampoline->length = found.length;
	arch_run_trampoline(context, &found);
	return true;
}

#else /* a processor for which nobody has written them down */

bool trampoline_run(ucontext_t *context, uintptr_t at, bool asked, struct trampoline *trampoline)
{
	(void)context, (void)at, (void)asked, (void)trampoline;
	return false;
}

#endif
