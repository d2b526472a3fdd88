/* code-bytes.c: little functions in machine code, for x86_64 and i386; this and
 * code-bytes-aarch64.c alone of the code- hosts' files know the processor. See code.h. */
#include "code.h"

#ifndef __aarch64__

#include <ucontext.h>

#ifdef __x86_64__
#define QUAD 0x48, /* the prefix that makes operands of eight bytes */
#define POINTER REG_RIP
#elif defined(__i386__)
#define QUAD
#define POINTER REG_EIP
#endif

/* Copies BYTES to AT in one go: a page may be code that somebody else runs. */
static size_t put(void *at, const unsigned char *bytes, size_t length)
{
	memcpy(at, bytes, length);
	return length;
}

/* An operand relative to the instruction that ends at END, which i386 takes for an
 * address. */
static void put_relative(unsigned char *operand, const unsigned char *end, const void *word)
{
#ifdef __x86_64__
	int32_t distance = (int32_t)((intptr_t)word - (intptr_t)end);
#else
	int32_t distance = (int32_t)word;

	(void)end;
#endif

	memcpy(operand, &distance, sizeof(distance));
}

unsigned char *code_pages_to_compare(size_t pages)
{
#ifdef __x86_64__
	return code_pages(pages);
#else
	static uintptr_t next = 0x30000000;
	void *at = must_map((void *)next, pages * PAGE, RWX,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	next += (pages + 1) * PAGE;
	return at;
#endif
}

size_t code_load(void *at, const void *word)
{
	unsigned char code[] = {
		0x8b, 0x05, 0, 0, 0, 0, /* mov WORD(%rip), %eax */
		0xc3,
	};

	put_relative(code + 2, (unsigned char *)at + 6, word);
	return put(at, code, sizeof(code));
}

size_t code_increment(void *at, void *word)
{
	unsigned char code[] = {
		0xff, 0x05, 0, 0, 0, 0, /* incl WORD(%rip) */
		0x8b, 0x05, 0, 0, 0, 0, /* mov WORD(%rip), %eax */
		0xc3,
	};

	put_relative(code + 2, (unsigned char *)at + 6, word);
	put_relative(code + 8, (unsigned char *)at + 12, word);
	return put(at, code, sizeof(code));
}

size_t code_exchange_add(void *at, void *word)
{
	unsigned char code[] = {
		0xb8, 1, 0, 0, 0,                   /* mov $1, %eax */
		0xf0, 0x0f, 0xc1, 0x05, 0, 0, 0, 0, /* lock xadd %eax, WORD(%rip) */
		0xff, 0xc0,                         /* inc %eax */
		0xc3,
	};

	put_relative(code + 9, (unsigned char *)at + 13, word);
	return put(at, code, sizeof(code));
}

size_t code_patch_next(void *at)
{
	unsigned char code[] = {
		0x89, 0x35, 0, 0, 0, 0, /* mov %esi, to the next one's operand */
		0xb8, 0, 0, 0, 0,       /* mov $0, %eax */
		0xc3,
	};

	put_relative(code + 2, (unsigned char *)at + 6, (unsigned char *)at + 7);
	return put(at, code, sizeof(code));
}

size_t code_loop(void *at, int width)
{
	static const unsigned char start[] = {
		0x31, 0xc0, /* xor %eax, %eax */
		0x89, 0xf9, /* mov %edi, %ecx */
	};
	static const unsigned char increments[][3] = {
		{ 0xfe, 0x05 },       /* incb, of the next one's operand */
		{ 0xff, 0x05 },       /* incl */
		{ 0x48, 0xff, 0x05 }, /* incq, which i386 has not */
	};
	static const unsigned char rest[] = {
		0, 0, 0, 0,
		0x05, 0, 0, 0, 0, /* add $0, %eax */
		0xff, 0xc9,       /* dec %ecx */
		0x75, 0,          /* jnz to the increment */
		0xc3,
	};
	unsigned char code[CODE_LOOP_LENGTH];
	size_t length = put(code, start, sizeof(start));
	bool quad = width == 8 && sizeof(long) == 8;
	const unsigned char *increment = increments[width == 1 ? 0 : quad ? 2 : 1];
	unsigned char *end;

	length += put(code + length, increment, quad ? 3 : 2);
	end = (unsigned char *)at + length + 4;
	put(code + length, rest, sizeof(rest));
	put_relative(code + length, end, end + 1);
	length += sizeof(rest);
	code[length - 2] = (unsigned char)(sizeof(start) - (length - 1));
	return put(at, code, length);
}

size_t code_fill(void *at)
{
	static const unsigned char code[] = {
		QUAD 0x89, 0xf1, /* mov %rsi, %rcx */
		0x89, 0xd0,       /* mov %edx, %eax */
		0xf3, 0xaa,       /* rep stosb */
		QUAD 0x89, 0xf8, /* mov %rdi, %rax */
		0xc3,
	};

	return put(at, code, sizeof(code));
}

size_t code_copy(void *at)
{
	static const unsigned char code[] = {
		QUAD 0x89, 0xf1, /* mov %rsi, %rcx */
		QUAD 0x89, 0xd6, /* mov %rdx, %rsi */
		0xf3, 0xa4,       /* rep movsb */
		QUAD 0x89, 0xf8, /* mov %rdi, %rax */
		0xc3,
	};

	return put(at, code, sizeof(code));
}

size_t code_on_stack(void *at)
{
	static const unsigned char code[] = {
		QUAD 0x89, 0xe1,       /* mov %rsp, %rcx */
		QUAD 0x89, 0xfc,       /* mov %rdi, %rsp */
		0x6a, 1,                /* push $1 */
		0x6a, 20,               /* push $20 */
		0x68, 0x2c, 1, 0, 0,    /* push $300 */
		0x68, 0xa0, 0x0f, 0, 0, /* push $4000 */
		0x58,                   /* pop %rax */
		0x5a,                   /* pop %rdx */
		QUAD 0x01, 0xd0,       /* add %rdx, %rax */
		0x5a,                   /* pop %rdx */
		QUAD 0x01, 0xd0,       /* add %rdx, %rax */
		0x5a,                   /* pop %rdx */
		QUAD 0x01, 0xd0,       /* add %rdx, %rax */
		QUAD 0x89, 0xcc,       /* mov %rcx, %rsp */
		0xc3,
	};

	return put(at, code, sizeof(code));
}

#ifdef __x86_64__
size_t code_count_pair(void *at, void *pair)
{
	unsigned char code[] = {
		0x53,                                     /* push %rbx */
		0x48, 0x8b, 0x05, 0, 0, 0, 0,             /* mov PAIR(%rip), %rax */
		0x48, 0x8b, 0x15, 0, 0, 0, 0,             /* mov PAIR+8(%rip), %rdx */
		0x48, 0x8d, 0x58, 1,                      /* lea 1(%rax), %rbx */
		0x48, 0x89, 0xd9,                         /* mov %rbx, %rcx */
		0xf0, 0x48, 0x0f, 0xc7, 0x0d, 0, 0, 0, 0, /* lock cmpxchg16b PAIR(%rip) */
		0x75, 0xee,                               /* jne to the lea */
		0x48, 0x89, 0xd8,                         /* mov %rbx, %rax */
		0x5b,                                     /* pop %rbx */
		0xc3,
	};

	put_relative(code + 4, (unsigned char *)at + 8, pair);
	put_relative(code + 11, (unsigned char *)at + 15, (unsigned char *)pair + 8);
	put_relative(code + 27, (unsigned char *)at + 31, pair);
	return put(at, code, sizeof(code));
}

#else

size_t code_count_pair(void *at, void *pair)
{
	unsigned char code[] = {
		0x53,                               /* push %ebx */
		0x8b, 0x05, 0, 0, 0, 0,             /* mov PAIR, %eax */
		0x8b, 0x15, 0, 0, 0, 0,             /* mov PAIR+4, %edx */
		0x8d, 0x58, 1,                      /* lea 1(%eax), %ebx */
		0x89, 0xd9,                         /* mov %ebx, %ecx */
		0xf0, 0x0f, 0xc7, 0x0d, 0, 0, 0, 0, /* lock cmpxchg8b PAIR */
		0x75, 0xf1,                         /* jne to the lea */
		0x89, 0xd8,                         /* mov %ebx, %eax */
		0x5b,                               /* pop %ebx */
		0xc3,
	};

	put_relative(code + 3, NULL, pair);
	put_relative(code + 9, NULL, (unsigned char *)pair + 4);
	put_relative(code + 22, NULL, pair);
	return put(at, code, sizeof(code));
}

#endif

size_t code_store_real(void *at)
{
	static const unsigned char code[] = {
		0xd9, 0xe8, /* fld1 */
		0xdb, 0x3f, /* fstpt (%rdi) */
		0xc3,
	};

	return put(at, code, sizeof(code));
}

size_t code_save_vectors(void *at)
{
	static const unsigned char code[] = {
		QUAD 0x0f, 0xae, 0x07, /* fxsave64 (%rdi) */
		0xc3,
	};

	return put(at, code, sizeof(code));
}

size_t code_read_at(void *at)
{
	static const unsigned char code[] = {
		0x90,       /* nop: the fault is not at the function's first byte */
		0x8b, 0x07, /* mov (%rdi), %eax */
		0xc3,
	};

	return put(at, code, sizeof(code));
}

size_t code_illegal(void *at)
{
	static const unsigned char code[] = { 0x90, 0x0f, 0x0b /* ud2 */ };

	return put(at, code, sizeof(code));
}

size_t code_breakpoint(void *at)
{
	static const unsigned char code[] = { 0x90, 0xcc /* int3 */, 0xc3 };

	return put(at, code, sizeof(code));
}

/* What takes arguments takes them in registers, whatever compilers do. */
long code_call(const void *at, const void *a, long b, long c)
{
#ifdef __x86_64__
	long (*function)(const void *, long, long) =
		(long (*)(const void *, long, long))(uintptr_t)at;

	return function(a, b, c);
#else
	long result;

	__asm__ volatile("call *%%eax"
			 : "=a"(result), "+D"(a), "+S"(b), "+d"(c)
			 : "0"(at)
			 : "ecx", "memory", "cc", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)",
			   "st(6)", "st(7)");
	return result;
#endif
}

