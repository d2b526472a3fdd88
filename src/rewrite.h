/* rewrite.h: the text of a loaded object, changed.
 *
 * No policy lets text be written. So its pages are copied into a file that nobody
 * else can open, changed there, and mapped over the originals, private and r-x,
 * each at one stroke. Only pages that are in memory as they are in the object's
 * file: a debugger that finds its breakpoint overwritten would write the old byte
 * into what is new, and a probe of the kernel's would be a trap that nobody knows.
 *
 * At start, before there are threads; freestanding. */
#ifndef JITMEND_REWRITE_H
#define JITMEND_REWRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "vma.h"

#define REWRITE_BYTES_MOST 8
#define REWRITE_MOST 16

/* Bytes for one place, all on one page. */
struct rewrite {
	uintptr_t at;
	unsigned char bytes[REWRITE_BYTES_MOST];
	unsigned length;
};

/* The mapping that ADDRESS lies in: false where it is not an object's text, as the
 * kernel mapped it from its file. */
bool rewrite_find_text(uintptr_t address, struct vma *text);

/* Makes COUNT changes, REWRITE_MOST at most, all of them in TEXT. NAME is for the memfd.
 * False: none was made, or, if memory is that short, some of the pages were changed. */
bool rewrite_text(const struct vma *text, const struct rewrite *changes, unsigned count,
		  const char *name);

#endif
