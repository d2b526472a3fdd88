/* arch/aarch64.h: all that is particular to aarch64: the system call
 * instruction, the kernel's structures, the words of a fault, the caches.
 *
 * Async-signal-safe, no locks. Sources: syscall(2), sigaction(2), the kernel's
 * arch/arm64/include/uapi/asm/sigcontext.h for the records of a signal frame, the
 * Arm Architecture Reference Manual for the syndrome (ESR_EL1), for the encoding
 * of loads and stores, and for the cache type register (CTR_EL0). */
#ifndef JITMEND_ARCH_AARCH64_H
#define JITMEND_ARCH_AARCH64_H

#include <stdint.h>
#include <ucontext.h>

/* Kernels with pages of 16 or 64 KiB exist; start.c looks. */
#define ARCH_PAGE_SIZE 4096UL
#define ARCH_ADDRESS_BITS 48 /* of user space; more only for who asks mmap for it */
#define ARCH_ADDRESS_LIMIT (1UL << ARCH_ADDRESS_BITS)

/* The result takes the first argument's register: it is kept in another as well,
 * for arch_call_argument. */
static inline long arch_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;
	register long x9 __asm__("x9") = a;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5), "r"(x9)
			 : "memory");
	return x0;
}

#include "word64.h"

/* Handlers return to the kernel's own code in the vdso, which unwinders know and
 * which may be jumped to where landing pads are asked for: no restorer of ours. */
#define ARCH_CODE                                  \
	".text\n"                                  \
	".p2align 2\n"                             \
	".globl arch_setjmp\n"                     \
	".hidden arch_setjmp\n"                    \
	".type arch_setjmp, %function\n"           \
	"arch_setjmp:\n"                           \
	"	.cfi_startproc\n"                  \
	"	stp x19, x20, [x0]\n"              \
	"	stp x21, x22, [x0, #16]\n"         \
	"	stp x23, x24, [x0, #32]\n"         \
	"	stp x25, x26, [x0, #48]\n"         \
	"	stp x27, x28, [x0, #64]\n"         \
	"	stp x29, x30, [x0, #80]\n"         \
	"	mov x1, sp\n"                      \
	"	str x1, [x0, #96]\n"               \
	"	stp d8, d9, [x0, #104]\n"          \
	"	stp d10, d11, [x0, #120]\n"        \
	"	stp d12, d13, [x0, #136]\n"        \
	"	stp d14, d15, [x0, #152]\n"        \
	"	mov w0, #0\n"                      \
	"	ret\n"                             \
	"	.cfi_endproc\n"                    \
	".size arch_setjmp, .-arch_setjmp\n"       \
	".globl arch_longjmp\n"                    \
	".hidden arch_longjmp\n"                   \
	".type arch_longjmp, %function\n"          \
	"arch_longjmp:\n"                          \
	"	.cfi_startproc\n"                  \
	"	ldp x19, x20, [x0]\n"              \
	"	ldp x21, x22, [x0, #16]\n"         \
	"	ldp x23, x24, [x0, #32]\n"         \
	"	ldp x25, x26, [x0, #48]\n"         \
	"	ldp x27, x28, [x0, #64]\n"         \
	"	ldp x29, x30, [x0, #80]\n"         \
	"	ldr x1, [x0, #96]\n"               \
	"	mov sp, x1\n"                      \
	"	ldp d8, d9, [x0, #104]\n"          \
	"	ldp d10, d11, [x0, #120]\n"        \
	"	ldp d12, d13, [x0, #136]\n"        \
	"	ldp d14, d15, [x0, #152]\n"        \
	"	mov w0, #1\n"                      \
	"	ret\n"                             \
	"	.cfi_endproc\n"                    \
	".size arch_longjmp, .-arch_longjmp\n"

/* As setjmp(3) without a mask, and its 1. clang has no __builtin_setjmp here. */
#define ARCH_JUMP_WORDS 21
int arch_setjmp(void **place) __attribute__((returns_twice, visibility("hidden")));
_Noreturn void arch_longjmp(void **place) __attribute__((visibility("hidden")));

