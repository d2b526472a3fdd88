/* stack.h: a stack of the engine's own, on which faults are settled.
 *
 * The kernel puts a fault's frame where the host has its stack just then, or its
 * signal stack, and with wide registers that frame is 3.5 kB; what is left of it may
 * be next to nothing. So the handler takes some 200 bytes there, and goes on here.
 *
 * There is one such stack: the caller holds the lock. Where there can be none the
 * host's has to do. Async-signal-safe, freestanding. */
#ifndef JITMEND_STACK_H
#define JITMEND_STACK_H

#include <ucontext.h>

/* Once, at start: later a hole that it would be put in may be one that the host keeps
 * free. */
void stack_begin(void);

/* FUNCTION(ARGUMENT). CONTEXT is that of the signal's handler. */
long stack_run(const ucontext_t *context, long (*function)(void *argument), void *argument);

#endif
