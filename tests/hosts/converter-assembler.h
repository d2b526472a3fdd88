/* converter-assembler.h: the few x86_64 instructions that the generated
 * parsers are made of; converter-assembler-aarch64.c has what does the same there.
 *
 * Each function appends one instruction, named as in the processor's manual.
 * In a parser rbx holds the record and r12 the text; rax, rcx, rdx, rsi and rdi
 * are free. Bytes past the capacity are counted, not written, so that a first
 * pass without memory tells how much is needed. */
#ifndef CONVERTER_ASSEMBLER_H
#define CONVERTER_ASSEMBLER_H

#include <stddef.h>
#include <stdint.h>

struct assembler {
	unsigned char *code;
	size_t capacity;
	size_t length;
};

/* The function's first and last instructions: keeps rbx and r12 for the
 * caller, takes over the two arguments, aligns the stack for calls. */
void emit_prologue(struct assembler *a);
void emit_epilogue(struct assembler *a);

/* rax = the WIDTH bytes at rbx+OFFSET (1, 2, 4 or 8), widened. */
void emit_load_zero_extended(struct assembler *a, unsigned int width, unsigned int offset);
void emit_load_sign_extended(struct assembler *a, unsigned int width, unsigned int offset);

/* Turns round the lowest WIDTH bytes of rax. */
void emit_swap_bytes(struct assembler *a, unsigned int width);
/* Widens the lowest WIDTH bytes of rax with their sign. */
void emit_sign_extend(struct assembler *a, unsigned int width);

/* rax = 0; rax *= 10; ecx = a byte; ecx >>= 4; ecx &= 15; rax += rcx */
void emit_clear_rax(struct assembler *a);
void emit_multiply_rax_by_10(struct assembler *a);
void emit_load_ecx_byte(struct assembler *a, unsigned int offset);
void emit_high_nibble_ecx(struct assembler *a);
void emit_low_nibble_ecx(struct assembler *a);
void emit_add_rax_rcx(struct assembler *a);
/* if (ecx == VALUE) rax = -rax, with a jump over the negation. */
void emit_negate_rax_if_ecx_is(struct assembler *a, unsigned char value);

/* The arguments, and the call through an absolute address. */
void emit_first_argument_text(struct assembler *a);
void emit_second_argument_rax(struct assembler *a);
void emit_second_argument_record(struct assembler *a, unsigned int offset);
void emit_second_argument(struct assembler *a, uint32_t value);
void emit_third_argument(struct assembler *a, uint32_t value);
void emit_call(struct assembler *a, uintptr_t function);

#endif
