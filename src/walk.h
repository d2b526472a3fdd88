/* walk.h: what the parts of a call's walk have in common: engine.c, mapping.c,
 * protection.c and personality.c; and fault.c, which reports by the same door. Nobody
 * else includes it. */
#ifndef JITMEND_WALK_H
#define JITMEND_WALK_H

#include <stdatomic.h>

#include "danger.h"
#include "engine.h"

/* Set at start, but for the last two, which personality(2) changes. */
extern struct walk {
	enum mode mode;
	const struct door *door;
	bool may_refuse; /* something is in force here that might */
	/* READ_IMPLIES_EXEC, that some thread once set, in the kernel, and in the host's
	 * eyes alone (see engine_personality). Whether a thread has it, it asks. */
	atomic_bool read_implies_exec, implies_exec_for_host;
} walk;

/* What is to be told once the lock is free again. */
struct reports {
	const struct request *request;
	int thread; /* that asks, where it is known; else 0 */
	unsigned count;
	struct event events[16];
};

/* A kilobyte, of which seldom more than an event is used: the rest is not cleared. */
static inline void walk_begin_reports(struct reports *reports, const struct request *request)
{
	reports->request = request;
	reports->thread = 0;
	reports->count = 0;
}

void walk_note(struct reports *reports, const struct piece *piece, enum outcome outcome,
	       bool refused);

/* For an audit: the permission that the same request is asked for next. */
void walk_note_execmem_too(struct reports *reports, const struct piece *piece);

/* Without the lock. */
void walk_tell(const struct reports *reports);

/* What the program asks for, with what READ_IMPLIES_EXEC adds where we keep it. */
int walk_asked(const struct request *r);

/* The personality that the process begins with, which may be another's stand-in. */
void walk_begin_personality(unsigned long personality);

/* The program has said of memory what must be said of what takes its place. Takes the
 * lock. */
void walk_note_advice(uintptr_t address, size_t length);

/* Which of rungs 2 and 3 a request gets. */
enum outcome walk_views_outcome(const struct request *r);

/* Entries of pages that are other memory now. Takes the lock. */
void walk_forget(uintptr_t address, size_t length);

#endif