/* The place is in %rdi, the value in %rsi. pushf; pop %rax where the flags tell. */
enum {
	ALL = -1,
	CARRY = 0x001,
	ZERO = 0x040,
	ARITHMETIC = 0x8c5, /* overflow, sign, zero, parity, carry */
};

#ifdef __x86_64__

const struct store_form store_forms[] = {
	{ "mov byte", 1, 1, 0, ANY, 4, { 0x40, 0x88, 0x37, 0xc3 } },
	{ "mov word", 2, 1, 0, ANY, 4, { 0x66, 0x89, 0x37, 0xc3 } },
	{ "mov long", 4, 1, 0, ANY, 3, { 0x89, 0x37, 0xc3 } },
	{ "mov quad", 8, 1, 0, ANY, 4, { 0x48, 0x89, 0x37, 0xc3 } },
	{ "mov immediate", 4, 1, 0, ANY, 7, { 0xc7, 7, 0x78, 0x56, 0x34, 0x12, 0xc3 } },
	{ "mov immediate quad", 8, 1, 0, ANY, 8,
	  { 0x48, 0xc7, 7, 0x88, 0x99, 0xaa, 0xff, 0xc3 } },
	{ "movnti", 8, 1, 0, ANY, 5, { 0x48, 0x0f, 0xc3, 0x37, 0xc3 } },
	{ "add", 4, 1, ARITHMETIC, ANY, 5, { 1, 0x37, 0x9c, 0x58, 0xc3 } },
	{ "or byte immediate", 1, 1, ARITHMETIC, ANY, 6, { 0x80, 0x0f, 0x55, 0x9c, 0x58, 0xc3 } },
	/* stc; adc: the flags go in, and come out */
	{ "adc", 8, 1, ARITHMETIC, ANY, 7, { 0xf9, 0x48, 0x11, 0x37, 0x9c, 0x58, 0xc3 } },
	{ "neg", 4, 1, ARITHMETIC, ANY, 5, { 0xf7, 0x1f, 0x9c, 0x58, 0xc3 } },
	{ "not byte", 1, 1, 0, ANY, 3, { 0xf6, 0x17, 0xc3 } },
	{ "shl", 4, 1, CARRY, ANY, 6, { 0xc1, 0x27, 3, 0x9c, 0x58, 0xc3 } },
	{ "bts", 8, 1, CARRY, ANY, 8, { 0x48, 0x0f, 0xba, 0x2f, 0x15, 0x9c, 0x58, 0xc3 } },
	{ "lock or", 4, 4, ARITHMETIC, ANY, 6, { 0xf0, 9, 0x37, 0x9c, 0x58, 0xc3 } },
	{ "lock inc quad", 8, 8, ZERO, ANY, 7, { 0xf0, 0x48, 0xff, 7, 0x9c, 0x58, 0xc3 } },
	/* locked without a word: across two lines the kernel may punish it with seconds */
	{ "xchg", 8, 8, ALL, ANY, 7, { 0x48, 0x87, 0x37, 0x48, 0x89, 0xf0, 0xc3 } },
	{ "xadd", 4, 1, ALL, ANY, 6, { 0x0f, 0xc1, 0x37, 0x89, 0xf0, 0xc3 } },
	/* mov (%rdi), %rax first, so that it succeeds */
	{ "lock cmpxchg", 8, 8, ZERO, ANY, 11,
	  { 0x48, 0x8b, 7, 0xf0, 0x48, 0x0f, 0xb1, 0x37, 0x9c, 0x58, 0xc3 } },
	/* xor %eax, %eax first, so that it fails, and stores what was there */
	{ "lock cmpxchg that fails", 8, 8, ALL, ANY, 8,
	  { 0x31, 0xc0, 0xf0, 0x48, 0x0f, 0xb1, 0x37, 0xc3 } },
	{ "sete", 1, 1, 0, ANY, 6, { 0x39, 0xf6, 0x0f, 0x94, 7, 0xc3 } },
	/* returns how far %rdi went */
	{ "stosq", 8, 1, ALL, ANY, 15,
	  { 0x48, 0x89, 0xf0, 0x48, 0x89, 0xfa, 0x48, 0xab, 0x48, 0x89, 0xf8, 0x48, 0x29, 0xd0,
	    0xc3 } },
	/* movq %rsi, %xmm0 first, here and below */
	{ "movups", 16, 1, 0, ANY, 9, { 0x66, 0x48, 0x0f, 0x6e, 0xc6, 0x0f, 0x11, 7, 0xc3 } },
	{ "movaps", 16, 16, 0, ANY, 9, { 0x66, 0x48, 0x0f, 0x6e, 0xc6, 0x0f, 0x29, 7, 0xc3 } },
	{ "movdqu", 16, 1, 0, ANY, 10,
	  { 0x66, 0x48, 0x0f, 0x6e, 0xc6, 0xf3, 0x0f, 0x7f, 7, 0xc3 } },
	{ "movntdq", 16, 16, 0, ANY, 10,
	  { 0x66, 0x48, 0x0f, 0x6e, 0xc6, 0x66, 0x0f, 0xe7, 7, 0xc3 } },
	{ "movsd", 8, 1, 0, ANY, 10,
	  { 0x66, 0x48, 0x0f, 0x6e, 0xc6, 0xf2, 0x0f, 0x11, 7, 0xc3 } },
	{ "movd", 4, 1, 0, ANY, 10, { 0x66, 0x48, 0x0f, 0x6e, 0xc6, 0x66, 0x0f, 0x7e, 7, 0xc3 } },
	{ "vmovups", 32, 1, 0, AVX, 13,
	  { 0xc4, 0xe1, 0xf9, 0x6e, 0xc6, 0xc5, 0xfc, 0x11, 7, 0xc5, 0xf8, 0x77, 0xc3 } },
	{ .name = NULL },
};

