/* store.c: a store that is carried out does what the processor does.
 *
 * Every instruction of a table is executed natively, on memory that can be
 * written, and again on the same memory, made read-only, where the handler of
 * SIGSEGV carries it out through a second mapping. Registers, flags and memory
 * are random, and the same both times; they must be the same afterwards.
 *
 * An argument is how many times as many cases are tried. */
#include "store.h"

#include "config.h"
#include "tap.h"

/* Where there is no decoder. */
#if !defined ZYDIS_SONAME || !defined __x86_64__

static int without(const char *reason)
{
	ucontext_t nothing;

	memset(&nothing, 0, sizeof nothing);
	CHECK(!store_carry_out(&nothing, NULL), "without a decoder no store is carried out");
	printf("ok %d - instructions # SKIP %s\n", ++tap_count, reason);
	return tap_done();
}

#endif

#ifndef ZYDIS_SONAME

int main(void)
{
	return without("built without Zydis");
}

#elif !defined(__x86_64__)

int main(void)
{
	return without("the table is of x86_64's instructions; tests/hosts/code-bytes.c has i386's");
}

#else

#include <cpuid.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096u

/* Fixed, and low: for absolute and for 32-bit addresses. */
#define MEMORY 0x12340000UL
#define MEMORY_PAGES 3u
#define MIDDLE (MEMORY + PAGE) /* targets lie on both sides */
#define WINDOW (MIDDLE - 1024) /* what is compared */
#define WINDOW_BYTES 2048u
#define SOURCE (MEMORY + 0x8000)
#define CODE (MEMORY + 0x10000)
#define CODE_PAGES 2u /* and one behind that nobody may touch */

#define CARRY 0x1
#define ADJUST 0x10
#define DIRECTION 0x400u
#define OVERFLOW 0x800u
#define RESUME 0x10000
#define FLAGS 0xcd5u /* with the direction */
#define ARITHMETIC 0x8d5u

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R12 = 12, R13, R14, R15 };

/* ------------------------------------------------------- running an instruction */

struct state {
	uint64_t registers[16];
	uint64_t flags;
};

static struct state now __attribute__((used));
static unsigned char vectors[32][64] __attribute__((used, aligned(64)));
static uint64_t run_target __attribute__((used)), run_stack __attribute__((used));
static void (*run_vectors)(void) __attribute__((used));

void run_blob(uintptr_t code);
void run_after(void);
void load_none(void);
void load_sse(void);
void load_avx(void);
void load_avx512(void);
void load_zero(void);
void load_zero512(void);

#define TEXT(x) #x
#define EACH_8(what) what(0) what(1) what(2) what(3) what(4) what(5) what(6) what(7)
#define EACH_16(what) \
	EACH_8(what) what(8) what(9) what(10) what(11) what(12) what(13) what(14) what(15)
#define EACH_32(what)                                                              \
	EACH_16(what) what(16) what(17) what(18) what(19) what(20) what(21) what(22) \
	what(23) what(24) what(25) what(26) what(27) what(28) what(29) what(30) what(31)
#define SSE(n) "movups vectors+64*" TEXT(n) "(%rip), %xmm" TEXT(n) "\n"
#define AVX(n) "vmovups vectors+64*" TEXT(n) "(%rip), %ymm" TEXT(n) "\n"
#define ZERO(n) "vpxord %zmm" TEXT(n) ", %zmm" TEXT(n) ", %zmm" TEXT(n) "\n"
#define AVX512(n) "vmovups vectors+64*" TEXT(n) "(%rip), %zmm" TEXT(n) "\n"

