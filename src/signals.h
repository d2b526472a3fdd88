/* signals.h: the host's SIGSEGV, kept apart from ours.
 *
 * The library's handler must stand, and SIGSEGV must never be blocked in the
 * kernel, or a page on the move would kill whoever touches it. The host sees
 * and gets what it asked for all the same.
 *
 * What the host believes blocked is kept where the kernel keeps masks, in the
 * bit of another signal, the stand-in: so it is saved and restored by
 * sigreturn, siglongjmp and setcontext, and inherited by threads and children,
 * with nothing to do for us. A set of the host's goes to the kernel with the
 * bit of SIGSEGV put on the stand-in's place, and comes back the other way. A
 * SIGSEGV sent while the host believes it blocked is sent on as the stand-in,
 * so that the kernel keeps it pending. Sources: signal(7), sigaction(2).
 *
 * A fault of ours is settled with all signals blocked but SIGSYS; the
 * host's handler runs under the mask that it would have had.
 *
 * The functions on sets are pure. The others are for any thread and context. */
#ifndef JITMEND_SIGNALS_H
#define JITMEND_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* A real-time signal that programs do not use: the last but one. A build for an emulator
 * that has no such signal says another. */
#ifndef SIGNAL_STAND_IN
#define SIGNAL_STAND_IN 63
#endif

/* Takes SIGSEGV over. Once, at start, on the first thread. */
void signals_begin(void);

/* Gives it back, as if it had never been taken. On the same thread, before there are
 * others. */
void signals_end(void);

/* In a child of fork, which has memory of its own. A child of vfork has not: what
 * it sets for itself goes to the kernel alone, never into what its parent set. */
void signals_in_child(void);

/* SET's signals are never blocked in the kernel, whatever the host says: for a door
 * that needs them. Once, at start. */
void signals_keep_open(uint64_t set);

/* Whether it was taken over; where not, nothing is translated. */
bool signals_guarded(void);

/* Makes sure that the kernel still has our handler: a host that asks the kernel
 * without libc may have put its own there, which then becomes the host's. */
bool signals_guard(void);

/* A set as the kernel is to have it, and as the host is to see it. */
uint64_t signals_to_kernel(uint64_t set);
uint64_t signals_to_host(uint64_t set);

/* A set that is to be blocked, unblocked or taken as the mask, as HOW says: what
 * some other way has truly blocked can be unblocked again. */
uint64_t signals_change_to_kernel(int how, uint64_t set);

/* The same for libc's type. */
sigset_t signals_set_to_kernel(const sigset_t *set);
void signals_set_to_host(sigset_t *set);

/* What a program that this one becomes, or starts, inherits must be the host's:
 * its mask, and SIGSEGV ignored where it ignores it. Between the two calls the
 * kernel has that, and no page may move; where there is nothing to hand on
 * nothing is changed. The mask is the calling thread's. */
struct signals_handed {
	bool mask_changed, action_changed;
	uint64_t mask;
};

bool signals_to_hand_on(void);
void signals_hand_on(struct signals_handed *handed);
void signals_take_back(const struct signals_handed *handed);

/* sigaction(2) for SIGSEGV and the stand-in, as the host means it. Either
 * pointer may be NULL. */
void signals_host_action(int signal, const struct sigaction *action, struct sigaction *old);

#endif
