/* fault.h: what a fault means to jitmend.
 *
 * The door that owns the SIGSEGV handler asks here first. The answer is either
 * that the access will succeed when it is tried again, so the handler returns,
 * or that the fault is the program's own, to be given to it as it came.
 *
 * Called in a signal handler on any thread, at any instruction of the host's,
 * with unknown locks held and little stack, and with signals blocked: it may take
 * the engine's lock, but does not unwind or allocate. */
#ifndef JITMEND_FAULT_H
#define JITMEND_FAULT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>

/* Where a fault touched, and what it wanted there: one of PROT_READ, PROT_WRITE
 * and PROT_EXEC. */
struct fault {
	uintptr_t address;
	int access;
	bool unmapped; /* SEGV_MAPERR: nothing was there */
	ucontext_t *context; /* a store may be carried out in it */
};

/* Whether PROTECTION allows ACCESS, as a fault has it. On these processors whatever is
 * mapped at all can be read. */
static inline bool fault_is_permitted(unsigned protection, int access)
{
	return access == PROT_READ ? protection != PROT_NONE : protection & (unsigned)access;
}

/* True: go on with the context as it is now. False: the fault is the host's.
 * Waits while the page is on the move. */
bool fault_settle(const struct fault *fault);

#endif
