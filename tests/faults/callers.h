/* callers.h: who called the function of a shared object that a stopped thread is in.
 *
 * Found by the object's frame descriptions, with elfutils' libdw: registers and stack
 * are read by ptrace(2). Offsets are those that addr2line takes. */
#ifndef JITMEND_TESTS_CALLERS_H
#define JITMEND_TESTS_CALLERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Of so many functions that were not inlined can be told, the innermost one left out. */
enum { CALLERS_MOST = 6 };

/* Once, with the object's file; ends the program, with a message, where it has no frame
 * descriptions. */
void callers_begin(const char *object);

/* The return addresses of the thread's frames within the object, the innermost first,
 * MOST at most; the others are 0. The object's text lies from START to END, its offset 0
 * at BIAS. */
void callers_of(pid_t thread, uint64_t start, uint64_t end, uint64_t bias,
		uint32_t callers[CALLERS_MOST], unsigned most);

#endif
