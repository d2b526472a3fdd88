/* handover.h: what the audit library (audit/) leaves to the preloaded one.
 *
 * Both hold a copy of the engine, each in a namespace of the loader's own. The audit
 * library's is there first, for what the loader does before any constructor; once the
 * preloaded one comes to life it takes over what the other has, and from then on is
 * the only one. They meet through the address of this structure, which the audit
 * library gives to jitmend_meet_audit(), of the preloaded one, before that is
 * relocated. Both are of the same build.
 *
 * On the first thread, before there are others. */
#ifndef JITMEND_HANDOVER_H
#define JITMEND_HANDOVER_H

#include "request.h"
#include "rtld.h"

#define HANDOVER_EVENTS 32u
#define HANDOVER_MEMORY 128u

struct handover {
	/* What was settled. Each event's request is its own below. */
	struct event events[HANDOVER_EVENTS];
	struct request requests[HANDOVER_EVENTS];
	unsigned event_count;

	/* Memory that waits to be executed, for which the program asked ASK; from the
	 * release on. */
	struct {
		uintptr_t start, end;
		int ask;
	} memory[HANDOVER_MEMORY];
	unsigned memory_count;

	bool trampolines; /* stacks were asked to be executable (trampoline.h) */

	/* The audit library's engine ends: SIGSEGV is as the program's start found it, no
	 * page is in a file of its own, and the loader's calls go to SETTLER. */
	void (*release)(rtld_settler *settler);
};

void jitmend_meet_audit(struct handover *handover);

/* NULL: there is no audit library. */
struct handover *handover_from_audit(void);

#endif
