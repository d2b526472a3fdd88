/* origins.h: what the two preloaded libraries say to each other.
 *
 * libjitmend-origins.so watches malloc and its kin, which costs time on each
 * call, so it is a library of its own that is loaded only where it is wished
 * for. It has no unwinder and no list of modules: libjitmend.so lends it its
 * own, so that a stack means the same in both.
 *
 * libjitmend.so refers to these two functions weakly: both are NULL where the
 * other library is not there. Both libraries are of the same build. */
#ifndef JITMEND_ORIGINS_H
#define JITMEND_ORIGINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../stacks.h"

#define ORIGINS_DOOR __attribute__((visibility("default")))

/* What libjitmend.so lends. */
struct origins_host {
	unsigned (*backtrace_from)(uintptr_t call_site, uintptr_t *frames, unsigned most);
	struct place (*module_place)(uintptr_t address);
	void (*freed)(uintptr_t address); /* an allocation that begins a page */
	unsigned frames;                  /* of a stack, at most */
};

/* A live allocation. */
struct origin {
	const char *function; /* a literal */
	uintptr_t address;
	size_t length;
	struct stack stack;   /* count 0: not known */
};

/* From here on stacks are whole, before it they are the call site alone. HOST,
 * which must live on, is NULL where nobody is going to ask: nothing is noted
 * any more. */
ORIGINS_DOOR void jitmend_origins_begin(const struct origins_host *host) __attribute__((weak));

/* Of the allocations that overlap [ADDRESS, ADDRESS + LENGTH), whole pages, the
 * one that they were most likely asked for: that reaches each page, the youngest
 * of several that do, else that with most bytes there. Any thread, no locks. */
ORIGINS_DOOR bool jitmend_origins_find(uintptr_t address, size_t length, struct origin *origin)
	__attribute__((weak));

#endif
