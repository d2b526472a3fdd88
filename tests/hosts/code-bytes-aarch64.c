/* code-bytes-aarch64.c: little functions in machine code for aarch64; see code.h.
 *
 * The assembler makes them, and what they work on stands behind them: how far it is
 * from the function. No instruction reaches 2 GiB. */
#include "code.h"

#ifdef __aarch64__

#include <ucontext.h>

#define FUNCTION(name, text)                    \
	extern const unsigned char name[], name##_end[]; \
	__asm__(".pushsection .rodata\n"        \
		".arch armv8-a\n"               \
		".p2align 3\n"                  \
		".globl " #name "\n"            \
		".hidden " #name "\n"           \
		".globl " #name "_end\n"        \
		".hidden " #name "_end\n"       \
		#name ":\n" text                \
		#name "_end:\n"                 \
		".popsection\n")

/* The place that the last eight bytes lead to, in x9. */
#define PLACE(name)                             \
	"	adr x9, " #name "\n"            \
	"	ldr x10, 9f\n"                  \
	"	add x9, x9, x10\n"
#define DISTANCE                                \
	"	ret\n"                          \
	"	.p2align 3\n"                   \
	"9:	.xword 0\n"

/* Copies a function to AT in one go: a page may be code that somebody else runs. */
static size_t put(void *at, const unsigned char *from, const unsigned char *end)
{
	size_t length = (size_t)(end - from);

	memcpy(at, from, length);
	__builtin___clear_cache(at, (char *)at + length);
	return length;
}

static size_t put_with_distance(void *at, const unsigned char *from, const unsigned char *end,
				const void *word)
{
	size_t length = (size_t)(end - from);
	intptr_t distance = (intptr_t)word - (intptr_t)at;
	unsigned char code[128];

	memcpy(code, from, length);
	memcpy(code + length - sizeof(distance), &distance, sizeof(distance));
	return put(at, code, code + length);
}

unsigned char *code_pages_to_compare(size_t pages)
{
	return code_pages(pages);
}

FUNCTION(load, PLACE(load)
	"	ldr w0, [x9]\n" DISTANCE);

size_t code_load(void *at, const void *word)
{
	return put_with_distance(at, load, load_end, word);
}

FUNCTION(increment, PLACE(increment)
	"	ldr w0, [x9]\n"
	"	add w0, w0, #1\n"
	"	str w0, [x9]\n" DISTANCE);

size_t code_increment(void *at, void *word)
{
	return put_with_distance(at, increment, increment_end, word);
}

FUNCTION(exchange_add, PLACE(exchange_add)
	"1:	ldaxr w0, [x9]\n"
	"	add w0, w0, #1\n"
	"	stlxr w10, w0, [x9]\n"
	"	cbnz w10, 1b\n" DISTANCE);

size_t code_exchange_add(void *at, void *word)
{
	return put_with_distance(at, exchange_add, exchange_add_end, word);
}

/* What is stored is read as data: no cache of instructions has it. */
FUNCTION(patch_next,
	"	adr x9, 1f\n"
	"	str w1, [x9]\n"
	"	ldr w0, 1f\n"
	"	ret\n"
	"1:	.word 0\n");

size_t code_patch_next(void *at)
{
	return put(at, patch_next, patch_next_end);
}

#define LOOP(name, load, store)                 \
	FUNCTION(name,                          \
		"	mov w9, w0\n"           \
		"	mov w0, #0\n"           \
		"	adr x10, 2f\n"          \
		"1:	" load "\n"             \
		"	add x11, x11, #1\n"     \
		"	" store "\n"            \
		"	add w0, w0, w11\n"      \
		"	subs w9, w9, #1\n"      \
		"	b.ne 1b\n"              \
		"	ret\n"                  \
		"2:	.xword 0\n")

LOOP(loop_by_bytes, "ldrb w11, [x10]", "strb w11, [x10]");
LOOP(loop_by_words, "ldr w11, [x10]", "str w11, [x10]");
LOOP(loop_by_quads, "ldr x11, [x10]", "str x11, [x10]");

size_t code_loop(void *at, int width)
{
	if (width == 1)
		return put(at, loop_by_bytes, loop_by_bytes_end);
	if (width == 4)
		return put(at, loop_by_words, loop_by_words_end);
	return put(at, loop_by_quads, loop_by_quads_end);
}

FUNCTION(fill,
	"1:	cbz x1, 2f\n"
	"	strb w2, [x0], #1\n"
	"	sub x1, x1, #1\n"
	"	b 1b\n"
	"2:	ret\n");

size_t code_fill(void *at)
{
	return put(at, fill, fill_end);
}

