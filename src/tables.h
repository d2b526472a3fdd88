/* tables.h: memory for the journal's tables, made when a journal begins, or, where it
 * is kept on standard error and no refusal is expected, when it has something to say.
 *
 * They do not lie in .bss: a conservative collector of the host's (Boehm's, which
 * Guile has) takes the writable data of every library for roots, and goes through
 * all of it each time. Mappings without a file are none to it. And where no
 * journal is asked for there is no such memory.
 *
 * What is made stays; a child of fork goes on with its copy. It is address space
 * at first, and memory where it is written. Any thread, any context; no locks, no
 * libc. */
#ifndef JITMEND_TABLES_H
#define JITMEND_TABLES_H

#include <stdbool.h>
#include <stddef.h>

/* Where a table lies, NULL as long as it was not made. Whoever owns it asks each
 * time, and does without where it is missing. */
typedef void *_Atomic table_place;

/* BYTES of zeroes, at *PLACE from now on; what is there already stays. False:
 * there is no memory for it, and *PLACE is NULL. */
bool tables_make(table_place *place, size_t bytes);

#endif
