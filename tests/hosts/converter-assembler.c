/* converter-assembler.c: a small assembler. See converter-assembler.h. */
#include "converter-assembler.h"

#ifndef __aarch64__

/* ModRM bytes for an operand at [rbx + 32-bit displacement]. */
#define MODRM_RAX_AT_RBX 0x83
#define MODRM_RCX_AT_RBX 0x8b
#define MODRM_RSI_AT_RBX 0xb3

static void emit_byte(struct assembler *a, unsigned char byte)
{
	if (a->length < a->capacity)
		a->code[a->length] = byte;
	a->length++;
}

static void emit_bytes(struct assembler *a, const unsigned char *bytes, size_t count)
{
	while (count--)
		emit_byte(a, *bytes++);
}

#define EMIT(a, ...) \
	emit_bytes(a, (const unsigned char[]){__VA_ARGS__}, \
		   sizeof((const unsigned char[]){__VA_ARGS__}))

static void emit_32(struct assembler *a, uint32_t value)
{
	for (int i = 0; i < 4; i++, value >>= 8)
		emit_byte(a, (unsigned char)value);
}

static void emit_64(struct assembler *a, uint64_t value)
{
	emit_32(a, (uint32_t)value);
	emit_32(a, (uint32_t)(value >> 32));
}

void emit_prologue(struct assembler *a)
{
	EMIT(a, 0x53);                   /* push rbx */
	EMIT(a, 0x41, 0x54);             /* push r12 */
	EMIT(a, 0x48, 0x83, 0xec, 0x08); /* sub rsp, 8 */
	EMIT(a, 0x48, 0x89, 0xfb);       /* mov rbx, rdi */
	EMIT(a, 0x49, 0x89, 0xf4);       /* mov r12, rsi */
}

void emit_epilogue(struct assembler *a)
{
	EMIT(a, 0x48, 0x83, 0xc4, 0x08); /* add rsp, 8 */
	EMIT(a, 0x41, 0x5c);             /* pop r12 */
	EMIT(a, 0x5b);                   /* pop rbx */
	EMIT(a, 0xc3);                   /* ret */
}

void emit_load_zero_extended(struct assembler *a, unsigned int width, unsigned int offset)
{
	switch (width) {
	case 1: EMIT(a, 0x0f, 0xb6); break; /* movzx eax, byte */
	case 2: EMIT(a, 0x0f, 0xb7); break; /* movzx eax, word */
	case 4: EMIT(a, 0x8b);       break; /* mov eax, dword */
	case 8: EMIT(a, 0x48, 0x8b); break; /* mov rax, qword */
	}
	emit_byte(a, MODRM_RAX_AT_RBX);
	emit_32(a, offset);
}

void emit_load_sign_extended(struct assembler *a, unsigned int width, unsigned int offset)
{
	switch (width) {
	case 1: EMIT(a, 0x48, 0x0f, 0xbe); break; /* movsx rax, byte */
	case 2: EMIT(a, 0x48, 0x0f, 0xbf); break; /* movsx rax, word */
	case 4: EMIT(a, 0x48, 0x63);       break; /* movsxd rax, dword */
	case 8: EMIT(a, 0x48, 0x8b);       break; /* mov rax, qword */
	}
	emit_byte(a, MODRM_RAX_AT_RBX);
	emit_32(a, offset);
}

void emit_swap_bytes(struct assembler *a, unsigned int width)
{
	switch (width) {
	case 2: EMIT(a, 0x66, 0xc1, 0xc0, 0x08); break; /* rol ax, 8 */
	case 4: EMIT(a, 0x0f, 0xc8);             break; /* bswap eax */
	case 8: EMIT(a, 0x48, 0x0f, 0xc8);       break; /* bswap rax */
	}
}

void emit_sign_extend(struct assembler *a, unsigned int width)
{
	switch (width) {
	case 1: EMIT(a, 0x48, 0x0f, 0xbe, 0xc0); break; /* movsx rax, al */
	case 2: EMIT(a, 0x48, 0x0f, 0xbf, 0xc0); break; /* movsx rax, ax */
	case 4: EMIT(a, 0x48, 0x63, 0xc0);       break; /* movsxd rax, eax */
	}
}

void emit_clear_rax(struct assembler *a)
{
	EMIT(a, 0x31, 0xc0); /* xor eax, eax */
}

void emit_multiply_rax_by_10(struct assembler *a)
{
	EMIT(a, 0x48, 0x6b, 0xc0, 0x0a); /* imul rax, rax, 10 */
}

void emit_load_ecx_byte(struct assembler *a, unsigned int offset)
{
	EMIT(a, 0x0f, 0xb6, MODRM_RCX_AT_RBX); /* movzx ecx, byte */
	emit_32(a, offset);
}

void emit_high_nibble_ecx(struct assembler *a)
{
	EMIT(a, 0xc1, 0xe9, 0x04); /* shr ecx, 4 */
}

void emit_low_nibble_ecx(struct assembler *a)
{
	EMIT(a, 0x83, 0xe1, 0x0f); /* and ecx, 15 */
}

void emit_add_rax_rcx(struct assembler *a)
{
	EMIT(a, 0x48, 0x01, 0xc8); /* add rax, rcx */
}

void emit_negate_rax_if_ecx_is(struct assembler *a, unsigned char value)
{
	EMIT(a, 0x83, 0xf9, value);   /* cmp ecx, value */
	EMIT(a, 0x75, 0x03);          /* jne over the next instruction */
	EMIT(a, 0x48, 0xf7, 0xd8);    /* neg rax */
}

void emit_first_argument_text(struct assembler *a)
{
	EMIT(a, 0x4c, 0x89, 0xe7); /* mov rdi, r12 */
}

void emit_second_argument_rax(struct assembler *a)
{
	EMIT(a, 0x48, 0x89, 0xc6); /* mov rsi, rax */
}

void emit_second_argument_record(struct assembler *a, unsigned int offset)
{
	EMIT(a, 0x48, 0x8d, MODRM_RSI_AT_RBX); /* lea rsi, [rbx + offset] */
	emit_32(a, offset);
}

void emit_second_argument(struct assembler *a, uint32_t value)
{
	EMIT(a, 0xbe); /* mov esi, value */
	emit_32(a, value);
}

void emit_third_argument(struct assembler *a, uint32_t value)
{
	EMIT(a, 0xba); /* mov edx, value */
	emit_32(a, value);
}

void emit_call(struct assembler *a, uintptr_t function)
{
	EMIT(a, 0x48, 0xb8); /* mov rax, function */
	emit_64(a, function);
	EMIT(a, 0xff, 0xd0); /* call rax */
}

#endif
