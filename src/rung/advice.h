/* rung/advice.h: what the program has said of its memory besides its protection:
 * locked, kept from children, kept from core dumps. It is said again of what takes the
 * memory's place.
 *
 * Callers hold the lock. To look takes long (vma.h), so only where the program ever said
 * such a thing, or between two such places that are close to each other. */
#ifndef JITMEND_RUNG_ADVICE_H
#define JITMEND_RUNG_ADVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../vma.h"

/* The program has said so of that memory, or moved such memory there. */
void advice_note(uintptr_t start, uintptr_t end);

/* What is mapped from now on may be locked from the start (MCL_FUTURE of mlockall(2)). Needs
 * no lock. */
void advice_lock_new(void);

/* What was said of it is another thing by now: it was taken back, or the memory is gone. */
void advice_forget(uintptr_t start, uintptr_t end);

/* In the child of a fork, before anything else here: what another thread of the parent was
 * just changing is taken for said of all memory. Needs no lock. */
void advice_in_child(void);

/* Whether it ever said such a thing. Needs no lock. */
bool advice_any(void);

/* Whether it may have said such a thing of any of it. */
bool advice_may_be(uintptr_t start, uintptr_t end);

/* Where it may have: the INDEXth such place, from 0 on. False: there are no more. */
bool advice_range(unsigned index, uintptr_t *start, uintptr_t *end);

/* Whether it could not be found out, or not be said of what took the memory's place. */
bool advice_was_lost(void);

/* What was said of the memory at START, and how far around ADDRESS between *START and
 * *END, or up to END, the same. */
struct vma_advice advice_at(uintptr_t start);
struct vma_advice advice_around(uintptr_t address, uintptr_t *start, uintptr_t *end);
uintptr_t advice_same_until(uintptr_t start, uintptr_t end);

/* Says it of what is at START now. How often that was; needs no lock. */
void advice_give(const struct vma_advice *advice, uintptr_t start, size_t length);
unsigned advice_times_given(void);

#endif
