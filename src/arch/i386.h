/* arch/i386.h: all that is particular to i386: the way into the kernel, calls whose
 * arguments need two registers, the kernel's structures, the names of registers. See
 * arch/x86.h for what x86_64 has, too.
 *
 * Async-signal-safe, no locks. Sources: syscall(2), sigaction(2), vdso(7), and the
 * kernel's arch/x86/include/uapi/asm/sigcontext.h for the signal frame. */
#ifndef JITMEND_ARCH_I386_H
#define JITMEND_ARCH_I386_H

#include <stdint.h>
#include <sys/syscall.h>
#include <ucontext.h>

#define ARCH_PAGE_SIZE 4096UL
#define ARCH_ADDRESS_BITS 32
#define ARCH_ADDRESS_LIMIT 0xfffff000UL /* the last page is errors */

/* A function of its own: a call takes all registers but the stack pointer. */
long arch_syscall(long number, long a, long b, long c, long d, long e, long f)
	__attribute__((visibility("hidden")));

/* Where it enters the kernel: int $0x80, until the vdso's quicker way (AT_SYSINFO) is
 * known. libc has that at %gs:0x10; but a program may use the register for itself. */
extern uintptr_t arch_kernel_entry __attribute__((visibility("hidden")));

#define ARCH_HAS_KERNEL_ENTRY

/* Handlers return to the kernel's own code in the vdso, as libc's do. */
#define arch_restore_rt 0L
#define ARCH_SA_RESTORER 0

#define ARCH_CODE                                             \
	".text\n"                                             \
	".p2align 4\n"                                        \
	".type arch_interrupt, @function\n"                   \
	"arch_interrupt:\n"                                   \
	"	.cfi_startproc\n"                             \
	"	int $0x80\n"                                  \
	"	ret\n"                                        \
	"	.cfi_endproc\n"                               \
	".size arch_interrupt, .-arch_interrupt\n"            \
	".p2align 4\n"                                        \
	".globl arch_syscall\n"                               \
	".hidden arch_syscall\n"                              \
	".type arch_syscall, @function\n"                     \
	"arch_syscall:\n"                                     \
	"	.cfi_startproc\n"                             \
	"	pushl %ebp\n"                                 \
	"	.cfi_adjust_cfa_offset 4\n"                   \
	"	.cfi_rel_offset %ebp, 0\n"                    \
	"	pushl %ebx\n"                                 \
	"	.cfi_adjust_cfa_offset 4\n"                   \
	"	.cfi_rel_offset %ebx, 0\n"                    \
	"	pushl %esi\n"                                 \
	"	.cfi_adjust_cfa_offset 4\n"                   \
	"	.cfi_rel_offset %esi, 0\n"                    \
	"	pushl %edi\n"                                 \
	"	.cfi_adjust_cfa_offset 4\n"                   \
	"	.cfi_rel_offset %edi, 0\n"                    \
	"	call 1f\n"                                    \
	"	.cfi_adjust_cfa_offset 4\n"                   \
	"1:	popl %eax\n"                                  \
	"	.cfi_adjust_cfa_offset -4\n"                  \
	"	pushl arch_kernel_entry-1b(%eax)\n"           \
	"	.cfi_adjust_cfa_offset 4\n"                   \
	"	movl 24(%esp), %eax\n"                        \
	"	movl 28(%esp), %ebx\n"                        \
	"	movl 32(%esp), %ecx\n"                        \
	"	movl 36(%esp), %edx\n"                        \
	"	movl 40(%esp), %esi\n"                        \
	"	movl 44(%esp), %edi\n"                        \
	"	movl 48(%esp), %ebp\n"                        \
	"	call *(%esp)\n"                               \
	"	addl $4, %esp\n"                              \
	"	.cfi_adjust_cfa_offset -4\n"                  \
	"	popl %edi\n"                                  \
	"	.cfi_adjust_cfa_offset -4\n"                  \
	"	.cfi_restore %edi\n"                          \
	"	popl %esi\n"                                  \
	"	.cfi_adjust_cfa_offset -4\n"                  \
	"	.cfi_restore %esi\n"                          \
	"	popl %ebx\n"                                  \
	"	.cfi_adjust_cfa_offset -4\n"                  \
	"	.cfi_restore %ebx\n"                          \
	"	popl %ebp\n"                                  \
	"	.cfi_adjust_cfa_offset -4\n"                  \
	"	.cfi_restore %ebp\n"                          \
	"	ret\n"                                        \
	"	.cfi_endproc\n"                               \
	".size arch_syscall, .-arch_syscall\n"                \
	".data\n"                                             \
	".p2align 2\n"                                        \
	".globl arch_kernel_entry\n"                          \
	".hidden arch_kernel_entry\n"                         \
	".type arch_kernel_entry, @object\n"                  \
	"arch_kernel_entry:\n"                                \
	"	.long arch_interrupt\n"                       \
	".size arch_kernel_entry, 4\n"                        \
	".text\n"

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
	"	pushl %ebp\n"                             \
	"	.cfi_def_cfa_offset 8\n"                  \
	"	.cfi_offset %ebp, -8\n"                   \
	"	movl %esp, %ebp\n"                        \
	"	.cfi_def_cfa_register %ebp\n"             \
	"	movl 8(%ebp), %esp\n"                     \
	"	subl $12, %esp\n"                         \
	"	pushl 16(%ebp)\n"                         \
	"	call *12(%ebp)\n"                         \
	"	leave\n"                                  \
	"	.cfi_def_cfa %esp, 4\n"                   \
	"	ret\n"                                    \
	"	.cfi_endproc\n"                           \
	".size arch_run_on_stack, .-arch_run_on_stack\n"

