/* trap.h: a system call that the filter has turned into SIGSYS is settled.
 *
 * The handler runs on the program's alternate stack, where there is one: a language
 * with small stacks of its own has one in every thread. The program cannot block
 * SIGSYS: a trapped call would kill it. Its own handler for the signal gets what
 * filters of its own raise. */
#ifndef JITMEND_TRAP_H
#define JITMEND_TRAP_H

/* Before the program runs. */
void trap_begin(void);

#endif