const struct store_form seldom_store_forms[] = {
	/* %rbx saved; what is there in %rdx:%rax, the value in %rcx:%rbx */
	{ "lock cmpxchg16b", 16, 16, 0, ANY, 21,
	  { 0x53, 0x48, 0x8b, 7, 0x48, 0x8b, 0x57, 8, 0x48, 0x89, 0xf3, 0x48, 0x89, 0xf1, 0xf0,
	    0x48, 0x0f, 0xc7, 0x0f, 0x5b, 0xc3 } },
	{ "pop", 8, 1, 0, ANY, 4, { 0x56, 0x8f, 7, 0xc3 } },
	{ "fstpl", 8, 1, 0, ANY, 5, { 0xd9, 0xe8, 0xdd, 0x1f, 0xc3 } },
	{ "fstpt", 10, 1, 0, ANY, 5, { 0xd9, 0xe8, 0xdb, 0x3f, 0xc3 } },
	{ "fnstcw", 2, 1, 0, ANY, 3, { 0xd9, 0x3f, 0xc3 } },
	{ "stmxcsr", 4, 1, 0, ANY, 4, { 0x0f, 0xae, 0x1f, 0xc3 } },
	{ "shld", 8, 1, CARRY, ANY, 8, { 0x48, 0x0f, 0xa4, 0x37, 12, 0x9c, 0x58, 0xc3 } },
	/* movq %rsi, %mm0 first, emms last */
	{ "movq of MMX", 8, 1, 0, ANY, 10,
	  { 0x48, 0x0f, 0x6e, 0xc6, 0x0f, 0x7f, 7, 0x0f, 0x77, 0xc3 } },
	{ "movntq", 8, 1, 0, ANY, 10,
	  { 0x48, 0x0f, 0x6e, 0xc6, 0x0f, 0xe7, 7, 0x0f, 0x77, 0xc3 } },
	/* the bytes of %xmm0 that are negative */
	{ "maskmovdqu", 16, 1, 0, ANY, 10,
	  { 0x66, 0x48, 0x0f, 0x6e, 0xc6, 0x66, 0x0f, 0xf7, 0xc0, 0xc3 } },
	{ "vpextrq", 8, 1, 0, AVX, 12,
	  { 0xc4, 0xe1, 0xf9, 0x6e, 0xc6, 0xc4, 0xe3, 0xf9, 0x16, 7, 0, 0xc3 } },
	{ "vmaskmovps", 32, 1, 0, AVX, 14,
	  { 0xc4, 0xe1, 0xf9, 0x6e, 0xc6, 0xc4, 0xe2, 0x7d, 0x2e, 7, 0xc5, 0xf8, 0x77, 0xc3 } },
	/* push $90; pop %rax; kmovw %eax, %k1: some of the elements, here and below */
	{ "vmovdqu32 with a mask", 64, 1, 0, AVX512, 22,
	  { 0x6a, 0x5a, 0x58, 0xc5, 0xf8, 0x92, 0xc8, 0xc4, 0xe1, 0xf9, 0x6e, 0xc6, 0x62, 0xf1,
	    0x7e, 0x49, 0x7f, 7, 0xc5, 0xf8, 0x77, 0xc3 } },
	/* each to the same place */
	{ "vpscatterdd", 4, 1, 0, AVX512, 24,
	  { 0x6a, 0x5a, 0x58, 0xc5, 0xf8, 0x92, 0xc8, 0xc5, 0xf9, 0x6e, 0xc6, 0xc5, 0xf1, 0xef,
	    0xc9, 0x62, 0xf2, 0x7d, 0x49, 0xa0, 0x04, 0x8f, 0x90, 0xc3 } },
	{ .name = NULL },
};

