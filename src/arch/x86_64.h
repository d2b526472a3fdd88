/* arch/x86_64.h: all that is particular to x86_64: the system call
 * instruction, the kernel's structures, the names of registers. See arch/x86.h for what
 * i386 has, too.
 *
 * Async-signal-safe, no locks. Sources: syscall(2), sigaction(2). */
#ifndef JITMEND_ARCH_X86_64_H
#define JITMEND_ARCH_X86_64_H

#include <stdint.h>
#include <ucontext.h>

#define ARCH_PAGE_SIZE 4096UL
#define ARCH_ADDRESS_BITS 47 /* of user space, without five-level tables */
#define ARCH_ADDRESS_LIMIT (1UL << ARCH_ADDRESS_BITS)

static inline long arch_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

#include "word64.h"

/* The kernel wants a restorer for every handler. The bytes are those that
 * debuggers and unwinders know a signal frame by; gdb looks at them only where it
 * knows no name, or glibc's (amd64_linux_sigtramp_p in its amd64-linux-tdep.c). */
extern void arch_restore_rt(void) __asm__("__restore_rt") __attribute__((visibility("hidden")));

#define ARCH_CODE                                 \
	".text\n"                                 \
	".p2align 4\n"                            \
	"	nop\n"                            \
	".globl __restore_rt\n"                   \
	".hidden __restore_rt\n"                  \
	".type __restore_rt, @function\n"         \
	"__restore_rt:\n"                         \
	"	movq $15, %rax\n"                 \
	"	syscall\n"                        \
	".size __restore_rt, .-__restore_rt\n"

#define ARCH_SA_RESTORER 0x04000000

/* As setjmp(3) without a mask, and its 1. */
#define ARCH_JUMP_WORDS 5
#define arch_setjmp(place) __builtin_setjmp(place)
#define arch_longjmp(place) __builtin_longjmp(place, 1)

/* FUNCTION(ARGUMENT) with the stack that ends at END. Unwinders find the way back. */
long arch_run_on_stack(uintptr_t end, long (*function)(void *), void *argument)
	__attribute__((visibility("hidden")));

#define ARCH_RUN_ON_STACK_ASM                             \
	".text\n"                                         \
	".p2align 4\n"                                    \
	".globl arch_run_on_stack\n"                      \
	".hidden arch_run_on_stack\n"                     \
	".type arch_run_on_stack, @function\n"            \
	"arch_run_on_stack:\n"                            \
	"	.cfi_startproc\n"                         \
	"	pushq %rbp\n"                             \
	"	.cfi_def_cfa_offset 16\n"                 \
	"	.cfi_offset %rbp, -16\n"                  \
	"	movq %rsp, %rbp\n"                        \
	"	.cfi_def_cfa_register %rbp\n"             \
	"	movq %rdi, %rsp\n"                        \
	"	movq %rdx, %rdi\n"                        \
	"	callq *%rsi\n"                            \
	"	leave\n"                                  \
	"	.cfi_def_cfa %rsp, 8\n"                   \
	"	ret\n"                                    \
	"	.cfi_endproc\n"                           \
	".size arch_run_on_stack, .-arch_run_on_stack\n"

#define ARCH_AX REG_RAX
#define ARCH_BX REG_RBX
#define ARCH_CX REG_RCX
#define ARCH_DX REG_RDX
#define ARCH_SI REG_RSI
#define ARCH_DI REG_RDI
#define ARCH_SP REG_RSP
#define ARCH_IP REG_RIP
#define ARCH_CALL_REGISTERS { REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9 }

#include "x86.h"

/* The last byte of the frame of the signal that CONTEXT is of: the mark behind the extended
 * state, which the kernel writes by itself. 0: there is none. Source: asm/sigcontext.h. */
#define ARCH_SOFTWARE_BYTES 464 /* of struct _fpstate, where sw_reserved begins */
#define ARCH_XSTATE_MAGIC 0x46505853U

static inline uintptr_t arch_frame_end(const ucontext_t *context)
{
	const char *state = (const char *)context->uc_mcontext.fpregs;
	const uint32_t *words;

	if (!state)
		return 0;
	words = (const uint32_t *)(const void *)(state + ARCH_SOFTWARE_BYTES);
	return words[0] == ARCH_XSTATE_MAGIC ? (uintptr_t)state + words[1] - 1 : 0;
}

