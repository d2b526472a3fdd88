/* scratch.h: the program's memory, copied by way of a pipe, with an error where a plain
 * access would raise a signal: for where a filter of the program's lets nobody call
 * process_vm_readv or process_vm_writev.
 *
 * write takes the bytes, and read gives them. A file would do as well but for RLIMIT_FSIZE,
 * beyond which pwrite raises a signal, and which programs that install such filters set to
 * nothing. A child of fork has a pipe of its own; one of vfork, its parent's.
 *
 * Freestanding; async-signal-safe, any thread. */
#ifndef JITMEND_SCRATCH_H
#define JITMEND_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

/* Makes the pipe, as long as it may be made; else the first copy does. */
void scratch_begin(void);

/* In the child of a fork, which has no other thread: the same, if its parent had one, and a
 * filter does not end the child for it. */
void scratch_in_child(void);

/* Bytes copied before the first that cannot be read or written, or a negated errno: -EFAULT
 * where that is the first of all, -EPERM where there is no pipe. */
long scratch_copy(uintptr_t to, uintptr_t from, size_t length);

#endif
