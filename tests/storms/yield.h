/* yield.h: included before every file of a build of the library (-include), in which
 * each system call may come late: the thread gives its processor away before it, or
 * sleeps, and after those that change mappings. So what other threads do falls between
 * any two of them, and between a mapping and what is noted of it, as seldom happens by
 * itself. */
#ifndef JITMEND_TESTS_YIELD_H
#define JITMEND_TESTS_YIELD_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

#if defined(__x86_64__)
#include "../../src/arch/x86_64.h"
#elif defined(__aarch64__)
#include "../../src/arch/aarch64.h"
#endif

static inline void maybe_give_way(void)
{
	static uint32_t dice; /* whatever threads make of it at once is as good */
	uint32_t now = __atomic_fetch_add(&dice, 2654435769u, __ATOMIC_RELAXED);
	struct timespec moment = { .tv_nsec = now >> 13 };

	now ^= now >> 15;
	now = now * 2246822519u >> 24;
	if (now < 40)
		arch_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	else if (now < 44)
		arch_syscall(SYS_nanosleep, (long)(uintptr_t)&moment, 0, 0, 0, 0, 0);
}

static inline long yielding_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	long result;

	maybe_give_way();
	result = arch_syscall(number, a, b, c, d, e, f);
	if (number == SYS_mmap || number == SYS_mprotect || number == SYS_mremap)
		maybe_give_way();
	return result;
}

#define arch_syscall yielding_syscall

#endif