#define arch_restore_rt 0L
#define ARCH_SA_RESTORER 0

/* FUNCTION(ARGUMENT) with the stack that ends at END. Unwinders find the way back. */
long arch_run_on_stack(uintptr_t end, long (*function)(void *), void *argument)
	__attribute__((visibility("hidden")));

#define ARCH_RUN_ON_STACK_ASM                             \
	".text\n"                                         \
	".p2align 2\n"                                    \
	".globl arch_run_on_stack\n"                      \
	".hidden arch_run_on_stack\n"                     \
	".type arch_run_on_stack, %function\n"            \
	"arch_run_on_stack:\n"                            \
	"	.cfi_startproc\n"                         \
	"	stp x29, x30, [sp, #-16]!\n"              \
	"	.cfi_def_cfa_offset 16\n"                 \
	"	.cfi_offset 29, -16\n"                    \
	"	.cfi_offset 30, -8\n"                     \
	"	mov x29, sp\n"                            \
	"	.cfi_def_cfa_register 29\n"               \
	"	mov sp, x0\n"                             \
	"	mov x0, x2\n"                             \
	"	blr x1\n"                                 \
	"	mov sp, x29\n"                            \
	"	.cfi_def_cfa_register 31\n"               \
	"	ldp x29, x30, [sp], #16\n"                \
	"	.cfi_def_cfa_offset 0\n"                  \
	"	ret\n"                                    \
	"	.cfi_endproc\n"                           \
	".size arch_run_on_stack, .-arch_run_on_stack\n"

/* ------------------------------------------------------------------- faults */

#define ARCH_INSTRUCTION_MOST 4 /* bytes */
#define ARCH_INSTRUCTION_ALIGNMENT 4UL

/* Of a system call that libc made, the first argument is gone when it has returned. */
#define ARCH_RESULT_TAKES_FIRST_ARGUMENT

#define ARCH_SYSTEM_CALL { 0x01, 0x00, 0x00, 0xd4 } /* svc #0 */

static inline uintptr_t arch_instruction(const ucontext_t *context)
{
	return (uintptr_t)context->uc_mcontext.pc;
}

static inline void arch_set_instruction(ucontext_t *context, uintptr_t at)
{
	context->uc_mcontext.pc = at;
}

static inline uintptr_t arch_stack(const ucontext_t *context)
{
	return (uintptr_t)context->uc_mcontext.sp;
}

/* Of the system call that the context comes after: what it returned, and its
 * arguments, from 0; the first where arch_syscall made the call. */
static inline long arch_call_result(const ucontext_t *context)
{
	return (long)context->uc_mcontext.regs[0];
}

static inline uintptr_t arch_call_argument(const ucontext_t *context, int number)
{
	return (uintptr_t)context->uc_mcontext.regs[number ? number : 9];
}

/* The head of a record in the signal frame; one of magic 0 is the last. */
struct arch_record {
	uint32_t magic, size;
};

#define ARCH_ESR_MAGIC 0x45535201u

/* The syndrome of the fault, from the record that the kernel writes for it; 0,
 * which is none of a fault's, where there is no record: emulators leave it out. */
static inline uint64_t arch_syndrome(const ucontext_t *context)
{
	const unsigned char *records = context->uc_mcontext.__reserved;
	uint64_t at = 0, syndrome = 0;
	struct arch_record record;

	while (at + sizeof record + sizeof syndrome <= sizeof context->uc_mcontext.__reserved) {
		__builtin_memcpy(&record, records + at, sizeof record);
		if (record.magic == ARCH_ESR_MAGIC) {
			__builtin_memcpy(&syndrome, records + at + sizeof record, sizeof syndrome);
			return syndrome;
		}
		if (record.magic == 0 || record.size < sizeof record)
			return 0;
		at += record.size;
	}
	return 0;
}

