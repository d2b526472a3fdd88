/* deny.h: what the parts of jitmend-deny share. */
#ifndef JITMEND_DENY_H
#define JITMEND_DENY_H

#include <stdbool.h>

#include "request.h"

#define POLICIES_SELINUX \
	(POLICY_EXECHEAP | POLICY_EXECMOD | POLICY_EXECMEM | POLICY_EXECSTACK)

enum status {
	STATUS_OURS = 125,           /* the same as env(1) */
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127,
};

struct deny_settings {
	unsigned policies;      /* a set of enum policy_word */
	bool verbose;
	bool read_implies_exec; /* 64-bit calls that ask READ alone are supervised too */
	char **program;         /* argv of the program, NULL at its end */
};

/* Whether a supervisor answers, rather than the kernel alone. */
static inline bool deny_supervised(const struct deny_settings *settings)
{
	return settings->verbose || (settings->policies & POLICIES_SELINUX);
}

/* One line on standard error, beginning "jitmend: ", then the end. */
_Noreturn void deny_fail(enum status status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Prints help and ends, or ends on bad words, or returns. */
void deny_options(int argc, char **argv, struct deny_settings *settings);

#endif
