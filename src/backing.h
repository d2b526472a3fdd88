/* backing.h: the files that code pages of rungs 2 and 3 live in (codefile.h), what is in
 * use of them, and their contents.
 *
 * Private memory of the host's goes to the current backing. Files grow by
 * windows of 1 MiB, one for each MiB of addresses, so that neighbours in memory
 * are neighbours in the file, their mappings merge, and nothing has to be
 * allocated page by page. What is not in use is a hole.
 *
 * At a fork all of them are frozen: parent and child both map them, so from then
 * on nobody writes to one. What is adopted later goes to a new backing.
 *
 * Memory that the host shares (MAP_SHARED) has a backing of its own, which is
 * never frozen: a memfd, or the host's own file.
 *
 * The caller holds the lock. Freestanding. Errors are negated errnos. */
#ifndef JITMEND_BACKING_H
#define JITMEND_BACKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BACKING_WINDOW_BYTES 0x100000UL

/* A file for private pages is at hand, or was made. At start, before the host can
 * install a seccomp filter or use up its descriptors, and before pages are said to be
 * executable: a fault could not say that there is none. */
long backing_ready(void);

/* Where the private page at ADDRESS is to live: the file's number goes to
 * *BACKING, its page there is returned. The pages up to the next MiB boundary
 * follow on. */
long backing_place(uintptr_t address, unsigned *backing);

/* A new file of LENGTH bytes for memory that the host shares; its number. */
long backing_share(size_t length);

/* The host's own file, by a descriptor that stays the host's. */
long backing_share_file(int fd);

/* The file under a mapping that the host made earlier: by its name, or by a descriptor
 * that the host still has. WRITABLE: it must be open for writing, else for reading
 * alone: what is mapped of it may then be made writable, or not. */
struct vma;
long backing_share_mapping(const struct vma *vma, bool writable);

/* The file of the reserve (reserve.h), never closed: made, once, with two parts of PART
 * bytes, the first ones of which may be touched; its descriptor, or -1; a number under
 * which its pages may be taken, and written until the next fork; whether a number is one
 * of that file's; its inode, 0 before it is made. */
long backing_make_reserve(size_t part, size_t executed, size_t written);
int backing_reserve_descriptor(void);
long backing_reserve(void);
bool backing_is_reserve(unsigned backing);
uint64_t backing_reserve_inode(void);

/* Pages that entries of the page table refer to from now on, and no more. Memory
 * that nobody refers to is given back. */
void backing_use(unsigned backing, size_t pages);
void backing_drop(unsigned backing, uint64_t offset, size_t pages);

/* Fills pages with what is at START; how many bytes, in whole pages, could be read. */
size_t backing_fill(unsigned backing, uint64_t offset, uintptr_t start, size_t length);

/* Whether to write to that byte does what a store into a mapping of it would: the host's
 * own file may end before its last page does, or be open for appending. */
bool backing_takes(unsigned backing, uint64_t at);

/* Writes at a byte of the file. */
bool backing_write(unsigned backing, uint64_t at, const void *bytes, size_t length);

int backing_descriptor(unsigned backing);

/* By which it is known under a mapping (vma.h). */
uint64_t backing_inode(unsigned backing);

/* Whether what is mapped of one can be in one mapping with what is mapped of the other. */
bool backing_is_same_file(unsigned number, unsigned other);

/* Whether it may not be written to any more. */
bool backing_is_frozen(unsigned backing);
bool backing_is_shared(unsigned backing);

/* The frozen file that has the fewest pages left in it, where there are many files, or
 * where most of it is of no use any more; 0: none has to go. */
unsigned backing_to_leave(void);
void backing_not_left(unsigned backing);

/* From page to page. */
bool backing_copy(unsigned from, uint64_t from_offset, unsigned to, uint64_t offset, size_t pages);

/* Around a fork. Between the first and one of the others new files are made frozen:
 * they are filled once, before anything maps them. */
void backing_before_fork(void);
void backing_after_fork(void);
void backing_in_child(void);

/* After a fork the counts of use may be wrong: nothing is given back until each
 * page has been told of anew, by backing_use, between these two. */
bool backing_is_miscounted(void);
void backing_recount(void);
void backing_recounted(void);

#endif
