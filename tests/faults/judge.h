/* judge.h: whether what a run printed is what it may print.
 *
 * It is what the native run printed, to the letter, but for requests that were
 * refused with an error that the kernel could have given, and for what the program
 * then does without (tests/faults/host.c has the words). */
#ifndef JITMEND_TESTS_JUDGE_H
#define JITMEND_TESTS_JUDGE_H

#include <stdbool.h>

/* A call of NUMBER was let fail with ERROR; 0: none. True: all is well. False: WHY, of the
 * size of a line, has the first thing that is not. */
enum { WHY_SIZE = 512 };
bool judge(const char *native, const char *run, long number, int error, char why[WHY_SIZE]);

#endif
