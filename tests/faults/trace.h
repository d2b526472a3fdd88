/* trace.h: runs a program under ptrace(2), and lets system calls of one shared
 * object fail.
 *
 * Whose call it is the instruction pointer tells, so the program's own calls, and
 * libc's, are left alone. A call that fails is never made: the kernel is given no
 * number of a call, and the program the error. Children of the program are traced
 * with it, and calls are counted over all of them.
 *
 * Policies: PR_SET_MDWE is set for real; what SELinux would refuse is refused by
 * the tracer, by the rules of jitmend deny, to everybody. */
#ifndef JITMEND_TESTS_TRACE_H
#define JITMEND_TESTS_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "callers.h"

/* Where a call is made, and for whom: offsets in the object's file. */
struct place {
	uint32_t at; /* the instruction after the call */
	uint32_t callers[CALLERS_MOST];
};

struct site {
	struct place place;
	long number;    /* SYS_* */
	unsigned count; /* calls */
};

enum { SITES_MOST = 1024 };

struct plan {
	char **command;
	const char *object;  /* how the name of the object's file ends */
	unsigned policies;   /* POLICY_* of SELinux's permissions (settings.h) */
	bool mdwe;
	unsigned seconds;    /* then it hangs */
	unsigned callers;    /* so many tell places apart, CALLERS_MOST at most */
	/* What is to fail: nothing where ERROR is 0. */
	struct place place;
	unsigned nth;        /* the first that fails, from 1 */
	bool for_good;       /* and all that follow */
	int error;
};

struct traced {
	bool hung;
	int status;          /* of wait(2) */
	unsigned met;        /* calls at the plan's place */
	unsigned failed;     /* of those that were let fail */
	char *output;        /* standard output, ended by a 0; the caller's to free */
	struct site sites[SITES_MOST]; /* all that were met, in their order */
	size_t count;
};

/* Runs it. False, with a message, where this machine does not let it be traced. */
bool trace_run(const struct plan *plan, struct traced *traced);

/* Whether the call can fail at all: not those that have no errors. */
bool trace_may_fail(long number, const uint64_t arguments[6]);

#endif
