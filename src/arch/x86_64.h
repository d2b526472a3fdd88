/* arch/x86_64.h: all that is particular to x86_64: the system call
 * instruction, the kernel's structures, the words of a fault.
 *
 * Async-signal-safe, no locks. Sources: syscall(2), sigaction(2), the kernel's
 * arch/x86/include/asm/trap_pf.h for the page fault's error code. */
#ifndef JITMEND_ARCH_X86_64_H
#define JITMEND_ARCH_X86_64_H

#include <stdint.h>
#include <ucontext.h>

#define ARCH_PAGE_SIZE 4096UL
#define ARCH_ADDRESS_BITS 47 /* of user space, without five-level tables */

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

/* The kernel wants a restorer for every handler. The bytes are those that
 * debuggers and unwinders know a signal frame by. */
extern void arch_restore_rt(void) __attribute__((visibility("hidden")));

#define ARCH_RESTORER_ASM                         \
	".text\n"                                 \
	".p2align 4\n"                            \
	"	nop\n"                            \
	".globl arch_restore_rt\n"                \
	".hidden arch_restore_rt\n"               \
	".type arch_restore_rt, @function\n"      \
	"arch_restore_rt:\n"                      \
	"	movq $15, %rax\n"                 \
	"	syscall\n"                        \
	".size arch_restore_rt, .-arch_restore_rt\n"

#define ARCH_SA_RESTORER 0x04000000

/* What the faulting instruction wanted: bits 1 (write) and 4 (instruction
 * fetch) of the page fault's error code; neither set is a read. */
static inline int arch_fault_is_write(const ucontext_t *context)
{
	return (context->uc_mcontext.gregs[REG_ERR] & 2) != 0;
}

#define ARCH_SYSTEM_CALL { 0x0f, 0x05 }

static inline uintptr_t arch_instruction(const ucontext_t *context)
{
	return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
}

static inline int arch_fault_is_fetch(const ucontext_t *context)
{
	return (context->uc_mcontext.gregs[REG_ERR] & 16) != 0;
}

#endif