#define ARCH_SYSTEM_CALL { 0x0f, 0x05 }

/* ------------------------------------- instructions, decoded (store.c, detour.c) */

/* Of code in the kernel's segment for 64-bit programs. */
static inline int arch_is_usual_code(const ucontext_t *context)
{
	return (context->uc_mcontext.gregs[REG_CSGSFS] & 0xffff) == 0x33;
}

#define ARCH_WORD_BYTES 8u
#define ARCH_DECODER_MODE ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64

#define ARCH_GENERAL_REGISTERS                                                         \
	{                                                                              \
		REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI, \
		REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,  \
	}

static inline uintptr_t arch_fault_address(const ucontext_t *context)
{
	return (uintptr_t)context->uc_mcontext.gregs[REG_CR2];
}

/* RDSSP does nothing where there is none. */
static inline int arch_has_shadow_stack(void)
{
	uint64_t top = 0;

	__asm__ volatile(".byte 0xf3, 0x48, 0x0f, 0x1e, 0xc8" /* rdsspq %rax */ : "+a"(top));
	return top != 0;
}

/* FS and GS have a base. */
static inline int arch_thread_segment_base(int gs, uint64_t *base)
{
	return arch_syscall(SYS_arch_prctl, gs ? 0x1004 /* ARCH_GET_GS */ : 0x1003 /* ARCH_GET_FS */,
			    (long)base, 0, 0, 0, 0) == 0;
}

/* A signal frame has the segments CS and SS; the others are as they were. NUMBER is
 * that of instructions: es, cs, ss, ds, fs, gs. */
static inline uint16_t arch_segment(const ucontext_t *context, int number)
{
	uint64_t saved = (uint64_t)context->uc_mcontext.gregs[REG_CSGSFS];
	uint16_t now = 0;

	switch (number) {
	case 0: __asm__ volatile("mov %%es, %0" : "=r"(now)); break;
	case 1: now = (uint16_t)saved; break;
	case 2: now = (uint16_t)(saved >> 48); break;
	case 3: __asm__ volatile("mov %%ds, %0" : "=r"(now)); break;
	case 4: __asm__ volatile("mov %%fs, %0" : "=r"(now)); break;
	case 5: __asm__ volatile("mov %%gs, %0" : "=r"(now)); break;
	}
	return now;
}

/* The FXSAVE area; NULL: there is none. */
static inline const unsigned char *arch_vector_area(const ucontext_t *context)
{
	return (const unsigned char *)context->uc_mcontext.fpregs;
}

#define ARCH_VECTORS 16u /* without a mark of their own in the XSAVE area */

/* An instruction that runs in another place is followed by jmp *0(%rip), and TO. */
#define ARCH_JUMP_BACK_BYTES 14

static inline void arch_write_jump_back(unsigned char *code, uintptr_t at, uintptr_t to)
{
	static const unsigned char jump[] = { 0xff, 0x25, 0, 0, 0, 0 };

	(void)at;
	__builtin_memcpy(code, jump, sizeof jump);
	__builtin_memcpy(code + sizeof jump, &to, sizeof to);
}

/* ------------------------------------------- patched entry points (patch.c) */

/* endbr64: where indirect jumps are tracked they may only lead here. */
#define ARCH_LANDING { 0xf3, 0x0f, 0x1e, 0xfa }

#define ARCH_JUMP_BYTES 5

/* jmp TO, as it stands at AT. False: too far away. */
static inline int arch_write_jump(unsigned char *code, uintptr_t at, uintptr_t to)
{
	int64_t distance = (int64_t)(to - (at + ARCH_JUMP_BYTES));

	if (distance != (int32_t)distance)
		return 0;
	code[0] = 0xe9;
	for (int i = 0; i < 4; i++)
		code[1 + i] = (unsigned char)((uint64_t)distance >> 8 * i);
	return 1;
}

/* For the entry NUMBER: on to its target (patch.c), by where the return address lies. Of the
 * registers, r11 is free on entry to a function. */
#define ARCH_PATCH_STUB                                               \
	"	movq (%rsp), %r11\n"                                  \
	"	subq patch_text(%rip), %r11\n"                        \
	"	cmpq patch_text+8(%rip), %r11\n"                      \
	"	movq patch_targets+16*\\number(%rip), %r11\n"         \
	"	cmovbq patch_targets+16*\\number+8(%rip), %r11\n"     \
	"	jmpq *%r11\n"