FUNCTION(copy,
	"1:	cbz x1, 2f\n"
	"	ldrb w9, [x2], #1\n"
	"	strb w9, [x0], #1\n"
	"	sub x1, x1, #1\n"
	"	b 1b\n"
	"2:	ret\n");

size_t code_copy(void *at)
{
	return put(at, copy, copy_end);
}

FUNCTION(on_stack,
	"	mov x9, sp\n"
	"	mov sp, x0\n"
	"	mov x10, #1\n"
	"	mov x11, #20\n"
	"	stp x10, x11, [sp, #-16]!\n"
	"	mov x10, #300\n"
	"	mov x11, #4000\n"
	"	stp x10, x11, [sp, #-16]!\n"
	"	ldp x0, x1, [sp], #16\n"
	"	ldp x2, x3, [sp], #16\n"
	"	add x0, x0, x1\n"
	"	add x2, x2, x3\n"
	"	add x0, x0, x2\n"
	"	mov sp, x9\n"
	"	ret\n");

size_t code_on_stack(void *at)
{
	return put(at, on_stack, on_stack_end);
}

FUNCTION(count_pair, PLACE(count_pair)
	"1:	ldaxp x0, x10, [x9]\n"
	"	add x0, x0, #1\n"
	"	stlxp w11, x0, x10, [x9]\n"
	"	cbnz w11, 1b\n" DISTANCE);

size_t code_count_pair(void *at, void *pair)
{
	return put_with_distance(at, count_pair, count_pair_end, pair);
}

FUNCTION(store_real,
	"	fmov d0, #1.0\n"
	"	str q0, [x0]\n"
	"	ret\n");

size_t code_store_real(void *at)
{
	return put(at, store_real, store_real_end);
}

FUNCTION(save_vectors,
	"	mov x9, #8\n"
	"1:	stp q0, q1, [x0], #32\n"
	"	stp q2, q3, [x0], #32\n"
	"	subs x9, x9, #1\n"
	"	b.ne 1b\n"
	"	ret\n");

size_t code_save_vectors(void *at)
{
	return put(at, save_vectors, save_vectors_end);
}

FUNCTION(read_at,
	"	nop\n" /* the fault is not at the function's first byte */
	"	ldr w0, [x0]\n"
	"	ret\n");

size_t code_read_at(void *at)
{
	return put(at, read_at, read_at_end);
}

FUNCTION(illegal,
	"	nop\n"
	"	.word 0\n" /* udf #0 */
	"	ret\n");

size_t code_illegal(void *at)
{
	return put(at, illegal, illegal_end);
}

FUNCTION(breakpoint,
	"	nop\n"
	"	brk #0\n"
	"	ret\n");

size_t code_breakpoint(void *at)
{
	return put(at, breakpoint, breakpoint_end);
}

long code_call(const void *at, const void *a, long b, long c)
{
	long (*function)(const void *, long, long) =
		(long (*)(const void *, long, long))(uintptr_t)at;

	return function(a, b, c);
}

#define RET 0xc0, 0x03, 0x5f, 0xd6

/* The place is in x0, the value in x1. */
const struct store_form store_forms[] = {
	{ "strb", 1, 1, 0, ANY, 8, { 0x01, 0x00, 0x00, 0x39, RET } },
	{ "strh", 2, 1, 0, ANY, 8, { 0x01, 0x00, 0x00, 0x79, RET } },
	{ "str of a word", 4, 1, 0, ANY, 8, { 0x01, 0x00, 0x00, 0xb9, RET } },
	{ "str", 8, 1, 0, ANY, 8, { 0x01, 0x00, 0x00, 0xf9, RET } },
	{ "stp", 16, 1, 0, ANY, 8, { 0x01, 0x04, 0x00, 0xa9, RET } },
	{ "stlr", 8, 8, 0, ANY, 8, { 0x01, 0xfc, 0x9f, 0xc8, RET } },
	{ .name = NULL },
};

const struct store_form seldom_store_forms[] = {
	{ .name = NULL },
};

bool store_form_works(const struct store_form *form)
{
	return form->needs == ANY;
}

uintptr_t interrupted_at(const void *context)
{
	const ucontext_t *registers = context;

	return (uintptr_t)registers->uc_mcontext.pc;
}

void call_again(long number, long last, void *context)
{
	mcontext_t *at = &((ucontext_t *)context)->uc_mcontext;
	long result = syscall(number, at->regs[0], at->regs[1], at->regs[2], at->regs[3], at->regs[4],
			      last);

	at->regs[0] = (unsigned long long)(result == -1 ? -errno : result);
}

#endif
