/* stack.c: from the host's stack to ours, and back. See stack.h. */
#include "stack.h"

#include <signal.h>
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

/* Of a signal stack the kernel tells how much is left, of others nobody does. -1: it is
 * another one. */
static long room_on(const stack_t *signal_stack)
{
	uintptr_t room = (uintptr_t)__builtin_frame_address(0) - (uintptr_t)signal_stack->ss_sp;

	return room < signal_stack->ss_size ? (long)room : -1;
}

struct errand {
	long (*function)(void *argument);
	void *argument;
};

/* A filter of the host's may raise SIGSYS. From our stack the kernel would not see that
 * the signal stack is in use, and put the frame over what is there. */
static long run_without_signal_stack(void *argument)
{
	const struct errand *errand = argument;
	stack_t none = { .ss_flags = SS_DISABLE }, before;
	bool disabled = !sys_sigaltstack(&none, &before);
	long result = errand->function(errand->argument);

	if (disabled)
		sys_sigaltstack(&before, NULL);
	return result;
}

long stack_run(const ucontext_t *context, long (*function)(void *argument), void *argument)
{
	struct errand errand = { function, argument };
	long room = room_on(&context->uc_stack);

	if (room >= (long)ROOM_BYTES || !start)
		return function(argument);
	if (room < 0)
		return arch_run_on_stack(start + STACK_BYTES, function, argument);
	return arch_run_on_stack(start + STACK_BYTES, run_without_signal_stack, &errand);
}
