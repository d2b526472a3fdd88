/* ledger.h: the engine's own account of what is mapped, for where the kernel cannot be
 * asked.
 *
 * /proc/self/maps speaks of the process that opened it. A child of fork whose parent has
 * put /proc out of reach (chroot(2), as Chromium's zygote does, or a seccomp filter) has
 * none. Its parent, which has its own file open still, writes down the mappings just
 * before the fork; the child goes on with that account, and so do its own children. From
 * then on every call of the engine's and of the host's that changes mappings (sys.h) is
 * made and written down under the lock.
 *
 * What goes past the hooks and past libc is not in it, nor System V's shared memory, nor
 * how far the kernel has let a stack grow, nor what another thread maps between the account
 * and the fork: such a thread may not be made to wait, since it may hold a lock of libc's
 * that fork waits for; and were it to write that down itself, a child that begins meanwhile
 * would have half of it. Where it cannot be kept, nothing is answered any more.
 *
 * Freestanding; async-signal-safe. */
#ifndef JITMEND_LEDGER_H
#define JITMEND_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "vma.h"

/* For a child to come: an empty account, and all that there is, in order. The caller holds
 * the lock. */
bool ledger_open(void);
void ledger_close(void); /* the next child wants none */
void ledger_add(const struct vma *vma);

/* There is none, or it is not believed any more. */
void ledger_lose(void);

/* In the child: what was written down is what is asked from now on. TORN: another thread
 * of the parent's was writing. */
void ledger_in_child(bool torn);

/* Whether this process has one; see vma_find. -ENOSYS: it was lost. */
bool ledger_is_kept(void);
long ledger_find(uintptr_t address, struct vma *vma, bool named);

#endif
