/* patch.h: libc's own entry points lead to the hooks.
 *
 * A preload stands in front of symbols. Who does not ask for the symbol passes it
 * by: libraries opened with RTLD_DEEPBIND (PHP's opcache), pointers that dlsym
 * took from libc's own handle, and libc itself (malloc, pthread_create). Here a
 * jump to the hook is written over the first instructions of libc's mmap, munmap,
 * mprotect and their kin. doc/HACKING has the reasons.
 *
 * No page of libc is ever writable: see rewrite.h. It is all or nothing, and silent.
 *
 * Not reached: ld.so's own calls (those are rtld.h's), libc's copies in other namespaces (dlmopen),
 * system calls by the instruction itself. Only hooks that never call libc's own
 * definition may stand in the table. */
#ifndef JITMEND_PATCH_H
#define JITMEND_PATCH_H

#include <stdbool.h>

/* Once, in the constructor, where a policy is known that the hooks are needed
 * for. A thread that is just then between the first two instructions of an entry
 * would go astray: hence before main. False: nothing was changed. */
bool patch_libc(void);

#endif
