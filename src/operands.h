/* operands.h: what the operands of a decoded instruction stand for: registers,
 * memory, numbers.
 *
 * For store.c and carry.c; needs the headers of Zydis. Freestanding, async-signal-safe,
 * for the fault handler. Vector registers are moved as bytes, from where the
 * kernel put them: the signal frame holds an XSAVE area. */
#ifndef JITMEND_OPERANDS_H
#define JITMEND_OPERANDS_H

#include <Zydis/Decoder.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include "store.h"

/* One instruction at work. */
struct work {
	greg_t *registers;
	const ucontext_t *context;
	store_write *write;
	uint64_t next;  /* the instruction pointer, and */
	uint64_t flags; /* the flags, as they will be */
	const ZydisDecodedInstruction *instruction;
	const ZydisDecodedOperand *operands;
};

/* Where vector registers lie in a signal frame. Once, not at a fault: under a
 * hypervisor CPUID is slow. */
void operands_begin(void);

/* A general register, or a part of one. */
struct place {
	int index;
	unsigned bytes;
	bool high; /* ah, ch, dh, bh */
};

/* One of ARCH_AX and its kin. */
static inline uint64_t general_register(const struct work *work, int index)
{
	return (uintptr_t)work->registers[index];
}

/* False: another kind of register. */
bool place_of(ZydisRegister name, struct place *place);
uint64_t get_register(const struct work *work, const struct place *place);

/* Four bytes clear the rest of a register; less leave it. */
void set_register(struct work *work, const struct place *place, uint64_t value);

/* FS and GS have one; that of the others is 0. */
bool segment_base(ZydisRegister segment, uint64_t *base);

/* MORE is added before the sum is cut to the address size. */
bool address_of(const struct work *work, const ZydisDecodedOperand *operand, uint64_t more,
		uintptr_t *address);

bool read_memory(const struct work *work, uintptr_t from, void *to, size_t length);
bool read_value(const struct work *work, uintptr_t from, unsigned bytes, uint64_t *value);
bool write_value(const struct work *work, uintptr_t address, unsigned bytes, uint64_t value);

/* How many bytes a general operand has; 0: it is not one. */
unsigned bytes_of(const ZydisDecodedOperand *operand);

/* What a general register or an immediate operand is. The caller cuts it to its
 * own size. */
bool source_value(const struct work *work, const ZydisDecodedOperand *operand, uint64_t *value);

/* The same of a segment register. */
bool segment_value(const struct work *work, const ZydisDecodedOperand *operand, uint64_t *value);

#define VECTOR_MOST 64u

/* Copies a vector register's bytes to TO, which has room for VECTOR_MOST. Returns
 * how many; 0: it is not one, or the frame has none of it. */
unsigned vector_value(const struct work *work, const ZydisDecodedOperand *operand, void *to);

#endif
