/* store.h: one store of the host's, carried out on its behalf.
 *
 * Where a page is executable it is not writable, and a store into it faults. The
 * instruction is decoded, and what it does is done: to memory by a function of
 * the caller's, to registers and flags in the context that the handler returns
 * to.
 *
 * The caller holds the engine's lock, and every other writer of the page waits
 * for it. So what reads, computes and writes is as atomic to the threads of this
 * process as the instruction was to be; what it writes is written in one piece,
 * which a reader sees whole where that is 8 aligned bytes or less.
 *
 * Freestanding, async-signal-safe, for the fault handler: the context must be
 * one that the kernel made for a page fault (REG_CR2 tells the page that may be
 * read). The instruction's own bytes are read where they lie: not for code on
 * pages that can be executed but not read. */
#ifndef JITMEND_STORE_H
#define JITMEND_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include "decoder.h"
#include "sys.h"

/* False: nothing was written. */
typedef bool store_write(uintptr_t address, const void *bytes, size_t length);

/* Once, before the first fault, by whoever has a decoder (decoder.c). Without
 * one nothing is understood. */
void store_begin(decode *by);

/* Decodes the instruction at CONTEXT's instruction pointer. Where it is
 * understood, does all that it does (memory by WRITE; registers, flags and the
 * instruction pointer in CONTEXT) and returns true. A repeated string
 * instruction may be done in part, with the instruction pointer still on it, as
 * the processor does. False: CONTEXT and memory are unchanged. */
bool store_carry_out(ucontext_t *context, store_write *write);

/* An instruction as it stands, understood or not, to be done in another place. */
struct instruction {
	uintptr_t at;
	unsigned length;
	unsigned displacement; /* where in it its operand's distance stands; 0: it has none */
	bool goes_on;          /* to the instruction behind it, and nowhere else */
	unsigned char bytes[ARCH_INSTRUCTION_MOST];
};

/* Decodes the instruction at CONTEXT's instruction pointer. */
bool store_decode(const ucontext_t *context, struct instruction *instruction);

#endif
