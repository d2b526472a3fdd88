/* backtrace.h: the return addresses on a stack.
 *
 * By libunwind, or libgcc's unwinder where it is missing. Neither is linked
 * with: libunwind exports _Unwind_* without versions, and a host that later
 * opens C++ would throw through it (libunwind issue 759). They are opened once,
 * in the constructor, with RTLD_LOCAL; before that there are no backtraces.
 *
 * backtrace_from: any thread, not in the fault handler. An unwinder calls mmap, which is
 * hooked: what is called from within it gets no backtrace. */
#ifndef JITMEND_BACKTRACE_H
#define JITMEND_BACKTRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

#define BACKTRACE_MOST 64u

void backtrace_begin(void);

/* "libunwind", "libgcc" or "none". */
const char *backtrace_unwinder(void);

/* CALLER is where abort() was called. Does not return if that is in the unwinder that this
 * thread is in. */
void backtrace_abort(uintptr_t caller);

/* CONTEXT is of a fault that nothing settled. True if it lies in the unwinder that this
 * thread is in: it goes on where the unwinder was asked. Async-signal-safe. */
bool backtrace_fault(ucontext_t *context);

/* Whether this thread is in the unwinder; then what it opens is to be kept apart. */
bool backtrace_is_unwinding(void);

/* The two ends of the unwinder's own pipe, which descriptors.h keeps from now on: FDS
 * are the numbers that it is to have. Once one of them is something else the unwinder
 * is not asked any more. Takes the lock. */
void backtrace_keep_pipe(int fds[2]);

/* The frames from CALL_SITE, which is one of the return addresses on the stack,
 * upwards: at most MOST. Returns how many; CALL_SITE alone is 1. */
unsigned backtrace_from(uintptr_t call_site, uintptr_t *frames, unsigned most);

/* The calling thread may hold an allocator's locks: one that maps memory does.
 * The first time in a thread libunwind calls malloc, for data of that thread's,
 * and would wait for ever; there libgcc's unwinder serves, where the host has
 * it, or the call site alone. */
void backtrace_locks_held(bool held);

/* Around a fork, in the parent and in the child: no unwinder is at work in
 * another thread while memory is copied. Where that cannot be had the child has
 * no backtraces. */
void backtrace_before_fork(void);
void backtrace_after_fork(void);
void backtrace_in_child(void);

#endif