#else

const struct store_form store_forms[] = {
	/* by %al */
	{ "mov byte", 1, 1, 0, ANY, 5, { 0x89, 0xf0, 0x88, 7, 0xc3 } },
	{ "mov word", 2, 1, 0, ANY, 4, { 0x66, 0x89, 0x37, 0xc3 } },
	{ "mov long", 4, 1, 0, ANY, 3, { 0x89, 0x37, 0xc3 } },
	{ "mov immediate", 4, 1, 0, ANY, 7, { 0xc7, 7, 0x78, 0x56, 0x34, 0x12, 0xc3 } },
	{ "movnti", 4, 1, 0, ANY, 4, { 0x0f, 0xc3, 0x37, 0xc3 } },
	{ "add", 4, 1, ARITHMETIC, ANY, 5, { 1, 0x37, 0x9c, 0x58, 0xc3 } },
	{ "or byte immediate", 1, 1, ARITHMETIC, ANY, 6, { 0x80, 0x0f, 0x55, 0x9c, 0x58, 0xc3 } },
	/* stc; adc: the flags go in, and come out */
	{ "adc", 4, 1, ARITHMETIC, ANY, 6, { 0xf9, 0x11, 0x37, 0x9c, 0x58, 0xc3 } },
	{ "neg", 4, 1, ARITHMETIC, ANY, 5, { 0xf7, 0x1f, 0x9c, 0x58, 0xc3 } },
	{ "not byte", 1, 1, 0, ANY, 3, { 0xf6, 0x17, 0xc3 } },
	{ "shl", 4, 1, CARRY, ANY, 6, { 0xc1, 0x27, 3, 0x9c, 0x58, 0xc3 } },
	{ "bts", 4, 1, CARRY, ANY, 7, { 0x0f, 0xba, 0x2f, 0x15, 0x9c, 0x58, 0xc3 } },
	{ "lock or", 4, 4, ARITHMETIC, ANY, 6, { 0xf0, 9, 0x37, 0x9c, 0x58, 0xc3 } },
	{ "lock inc", 4, 4, ZERO, ANY, 6, { 0xf0, 0xff, 7, 0x9c, 0x58, 0xc3 } },
	/* locked without a word: across two lines the kernel may punish it with seconds */
	{ "xchg", 4, 4, ALL, ANY, 5, { 0x87, 0x37, 0x89, 0xf0, 0xc3 } },
	{ "xadd", 4, 1, ALL, ANY, 6, { 0x0f, 0xc1, 0x37, 0x89, 0xf0, 0xc3 } },
	/* mov (%edi), %eax first, so that it succeeds */
	{ "lock cmpxchg", 4, 4, ZERO, ANY, 9,
	  { 0x8b, 7, 0xf0, 0x0f, 0xb1, 0x37, 0x9c, 0x58, 0xc3 } },
	/* xor %eax, %eax first, so that it fails, and stores what was there */
	{ "lock cmpxchg that fails", 4, 4, ALL, ANY, 7,
	  { 0x31, 0xc0, 0xf0, 0x0f, 0xb1, 0x37, 0xc3 } },
	/* %ebx saved; what is there in %edx:%eax, the value in %ecx:%ebx */
	{ "lock cmpxchg8b", 8, 8, 0, ANY, 16,
	  { 0x53, 0x8b, 7, 0x8b, 0x57, 4, 0x89, 0xf3, 0x89, 0xf1, 0xf0, 0x0f, 0xc7, 0x0f, 0x5b,
	    0xc3 } },
	{ "sete", 1, 1, 0, ANY, 6, { 0x39, 0xf6, 0x0f, 0x94, 7, 0xc3 } },
	/* returns how far %edi went */
	{ "stosl", 4, 1, ALL, ANY, 10,
	  { 0x89, 0xf0, 0x89, 0xfa, 0xab, 0x89, 0xf8, 0x29, 0xd0, 0xc3 } },
	/* push %ebp; mov %edi, %ebp first */
	{ "mov by %ebp", 4, 1, 0, ANY, 8, { 0x55, 0x89, 0xfd, 0x89, 0x75, 0, 0x5d, 0xc3 } },
	/* movd %esi, %xmm0 first, here and below */
	{ "movups", 16, 1, 0, ANY, 8, { 0x66, 0x0f, 0x6e, 0xc6, 0x0f, 0x11, 7, 0xc3 } },
	{ "movaps", 16, 16, 0, ANY, 8, { 0x66, 0x0f, 0x6e, 0xc6, 0x0f, 0x29, 7, 0xc3 } },
	{ "movdqu", 16, 1, 0, ANY, 9, { 0x66, 0x0f, 0x6e, 0xc6, 0xf3, 0x0f, 0x7f, 7, 0xc3 } },
	{ "movntdq", 16, 16, 0, ANY, 9, { 0x66, 0x0f, 0x6e, 0xc6, 0x66, 0x0f, 0xe7, 7, 0xc3 } },
	{ "movsd", 8, 1, 0, ANY, 9, { 0x66, 0x0f, 0x6e, 0xc6, 0xf2, 0x0f, 0x11, 7, 0xc3 } },
	{ "movd", 4, 1, 0, ANY, 9, { 0x66, 0x0f, 0x6e, 0xc6, 0x66, 0x0f, 0x7e, 7, 0xc3 } },
	{ "vmovups", 32, 1, 0, AVX, 12,
	  { 0xc5, 0xf9, 0x6e, 0xc6, 0xc5, 0xfc, 0x11, 7, 0xc5, 0xf8, 0x77, 0xc3 } },
	{ .name = NULL },
};

