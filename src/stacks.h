/* stacks.h: backtraces, kept once each.
 *
 * A stack is noted as places (module.h), so that it can be written down when its
 * modules are gone. Equal stacks have the same number. When the room is used up
 * new ones have number 0, which is no stack.
 *
 * Any thread, any context but the fault handler; no locks. */
#ifndef JITMEND_STACKS_H
#define JITMEND_STACKS_H

#include <stdbool.h>

#include "backtrace.h"
#include "module.h"

/* How many are kept; a power of two. */
#ifndef STACKS_SLOTS
#define STACKS_SLOTS 4096u
#endif

struct stack {
	unsigned count;
	struct place places[BACKTRACE_MOST];
};

/* Before any is kept. False: no memory for it, and every stack has number 0. */
bool stacks_make_room(void);

/* How many frames are kept at most: 0 to BACKTRACE_MOST. At the start 1. */
void stacks_limit(unsigned frames);
unsigned stacks_frames(void);

/* The stack of a call, from its return address upwards. */
unsigned stacks_note(uintptr_t call_site);

/* A stack that was noted elsewhere. */
unsigned stacks_keep(const struct stack *stack);

/* False for number 0. */
bool stacks_get(unsigned number, struct stack *stack);

#endif
