/* codepages.h: the page table: what jitmend knows of each page that it minds.
 *
 * By page, not by region: a partial munmap, an mprotect over several regions
 * or a mixed range needs no record to be split. Three levels, made as they are
 * needed and never given back, so that a look-up takes no lock and a range
 * without code pages is passed over quickly. A page's entry is one word; where
 * 16 MiB of pages are alike, as in a reservation, they have one word together.
 *
 * Readers: any context, the fault handler too. Writers hold the lock (lock.h).
 * The kernel's view is the truth: ld.so unmaps where no hook sees it, and so does
 * glibc where its entries are not patched, so an entry may outlive its page. Whoever acts
 * on an entry asks the kernel first (vma.h). */
#ifndef JITMEND_CODEPAGES_H
#define JITMEND_CODEPAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum page_state {
	PAGE_UNKNOWN, /* not a code page */
	PAGE_PLAIN,   /* rungs 0 and 1: the host's own memory, mapped as it asked */
	PAGE_VIEWED,  /* rungs 2 and 3: mapped as it is being used (rung/views.h) */
};

struct code_page {
	enum page_state state;
	unsigned ask;      /* PROT_* that the program asked for */
	unsigned view;     /* PROT_* that the kernel has */
	unsigned backing;  /* which file (backing.h), from 1; 0: the program's own memory */
	uint64_t offset;   /* page within that file */
	unsigned stores;   /* carried out one by one since the page was last turned */
	bool lent;         /* no backing, but mapped privately from a frozen one */
};

#define CODE_PAGE_STORES_MOST 15

struct code_page codepages_get(uintptr_t address);

/* Whether any page of the range is a code page. One load where there are none
 * in the process. */
bool codepages_any(uintptr_t address, size_t length);

/* The same for pages in the state PAGE_VIEWED. */
bool codepages_any_viewed(uintptr_t address, size_t length);

/* The entry at START, and where the run of pages ends that have the same one
 * (the offset counting up where there is a backing); LIMIT at most. A page
 * without an entry is alike with its kind. Whole pages. */
uintptr_t codepages_run(uintptr_t start, uintptr_t limit, struct code_page *page);

/* The first page at or after START that has an entry; LIMIT where none has. */
uintptr_t codepages_next(uintptr_t start, uintptr_t limit);

/* Makes room for entries, so that codepages_set cannot fail. 0 or -ENOMEM. */
long codepages_prepare(uintptr_t address, size_t length);

/* The same for an entry that all pages share and that has no backing, as in a
 * reservation: takes next to no memory until pages become different. */
long codepages_room(uintptr_t address, size_t length);

/* Makes sure that codepages_clear takes away no more than these entries. 0 or -ENOMEM. */
long codepages_cut(uintptr_t address, size_t length);

/* The same entry for every page, the offset counting up where there is a
 * backing. Only after codepages_prepare, or, without one, codepages_room. */
void codepages_set(uintptr_t address, size_t length, struct code_page page);

/* What the program asks for, and has, of those pages that are plain ones. */
void codepages_protect(uintptr_t address, size_t length, unsigned protection);

/* The pages are not code pages any more. */
void codepages_clear(uintptr_t address, size_t length);

#endif