const struct store_form seldom_store_forms[] = {
	{ "pop", 4, 1, 0, ANY, 4, { 0x56, 0x8f, 7, 0xc3 } },
	{ "fstpl", 8, 1, 0, ANY, 5, { 0xd9, 0xe8, 0xdd, 0x1f, 0xc3 } },
	{ "fstpt", 10, 1, 0, ANY, 5, { 0xd9, 0xe8, 0xdb, 0x3f, 0xc3 } },
	{ "fnstcw", 2, 1, 0, ANY, 3, { 0xd9, 0x3f, 0xc3 } },
	{ "stmxcsr", 4, 1, 0, ANY, 4, { 0x0f, 0xae, 0x1f, 0xc3 } },
	{ "shld", 4, 1, CARRY, ANY, 7, { 0x0f, 0xa4, 0x37, 12, 0x9c, 0x58, 0xc3 } },
	/* movd %esi, %mm0 first, emms last */
	{ "movq of MMX", 8, 1, 0, ANY, 9, { 0x0f, 0x6e, 0xc6, 0x0f, 0x7f, 7, 0x0f, 0x77, 0xc3 } },
	{ "movntq", 8, 1, 0, ANY, 9, { 0x0f, 0x6e, 0xc6, 0x0f, 0xe7, 7, 0x0f, 0x77, 0xc3 } },
	/* the bytes of %xmm0 that are negative */
	{ "maskmovdqu", 16, 1, 0, ANY, 9,
	  { 0x66, 0x0f, 0x6e, 0xc6, 0x66, 0x0f, 0xf7, 0xc0, 0xc3 } },
	{ "vpextrd", 4, 1, 0, AVX, 11,
	  { 0xc5, 0xf9, 0x6e, 0xc6, 0xc4, 0xe3, 0x79, 0x16, 7, 0, 0xc3 } },
	{ "vmaskmovps", 32, 1, 0, AVX, 13,
	  { 0xc5, 0xf9, 0x6e, 0xc6, 0xc4, 0xe2, 0x7d, 0x2e, 7, 0xc5, 0xf8, 0x77, 0xc3 } },
	/* push $90; pop %eax; kmovw %eax, %k1: some of the elements, here and below */
	{ "vmovdqu32 with a mask", 64, 1, 0, AVX512, 21,
	  { 0x6a, 0x5a, 0x58, 0xc5, 0xf8, 0x92, 0xc8, 0xc5, 0xf9, 0x6e, 0xc6, 0x62, 0xf1,
	    0x7e, 0x49, 0x7f, 7, 0xc5, 0xf8, 0x77, 0xc3 } },
	/* each to the same place */
	{ "vpscatterdd", 4, 1, 0, AVX512, 24,
	  { 0x6a, 0x5a, 0x58, 0xc5, 0xf8, 0x92, 0xc8, 0xc5, 0xf9, 0x6e, 0xc6, 0xc5, 0xf1, 0xef,
	    0xc9, 0x62, 0xf2, 0x7d, 0x49, 0xa0, 0x04, 0x8f, 0x90, 0xc3 } },
	{ .name = NULL },
};

#endif

bool store_form_works(const struct store_form *form)
{
	return form->needs == ANY ||
	       (form->needs == AVX ? __builtin_cpu_supports("avx") :
				     __builtin_cpu_supports("avx512f"));
}

uintptr_t interrupted_at(const void *context)
{
	const ucontext_t *registers = context;

	return (uintptr_t)registers->uc_mcontext.gregs[POINTER];
}

void call_again(long number, long last, void *context)
{
#ifdef __x86_64__
	static const int places[] = { REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8 };
	enum { RESULT = REG_RAX };
#else
	static const int places[] = { REG_EBX, REG_ECX, REG_EDX, REG_ESI, REG_EDI };
	enum { RESULT = REG_EAX };
#endif
	ucontext_t *registers = context;
	long a[5], result;

	for (int i = 0; i < 5; i++)
		a[i] = (long)registers->uc_mcontext.gregs[places[i]];
	result = syscall(number, a[0], a[1], a[2], a[3], a[4], last);
	registers->uc_mcontext.gregs[RESULT] = result == -1 ? -errno : result;
}

#endif
