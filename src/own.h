/* own.h: where the engine's own memory lies.
 *
 * A program may unmap a range and claim it again with MAP_FIXED, sure that nothing has
 * come there: with one thread nothing can. Where the kernel would put a table of ours,
 * that is just there. So addresses are reserved when the library begins, which the
 * program meets like those of any library, and all that is made later lies among them.
 * Once they have run out the kernel says where.
 *
 * Callers hold the lock, but for own_begin. Freestanding, async-signal-safe. */
#ifndef JITMEND_OWN_H
#define JITMEND_OWN_H

#include <stddef.h>
#include <stdint.h>

void own_begin(void);

/* LENGTH bytes of addresses, whole pages, that nothing can be done with yet. Never given
 * back. The address, or -ENOMEM. */
long own_addresses(size_t length);

/* The same of zeroed memory. What is not needed any more may be unmapped. */
long own_memory(size_t length);

#endif
