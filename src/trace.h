/* trace.h: an address in words: module and offset.
 *
 * The offset is the address that the ELF file was linked for, as addr2line(1)
 * wants it. Any context but the fault handler: takes no lock, neither ours nor
 * the loader's. */
#ifndef JITMEND_TRACE_H
#define JITMEND_TRACE_H

#include <stdint.h>

#include "text.h"

void trace_describe(struct text *text, uintptr_t address);

#endif
