/* rung/anonymous.h: rung 1. Gives pages execute permission where mprotect would
 * be refused, by way of another address; they end where they began.
 *
 * The kernel asks execheap of mprotect alone, by address, and execmod of the
 * file under the pages. mmap and mremap ask neither. (file_mprotect in the
 * kernel's security/selinux/hooks.c.)
 *
 * The caller holds the lock with signals blocked, and the fault handler stands.
 * Any thread that touches the pages meanwhile waits in it. */
#ifndef JITMEND_RUNG_ANONYMOUS_H
#define JITMEND_RUNG_ANONYMOUS_H

#include "../danger.h"

/* Both: 0, or a negated errno, and then all is as it was. -EACCES or -EPERM
 * says that anonymous memory too is refused execute permission here, -EBUSY that
 * these pages stay where they are. -ENOMEM of a move may also be said where the way
 * back was refused: then the pages are away until rung_anonymous_bring_back. */
long rung_anonymous_move(const struct piece *piece, int protection, int pkey);
long rung_anonymous_copy(const struct piece *piece, int protection, int pkey);

/* Pages that could not be brought back, for want of kernel memory, are tried for
 * again. True where none is away now; a load, in nearly every process. */
bool rung_anonymous_bring_back(void);

/* In a child of fork: what another thread of the parent's was at is undone. */
void rung_anonymous_in_child(void);

/* Pages in one mapping go to *AWAY: whoever touches them waits for the lock. Until
 * rung_anonymous_end, which brings them back, or, where something else was mapped in
 * their place, unmaps them. For pages of which no protection can be changed. */
long rung_anonymous_take_away(const struct piece *piece, uintptr_t *away);
void rung_anonymous_end(bool back);

#endif