/* --------------------------------- nested functions (trampoline.c) */

#define ARCH_TRAMPOLINE_MOST 27 /* bytes */

struct arch_trampoline {
	uint64_t function, chain;
	unsigned length;
};

static inline uint64_t arch_read_word(const unsigned char *code, int bytes)
{
	uint64_t word = 0;

	for (int i = 0; i < bytes; i++)
		word |= (uint64_t)code[i] << 8 * i;
	return word;
}

/* endbr64, with -fcf-protection; mov $FUNCTION, %r11, or into its lower half; movabs
 * $CHAIN, %r10; rex.W jmp *%r11. */
static inline int arch_read_trampoline(const unsigned char *code, uintptr_t at,
				       struct arch_trampoline *found)
{
	const unsigned char *rest = code;
	int bytes;

	(void)at;
	if (rest[0] == 0xf3 && rest[1] == 0x0f && rest[2] == 0x1e && rest[3] == 0xfa)
		rest += 4;
	if (rest[1] != 0xbb || (rest[0] != 0x49 && rest[0] != 0x41))
		return 0;
	bytes = rest[0] == 0x49 ? 8 : 4;
	found->function = arch_read_word(rest + 2, bytes);
	rest += 2 + bytes;
	if (rest[0] != 0x49 || rest[1] != 0xba || rest[10] != 0x49 || rest[11] != 0xff ||
	    rest[12] != 0xe3)
		return 0;
	found->chain = arch_read_word(rest + 2, 8);
	found->length = (unsigned)(rest + 13 - code);
	return 1;
}

static inline void arch_run_trampoline(ucontext_t *context, const struct arch_trampoline *found)
{
	context->uc_mcontext.gregs[REG_R11] = (greg_t)found->function;
	context->uc_mcontext.gregs[REG_R10] = (greg_t)found->chain;
	context->uc_mcontext.gregs[REG_RIP] = (greg_t)found->function;
}

/* ------------------------------------- the loader's system calls (rtld.c) */

/* mmap, mprotect and munmap; each has a stub, in this order. */
#define ARCH_RTLD_CALLS { 9, 10, 11 }

/* Of the place: how long it is, and where in it the zeros begin. */
#define ARCH_RTLD_CALL_BYTES 7
#define ARCH_RTLD_ZEROS 2

/* mov $NUMBER, %eax; syscall: the number, or -1. The text is from START to END. */
static inline long arch_system_call_at(const unsigned char *code, uintptr_t start, uintptr_t end)
{
	(void)start;
	(void)end;
	if (code[0] != 0xb8 || code[2] || code[3] || code[4] || code[5] != 0x0f || code[6] != 0x05)
		return -1;
	return code[1];
}

extern const char arch_rtld_stubs[] __attribute__((visibility("hidden")));

#define ARCH_RTLD_STUB_BYTES 16

/* What leads the call at CODE to the stub of that number, from *AT on: call STUB; xchg %ax,
 * %ax. How many bytes, 0: it is too far away. */
static inline unsigned arch_lead_call(const unsigned char *code, unsigned number, uintptr_t *at,
				      unsigned char *bytes)
{
	uintptr_t stub = (uintptr_t)arch_rtld_stubs + number * ARCH_RTLD_STUB_BYTES;

	*at = (uintptr_t)code;
	if (!arch_write_jump(bytes, *at, stub))
		return 0;
	bytes[0] = 0xe8;
	bytes[5] = 0x66;
	bytes[6] = 0x90;
	return ARCH_RTLD_CALL_BYTES;
}

/* Of the registers a system call changes rax, rcx and r11 alone. The vector registers
 * are not kept: what the loader has there does not last over a call of its functions
 * anyway. */
