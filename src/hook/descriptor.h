/* hook/descriptor.h: the calls of hook/descriptor.c by the bare system call, for
 * hook/syscall.c. A negated errno or a result. */
#ifndef JITMEND_DESCRIPTOR_H
#define JITMEND_DESCRIPTOR_H

long hook_close_by_syscall(int fd);
long hook_close_range_by_syscall(unsigned first, unsigned last, unsigned flags);

long hook_dup2_by_syscall(int old, int fd);
long hook_dup3_by_syscall(int old, int fd, int flags);

#endif
