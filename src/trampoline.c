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

/* Whose stack AT lies on. The look at the name takes the kernel longer. */
enum stack { NO_STACK, OWN_STACK, MAIN_STACK };

static enum stack stack_of(uintptr_t at, uintptr_t stack)
{
	struct vma vma;

	if (vma_look(at, &vma) || vma.start > at || vma.shared || vma.inode)
		return NO_STACK;
	if (stack >= vma.start && stack <= vma.end - sizeof(uintptr_t))
		return OWN_STACK;
	return !vma_find(at, &vma) && string_equal(vma.name, "[stack]") ? MAIN_STACK : NO_STACK;
}

/* Nobody takes the thread's own stack away meanwhile. */
static uintptr_t return_address(enum stack of, uintptr_t stack)
{
	uintptr_t address = 0;

	if (of == OWN_STACK)
		return *(const uintptr_t *)stack;
	sys_read_memory(sys_getpid(), &address, stack, sizeof address);
	return address;
}

bool trampoline_run(ucontext_t *context, uintptr_t at, bool asked, struct trampoline *trampoline)
{
	unsigned char code[ARCH_TRAMPOLINE_MOST] = { 0 };
	uintptr_t stack = arch_stack(context);
	struct arch_trampoline found;
	enum stack of;
	long length;

	if (!asked && !trampolines_allowed())
		return false;
	length = sys_read_memory(sys_getpid(), code, at, sizeof code);
	if (length <= 0 || !arch_read_trampoline(code, at, &found) || (long)found.length > length)
		return false;
	of = stack_of(at, stack);
	if (of == NO_STACK)
		return false;
	*trampoline = (struct trampoline){ at, found.length, return_address(of, stack) };
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
