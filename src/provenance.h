/* provenance.h: which call a piece of memory came from.
 *
 * Remembers allocations that begin on a page, the ones that a program makes for
 * code: enough to say, when execute permission is asked for, who asked for the
 * memory. Thousands are kept; of those that share a place in the table the
 * oldest is overwritten.
 *
 * Any thread, any context but the fault handler; no locks: a slot that is being
 * written is passed over. */
#ifndef JITMEND_PROVENANCE_H
#define JITMEND_PROVENANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct provenance {
	const char *function; /* the call: a literal */
	uintptr_t address;
	size_t length;
	unsigned stack;       /* stacks.h */
};

/* Before anything is noted. False: no memory for it, and nothing is kept. */
bool provenance_make_room(void);

/* Or it is made, with what backtraces need, when the first is noted. */
void provenance_want(void);

/* Whether mappings too are to be noted: every mmap then costs a backtrace. */
void provenance_watch_mappings(void);
bool provenance_watches_mappings(void);

/* Keeps an allocation where its address begins a page. */
void provenance_note(const char *function, uintptr_t address, size_t length,
		     uintptr_t call_site);

/* LENGTH bytes of what begins at ADDRESS are gone, whole pages. */
void provenance_forget(uintptr_t address, size_t length);

/* The stack of the allocation that begins at ADDRESS, 0 where none is known. Much
 * quicker than provenance_find. */
unsigned provenance_stack_at(uintptr_t address);

/* An allocation at ADDRESS is being given back; a mapping that begins there
 * stays. */
void provenance_freed(uintptr_t address);

/* The library of --origins, where it is loaded, learns in the constructor
 * whether anybody is going to ask. It watches malloc (origins/origins.h). */
void provenance_begin(bool asked);

/* Where the memory of [ADDRESS, ADDRESS + LENGTH) came from: the latest
 * allocation that holds ADDRESS. A mapping is no more than the ground for what
 * malloc made of it, if that is known. */
bool provenance_find(uintptr_t address, size_t length, struct provenance *provenance);

#endif
