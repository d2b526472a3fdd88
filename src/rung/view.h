/* rung/view.h: what the files of rungs 2 and 3 have in common: how one mapping of
 * viewed pages is changed for another, and the page table with it.
 *
 * Callers hold the lock. A page (struct code_page) stands for a run of pages whose
 * entries are alike. Results are 0 or a negated errno. Nobody outside of rung/
 * includes this: rung/views.h is the way in. */
#ifndef JITMEND_RUNG_VIEW_H
#define JITMEND_RUNG_VIEW_H

#include "../codepages.h"
#include "../vma.h"
#include "views.h"

/* Up to this size the kernel is asked to fill in the page tables at once, and
 * memory that is asked executable but not writable is adopted without waiting for
 * the fetch: both are cheaper than the faults that would come. */
#define SMALL_BYTES (16 * PAGE_BYTES)

/* As much as this, at a multiple of it, is turned together (together.h). */
#define TURN_BYTES (4 * PAGE_BYTES)

#define ADDRESS_LIMIT ARCH_ADDRESS_LIMIT
#define ALL_ACCESS (PROT_READ | PROT_WRITE | PROT_EXEC)

/* A page's stores: how many were carried out since its last turn, and whether that
 * has been too many once. */
#define STORES_MASK 7U
#define WRITTEN_BEFORE 8U

/* The same bits of a page that is writable: it is so only because a page beside it was to
 * be. */
#define TURNED_ALONG STORES_MASK

/* The instruction that faulted lies on PAGE, or reaches into it. */
bool view_executes(const ucontext_t *context, uintptr_t page);

/* Nobody else stores anywhere meanwhile. */
bool view_is_single_threaded(void);

/* Nobody writes to the page's file any more. */
bool view_is_frozen(const struct code_page *page);

/* Nor is it ever mapped writable: it is frozen, or of the reserve's first part. */
bool view_is_never_written(const struct code_page *page);

/* What the program's own memory is mapped as until it is executed, and a page of a
 * file when it is. */
unsigned view_waiting(unsigned ask);
unsigned view_executable(const struct code_page *page);

/* The kernel's mapping at ADDRESS, which goes to *VMA, is the one that the entry tells
 * of. */
bool view_is_current(const struct code_page *page, uintptr_t address, struct vma *vma);

/* How far the kernel's mappings from START on are the ones that the run's entry tells
 * of, up to END. START: they are not. */
uintptr_t view_current_until(const struct code_page *page, uintptr_t start, uintptr_t end);

/* Drops the entries of pages that went, or came again as others, where no hook saw it. */
void view_forget_stale(uintptr_t start, uintptr_t end);

/* Drops the entries alone. No mapping is changed by that, so the last changes stay. */
void view_drop_stale(uintptr_t start, uintptr_t end);

/* The same of all memory of which the program has said something (advice.h). */
void view_forget_advised(void);

/* Between the heap's beginning and as far as it may ever reach: its end may come
 * and go by a brk that no hook sees. */
bool view_may_be_heap(uintptr_t address);

/* Room for what a run's entries become. */
long view_make_room(uintptr_t start, uintptr_t end, const struct code_page *page);

/* The mapping that PAGE describes in the place of what is at START, of FILE from page
 * OFFSET on; the table is the caller's. */
long view_map_over(uintptr_t start, size_t length, const struct code_page *page, unsigned file,
		   uint64_t offset);

/* BEFORE becomes AFTER, in the kernel and in the table. The second takes less where a
 * policy refuses one mapping to be all of it. */
long view_remap(uintptr_t start, size_t length, const struct code_page *before,
		const struct code_page *after);
long view_remap_executable(uintptr_t start, size_t length, const struct code_page *before,
			   struct code_page *after);

/* PAGE's view is changed, by mprotect or a new mapping. */
long view_protect(uintptr_t start, size_t length, struct code_page *page, unsigned view, int pkey);
long view_turn_executable(uintptr_t start, size_t length, struct code_page *page);
long view_turn_writable(uintptr_t start, size_t length, struct code_page *page, unsigned view,
			int pkey);

/* The last resort (reserve.h): pages that lie in one mapping go to the reserve, or from one
 * part of it to the other, where they are mapped as VIEW. */
long view_turn_in_reserve(uintptr_t start, size_t length, struct code_page *page, unsigned view);

/* PAGE as it is when it is the program's own, with a frozen file's contents. */
void view_lend(struct code_page *page);

/* The last changes, for a child of fork to look at. */
struct change *view_next_change(void);
/* START to START + LENGTH is about to become the program's own memory, whatever is mapped
 * there now. */
void view_note_return(uintptr_t start, size_t length);
void view_forget_changes(void);
void view_review_changes(void);

/* Pages come to be turned from now on: the kernel's own writes are to be seen to. */
void view_watch_writes(uintptr_t start, size_t length);

/* Pages in one mapping, whose entries are alike and without backing, go into a file; but
 * for those that lie past the end of the host's own. */
long view_adopt(uintptr_t start, uintptr_t limit, const struct code_page *page);

/* Where there is no room for another mapping: the page and its neighbours become one,
 * for ACCESS. */
bool view_join(uintptr_t address, struct code_page *page, int access);

#endif
