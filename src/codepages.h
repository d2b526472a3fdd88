/* codepages.h: the page table: what jitmend knows of each page that it backs.
 *
 * By page, not by region: a partial munmap, an mprotect over several regions
 * or a mixed range needs no record to be split. Three levels, made as they are
 * needed and never given back, so that a look-up takes no lock and a range
 * without code pages is passed over quickly. A page's entry is one word.
 *
 * Readers: any context, the fault handler too. Writers hold the lock (lock.h).
 * The kernel's view is the truth: glibc trims and grows the heap, and ld.so
 * unmaps, where no hook sees it, so an entry may outlive its page. Whoever acts
 * on an entry asks the kernel first (vma.h). */
#ifndef JITMEND_CODEPAGES_H
#define JITMEND_CODEPAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum page_state {
	PAGE_UNKNOWN, /* not a code page */
	PAGE_SETTLED,
	PAGE_MOVING,  /* away for a moment: whoever touches it waits */
};

/* How the page is mapped and backed now. Rung 1 leaves the program's own
 * anonymous memory in place: ask and view are the same, there is no backing. */
struct code_page {
	enum page_state state;
	unsigned ask;      /* PROT_* that the program asked for */
	unsigned view;     /* PROT_* that the kernel has */
	unsigned rung;
	unsigned backing;  /* which file, from 1; 0: none */
	uint64_t offset;   /* page within that file */
};

struct code_page codepages_get(uintptr_t address);

/* Whether any page of the range is a code page. One load where there are none
 * in the process. */
bool codepages_any(uintptr_t address, size_t length);

/* Makes room for entries, so that codepages_set cannot fail. 0 or -ENOMEM. */
long codepages_prepare(uintptr_t address, size_t length);

/* The same entry for every page, the offset counting up where there is a
 * backing. Only after codepages_prepare. */
void codepages_set(uintptr_t address, size_t length, struct code_page page);

/* What the program asks for, and has, of those pages that have an entry. */
void codepages_protect(uintptr_t address, size_t length, unsigned protection);

/* The pages are not code pages any more. */
void codepages_clear(uintptr_t address, size_t length);

/* Pages on the move: mark, and settle again, which wakes who waits. */
void codepages_begin_move(uintptr_t address, size_t length);
void codepages_end_move(uintptr_t address, size_t length, struct code_page page);

/* Changes before any page leaves and after it is back: what was seen of the
 * kernel's mappings between two equal answers was seen with every page at home. */
uint32_t codepages_moves(void);

/* Returns once the page is not moving. Not for the thread that moves it. */
void codepages_wait(uintptr_t address);

#endif