/* Whether an instruction among the loads and stores stores, or does both. */
static inline int arch_stores(uint32_t instruction)
{
	int load = (instruction >> 22 & 1) != 0;

	if ((instruction & 0xffffffe0u) == 0xd50b7420u || /* DC ZVA */
	    (instruction & 0xfe000000u) == 0xe4000000u) /* of scalable vectors */
		return 1;
	if ((instruction & 0x0a000000u) != 0x08000000u)
		return 0;
	switch (instruction >> 27 & 7) {
	case 1: /* of structures; exclusive; compare and swap */
		if (!(instruction & 0x04000000u) && instruction & 0x00200000u &&
		    (instruction & 0x00800000u || !(instruction & 0x80000000u)))
			return 1;
		return !load;
	case 3: /* literals; with acquire or release; copies and sets */
		if ((instruction & 0x01200c00u) == 0x01000400u)
			return 1;
		return instruction & 0x01000000u && !(instruction & 0x00c00000u);
	case 5: /* pairs */
		return !load;
	case 7: /* single registers; atomic operations */
		if ((instruction & 0x05200c00u) == 0x00200000u)
			return (instruction & 0x0000f000u) != 0x0000c000u; /* LDAPR only loads */
		if ((instruction & 0x01200400u) == 0x00200400u) /* LDRAA and LDRAB */
			return 0;
		if ((instruction & 0xc4c00000u) == 0x04800000u) /* 16 bytes */
			return 1;
		return !(instruction & 0x00c00000u);
	default:
		return 0;
	}
}

/* Where an instruction stores, a copy of it does so in any other place (detour.c): none
 * names its own address. But those that store exclusively take up what an instruction
 * before them began, and a fault between the two ends that: they would never succeed. */
#define ARCH_STEPS_ASIDE

static inline int arch_steps_aside(uint32_t instruction)
{
	int exclusive = (instruction & 0x3f800000u) == 0x08000000u &&
			(!(instruction & 0x00200000u) || instruction & 0x80000000u);

	return arch_stores(instruction) && !exclusive;
}

/* What follows the copy: a branch to TO, and that is as far as it leads, either way. */
#define ARCH_JUMP_BACK_REACH 0x8000000UL
#define ARCH_NOTHING_HERE 0 /* bytes that are no instruction */

static inline void arch_write_jump_back(unsigned char *code, uintptr_t at, uintptr_t to)
{
	uint32_t branch = 0x14000000u | ((uint32_t)((intptr_t)(to - at) / 4) & 0x03ffffffu);

	__builtin_memcpy(code, &branch, sizeof branch);
}

/* ------------------------------- libc's entry points (patch.c) */

/* bti c: where branches are tracked a pointer to the function may only lead here. */
#define ARCH_LANDING { 0x5f, 0x24, 0x03, 0xd5 }

#define ARCH_JUMP_BYTES 4

/* A branch to TO, as it stands at AT. False: too far away. */
static inline int arch_write_jump(unsigned char *code, uintptr_t at, uintptr_t to)
{
	if (to - at + ARCH_JUMP_BACK_REACH >= 2 * ARCH_JUMP_BACK_REACH)
		return 0;
	arch_write_jump_back(code, at, to);
	return 1;
}

/* For the entry NUMBER: on to its target (patch.c), by where the return address lies. Of the
 * registers, x16 and x17 are free on entry to a function, and with them a branch by
 * register may lead to a landing for calls. */
#define ARCH_PATCH_STUB                                               \
	"	adrp x16, patch_text\n"                               \
	"	add x16, x16, :lo12:patch_text\n"                     \
	"	ldp x16, x17, [x16]\n"                                \
	"	sub x16, x30, x16\n"                                  \
	"	cmp x16, x17\n"                                       \
	"	adrp x16, patch_targets\n"                            \
	"	add x16, x16, :lo12:patch_targets\n"                  \
	"	ldp x16, x17, [x16, #16 * \\number]\n"                \
	"	csel x16, x17, x16, lo\n"                             \
	"	br x16\n"