/* ------------------------------------- offsets of files, in two halves each */

static inline long arch_low(int64_t whole)
{
	return (long)(uint32_t)whole;
}

static inline long arch_high(int64_t whole)
{
	return (long)(uint32_t)(whole >> 32);
}

#define ARCH_O_LARGEFILE 0100000 /* asm-generic/fcntl.h */

/* In pages, of which there are 2^32. */
static inline long arch_mmap(long address, long length, long protection, long flags, long fd,
			     int64_t offset)
{
	if (offset & (int64_t)(ARCH_PAGE_SIZE - 1))
		return -22; /* EINVAL */
	if ((uint64_t)offset >> 44)
		return -22; /* as libc, not EOVERFLOW */
	return arch_syscall(SYS_mmap2, address, length, protection, flags, fd,
			    (long)(uint32_t)(offset >> 12));
}

static inline long arch_pread(long fd, long buffer, long length, int64_t offset)
{
	return arch_syscall(SYS_pread64, fd, buffer, length, arch_low(offset), arch_high(offset), 0);
}

static inline long arch_pwrite(long fd, long bytes, long length, int64_t offset)
{
	return arch_syscall(SYS_pwrite64, fd, bytes, length, arch_low(offset), arch_high(offset), 0);
}

static inline long arch_preadv(long fd, long vector, long count, int64_t offset, long flags)
{
	return arch_syscall(flags ? SYS_preadv2 : SYS_preadv, fd, vector, count, arch_low(offset), arch_high(offset), flags);
}

static inline long arch_ftruncate(long fd, int64_t length)
{
	return arch_syscall(SYS_ftruncate64, fd, arch_low(length), arch_high(length), 0, 0, 0);
}

static inline long arch_fallocate(long fd, long mode, int64_t offset, int64_t length)
{
	return arch_syscall(SYS_fallocate, fd, mode, arch_low(offset), arch_high(offset),
			    arch_low(length), arch_high(length));
}

static inline long arch_seek(long fd, int64_t offset, long whence, int64_t *now)
{
	return arch_syscall(SYS__llseek, fd, arch_high(offset), arch_low(offset), (long)now, whence,
			    0);
}

static inline long arch_fcntl(long fd, long command, long argument)
{
	return arch_syscall(SYS_fcntl64, fd, command, argument, 0, 0, 0);
}

static inline long arch_fstat(long fd, long status)
{
	return arch_syscall(SYS_fstat64, fd, status, 0, 0, 0, 0);
}

static inline long arch_stat(long path, long status)
{
	return arch_syscall(SYS_stat64, path, status, 0, 0, 0, 0);
}