__asm__(".text\n"
	".globl load_none, load_sse, load_avx, load_avx512, load_zero, load_zero512\n"
	".globl run_blob, run_after\n"
	"load_sse:\n" EACH_16(SSE) "load_none: ret\n"
	"load_avx:\n" EACH_16(AVX) "ret\n"
	"load_avx512:\n" EACH_32(AVX512) "ret\n"
	"load_zero512:\n" EACH_32(ZERO) "load_zero: vzeroall\n ret\n"
	"run_blob:\n"
	"push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"mov %rsp, run_stack(%rip)\n"
	"mov %rdi, run_target(%rip)\n"
	"sub $8, %rsp\n"
	"call *run_vectors(%rip)\n"
	"pushq now+128(%rip); popfq\n"
	"mov now(%rip), %rax; mov now+8(%rip), %rcx; mov now+16(%rip), %rdx\n"
	"mov now+24(%rip), %rbx; mov now+32(%rip), %rsp; mov now+40(%rip), %rbp\n"
	"mov now+48(%rip), %rsi; mov now+56(%rip), %rdi; mov now+64(%rip), %r8\n"
	"mov now+72(%rip), %r9; mov now+80(%rip), %r10; mov now+88(%rip), %r11\n"
	"mov now+96(%rip), %r12; mov now+104(%rip), %r13; mov now+112(%rip), %r14\n"
	"mov now+120(%rip), %r15\n"
	"jmp *run_target(%rip)\n"
	"run_after:\n"
	"mov %rax, now(%rip); mov %rcx, now+8(%rip); mov %rdx, now+16(%rip)\n"
	"mov %rbx, now+24(%rip); mov %rsp, now+32(%rip); mov %rbp, now+40(%rip)\n"
	"mov %rsi, now+48(%rip); mov %rdi, now+56(%rip); mov %r8, now+64(%rip)\n"
	"mov %r9, now+72(%rip); mov %r10, now+80(%rip); mov %r11, now+88(%rip)\n"
	"mov %r12, now+96(%rip); mov %r13, now+104(%rip); mov %r14, now+112(%rip)\n"
	"mov %r15, now+120(%rip)\n"
	"mov run_stack(%rip), %rsp\n"
	"pushfq; popq now+128(%rip)\n"
	"cld\n"
	"pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"ret\n");

/* -------------------------------------------------------------------- the table */

/* What the registers must be for an instruction to hit the memory. */
#define PLAIN 0   /* (%rdi) */
#define BITS 1    /* (%rdi), and a bit number in %rsi */
#define SHIFT 2   /* (%rdi), and flags that depend on the count */
#define STACK 3   /* %rsp */
#define CALLS 4   /* the same; the instruction's end in %rax, (%rsi), 8(%rsp) */
#define STRING 5  /* %rdi, %rsi, %rcx */
#define INDEX 6   /* 0x12(%rdi,%rsi,8) */
#define NARROW 7  /* (%edi) */
#define BY_FS 8   /* %fs:(%rdi) */
#define BY_GS 9   /* %gs:(%rdi) */
#define FIXED 10  /* what the instruction says */
#define OTHERS 11 /* the target in r12 to r15 */
#define VECTOR 12
#define STRING_GS 13

#define ALWAYS 0
#define HAS_MOVBE 1
#define HAS_AVX 2
#define HAS_AVX512 3

struct encoding {
	const unsigned char *begin, *end;
	const char *text;
	unsigned kind, undefined, feature, alignment;
};

extern const struct encoding __start_encodings[], __stop_encodings[];
extern const struct encoding __start_unknowns[], __stop_unknowns[];

#define VALUE(x) TEXT(x)
#define ENTRY(section, kind, undefined, feature, alignment, text)                      \
	__asm__(".pushsection .rodata\n1: " text "\n2:\n3: .asciz \"" text "\"\n"      \
		".popsection\n"                                                        \
		".pushsection " section ",\"aw\",@progbits\n.balign 8\n"               \
		".quad 1b, 2b, 3b\n.long " VALUE(kind) ", " VALUE(undefined) ", " VALUE( \
			feature) ", " VALUE(alignment) "\n.popsection\n");
#define E(kind, undefined, text) ENTRY("encodings", kind, undefined, ALWAYS, 1, text)
#define V(feature, alignment, text) ENTRY("encodings", VECTOR, 0, feature, alignment, text)
#define U(text) ENTRY("unknowns", PLAIN, 0, ALWAYS, 1, text)

/* moves */
E(PLAIN, 0, "movb %al, (%rdi)")
E(PLAIN, 0, "movb %ah, (%rdi)")
E(PLAIN, 0, "movb %bh, (%rdi)")
E(PLAIN, 0, "movb %sil, (%rdi)")
E(PLAIN, 0, "movb %r9b, (%rdi)")
E(PLAIN, 0, "movw %cx, (%rdi)")
E(PLAIN, 0, "movw %r15w, (%rdi)")
E(PLAIN, 0, "movl %edx, (%rdi)")
E(PLAIN, 0, "movl %r8d, (%rdi)")
E(PLAIN, 0, "movq %rbp, (%rdi)")
E(PLAIN, 0, "movq %rsp, (%rdi)")
E(PLAIN, 0, "movq %rdi, (%rdi)")
E(PLAIN, 0, "movq %r10, (%rdi)")
E(PLAIN, 0, "movb $0xa5, (%rdi)")
E(PLAIN, 0, "movw $0xa5a5, (%rdi)")
E(PLAIN, 0, "movl $0xa5a5a5a5, (%rdi)")
E(PLAIN, 0, "movq $-0x5a5a5a5b, (%rdi)")
E(PLAIN, 0, "movq $0x12345678, (%rdi)")
E(PLAIN, 0, "movw %cs, (%rdi)")
E(PLAIN, 0, "movw %ss, (%rdi)")
E(PLAIN, 0, "movw %ds, (%rdi)")
E(PLAIN, 0, "movw %es, (%rdi)")
E(PLAIN, 0, "movw %fs, (%rdi)")
E(PLAIN, 0, "movw %gs, (%rdi)")
E(PLAIN, 0, "xrelease movl %eax, (%rdi)")
E(PLAIN, 0, "movntil %ecx, (%rdi)")
E(PLAIN, 0, "movntiq %r11, (%rdi)")
ENTRY("encodings", PLAIN, 0, HAS_MOVBE, 1, "movbe %ax, (%rdi)")
ENTRY("encodings", PLAIN, 0, HAS_MOVBE, 1, "movbe %ebx, (%rdi)")
ENTRY("encodings", PLAIN, 0, HAS_MOVBE, 1, "movbe %r14, (%rdi)")

/* addresses */
E(PLAIN, 0, "movl %eax, 0x7f(%rdi)")
E(PLAIN, 0, "movl %eax, -0x80(%rdi)")
E(PLAIN, 0, "movl %eax, 0x123(%rdi)")
E(INDEX, 0, "movl %eax, 0x12(%rdi,%rsi,8)")
E(INDEX, 0, "movq $-77, 0x12(%rdi,%rsi,8)")
E(INDEX, 0, "lock addq $-0x12345, 0x12(%rdi,%rsi,8)")
E(NARROW, 0, "movl %eax, (%edi)")
E(NARROW, 0, "addl %eax, (%edi)")
E(INDEX, 0, "movl %eax, 0x12(%edi,%esi,8)")
E(NARROW, 0, "addr32 movl %eax, 0x12340f33")
E(BY_FS, 0, "movl %eax, %fs:(%rdi)")
E(BY_FS, 0, "addq %rax, %fs:8(%rdi)")
E(BY_GS, 0, "movl %eax, %gs:(%rdi)")
E(BY_GS, 0, "incq %gs:(%rdi)")
E(FIXED, 0, "movabsb %al, 0x12340f01")
E(FIXED, 0, "movabsw %ax, 0x12341001")
E(FIXED, 0, "movabsl %eax, 0x12340ffe")
E(FIXED, 0, "movabsq %rax, 0x12341003")
E(FIXED, 0, ".byte 0x67, 0xa3, 0xf8, 0x0f, 0x34, 0x12") /* movl %eax, with a short offset */
E(FIXED, 0, "movl %ecx, 0x12341010")
E(FIXED, 0, "movl %ecx, -0xf003(%rip)")
E(FIXED, 0, "movl $0x1234567, -0xf0f0(%rip)")
E(FIXED, 0, "addl $0x1234567, -0xf0f0(%eip)")
E(OTHERS, 0, "movl %eax, (%r12)")
E(OTHERS, 0, "movl %eax, (%r13)")
E(OTHERS, 0, "movl %eax, 1(%r14,%r15,1)")

/* read, modify, write */
#define WIDTHS(operation, undefined, prefix)                        \
	E(PLAIN, undefined, prefix operation "b %al, (%rdi)")         \
	E(PLAIN, undefined, prefix operation "b %ch, (%rdi)")         \
	E(PLAIN, undefined, prefix operation "w %dx, (%rdi)")         \
	E(PLAIN, undefined, prefix operation "l %r9d, (%rdi)")        \
	E(PLAIN, undefined, prefix operation "q %rbx, (%rdi)")        \
	E(PLAIN, undefined, prefix operation "b $-2, (%rdi)")         \
	E(PLAIN, undefined, prefix operation "w $0x1234, (%rdi)")     \
	E(PLAIN, undefined, prefix operation "w $-3, (%rdi)")         \
	E(PLAIN, undefined, prefix operation "l $0x12345678, (%rdi)") \
	E(PLAIN, undefined, prefix operation "l $-1, (%rdi)")         \
	E(PLAIN, undefined, prefix operation "q $-0x12345678, (%rdi)") \
	E(PLAIN, undefined, prefix operation "q $7, (%rdi)")
#define UNARY(operation, prefix)                      \
	E(PLAIN, 0, prefix operation "b (%rdi)")      \
	E(PLAIN, 0, prefix operation "w (%rdi)")      \
	E(PLAIN, 0, prefix operation "l (%rdi)")      \
	E(PLAIN, 0, prefix operation "q (%rdi)")
WIDTHS("add", 0, "")
WIDTHS("or", ADJUST, "")
WIDTHS("adc", 0, "")
WIDTHS("sbb", 0, "")
WIDTHS("and", ADJUST, "")
WIDTHS("sub", 0, "")
WIDTHS("xor", ADJUST, "")
WIDTHS("add", 0, "lock ")
WIDTHS("sbb", 0, "lock ")
WIDTHS("xor", ADJUST, "lock ")
UNARY("inc", "")
UNARY("dec", "")
UNARY("not", "")
UNARY("neg", "")
UNARY("inc", "lock ")
UNARY("neg", "lock ")

/* exchanges */
#define EXCHANGE(operation)                      \
	E(PLAIN, 0, operation "b %al, (%rdi)")   \
	E(PLAIN, 0, operation "b %bh, (%rdi)")   \
	E(PLAIN, 0, operation "b %r8b, (%rdi)")  \
	E(PLAIN, 0, operation "w %ax, (%rdi)")   \
	E(PLAIN, 0, operation "w %cx, (%rdi)")   \
	E(PLAIN, 0, operation "l %eax, (%rdi)")  \
	E(PLAIN, 0, operation "l %r12d, (%rdi)") \
	E(PLAIN, 0, operation "q %rax, (%rdi)")  \
	E(PLAIN, 0, operation "q %rdi, (%rdi)")  \
	E(PLAIN, 0, operation "q %r13, (%rdi)")
EXCHANGE("xchg")
EXCHANGE("xadd")
EXCHANGE("lock xadd")
EXCHANGE("cmpxchg")
EXCHANGE("lock cmpxchg")
E(PLAIN, 0, "cmpxchg8b (%rdi)")
E(PLAIN, 0, "lock cmpxchg8b (%rdi)")

/* bits: all but the carry and, where it is left alone, the zero flag */
#define BIT(operation, prefix)                            \
	E(BITS, 0x894, prefix operation "w %si, (%rdi)")  \
	E(BITS, 0x894, prefix operation "l %esi, (%rdi)") \
	E(BITS, 0x894, prefix operation "q %rsi, (%rdi)") \
	E(BITS, 0x894, prefix operation "w $5, (%rdi)")   \
	E(BITS, 0x894, prefix operation "l $37, (%rdi)")  \
	E(BITS, 0x894, prefix operation "q $63, (%rdi)")
BIT("bts", "")
BIT("btr", "")
BIT("btc", "")
BIT("bts", "lock ")
BIT("btc", "lock ")

/* shifts: `undefined' is the count, 0 for %cl */
#define SHIFTED(operation, width)                       \
	E(SHIFT, 1, operation width " $1, (%rdi)")      \
	E(SHIFT, 3, operation width " $3, (%rdi)")      \
	E(SHIFT, 7, operation width " $7, (%rdi)")      \
	E(SHIFT, 8, operation width " $8, (%rdi)")      \
	E(SHIFT, 17, operation width " $17, (%rdi)")    \
	E(SHIFT, 31, operation width " $31, (%rdi)")    \
	E(SHIFT, 64, operation width " $64, (%rdi)")    \
	E(SHIFT, 0, operation width " %cl, (%rdi)")
#define SHIFTS(operation)      \
	SHIFTED(operation, "b") \
	SHIFTED(operation, "w") \
	SHIFTED(operation, "l") \
	SHIFTED(operation, "q")
SHIFTS("shl")
SHIFTS("shr")
SHIFTS("sar")
SHIFTS("rol")
SHIFTS("ror")
E(SHIFT, 1, ".byte 0xc1, 0x27, 1") /* the long form of a shift by 1 */
E(SHIFT, 3, ".byte 0xc1, 0x37, 3") /* the other name of shl */

/* conditions */
E(PLAIN, 0, "seto (%rdi)")
E(PLAIN, 0, "setno (%rdi)")
E(PLAIN, 0, "setb (%rdi)")
E(PLAIN, 0, "setnb (%rdi)")
E(PLAIN, 0, "setz (%rdi)")
E(PLAIN, 0, "setnz (%rdi)")
E(PLAIN, 0, "setbe (%rdi)")
E(PLAIN, 0, "setnbe (%rdi)")
E(PLAIN, 0, "sets (%rdi)")
E(PLAIN, 0, "setns (%rdi)")
E(PLAIN, 0, "setp (%rdi)")
E(PLAIN, 0, "setnp (%rdi)")
E(PLAIN, 0, "setl (%rdi)")
E(PLAIN, 0, "setnl (%rdi)")
E(PLAIN, 0, "setle (%rdi)")
E(PLAIN, 0, "setnle (%rdi)")

/* the stack */
E(STACK, 0, "pushq %rax")
E(STACK, 0, "pushq %rsp")
E(STACK, 0, "pushq %r15")
E(STACK, 0, "pushw %cx")
E(STACK, 0, "pushw %sp")
E(STACK, 0, "pushq $5")
E(STACK, 0, "pushq $-5")
E(STACK, 0, "pushq $-0x12345678")
E(STACK, 0, "pushw $0x1234")
E(STACK, 0, "pushw $-3")
E(STACK, 0, "pushq (%rsi)")
E(STACK, 0, "pushw (%rsi)")
E(STACK, 0, "pushq 24(%rsp)")
E(STACK, 0, "pushq -8(%rsp)")
E(CALLS, 0, ".byte 0xe8, 0, 0, 0, 0")
E(CALLS, 0, "call *%rax")
E(CALLS, 0, "call *(%rsi)")
E(CALLS, 0, "call *8(%rsp)")
E(CALLS, 0, "notrack call *%rax")

/* strings */
#define STRINGS(prefix)             \
	E(STRING, 0, prefix "stosb") \
	E(STRING, 0, prefix "stosw") \
	E(STRING, 0, prefix "stosl") \
	E(STRING, 0, prefix "stosq") \
	E(STRING, 0, prefix "movsb") \
	E(STRING, 0, prefix "movsw") \
	E(STRING, 0, prefix "movsl") \
	E(STRING, 0, prefix "movsq")
STRINGS("")
STRINGS("rep ")
STRINGS("addr32 ")
STRINGS("addr32 rep ")
E(STRING_GS, 0, "movsb %gs:(%rsi), %es:(%rdi)")
E(STRING_GS, 0, "rep movsl %gs:(%rsi), %es:(%rdi)")

/* vectors */
V(ALWAYS, 1, "movups %xmm0, (%rdi)")
V(ALWAYS, 1, "movupd %xmm1, (%rdi)")
V(ALWAYS, 1, "movdqu %xmm8, (%rdi)")
V(ALWAYS, 16, "movaps %xmm2, (%rdi)")
V(ALWAYS, 16, "movapd %xmm3, (%rdi)")
V(ALWAYS, 16, "movdqa %xmm15, (%rdi)")
V(ALWAYS, 16, "movntps %xmm4, (%rdi)")
V(ALWAYS, 16, "movntpd %xmm5, (%rdi)")
V(ALWAYS, 16, "movntdq %xmm6, (%rdi)")
V(ALWAYS, 1, "movd %xmm7, (%rdi)")
V(ALWAYS, 1, "movq %xmm9, (%rdi)")
V(ALWAYS, 1, ".byte 0x66, 0x48, 0x0f, 0x7e, 0x0f") /* movq %xmm1, the other one */
V(ALWAYS, 1, "movss %xmm10, (%rdi)")
V(ALWAYS, 1, "movsd %xmm11, (%rdi)")
V(ALWAYS, 1, "movlps %xmm12, (%rdi)")
V(ALWAYS, 1, "movlpd %xmm13, (%rdi)")
V(ALWAYS, 1, "movhps %xmm14, (%rdi)")
V(ALWAYS, 1, "movhpd %xmm0, (%rdi)")
V(HAS_AVX, 1, "vmovups %xmm0, (%rdi)")
V(HAS_AVX, 1, "vmovups %ymm15, (%rdi)")
V(HAS_AVX, 1, "vmovupd %xmm1, (%rdi)")
V(HAS_AVX, 1, "vmovupd %ymm9, (%rdi)")
V(HAS_AVX, 1, "vmovdqu %xmm7, (%rdi)")
V(HAS_AVX, 1, "vmovdqu %ymm8, (%rdi)")
V(HAS_AVX, 16, "vmovaps %xmm2, (%rdi)")
V(HAS_AVX, 32, "vmovaps %ymm3, (%rdi)")
V(HAS_AVX, 16, "vmovapd %xmm4, (%rdi)")
V(HAS_AVX, 32, "vmovapd %ymm5, (%rdi)")
V(HAS_AVX, 16, "vmovdqa %xmm6, (%rdi)")
V(HAS_AVX, 32, "vmovdqa %ymm14, (%rdi)")
V(HAS_AVX, 16, "vmovntps %xmm2, (%rdi)")
V(HAS_AVX, 32, "vmovntps %ymm3, (%rdi)")
V(HAS_AVX, 32, "vmovntpd %ymm5, (%rdi)")
V(HAS_AVX, 32, "vmovntdq %ymm5, (%rdi)")
V(HAS_AVX, 1, "vmovd %xmm7, (%rdi)")
V(HAS_AVX, 1, "vmovq %xmm9, (%rdi)")
V(HAS_AVX, 1, "vmovss %xmm10, (%rdi)")
V(HAS_AVX, 1, "vmovsd %xmm11, (%rdi)")
V(HAS_AVX, 1, "vmovlps %xmm12, (%rdi)")
V(HAS_AVX, 1, "vmovlpd %xmm13, (%rdi)")
V(HAS_AVX, 1, "vmovhps %xmm14, (%rdi)")
V(HAS_AVX, 1, "vmovhpd %xmm0, (%rdi)")
V(HAS_AVX512, 1, "vmovups %zmm0, (%rdi)")
V(HAS_AVX512, 1, "vmovupd %zmm17, (%rdi)")
V(HAS_AVX512, 1, "vmovdqu8 %xmm16, (%rdi)")
V(HAS_AVX512, 1, "vmovdqu16 %ymm31, (%rdi)")
V(HAS_AVX512, 1, "vmovdqu32 %zmm15, (%rdi)")
V(HAS_AVX512, 1, "vmovdqu64 %ymm16, (%rdi)")
V(HAS_AVX512, 1, "vmovdqu64 %zmm31, 0x40(%rdi)")
V(HAS_AVX512, 1, "vmovdqu64 %ymm16, -0x60(%rdi)")
V(HAS_AVX512, 64, "vmovdqa64 %zmm20, (%rdi)")
V(HAS_AVX512, 32, "vmovdqa32 %ymm1, (%rdi)")
V(HAS_AVX512, 64, "vmovaps %zmm7, (%rdi)")
V(HAS_AVX512, 64, "vmovntdq %zmm22, (%rdi)")
V(HAS_AVX512, 1, "vmovss %xmm22, (%rdi)")
V(HAS_AVX512, 1, "vmovq %xmm23, (%rdi)")
V(HAS_AVX512, 1, "vmovhps %xmm24, 8(%rdi)")

/* What is no store, or none that is carried out. %rdi is a multiple of 64. */
U("nop")
U("movq (%rdi), %rax")
U("movq %rax, %rbx")
U("xchgq %rcx, %rbx")
U("addq (%rdi), %rax")
U("addl %eax, %ebx")
U("cmpl %eax, (%rdi)")
U("testl %eax, (%rdi)")
U("leaq (%rdi), %rax")
U("btq %rax, (%rdi)")
U("cmovzq (%rdi), %rax")
U("movups (%rdi), %xmm0")
U("lock cmpxchg16b (%rdi)")
U("rcll %cl, (%rdi)")
U("rcrq $3, (%rdi)")
U("shldl $3, %eax, (%rdi)")
U("popq (%rdi)")
U("pushfq")
U("pushq %fs")
U("enter $16, $0")
U("lcall *(%rdi)")
U("data16 call *%rax")
U("ret")
U("syscall")
U("int3")
U("ud2")
U("insb")
U("repne stosb")
U("repne movsb")
U("fstpl (%rdi)")
U("fistpl (%rdi)")
U("fnstcw (%rdi)")
U("fxsave (%rdi)")
U("xsave (%rdi)")
U("stmxcsr (%rdi)")
U("movq %mm0, (%rdi)")
U("movd %mm0, (%rdi)")
U("movntq %mm0, (%rdi)")
U("maskmovdqu %xmm0, %xmm1")
U("extractps $1, %xmm0, (%rdi)")
U("movaps %xmm0, 1(%rdi)")
U("movdqa %xmm0, 8(%rdi)")
U("movntps %xmm0, 4(%rdi)")
U("vmovaps %ymm0, 16(%rdi)")
U("vmovdqa64 %zmm0, 32(%rdi)")
U("vmaskmovps %xmm0, %xmm1, (%rdi)")
U("vmovdqu8 %zmm0, (%rdi){%k1}")
U("vmovss %xmm0, (%rdi){%k1}")
U("vpscatterdd %xmm0, (%rdi,%xmm1,1){%k1}")
U(".byte 0x06")
U(".byte 0xf0, 0x89, 0x07") /* lock mov */
U(".byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66")

/* -------------------------------------------------------------------- the places */

static unsigned char *second, *code; /* other mappings, that can be written */
static uint64_t fs_base, gs_base;

static unsigned char *map_twice(uintptr_t at, unsigned pages, int protection)
{
	int fd = memfd_create("store", MFD_CLOEXEC);
	unsigned char *other;

	if (fd == -1 || ftruncate(fd, pages * PAGE) != 0 ||
	    mmap((void *)at, pages * PAGE, protection, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0) !=
		    (void *)at)
		return NULL;
	other = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return other == MAP_FAILED ? NULL : other;
}

static bool make_places(void)
{
	second = map_twice(MEMORY, MEMORY_PAGES, PROT_READ);
	code = map_twice(CODE, CODE_PAGES, PROT_READ | PROT_EXEC);
	return second && code &&
	       mmap((void *)SOURCE, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == (void *)SOURCE &&
	       mmap((void *)(CODE + CODE_PAGES * PAGE), PAGE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != MAP_FAILED;
}

static void make_writable(bool writable)
{
	mprotect((void *)MEMORY, MEMORY_PAGES * PAGE, writable ? PROT_READ | PROT_WRITE : PROT_READ);
}

/* The instruction, and a jump back that needs no register. */
static void put_code(const struct encoding *encoding, unsigned offset)
{
	static const unsigned char jump[] = { 0xff, 0x25, 0, 0, 0, 0 };
	size_t length = (size_t)(encoding->end - encoding->begin);
	uintptr_t back = (uintptr_t)run_after;
	unsigned char *to = code + offset;

	memcpy(to, encoding->begin, length);
	if (offset + length == CODE_PAGES * PAGE)
		return;
	memcpy(to + length, jump, sizeof jump);
	memcpy(to + length + sizeof jump, &back, sizeof back);
}

/* ------------------------------------------------------------------- the handler */

static struct {
	unsigned allowed; /* writes that will succeed */
	unsigned faults, writes, refusals;
	bool changed;     /* a refused context was changed all the same */
	bool led_astray;  /* the instruction pointer is neither on it nor behind it */
	bool resumes;     /* a breakpoint on the next instruction would be passed over */
	size_t length;    /* of the instruction; 0: where it goes is not looked at */
	void (*ask)(ucontext_t *context);
} seen;

static bool write_second(uintptr_t address, const void *bytes, size_t length)
{
	if (address < MEMORY || address - MEMORY > MEMORY_PAGES * PAGE - length ||
	    seen.allowed == 0)
		return false;
	seen.allowed--;
	seen.writes++;
	memcpy(second + (address - MEMORY), bytes, length);
	return true;
}

static void on_store(ucontext_t *context)
{
	greg_t *registers = context->uc_mcontext.gregs;
	gregset_t before;
	greg_t from = registers[REG_RIP];

	seen.faults++;
	memcpy(before, registers, sizeof before);
	if (store_carry_out(context, write_second)) {
		seen.led_astray |= seen.length && registers[REG_RIP] != from &&
				   registers[REG_RIP] != from + (greg_t)seen.length;
		seen.resumes |= registers[REG_RIP] != from && registers[REG_EFL] & RESUME;
		return;
	}
	seen.refusals++;
	seen.changed |= memcmp(before, registers, sizeof before) != 0;
	registers[REG_RIP] = (greg_t)(uintptr_t)run_after;
}

static void on_fault(int signal, siginfo_t *info, void *argument)
{
	ucontext_t *context = argument;
	uintptr_t address = (uintptr_t)info->si_addr;
	bool ours = address >= MEMORY && address < MEMORY + MEMORY_PAGES * PAGE;

	if (ours && seen.ask) {
		seen.ask(context);
		context->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)run_after;
	} else if (ours) {
		on_store(context);
	} else if (address == CODE + CODE_PAGES * PAGE) {
		context->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)run_after;
	} else {
		sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	}
}

static void forget(void)
{
	memset(&seen, 0, sizeof seen);
	seen.allowed = ~0u;
}

/* --------------------------------------------------------------------- the cases */

#define CASES 1000u

static struct outcome {
	struct state state;
	unsigned char window[WINDOW_BYTES];
} natives[CASES];

static uint64_t seed;

static uint64_t any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Numbers that carry and overflow more often than most do. */
static uint64_t telling(void)
{
	static const uint64_t numbers[] = { 0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff,
		0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, ~0ULL,
		0x0f, 0x10 };
	uint64_t draw = any();

	return draw & 0x100 ? any() : numbers[(draw >> 20) % (sizeof numbers / sizeof *numbers)];
}

static uint64_t between(int64_t low, int64_t high)
{
	return (uint64_t)(low + (int64_t)(any() % (uint64_t)(high - low + 1)));
}

/* Drawn once, and taken from another place each time. */
static const void *random_bytes(size_t length)
{
	static unsigned char pool[1 << 14];
	static bool filled;

	for (size_t i = 0; !filled && i < sizeof pool; i++)
		pool[i] = (unsigned char)(rand() >> 7);
	filled = true;
	return pool + any() % (sizeof pool - length);
}

static unsigned char *in_second(uintptr_t address)
{
	return second + (address - MEMORY);
}

static void random_memory(uintptr_t target)
{
	uint64_t word, pair = now.registers[RDX] << 32 | (now.registers[RAX] & 0xffffffff);

	memcpy(in_second(WINDOW), random_bytes(WINDOW_BYTES), WINDOW_BYTES);
	word = telling();
	if (any() & 0x40)
		memcpy(in_second(target), &word, 8);
	else if (any() & 0x80)
		memcpy(in_second(target), any() & 0x40 ? &now.registers[RAX] : &pair, 8);
}

static bool has_movbe(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && c & bit_MOVBE;
}

static bool has_avx512(void)
{
	return __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}

/* Sometimes all zeros: the processor knows that it need not save those. */
static void random_vectors(void)
{
	bool zero = (any() & 0x70) == 0;

	memcpy(vectors, random_bytes(sizeof vectors), sizeof vectors);
	if (has_avx512())
		run_vectors = zero ? load_zero512 : load_avx512;
	else if (__builtin_cpu_supports("avx"))
		run_vectors = zero ? load_zero : load_avx;
	else
		run_vectors = load_sse;
}

/* Across two cache lines a lock is one on the whole bus, which the kernel answers
 * with delays. */
static bool is_locked(const struct encoding *encoding)
{
	return strncmp(encoding->text, "lock", 4) == 0 || strncmp(encoding->text, "xchg", 4) == 0 ||
	       strncmp(encoding->text, "xrelease", 8) == 0;
}

/* Fills NOW and the memory. */
static void prepare(const struct encoding *encoding, unsigned offset)
{
	uintptr_t end = CODE + offset + (uintptr_t)(encoding->end - encoding->begin);
	uintptr_t target = MIDDLE + between(-200, 200);
	uint64_t *r = now.registers, high = any() << 32;

	for (unsigned i = 0; i < 16; i++)
		r[i] = telling();
	now.flags = 0x202 | (any() >> 8 & ARITHMETIC);
	target -= target % (is_locked(encoding) ? 8 : encoding->alignment);
	run_vectors = load_none;
	r[RDI] = target;
	switch (encoding->kind) {
	case BITS: r[RSI] = between(-800, 800); break;
	case STACK:
	case CALLS: r[RSP] = target; r[RSI] = SOURCE; break;
	case STRING:
	case STRING_GS:
		r[RSI] = any() & 0x20 ? SOURCE + 0x800 : target + between(-40, 40);
		r[RCX] = between(1, 64);
		now.flags |= any() & DIRECTION;
		break;
	case INDEX: r[RSI] = telling(); r[RDI] = target - 8 * r[RSI] - 0x12; break;
	case NARROW: r[RDI] |= high; break;
	case BY_FS: r[RDI] -= fs_base; break;
	case BY_GS: r[RDI] -= gs_base; break;
	case OTHERS:
		r[R12] = r[R13] = target;
		r[R14] = telling();
		r[R15] = target - r[R14];
		break;
	case VECTOR: random_vectors(); break;
	}
	if (encoding->kind == STRING && strstr(encoding->text, "addr32")) {
		r[RSI] |= high;
		r[RDI] |= high;
		r[RCX] |= strstr(encoding->text, "rep") ? high : 0;
	}
	if (encoding->kind == STRING_GS)
		r[RSI] -= gs_base;
	if (encoding->kind == STRING || encoding->kind == STACK)
		memcpy((void *)SOURCE, random_bytes(PAGE), PAGE);
	random_memory(target);
	if (encoding->kind == CALLS) {
		r[RAX] = end;
		*(uint64_t *)SOURCE = end;
		memcpy(in_second(target) + 8, &end, 8);
	}
}

/* Which flags mean something after a shift depends on the count. */
static uint64_t undefined_after_shift(const struct encoding *encoding, uint64_t cl)
{
	char width = encoding->text[0] == '.' ? 'l' : encoding->text[3];
	unsigned bits, count;
	bool rotates = strncmp(encoding->text, "ro", 2) == 0;

	bits = width == 'b' ? 8 : width == 'w' ? 16 : width == 'q' ? 64 : 32;
	count = (unsigned)(encoding->undefined ? encoding->undefined : cl) & (bits == 64 ? 63 : 31);
	if (count == 0)
		return 0;
	return (rotates ? 0 : ADJUST) | (count == 1 ? 0 : OVERFLOW) |
	       (!rotates && count >= bits ? CARRY : 0);
}

static uint64_t undefined_flags(const struct encoding *encoding, const struct state *before)
{
	if (encoding->kind == SHIFT)
		return undefined_after_shift(encoding, before->registers[RCX]);
	return encoding->undefined;
}

static bool same_states(const struct state *a, const struct state *b, uint64_t undefined)
{
	return memcmp(a->registers, b->registers, sizeof a->registers) == 0 &&
	       ((a->flags ^ b->flags) & FLAGS & ~undefined) == 0;
}

static void tell(const struct state *before, const struct outcome *native)
{
	for (unsigned i = 0; i < 16; i++)
		if (now.registers[i] != native->state.registers[i])
			printf("# register %u: %llx before, %llx natively, %llx\n", i,
			       (unsigned long long)before->registers[i],
			       (unsigned long long)native->state.registers[i],
			       (unsigned long long)now.registers[i]);
	printf("# flags: %llx before, %llx natively, %llx; rdi %llx\n",
	       (unsigned long long)before->flags, (unsigned long long)native->state.flags,
	       (unsigned long long)now.flags, (unsigned long long)before->registers[RDI]);
	for (unsigned i = 0; i < WINDOW_BYTES; i++)
		if (in_second(WINDOW)[i] != native->window[i])
			printf("# at %lx: %02x natively, %02x\n", WINDOW + i, native->window[i],
			       in_second(WINDOW)[i]);
}

static bool is_supported(const struct encoding *encoding)
{
	switch (encoding->feature) {
	case HAS_MOVBE: return has_movbe();
	case HAS_AVX: return __builtin_cpu_supports("avx");
	case HAS_AVX512: return has_avx512();
	default: return true;
	}
}

static void run_natively(const struct encoding *encoding, uint64_t first_seed)
{
	make_writable(true);
	seed = first_seed;
	for (unsigned i = 0; i < CASES; i++) {
		prepare(encoding, 0);
		run_blob(CODE);
		natives[i].state = now;
		memcpy(natives[i].window, in_second(WINDOW), WINDOW_BYTES);
	}
	make_writable(false);
}

static bool run_carried_out(const struct encoding *encoding, uint64_t first_seed)
{
	bool is_string = encoding->kind == STRING || encoding->kind == STRING_GS;
	unsigned bad = 0;

	seed = first_seed;
	for (unsigned i = 0; i < CASES && bad < 3; i++) {
		struct state before;

		prepare(encoding, 0);
		before = now;
		forget();
		seen.length = (size_t)(encoding->end - encoding->begin);
		run_blob(CODE);
		if (!same_states(&now, &natives[i].state, undefined_flags(encoding, &before)) ||
		    memcmp(natives[i].window, in_second(WINDOW), WINDOW_BYTES) != 0 ||
		    seen.refusals || seen.led_astray || seen.resumes ||
		    (!is_string && (seen.faults != 1 || seen.writes != 1))) {
			printf("# case %u: %u faults, %u refusals\n", i, seen.faults,
			       seen.refusals);
			tell(&before, &natives[i]);
			bad++;
		}
	}
	return bad == 0;
}

/* A writer that refuses: nothing has happened. What the processor itself changes
 * at a fault (an addr32 rep cuts its registers) is not looked at. */
static bool run_refused(const struct encoding *encoding)
{
	static unsigned char before[WINDOW_BYTES];
	bool good = true;

	for (unsigned i = 0; i < 20; i++) {
		prepare(encoding, 0);
		memcpy(before, in_second(WINDOW), WINDOW_BYTES);
		forget();
		seen.allowed = 0;
		run_blob(CODE);
		good = good && seen.refusals == 1 && !seen.changed &&
		       memcmp(before, in_second(WINDOW), WINDOW_BYTES) == 0;
	}
	return good;
}

static bool as_natively(const struct encoding *encoding, unsigned rounds)
{
	static uint64_t first_seed = 0x9e3779b97f4a7c15ULL;
	bool good = true;

	put_code(encoding, 0);
	while (rounds-- && good) {
		run_natively(encoding, ++first_seed);
		good = run_carried_out(encoding, first_seed);
	}
	return good;
}

static void each_instruction(unsigned rounds)
{
	bool refused = true;

	for (const struct encoding *e = __start_encodings; e < __stop_encodings; e++) {
		if (!is_supported(e)) {
			printf("ok %d - %s # SKIP not on this processor\n", ++tap_count, e->text);
			continue;
		}
		CHECK(as_natively(e, rounds), e->text);
		if (!run_refused(e)) {
			printf("# %s\n", e->text);
			refused = false;
		}
	}
	CHECK(refused, "a store that the writer refuses has changed nothing");
}

/* ----------------------------------------------------------------- other questions */

static bool runs_at(const struct encoding *encoding, unsigned offset)
{
	struct outcome native;
	struct state before;
	uint64_t first = any();

	put_code(encoding, offset);
	make_writable(true);
	seed = first;
	prepare(encoding, offset);
	run_blob(CODE + offset);
	native.state = now;
	memcpy(native.window, in_second(WINDOW), WINDOW_BYTES);
	make_writable(false);
	seed = first;
	prepare(encoding, offset);
	before = now;
	forget();
	run_blob(CODE + offset);
	return same_states(&now, &native.state, undefined_flags(encoding, &before)) &&
	       memcmp(native.window, in_second(WINDOW), WINDOW_BYTES) == 0 && seen.refusals == 0;
}

static void ends_of_pages(void)
{
	bool across = true, up_to = true;

	seed = 77;
	for (const struct encoding *e = __start_encodings; e < __stop_encodings; e++) {
		unsigned length = (unsigned)(e->end - e->begin);

		if (e->kind == FIXED || !is_supported(e))
			continue;
		for (unsigned part = 1; part < length; part++)
			across = runs_at(e, PAGE - part) && across;
		/* Behind the last page there is nothing to read. */
		up_to = runs_at(e, CODE_PAGES * PAGE - length) && up_to;
	}
	CHECK(across, "instructions that lie across two pages");
	CHECK(up_to, "instructions up to the end of what can be read");
}

static bool all_refused, none_written, none_changed;

static void ask_one(const ucontext_t *context, const unsigned char *instruction)
{
	ucontext_t copy = *context;
	gregset_t before;

	copy.uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)instruction;
	memcpy(before, copy.uc_mcontext.gregs, sizeof before);
	all_refused = !store_carry_out(&copy, write_second);
	none_written = seen.writes == 0;
	none_changed = memcmp(before, copy.uc_mcontext.gregs, sizeof before) == 0;
	seen.writes = 0;
}

