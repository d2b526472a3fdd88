/* stack.c: from the host's stack to ours, and back. See stack.h. */
#include "stack.h"

#include <sys/mman.h>

#include "own.h"
#include "sys.h"

#define STACK_BYTES (8 * PAGE_BYTES)

/* More than is ever needed, the kernel's frame for a SIGSYS included. */
#define ROOM_BYTES (4 * PAGE_BYTES)

__asm__(ARCH_RUN_ON_STACK_ASM);

static uintptr_t start; /* 0: not made */

/* With a page below it that cannot be touched. */
void stack_begin(void)
{
	long made = own_addresses(STACK_BYTES + PAGE_BYTES);

	if (sys_failed(made))
		return;
	if (!sys_mprotect((uintptr_t)made + PAGE_BYTES, STACK_BYTES, PROT_READ | PROT_WRITE, -1))
		start = (uintptr_t)made + PAGE_BYTES;
}

/* Of a signal stack the kernel tells how much is left, of others nobody does. On one
 * with room a SIGSYS may come: the kernel would not see, from another stack, that the
 * signal stack is in use. */
static bool has_room(const stack_t *signal_stack)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t from = (uintptr_t)signal_stack->ss_sp;

	return here - from < signal_stack->ss_size && here - from >= ROOM_BYTES;
}

long stack_run(const ucontext_t *context, long (*function)(void *argument), void *argument)
{
	if (has_room(&context->uc_stack) || !start)
		return function(argument);
	return arch_run_on_stack(start + STACK_BYTES, function, argument);
}
