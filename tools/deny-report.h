/* deny-report.h: --verbose: one line an event on standard error, each in one
 * write, lost rather than waited for when nobody reads. */
#ifndef JITMEND_DENY_REPORT_H
#define JITMEND_DENY_REPORT_H

#include <stdint.h>
#include <sys/types.h>

#include "deny-rules.h"
#include "deny.h"

void report_refusal(const struct deny_settings *settings, pid_t thread,
		    const struct asked *asked, const struct refusal *refusal);

/* A process whose memory is not to be seen: its call went through. */
void report_unseen(const struct deny_settings *settings, pid_t thread,
		   const struct asked *asked);

/* personality(READ_IMPLIES_EXEC): what follows is seen only in part. */
void report_personality(const struct deny_settings *settings, pid_t thread,
			uint64_t personality);

#endif
