/* carry.h: one decoded instruction that stores, carried out.
 *
 * For store.c alone; needs the headers of Zydis. Freestanding, async-signal-safe, for the
 * fault handler. */
#ifndef JITMEND_CARRY_H
#define JITMEND_CARRY_H

#include <stdbool.h>

#include "operands.h"

/* Memory is written by WORK's writer, registers are the host's own; the instruction pointer
 * and the flags are left in WORK. False: neither memory nor a register has changed. So it
 * is where an instruction is not known, or would have raised another exception than a page
 * fault. */
bool carry(struct work *work);

#endif