static void ask_all(ucontext_t *context)
{
	for (const struct encoding *e = __start_unknowns; e < __stop_unknowns; e++) {
		ask_one(context, e->begin);
		CHECK(all_refused && none_written && none_changed, e->text);
	}
}

static const unsigned char plain_store[ARCH_INSTRUCTION_MOST] = { 0x89, 0x07 }; /* mov %eax, (%rdi) */

static void ask_narrow_code(ucontext_t *context)
{
	context->uc_mcontext.gregs[REG_CSGSFS] ^= 0x33 ^ 0x23;
	ask_one(context, plain_store);
	CHECK(all_refused && none_written, "in a 32-bit code segment nothing is understood");
	context->uc_mcontext.gregs[REG_CSGSFS] ^= 0x33 ^ 0x23;
	ask_one(context, plain_store);
	CHECK(!all_refused && !none_written, "which is understood elsewhere");
}

static void ask_without_count(ucontext_t *context)
{
	static const unsigned char rep_stosb[ARCH_INSTRUCTION_MOST] = { 0xf3, 0xaa };

	context->uc_mcontext.gregs[REG_RCX] = 0;
	ask_one(context, rep_stosb);
	CHECK(all_refused && none_written, "a string instruction that has nothing to do");
}

/* With registers that would let each of them store. */
static void ask_at_a_fault(void (*ask)(ucontext_t *context))
{
	const struct encoding store = { plain_store, plain_store + sizeof plain_store, "", PLAIN, 0,
		ALWAYS, 64 };

	put_code(&store, 0);
	prepare(&store, 0);
	now.registers[RAX] = CODE;
	now.registers[RCX] = 1;
	now.registers[RSP] = now.registers[RDI];
	now.registers[RSI] = SOURCE;
	forget();
	seen.ask = ask;
	run_blob(CODE);
}

