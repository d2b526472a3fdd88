/* scratch.h: the program's memory, copied by way of a file, with an error where a plain
 * access would raise a signal: for where a filter of the program's lets nobody call
 * process_vm_readv or process_vm_writev.
 *
 * pwrite to a memfd takes the bytes, and pread gives them. A child of fork does not use its
 * parent's file.
 *
 * Freestanding; async-signal-safe, any thread. */
#ifndef JITMEND_SCRATCH_H
#define JITMEND_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

/* Makes the file, as long as it may be made. */
void scratch_begin(void);

/* Bytes copied before the first that cannot be read or written, or a negated errno: -EFAULT
 * where that is the first of all, -EPERM where there is no file. */
long scratch_copy(uintptr_t to, uintptr_t from, size_t length);

#endif
