/* detour.h: an instruction is executed out of its place.
 *
 * A page that is written may not be executed, and where an instruction stores
 * into its own page, both are wanted of it at once. If store.h does not know
 * the instruction, a copy of it runs somewhere else, followed by a jump to where
 * it would have gone on; meanwhile its page is writable.
 *
 * Copies lie in slots of a file of our own, which is written with pwrite and
 * mapped R-X, never writable; there are several such areas where an operand's
 * distance does not reach. A slot is used again for the same instruction, and for
 * another only after some hundred others: a thread may still be in it.
 *
 * A handler of the host's should not see a slot's address: detour_restore. Signals
 * that come past signals.c may show it, and so do the x87 instruction pointer,
 * and a debugger.
 *
 * Under the lock, but for detour_restore; async-signal-safe, freestanding. */
#ifndef JITMEND_DETOUR_H
#define JITMEND_DETOUR_H

#include <stdbool.h>
#include <ucontext.h>

#include "store.h"

/* CONTEXT, which is at INSTRUCTION, goes on with the copy. False: there can be
 * none, or not now; CONTEXT is unchanged. */
bool detour_take(ucontext_t *context, const struct instruction *instruction);

/* Where CONTEXT is in a slot: puts it back to where it would be without. Any
 * context, no lock. */
bool detour_restore(ucontext_t *context);

/* In the child of a fork, which is not to write where its parent executes. */
void detour_in_child(void);

/* Between backing_recount and backing_recounted. */
void detour_recount(void);

#endif