/* What is loaded from may be what the host has no access to, either. */
static void ask_without_source(ucontext_t *context)
{
	static const unsigned char movsb[ARCH_INSTRUCTION_MOST] = { 0xa4 };
	static const unsigned char push[ARCH_INSTRUCTION_MOST] = { 0xff, 0x36 }; /* (%rsi) */
	uintptr_t nowhere = CODE + CODE_PAGES * PAGE;

	context->uc_mcontext.gregs[REG_RSI] = (greg_t)nowhere;
	ask_one(context, movsb);
	CHECK(all_refused && none_written && none_changed, "a source that cannot be read");
	context->uc_mcontext.gregs[REG_RSI] = (greg_t)nowhere - 4;
	ask_one(context, push);
	CHECK(all_refused && none_written && none_changed, "or the half of which cannot");
}

/* ------------------------------------------------------------------ long strings */

static const struct encoding *find(const char *text)
{
	for (const struct encoding *e = __start_encodings; e < __stop_encodings; e++)
		if (strcmp(e->text, text) == 0)
			return e;
	abort();
}

static void run_string(const char *text, uint64_t to, uint64_t count, uint64_t flags)
{
	put_code(find(text), 0);
	run_vectors = load_none;
	now.registers[RAX] = 0x5a;
	now.registers[RDI] = to;
	now.registers[RSI] = to + 2;
	now.registers[RCX] = count;
	now.flags = 0x202 | flags;
	run_blob(CODE);
}

