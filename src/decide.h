/* decide.h: what to do about a danger. Pure: the same question, the same
 * answer, no look at the process; tried as a table by tests/unit.
 *
 * The lowest rung that the policy allows is taken (doc/HACKING). */
#ifndef JITMEND_DECIDE_H
#define JITMEND_DECIDE_H

#include "request.h"

struct question {
	enum call call;
	enum danger danger;
	bool refused;           /* the policy refuses this danger here */
	bool private_file;      /* the pages are a file's, or copies of them */
	bool gains;             /* mprotect: execute permission, or write beside it, is new */
	bool writable;          /* write permission is asked with it */
	bool anonymous_allowed; /* anonymous memory may be made executable */
	bool fresh_allowed;     /* and may be mapped so, where it is never written */
};

enum verdict {
	VERDICT_PASS,      /* rung 0: to the kernel as asked */
	VERDICT_ANONYMOUS, /* rung 1: MAP_ANONYMOUS instead of the device */
	VERDICT_MOVE,      /* rung 1: the pages themselves, by way of another address */
	VERDICT_COPY,      /* rung 1: an anonymous copy in the place of the pages */
	VERDICT_VIEWS,     /* rungs 2 and 3: a file of ours, mapped as it is used */
};

enum verdict decide(const struct question *question);

#endif
