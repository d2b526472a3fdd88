/* memory.h: memcpy and its kin, for code that may not call libc.
 *
 * The compiler calls these by name, whatever the source says; here they are the
 * engine's own, hidden inside it. Async-signal-safe. */
#ifndef JITMEND_MEMORY_H
#define JITMEND_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memset(void *to, int byte, size_t length);
int memcmp(const void *a, const void *b, size_t length);
size_t string_length(const char *string);
bool string_equal(const char *a, const char *b);

/* Where STRING begins with PREFIX, what follows it; else NULL. */
const char *string_after(const char *string, const char *prefix);

#endif
