/* arch/x86.h: what x86_64 and i386 share: the words of a fault, the registers of a
 * context by names that both have, instructions and the bytes of a jump.
 *
 * Included by the processors' headers, below their names of registers. Async-signal-safe,
 * no locks. Source: the kernel's arch/x86/include/asm/trap_pf.h for the page fault's
 * error code. */
#ifndef JITMEND_ARCH_X86_H
#define JITMEND_ARCH_X86_H

#include <stdint.h>
#include <ucontext.h>

/* What the faulting instruction wanted: bits 1 (write) and 4 (instruction
 * fetch) of the page fault's error code; neither set is a read. */
static inline int arch_fault_is_write(const ucontext_t *context)
{
	return (context->uc_mcontext.gregs[REG_ERR] & 2) != 0;
}

static inline int arch_fault_is_fetch(const ucontext_t *context)
{
	return (context->uc_mcontext.gregs[REG_ERR] & 16) != 0;
}

/* A store of the program's to memory that is there and can be read, but not written:
 * bits 0 (there), 1 and 2 (user), neither 4 nor 5 (a protection key). */
static inline int arch_fault_is_store_to_readable(const ucontext_t *context)
{
	return (context->uc_mcontext.gregs[REG_ERR] & 0x37) == 7;
}

#define ARCH_INSTRUCTION_MOST 15 /* bytes */
#define ARCH_INSTRUCTION_ALIGNMENT 1UL
#define ARCH_NOTHING_HERE 0xcc   /* int3: no instruction of the program's */

static inline uintptr_t arch_instruction(const ucontext_t *context)
{
	return (uintptr_t)context->uc_mcontext.gregs[ARCH_IP];
}

static inline void arch_set_instruction(ucontext_t *context, uintptr_t at)
{
	context->uc_mcontext.gregs[ARCH_IP] = (greg_t)at;
}

static inline uintptr_t arch_stack(const ucontext_t *context)
{
	return (uintptr_t)context->uc_mcontext.gregs[ARCH_SP];
}

/* Of the system call that the context comes after: what it returned, and its
 * arguments, from 0. */
static inline long arch_call_result(const ucontext_t *context)
{
	return (long)context->uc_mcontext.gregs[ARCH_AX];
}

static inline uintptr_t arch_call_argument(const ucontext_t *context, int number)
{
	static const int registers[] = ARCH_CALL_REGISTERS;

	return (uintptr_t)context->uc_mcontext.gregs[registers[number]];
}

/* Instructions are fetched as they stand in memory, through whichever mapping
 * they were written. */
static inline void arch_synchronise_code(uintptr_t start, uintptr_t length)
{
	(void)start;
	(void)length;
}

#endif