#define ARCH_RTLD_STUBS                                               \
	".text\n"                                                     \
	".p2align 4\n"                                                \
	".hidden arch_rtld_stubs\n"                                   \
	".type arch_rtld_stubs, @function\n"                          \
	"arch_rtld_stubs:\n"                                          \
	"	.cfi_startproc\n"                                     \
	".irp number, 9, 10, 11\n"                                    \
	"	.p2align 4\n"                                         \
	"	movl $\\number, %eax\n"                               \
	"	jmp 0f\n"                                             \
	".endr\n"                                                     \
	"0:	pushq %rbp\n"                                         \
	"	.cfi_def_cfa_offset 16\n"                             \
	"	.cfi_offset rbp, -16\n"                               \
	"	movq %rsp, %rbp\n"                                    \
	"	.cfi_def_cfa_register rbp\n"                          \
	"	pushq %r9\n"                                          \
	"	pushq %r8\n"                                          \
	"	pushq %r10\n"                                         \
	"	pushq %rdx\n"                                         \
	"	pushq %rsi\n"                                         \
	"	pushq %rdi\n"                                         \
	"	movl %eax, %edi\n"                                    \
	"	movq %rsp, %rsi\n"                                    \
	"	movq 8(%rbp), %rdx\n"                                 \
	"	andq $-16, %rsp\n"                                    \
	"	call rtld_call\n"                                     \
	"	leaq -48(%rbp), %rsp\n"                               \
	"	popq %rdi\n"                                          \
	"	popq %rsi\n"                                          \
	"	popq %rdx\n"                                          \
	"	popq %r10\n"                                          \
	"	popq %r8\n"                                           \
	"	popq %r9\n"                                           \
	"	popq %rbp\n"                                          \
	"	.cfi_def_cfa rsp, 8\n"                                \
	"	ret\n"                                                \
	"	.cfi_endproc\n"                                       \
	".globl arch_rtld_stubs\n"                                    \
	".size arch_rtld_stubs, .-arch_rtld_stubs\n"

/* ------------------------------------------- the door of agent/ (agent.h) */

#define ARCH_ELF_MACHINE EM_X86_64
#define ARCH_AUDIT AUDIT_ARCH_X86_64 /* linux/audit.h: in struct seccomp_data */

/* Of a library's relocations (library.c). */
#define ARCH_RELOCATION_RELATIVE R_X86_64_RELATIVE
#define ARCH_RELOCATION_WORD R_X86_64_64
#define ARCH_RELOCATION_DATA R_X86_64_GLOB_DAT
#define ARCH_RELOCATION_FUNCTION R_X86_64_JUMP_SLOT

static inline void arch_set_call_result(ucontext_t *context, long result)
{
	context->uc_mcontext.gregs[REG_RAX] = result;
}

static inline void arch_set_stack(ucontext_t *context, uintptr_t stack)
{
	context->uc_mcontext.gregs[REG_RSP] = (greg_t)stack;
}

/* The kernel's first instruction: the stack pointer goes to FUNCTION. */
#define ARCH_AGENT_START(function)                \
	".text\n"                                 \
	".globl _start\n"                         \
	".type _start, @function\n"               \
	"_start:\n"                               \
	"	.cfi_startproc\n"                 \
	"	.cfi_undefined rip\n"             \
	"	xorl %ebp, %ebp\n"                \
	"	movq %rsp, %rdi\n"                \
	"	andq $-16, %rsp\n"                \
	"	call " function "\n"              \
	"	hlt\n"                            \
	"	.cfi_endproc\n"                   \
	".size _start, .-_start\n"

/* The program's first: registers are zero, but for its stack (System V ABI). Does
 * not return. */
#define ARCH_AGENT_ENTER(stack, entry)                                        \
	do {                                                                  \
		__asm__ volatile("movq %0, %%rsp\n\t"                         \
				 "pushq %1\n\t"                              \
				 "xorl %%eax, %%eax\n\t"                     \
				 "xorl %%ebx, %%ebx\n\t"                     \
				 "xorl %%ecx, %%ecx\n\t"                     \
				 "xorl %%edx, %%edx\n\t"                     \
				 "xorl %%esi, %%esi\n\t"                     \
				 "xorl %%edi, %%edi\n\t"                     \
				 "xorl %%ebp, %%ebp\n\t"                     \
				 "xorl %%r8d, %%r8d\n\t"                     \
				 "xorl %%r9d, %%r9d\n\t"                     \
				 "xorl %%r10d, %%r10d\n\t"                   \
				 "xorl %%r11d, %%r11d\n\t"                   \
				 "ret"                                        \
				 :                                            \
				 : "r"(stack), "r"(entry)                     \
				 : "memory");                                 \
		__builtin_unreachable();                                      \
	} while (0)

#endif
