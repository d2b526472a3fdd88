/* rtld.h: the dynamic loader's own calls of mmap, mprotect and munmap are settled as
 * the program's are.
 *
 * ld.so has copies of them that no symbol leads to: it maps objects, and makes their
 * text writable for relocations (DT_TEXTREL) and stacks executable (PT_GNU_STACK), by
 * itself. Each of the three is one function in it, in which the number is loaded right
 * before the system call; these two instructions become a call of a stub. The rest of
 * the function, which makes an errno of the result, stays. See rewrite.h for how.
 *
 * At start, or in the constructor. Freestanding. */
#ifndef JITMEND_RTLD_H
#define JITMEND_RTLD_H

#include <stdbool.h>
#include <stdint.h>

#include "calls.h"

/* ADDRESS is in the loader's text. All or nothing: false where one of the three is not
 * as it is expected to be, or on a processor that nobody has written it down for. */
bool rtld_watch(uintptr_t address);

/* Who settles the loader's calls from now on; at first it is calls_settle. Another
 * copy of the engine, one that came later, takes over. */
typedef bool rtld_settler(const struct system_call *call, long *result);

void rtld_hand_over(rtld_settler *to);

#endif