static inline long arch_statfs(long path, long status)
{
	return arch_syscall(SYS_statfs64, path, 84 /* the kernel's struct statfs64 */, status, 0, 0,
			    0);
}

#define ARCH_IPC_SHMAT 21 /* linux/ipc.h */

/* As libc: the call of that name is younger than the one for all of System V's. */
static inline long arch_shmat(long id, long address, long flags)
{
	long at = 0, result = arch_syscall(SYS_ipc, ARCH_IPC_SHMAT, id, flags, (long)&at, address, 0);

	return result ? result : at;
}

/* ------------------------------------------------------------------- faults */

#define ARCH_AX REG_EAX
#define ARCH_BX REG_EBX
#define ARCH_CX REG_ECX
#define ARCH_DX REG_EDX
#define ARCH_SI REG_ESI
#define ARCH_DI REG_EDI
#define ARCH_SP REG_ESP
#define ARCH_IP REG_EIP
#define ARCH_CALL_REGISTERS { REG_EBX, REG_ECX, REG_EDX, REG_ESI, REG_EDI, REG_EBP }

#include "x86.h"

/* In the vdso too: wherever a call entered, it goes on behind this. */
#define ARCH_SYSTEM_CALL { 0xcd, 0x80 }

/* ------------------------------------- instructions, decoded (store.c, detour.c) */

/* Of code in the usual segment: below a 64-bit kernel, and on a 32-bit one. */
static inline int arch_is_usual_code(const ucontext_t *context)
{
	unsigned selector = (unsigned)context->uc_mcontext.gregs[REG_CS] & 0xffff;

	return selector == 0x23 || selector == 0x73;
}

#define ARCH_WORD_BYTES 4u
#define ARCH_DECODER_MODE ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32

#define ARCH_GENERAL_REGISTERS \
	{ REG_EAX, REG_ECX, REG_EDX, REG_EBX, REG_ESP, REG_EBP, REG_ESI, REG_EDI }

static inline uintptr_t arch_fault_address(const ucontext_t *context)
{
	return (uintptr_t)context->uc_mcontext.cr2;
}

/* Linux gives one to 64-bit programs alone. */
static inline int arch_has_shadow_stack(void)
{
	return 0;
}

/* Segments have a base where a table says so, which nobody asks for here. */
static inline int arch_thread_segment_base(int gs, uint64_t *base)
{
	(void)gs;
	(void)base;
	return 0;
}

static inline uint16_t arch_segment(const ucontext_t *context, int number)
{
	/* es, cs, ss, ds, fs, gs: as instructions number them */
	static const int registers[] = { REG_ES, REG_CS, REG_SS, REG_DS, REG_FS, REG_GS };

	return (uint16_t)context->uc_mcontext.gregs[registers[number]];
}

/* The FXSAVE area lies behind the 112 bytes of an older one, whose last field says
 * whether it is there. NULL: it is not. */
static inline const unsigned char *arch_vector_area(const ucontext_t *context)
{
	const struct _libc_fpstate *fp = context->uc_mcontext.fpregs;

	return fp && fp->status >> 16 == 0 ? (const unsigned char *)fp + 112 : 0;
}

#define ARCH_VECTORS 8u

/* An instruction that runs in another place is followed by jmp TO. */
#define ARCH_JUMP_BACK_BYTES 5

static inline void arch_write_jump_back(unsigned char *code, uintptr_t at, uintptr_t to)
{
	uint32_t distance = to - (at + ARCH_JUMP_BACK_BYTES);

	code[0] = 0xe9;
	__builtin_memcpy(code + 1, &distance, sizeof distance);
}

/* ------------------------------------------- patched entry points (patch.c) */

/* endbr32: where indirect jumps are tracked they may only lead here. */
#define ARCH_LANDING { 0xf3, 0x0f, 0x1e, 0xfb }

#define ARCH_JUMP_BYTES 5

/* jmp TO, as it stands at AT. Nothing is too far away. */
static inline int arch_write_jump(unsigned char *code, uintptr_t at, uintptr_t to)
{
	arch_write_jump_back(code, at, to);
	return 1;
}

/* For the entry NUMBER: on to its target (patch.c), by where the return address lies. Arguments are
 * on the stack, so that eax, ecx and edx are free on entry to a function. */
