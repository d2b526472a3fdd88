/* reserve.h: pages for when no file and no mapping can be had any more.
 *
 * A fault cannot be answered with an error. Whoever turns a page then may be refused a new
 * file (after a fork: no descriptor is left, or a filter of the host's is in force), or
 * any mmap. So with the first code a file is made (backing.h) that has two parts:
 *
 *	from page 0 on              pages that are executed, and written with pwrite alone:
 *	                            nothing ever maps them writable
 *	from page RESERVE_PAGES on  pages that are written, and never mapped executable
 *
 * Of each part the first page is mapped from then on. With
 * mremap(2) of nothing such a mapping of shared memory makes another one, longer if need
 * be: any page of its part can be mapped without mmap, and where execute permission may
 * not be gained. A page that is turned goes from one part to the same place in the other,
 * so that no page is writable and executable at once, through whatever mapping.
 *
 * Which pages are taken is counted in the second part's first page, which a process and
 * all of its children share: what one takes is no other's. They are not given back before
 * all of these have ended or left the file, so this is the last resort.
 *
 * Behind the first part's first page are those of the process that made the file alone:
 * detour.h has them.
 *
 * The caller holds the lock. Freestanding. Errors are negated errnos. */
#ifndef JITMEND_RESERVE_H
#define JITMEND_RESERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In each part: 1 GiB. */
#define RESERVE_PAGES 0x40000UL

/* Of the first part: the page that mappings are made from; pages that are mapped all the
 * time, for detours, and the end of what is spoken for. */
#define RESERVE_STANDING 1UL
#define RESERVE_STANDING_PAGES 8UL
#define RESERVE_DETOUR_PAGES 256UL
#define RESERVE_SPOKEN_FOR (RESERVE_STANDING + RESERVE_DETOUR_PAGES)

/* A file is at hand (backing_ready), and a reserve if one can be had. Before pages are said
 * to be executable. */
long reserve_ready(void);

/* Where RESERVE_STANDING is mapped; 0: nowhere. */
uintptr_t reserve_standing(void);

/* Takes so many pages in each part: the first one's number in the first part. */
long reserve_take(size_t pages);

/* Whether a page of that file is such a one; or one of the first part. */
bool reserve_has(unsigned backing, uint64_t offset);
bool reserve_has_executed(unsigned backing, uint64_t offset);

/* Pages of the reserve in the place of what is at START, with the protection that their
 * part has, without mmap. START 0: where the kernel puts them. The address. */
long reserve_map(uintptr_t start, size_t length, uint64_t offset);

#endif
