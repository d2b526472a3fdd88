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
 * these pages stay where they are. */
long rung_anonymous_move(const struct piece *piece, int protection, int pkey);
long rung_anonymous_copy(const struct piece *piece, int protection, int pkey);

/* In a child of fork: what another thread of the parent's was at is undone. */
void rung_anonymous_in_child(void);

#endif
