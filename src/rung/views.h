/* rung/views.h: rungs 2 and 3. Memory that the program wants executable lives in
 * a file of ours (backing.h) and is mapped as it is being used.
 *
 * A page is "viewed" from the request on, but stays the program's own memory,
 * writable as asked, until it is first executed: what never runs keeps its
 * natural copy-on-write, fork and madvise. The instruction fetch that faults
 * adopts the page: its contents go to the file, which is mapped over it.
 *
 * Rung 3: an adopted page is executable or writable, never both. A store into
 * an executable one faults, and is carried out alone or turns the page; the next
 * fetch turns it back. Rung 2, where a policy refuses anonymous memory alone:
 * one mapping with all that was asked, and no more faults.
 *
 * A fork freezes the files: writable views of private pages become private
 * mappings of them, so that the kernel's own copy-on-write keeps both sides
 * apart, and what was written after is adopted into a new file.
 *
 * All of it under the lock, with signals blocked; safe in the fault handler.
 * Results are 0 or a negated errno. Facts: mmap(2), mprotect(2), the MDWE rules
 * in the kernel's include/linux/mman.h (map_deny_write_exec). */
#ifndef JITMEND_RUNG_VIEWS_H
#define JITMEND_RUNG_VIEWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

/* Once. SINGLE_THREADED: where libc says whether there is one thread alone; may be
 * NULL, then there are more. WATCH_WRITES: see engine.h; may be NULL. */
void views_begin(const char *single_threaded,
		 void (*watch_writes)(uintptr_t address, size_t length));

/* Pages of the program's own private memory, now PROTECTION, for which it asks ASK
 * with PROT_EXEC. */
long views_give(uintptr_t start, uintptr_t end, int protection, int ask, int pkey);

/* New memory of that kind: it was mapped with PROTECTION already. */
long views_note(uintptr_t start, uintptr_t end, int protection, int ask);

/* New memory that maps the file BACKING from OFFSET pages on. */
long views_note_file(uintptr_t start, uintptr_t end, int protection, int ask, unsigned backing,
		     uint64_t offset);

/* Pages that are viewed, and that the program asks anew for: from *AT on, to LIMIT or
 * the first that is not viewed. *AT is where it ended, or met an error. */
long views_protect(uintptr_t *at, uintptr_t limit, int ask, int pkey);

/* A fault on a viewed page; ACCESS is one of PROT_READ, PROT_WRITE, PROT_EXEC.
 * True: go on with CONTEXT, in which a store may have been carried out. */
bool views_fault(uintptr_t address, int access, ucontext_t *context);

/* The kernel is about to write there for the program. */
void views_will_write(uintptr_t start, uintptr_t end);

/* Makes the pages the program's own memory again, executable at the next fetch. */
long views_return(uintptr_t start, uintptr_t end);

/* The same for those of the pages that lie in a file of ours and are private. */
long views_return_files(uintptr_t start, uintptr_t limit);

/* The same for memory that is to be moved, which the kernel may do with one mapping
 * alone: what is one in the program's eyes becomes one, shared memory with its file.
 * -EFAULT where it GROWS and is several. */
long views_unite(uintptr_t start, uintptr_t end, bool grows);

/* Anonymous memory of which the program asked and said the same, some of it viewed, becomes
 * one mapping to the kernel too; -EFAULT for any other. */
long views_make_one(uintptr_t start, uintptr_t end);

/* The pages are gone, or other memory. */
void views_drop(uintptr_t start, uintptr_t end);

/* The same where entries of other memory take their place at once. */
void views_drop_uses(uintptr_t start, uintptr_t end);

/* Around a fork. Between the first and one of the others, other threads go on. */
void views_before_fork(void);
void views_after_fork(void);
void views_in_child(void);

#endif
