/* record.c: the words that journals use. See record.h. */
#include "record.h"

const char *record_answer(const struct event *event)
{
	if (event->refused)
		return event->expected ? "expected" : "refused";
	return event->outcome == OUTCOME_PASSED ? "allowed" : "unknown";
}

const char *record_done(enum outcome outcome)
{
	static const char *const words[OUTCOME_COUNT] = {
		[OUTCOME_PASSED] = "passed-on",
		[OUTCOME_REFUSED] = "not-mended",
		[OUTCOME_ANONYMOUS] = "mapped-anonymous",
		[OUTCOME_MOVED] = "moved",
		[OUTCOME_COPIED] = "copied",
		[OUTCOME_SHARED] = "shared",
		[OUTCOME_VIEWED] = "viewed",
		[OUTCOME_EMULATED] = "emulated",
	};

	return (unsigned)outcome < OUTCOME_COUNT ? words[outcome] : "?";
}

const char *record_kind_name(enum record_kind kind)
{
	static const char *const names[] = {
		[RECORD_START] = "start",
		[RECORD_EVENT] = "request",
		[RECORD_COUNT] = "count",
		[RECORD_LOST] = "lost",
	};

	return names[kind];
}
