/* hook/fork.h: forking by the bare system call, for hook/syscall.c. */
#ifndef JITMEND_FORK_H
#define JITMEND_FORK_H

/* NUMBER is fork, or a clone without CLONE_VM that keeps the parent's stack.
 * Returns twice, as the kernel does. */
long hook_fork_by_syscall(long number, long a, long b, long c, long d, long e);

#endif
