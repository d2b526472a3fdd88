/* rung/together.h: the pages beside the one that a fault is for. Each change of a mapping
 * costs a signal, a system call, and what the processor has to look up anew; and who runs a
 * page of code, or stores into it, mostly does so to those beside it next.
 *
 * A page that is turned in vain costs a fault. One that holds a stack would be worse, since
 * a stack that is not writable takes no frame of a fault. So only what has been code is
 * made executable along with a page, what nobody is seen to have stored to since, and what
 * is not the stack of the fault's thread. In the fault handler, like view.h. */
#ifndef JITMEND_RUNG_TOGETHER_H
#define JITMEND_RUNG_TOGETHER_H

#include "view.h"

/* From *START to *END lies the page, of one mapping VMA, whose fetch failed: what is adopted
 * with it. */
void together_widen(uintptr_t *start, uintptr_t *end, const struct code_page *page,
		    const struct vma *vma);

/* PAGE, at AT in the mapping VMA, gets the ACCESS that CONTEXT's fault was refused,
 * PROT_EXEC or PROT_WRITE, and those in the same mapping that are turned with it. */
long together_turn(uintptr_t at, int access, struct code_page *page, const struct vma *vma,
		   const ucontext_t *context);

#endif