static unsigned bytes_of_5a(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < MEMORY_PAGES * PAGE; i++)
		count += second[i] == 0x5a;
	return count;
}

static void over_pages(void)
{
	memset(second, 0, MEMORY_PAGES * PAGE);
	forget();
	run_string("rep stosb", MEMORY + 10, 3 * PAGE - 20, 0);
	SAME(seen.faults, 3, "a string over three pages faults once on each");
	SAME(bytes_of_5a(), 3 * PAGE - 20, "and all of it is stored");
	CHECK(second[9] == 0 && second[10] == 0x5a, "from its beginning");
	SAME((long long)now.registers[RCX], 0, "the count is used up");
	SAME((long long)now.registers[RDI], MEMORY + 3 * PAGE - 10, "the target is behind");

	memset(second, 0, MEMORY_PAGES * PAGE);
	forget();
	run_string("rep stosb", MEMORY + 3 * PAGE - 11, 3 * PAGE - 20, DIRECTION);
	SAME(seen.faults, 3, "downwards too");
	SAME(bytes_of_5a(), 3 * PAGE - 20, "and all of it is stored");
	SAME((long long)now.registers[RDI], MEMORY + 9, "the target is before");
}

static void overlapping(void)
{
	for (unsigned i = 0; i < MEMORY_PAGES * PAGE; i++)
		second[i] = (unsigned char)(i % 251);
	forget();
	run_string("rep movsb", MEMORY + PAGE, 2000, 0);
	SAME(seen.faults, 1, "a string on one page faults once");
	CHECK(second[PAGE] == (PAGE + 2) % 251 && second[PAGE + 1999] == (PAGE + 2001) % 251,
	      "copied from where it overlaps");
}