#define ARCH_PATCH_STUB                                               \
	"	call 1f\n"                                            \
	"	.cfi_adjust_cfa_offset 4\n"                           \
	"1:	popl %eax\n"                                          \
	"	.cfi_adjust_cfa_offset -4\n"                          \
	"	movl (%esp), %ecx\n"                                  \
	"	subl patch_text-1b(%eax), %ecx\n"                     \
	"	cmpl patch_text+4-1b(%eax), %ecx\n"                   \
	"	movl patch_targets+8*\\number-1b(%eax), %ecx\n"       \
	"	jnb 2f\n"                                             \
	"	movl patch_targets+8*\\number+4-1b(%eax), %ecx\n"     \
	"2:	jmp *%ecx\n"

/* --------------------------------- nested functions (trampoline.c) */

#define ARCH_TRAMPOLINE_MOST 14 /* bytes */

struct arch_trampoline {
	uint32_t function, chain;
	unsigned length;
};

/* endbr32, with -fcf-protection; mov $CHAIN, %ecx; jmp FUNCTION. */
static inline int arch_read_trampoline(const unsigned char *code, uintptr_t at,
				       struct arch_trampoline *found)
{
	const unsigned char *rest = code;
	uint32_t distance;

	if (rest[0] == 0xf3 && rest[1] == 0x0f && rest[2] == 0x1e && rest[3] == 0xfb)
		rest += 4;
	if (rest[0] != 0xb9 || rest[5] != 0xe9)
		return 0;
	found->length = (unsigned)(rest + 10 - code);
	__builtin_memcpy(&found->chain, rest + 1, sizeof found->chain);
	__builtin_memcpy(&distance, rest + 6, sizeof distance);
	found->function = at + found->length + distance;
	return 1;
}

static inline void arch_run_trampoline(ucontext_t *context, const struct arch_trampoline *found)
{
	context->uc_mcontext.gregs[REG_ECX] = (greg_t)found->chain;
	context->uc_mcontext.gregs[REG_EIP] = (greg_t)found->function;
}

/* ------------------------------------- the loader's system calls (rtld.c) */

/* mmap2, mprotect and munmap; each has a stub, in this order. */
#define ARCH_RTLD_CALLS { 192, 125, 91 }

/* Of the place: how long it is at most, and where in it the zeros begin. */
#define ARCH_RTLD_CALL_BYTES 10
#define ARCH_RTLD_ZEROS 2

/* glibc's __libc_do_syscall, for calls with six arguments: EDI points to what is to be in
 * EBX, EDI and EBP. Is that where the call instruction at CODE leads? */
static inline int arch_calls_do_syscall(const unsigned char *code, uintptr_t start, uintptr_t end)
{
	/* push %ebx, %edi, %ebp; mov (%edi), %ebx; mov 8(%edi), %ebp; mov 4(%edi), %edi; int $0x80 */
	static const unsigned char function[] = {
		0x53, 0x57, 0x55, 0x8b, 0x1f, 0x8b, 0x6f, 0x08, 0x8b, 0x7f, 0x04, 0xcd, 0x80,
	};
	uint32_t distance;
	uintptr_t to;

	__builtin_memcpy(&distance, code + 1, sizeof distance);
	to = (uintptr_t)code + 5 + distance;
	return code[0] == 0xe8 && to >= start && to < end && end - to >= sizeof function &&
	       __builtin_memcmp((const void *)to, function, sizeof function) == 0;
}

/* mov $NUMBER, %eax, and then int $0x80, or that function's call: the number, or -1. The
 * text is from START to END. */
static inline long arch_system_call_at(const unsigned char *code, uintptr_t start, uintptr_t end)
{
	if (code[0] != 0xb8 || code[2] || code[3] || code[4])
		return -1;
	if ((code[5] == 0xcd && code[6] == 0x80) || arch_calls_do_syscall(code + 5, start, end))
		return code[1];
	return -1;
}

extern const char arch_rtld_stubs[] __attribute__((visibility("hidden")));

#define ARCH_RTLD_STUB_BYTES 16
#define ARCH_RTLD_DO_SYSCALL 3 /* the stub in that function's place */

