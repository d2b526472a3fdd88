/* trampoline.h: what gcc makes on the stack for a nested function whose address is
 * taken, carried out where the stack is not executable.
 *
 * A few instructions that load two registers and jump. Only the very sequences that
 * gcc writes are known here (its ix86_trampoline_init), and only on stacks: in the
 * mapping that the thread's stack pointer lies in, and on the main stack. Everything
 * else on a stack stays data.
 *
 * Where the loader or libc asked for executable stacks, as an object's PT_GNU_STACK
 * says, and a policy refuses them, this is what they get instead; where nobody asked,
 * only by JITMEND_TRAMPOLINES.
 *
 * Any context, the fault handler too. Freestanding. */
#ifndef JITMEND_TRAMPOLINE_H
#define JITMEND_TRAMPOLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

/* From now on on all stacks. */
void trampolines_allow(void);
bool trampolines_allowed(void);

struct trampoline {
	uintptr_t at;
	size_t length;
	uintptr_t caller; /* where the nested function is going to return to */
};

/* CONTEXT was about to execute at AT, where it may not. ASKED: that was asked to be
 * executable. True: it is a trampoline, and CONTEXT goes on with the nested function. */
bool trampoline_run(ucontext_t *context, uintptr_t at, bool asked, struct trampoline *trampoline);

#endif