/* The writer gives up in the middle: what is done is counted, and no more. */
static void broken_off(void)
{
	memset(second, 0, MEMORY_PAGES * PAGE);
	forget();
	seen.allowed = 3;
	run_string("rep stosb", MEMORY + 10, 2000, 0);
	SAME(seen.refusals, 1, "a string that is broken off is refused in the end");
	CHECK(!seen.changed, "without a change by the refusal");
	CHECK(bytes_of_5a() > 0 && now.registers[RCX] > 0, "when some of it is done");
	SAME((long long)(bytes_of_5a() + now.registers[RCX]), 2000, "which the count tells");
	SAME((long long)(now.registers[RDI] - MEMORY - 10), bytes_of_5a(), "and the target");
}

/* ------------------------------------------------------------------------- begin */

static bool begin(void)
{
	static unsigned char stack[1 << 16] __attribute__((aligned(16)));
	stack_t other = { .ss_sp = stack, .ss_size = sizeof stack };
	struct sigaction action = { .sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO | SA_ONSTACK };
	uint64_t gs = MEMORY - 0x12345;

	syscall(SYS_arch_prctl, 0x1003 /* ARCH_GET_FS */, &fs_base);
	syscall(SYS_arch_prctl, 0x1001 /* ARCH_SET_GS */, gs);
	gs_base = gs;
	return make_places() && sigaltstack(&other, NULL) == 0 &&
	       sigaction(SIGSEGV, &action, NULL) == 0;
}

/* Where there is no memory for what has been decoded. */
static void begin_without_memory(decode *decoder)
{
	struct rlimit before, none;

	getrlimit(RLIMIT_AS, &before);
	none = before;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_AS, &none);
	store_begin(decoder);
	setrlimit(RLIMIT_AS, &before);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1;
	decode *decoder;

	decoder_find();
	decoder_open(&decoder);
	store_begin(decoder);
	if (!CHECK(decoder, "the decoder is " ZYDIS_SONAME))
		return tap_done();
	if (!begin()) {
		printf("1..0 # SKIP no memory where it is wanted, or none for code\n");
		return 0;
	}
	each_instruction(rounds > 0 ? (unsigned)rounds : 1);
	ends_of_pages();
	ask_at_a_fault(ask_all);
	ask_at_a_fault(ask_narrow_code);
	ask_at_a_fault(ask_without_count);
	ask_at_a_fault(ask_without_source);
	over_pages();
	overlapping();
	broken_off();
	begin_without_memory(decoder);
	ends_of_pages();
	overlapping();
	return tap_done();
}

#endif
