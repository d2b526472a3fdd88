/* closing.h: closing, and putting files on numbers, by the kernel's own calls: our
 * descriptors (descriptors.h) stay open, and to the program their numbers are not.
 *
 * Any thread, any context; no libc. A result or a negated errno. */
#ifndef JITMEND_CLOSING_H
#define JITMEND_CLOSING_H

#include <stdbool.h>

long closing_close(int fd);
long closing_range(unsigned first, unsigned last, unsigned flags);
long closing_dup2(int old, int fd);
long closing_dup3(int old, int fd, int flags);

/* Whether closing_range has to be asked, and not the kernel. */
bool closing_reaches_ours(unsigned first, unsigned last, unsigned flags);

/* Whether one of the two is ours. */
bool closing_concerns_ours(int old, int fd);

#endif
