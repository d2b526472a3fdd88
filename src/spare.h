/* spare.h: some mappings for when there may be no more.
 *
 * A process has so many mappings at most (vm.max_map_count). With all of them mmap
 * fails even where it only takes another's place (the kernel's mm/mmap.c, do_mmap), and
 * a page could not be turned any more. So a few are kept that are of no use, to be
 * given up for as long as that takes.
 *
 * Callers hold the lock. Freestanding, async-signal-safe. */
#ifndef JITMEND_SPARE_H
#define JITMEND_SPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From the first code on, since the program itself may take all others; and from when
 * there is much of it. */
#define SPARE_FEW 8UL
#define SPARE_MANY 64UL

/* So many, SPARE_MANY at most, are kept from now on, as far as there is room for them. Fewer than before,
 * or as many, changes nothing. */
void spare_want(size_t mappings);

/* Around what takes several calls. */
void spare_free(void);
void spare_make(void);

/* sys_mmap, with the spare mappings given up for it if there is no room. */
long spare_mmap(uintptr_t address, size_t length, int protection, int flags, int fd,
		int64_t offset);

#endif