/* What leads the call at CODE to the stub of that number, from *AT on: call STUB; xchg %ax,
 * %ax; or another function that is called. How many bytes; nothing is too far away. */
static inline unsigned arch_lead_call(const unsigned char *code, unsigned number, uintptr_t *at,
				      unsigned char *bytes)
{
	int by_function = code[5] == 0xe8;

	*at = (uintptr_t)code + (by_function ? 5 : 0);
	arch_write_jump(bytes, *at, (uintptr_t)arch_rtld_stubs +
		ARCH_RTLD_STUB_BYTES * (by_function ? ARCH_RTLD_DO_SYSCALL : number));
	bytes[0] = 0xe8;
	bytes[5] = 0x66;
	bytes[6] = 0x90;
	return by_function ? 5 : 7;
}

/* Of the registers a system call changes eax alone; those that functions may change,
 * ecx and edx, come from the arguments again. */
#define ARCH_RTLD_STUBS                                               \
	".text\n"                                                     \
	".p2align 4\n"                                                \
	".hidden arch_rtld_stubs\n"                                   \
	".type arch_rtld_stubs, @function\n"                          \
	"arch_rtld_stubs:\n"                                          \
	"	.cfi_startproc\n"                                     \
	".irp number, 192, 125, 91\n"                                 \
	"	.p2align 4\n"                                         \
	"	movl $\\number, %eax\n"                               \
	"	jmp 0f\n"                                             \
	".endr\n"                                                     \
	"	.p2align 4\n"                                         \
	"	jmp 1f\n"                                             \
	"0:	pushl %ebp\n"                                         \
	"	.cfi_def_cfa_offset 8\n"                              \
	"	.cfi_offset %ebp, -8\n"                               \
	"	movl %esp, %ebp\n"                                    \
	"	.cfi_def_cfa_register %ebp\n"                         \
	"	pushl (%ebp)\n"                                       \
	"	pushl %edi\n"                                         \
	"	pushl %esi\n"                                         \
	"	pushl %edx\n"                                         \
	"	pushl %ecx\n"                                         \
	"	pushl %ebx\n"                                         \
	"	jmp 2f\n"                                             \
	"	.cfi_def_cfa %esp, 4\n"                               \
	"	.cfi_restore %ebp\n"                                  \
	"1:	pushl %ebp\n"                                         \
	"	.cfi_def_cfa_offset 8\n"                              \
	"	.cfi_offset %ebp, -8\n"                               \
	"	movl %esp, %ebp\n"                                    \
	"	.cfi_def_cfa_register %ebp\n"                         \
	"	pushl 8(%edi)\n"                                      \
	"	pushl 4(%edi)\n"                                      \
	"	pushl %esi\n"                                         \
	"	pushl %edx\n"                                         \
	"	pushl %ecx\n"                                         \
	"	pushl (%edi)\n"                                       \
	"2:	movl %esp, %ecx\n"                                    \
	"	andl $-16, %esp\n"                                    \
	"	subl $4, %esp\n"                                      \
	"	pushl 4(%ebp)\n"                                      \
	"	pushl %ecx\n"                                         \
	"	pushl %eax\n"                                         \
	"	call rtld_call\n"                                     \
	"	movl -20(%ebp), %ecx\n"                               \
	"	movl -16(%ebp), %edx\n"                               \
	"	leave\n"                                              \
	"	.cfi_def_cfa %esp, 4\n"                               \
	"	.cfi_restore %ebp\n"                                  \
	"	ret\n"                                                \
	"	.cfi_endproc\n"                                       \
	".globl arch_rtld_stubs\n"                                    \
	".size arch_rtld_stubs, .-arch_rtld_stubs\n"

/* Of a library's relocations, which have no addends of their own (library.c). */
#define ARCH_RELOCATION_RELATIVE R_386_RELATIVE
#define ARCH_RELOCATION_WORD R_386_32
#define ARCH_RELOCATION_DATA R_386_GLOB_DAT
#define ARCH_RELOCATION_FUNCTION R_386_JMP_SLOT
#define ARCH_ELF_MACHINE EM_386
#define ARCH_AUDIT AUDIT_ARCH_I386 /* linux/audit.h: in struct seccomp_data */

#endif
