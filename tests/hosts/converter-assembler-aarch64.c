/* converter-assembler-aarch64.c: the same small assembler for aarch64. See
 * converter-assembler.h.
 *
 * The names are x86_64's: x19 stands for rbx, x20 for r12, x9 for rax and x10 for rcx.
 * Arguments go to x0, x1 and x2. */
#include "converter-assembler.h"

#ifdef __aarch64__

enum { RESULT = 9, COUNT = 10, SCRATCH = 16, RECORD = 19 };

static void emit(struct assembler *a, uint32_t instruction)
{
	for (int i = 0; i < 4; i++, instruction >>= 8, a->length++)
		if (a->length < a->capacity)
			a->code[a->length] = (unsigned char)instruction;
}

/* movz, and movk for each 16 bits of the rest that are not zero */
static void emit_number(struct assembler *a, unsigned int to, uint64_t value)
{
	emit(a, 0xd2800000 | (uint32_t)(value & 0xffff) << 5 | to);
	for (uint32_t part = 1; part < 4; part++)
		if (value >> 16 * part & 0xffff)
			emit(a, 0xf2800000 | part << 21 |
				(uint32_t)(value >> 16 * part & 0xffff) << 5 | to);
}

/* INSTRUCTION loads from the record by an offset in x16. */
static void emit_load(struct assembler *a, uint32_t instruction, unsigned int to,
		      unsigned int offset)
{
	emit_number(a, SCRATCH, offset);
	emit(a, instruction | SCRATCH << 16 | RECORD << 5 | to);
}

void emit_prologue(struct assembler *a)
{
	emit(a, 0xa9be7bfd); /* stp x29, x30, [sp, #-32]! */
	emit(a, 0x910003fd); /* mov x29, sp */
	emit(a, 0xa90153f3); /* stp x19, x20, [sp, #16] */
	emit(a, 0xaa0003f3); /* mov x19, x0 */
	emit(a, 0xaa0103f4); /* mov x20, x1 */
}

void emit_epilogue(struct assembler *a)
{
	emit(a, 0xa94153f3); /* ldp x19, x20, [sp, #16] */
	emit(a, 0xa8c27bfd); /* ldp x29, x30, [sp], #32 */
	emit(a, 0xd65f03c0); /* ret */
}

void emit_load_zero_extended(struct assembler *a, unsigned int width, unsigned int offset)
{
	switch (width) {
	case 1: emit_load(a, 0x38606800, RESULT, offset); break; /* ldrb w9, [x19, x16] */
	case 2: emit_load(a, 0x78606800, RESULT, offset); break; /* ldrh w9, [x19, x16] */
	case 4: emit_load(a, 0xb8606800, RESULT, offset); break; /* ldr w9, [x19, x16] */
	case 8: emit_load(a, 0xf8606800, RESULT, offset); break; /* ldr x9, [x19, x16] */
	}
}

void emit_load_sign_extended(struct assembler *a, unsigned int width, unsigned int offset)
{
	switch (width) {
	case 1: emit_load(a, 0x38a06800, RESULT, offset); break; /* ldrsb x9, [x19, x16] */
	case 2: emit_load(a, 0x78a06800, RESULT, offset); break; /* ldrsh x9, [x19, x16] */
	case 4: emit_load(a, 0xb8a06800, RESULT, offset); break; /* ldrsw x9, [x19, x16] */
	case 8: emit_load(a, 0xf8606800, RESULT, offset); break; /* ldr x9, [x19, x16] */
	}
}

void emit_swap_bytes(struct assembler *a, unsigned int width)
{
	switch (width) {
	case 2: emit(a, 0x5ac00529); break; /* rev16 w9, w9 */
	case 4: emit(a, 0x5ac00929); break; /* rev w9, w9 */
	case 8: emit(a, 0xdac00d29); break; /* rev x9, x9 */
	}
}

void emit_sign_extend(struct assembler *a, unsigned int width)
{
	switch (width) {
	case 1: emit(a, 0x93401d29); break; /* sxtb x9, w9 */
	case 2: emit(a, 0x93403d29); break; /* sxth x9, w9 */
	case 4: emit(a, 0x93407d29); break; /* sxtw x9, w9 */
	}
}

void emit_clear_rax(struct assembler *a)
{
	emit(a, 0xd2800009); /* mov x9, #0 */
}

void emit_multiply_rax_by_10(struct assembler *a)
{
	emit(a, 0x8b090929); /* add x9, x9, x9, lsl #2 */
	emit(a, 0xd37ff929); /* lsl x9, x9, #1 */
}

void emit_load_ecx_byte(struct assembler *a, unsigned int offset)
{
	emit_load(a, 0x38606800, COUNT, offset); /* ldrb w10, [x19, x16] */
}

void emit_high_nibble_ecx(struct assembler *a)
{
	emit(a, 0x53047d4a); /* lsr w10, w10, #4 */
}

void emit_low_nibble_ecx(struct assembler *a)
{
	emit(a, 0x12000d4a); /* and w10, w10, #15 */
}

void emit_add_rax_rcx(struct assembler *a)
{
	emit(a, 0x8b0a0129); /* add x9, x9, x10 */
}

void emit_negate_rax_if_ecx_is(struct assembler *a, unsigned char value)
{
	emit(a, 0x7100015f | (uint32_t)value << 10); /* cmp w10, #value */
	emit(a, 0x54000041);                         /* b.ne over the next instruction */
	emit(a, 0xcb0903e9);                         /* neg x9, x9 */
}

void emit_first_argument_text(struct assembler *a)
{
	emit(a, 0xaa1403e0); /* mov x0, x20 */
}

void emit_second_argument_rax(struct assembler *a)
{
	emit(a, 0xaa0903e1); /* mov x1, x9 */
}

void emit_second_argument_record(struct assembler *a, unsigned int offset)
{
	emit_number(a, SCRATCH, offset);
	emit(a, 0x8b100261); /* add x1, x19, x16 */
}

void emit_second_argument(struct assembler *a, uint32_t value)
{
	emit_number(a, 1, value);
}

void emit_third_argument(struct assembler *a, uint32_t value)
{
	emit_number(a, 2, value);
}

void emit_call(struct assembler *a, uintptr_t function)
{
	emit_number(a, SCRATCH, function);
	emit(a, 0xd63f0200); /* blr x16 */
}

#endif