/* Classes of the syndrome, from user space; and bits of a data abort's. Upkeep of
 * the caches is named a write, and needs no more than reading. */
#define ARCH_CLASS_FETCH 0x20u
#define ARCH_CLASS_DATA 0x24u
#define ARCH_FAULT_WRITE (1u << 6)
#define ARCH_FAULT_UPKEEP (1u << 8)

static inline int arch_fault_is_fetch(const ucontext_t *context)
{
	uint64_t syndrome = arch_syndrome(context);

	if (syndrome == 0)
		return context->uc_mcontext.fault_address == context->uc_mcontext.pc;
	return (syndrome >> 26 & 0x3f) == ARCH_CLASS_FETCH;
}

/* Nobody decodes stores here. */
static inline int arch_fault_is_store_to_readable(const ucontext_t *context)
{
	(void)context;
	return 0;
}

/* Without a syndrome the instruction tells. It was fetched: it can be read. */
static inline int arch_fault_is_write(const ucontext_t *context)
{
	uint64_t syndrome = arch_syndrome(context);

	if (syndrome == 0)
		return !arch_fault_is_fetch(context) &&
		       arch_stores(*(const uint32_t *)arch_instruction(context));
	return (syndrome >> 26 & 0x3f) == ARCH_CLASS_DATA &&
	       (syndrome & (ARCH_FAULT_WRITE | ARCH_FAULT_UPKEEP)) == ARCH_FAULT_WRITE;
}

#define ARCH_ELF_MACHINE EM_AARCH64
#define ARCH_AUDIT AUDIT_ARCH_AARCH64 /* linux/audit.h: in struct seccomp_data */

/* Of a library's relocations (library.c). */
#define ARCH_RELOCATION_RELATIVE R_AARCH64_RELATIVE
#define ARCH_RELOCATION_WORD R_AARCH64_ABS64
#define ARCH_RELOCATION_DATA R_AARCH64_GLOB_DAT
#define ARCH_RELOCATION_FUNCTION R_AARCH64_JUMP_SLOT

/* ------------------------------------------------------------------- caches */

#define ARCH_CACHE_CLEAN_NOT_NEEDED (1u << 28)
#define ARCH_CACHE_INVALIDATION_NOT_NEEDED (1u << 29)

/* Instructions that were copied to other memory are fetched from there as they
 * are now. The program cleans the caches for what it writes, by its addresses;
 * of a copy it knows nothing. The pages must be readable.
 *
 * What needs no call: pages that are turned, moved by mremap or mapped from the same
 * file, which are the same memory at the same address; and a page that was written by
 * the kernel (pwrite, copy on write) before it is first mapped executable, which arm64
 * Linux brings in line itself then (__sync_icache_dcache). The Arm ARM asks it of
 * whoever writes all the same, so whoever copies code here calls this. */
static inline void arch_synchronise_code(uintptr_t start, uintptr_t length)
{
	uintptr_t end = start + length, data, code;
	uint64_t type;

	__asm__ volatile("mrs %0, ctr_el0" : "=r"(type));
	data = 4UL << (type >> 16 & 15);
	code = 4UL << (type & 15);
	if (!(type & ARCH_CACHE_CLEAN_NOT_NEEDED))
		for (uintptr_t at = start & ~(data - 1); at < end; at += data)
			__asm__ volatile("dc cvau, %0" : : "r"(at) : "memory");
	__asm__ volatile("dsb ish" : : : "memory");
	if (!(type & ARCH_CACHE_INVALIDATION_NOT_NEEDED))
		for (uintptr_t at = start & ~(code - 1); at < end; at += code)
			__asm__ volatile("ic ivau, %0" : : "r"(at) : "memory");
	__asm__ volatile("dsb ish\n\tisb" : : : "memory");
}

#endif
