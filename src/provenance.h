/* provenance.h: which call an allocation came from.
 *
 * Remembers the latest allocations that begin on a page, the ones that a
 * program makes for code: enough to say, when mprotect asks for execute
 * permission, who asked malloc for the memory. Old ones are overwritten.
 *
 * Async-signal-safe, no locks: a slot that is being written is passed over. */
#ifndef JITMEND_PROVENANCE_H
#define JITMEND_PROVENANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct provenance {
	const char *function; /* the allocator called: a literal */
	uintptr_t address;
	size_t length;
	uintptr_t call_site;
};

/* Keeps *PROVENANCE where its address begins a page. */
void provenance_note(const struct provenance *provenance);

/* The latest allocation that holds ADDRESS. */
bool provenance_find(uintptr_t address, struct provenance *provenance);

#endif
