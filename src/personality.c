/* personality.c: READ_IMPLIES_EXEC, with which each readable mapping is executable: told
 * to the kernel, or kept from it and seen to here. See engine.h. */
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/personality.h>

#include "engine.h"
#include "policy.h"
#include "sys.h"
#include "walk.h"

/* A bit of the personality that the kernel keeps, for each thread and what it starts,
 * and that means nothing to it (sys/personality.h ends below): READ_IMPLIES_EXEC, kept
 * by us. */
#define IMPLIES_EXEC_STAND_IN 0x40000000UL

/* Where nothing may be writable and executable, a kernel in which every readable
 * mapping is executable would refuse them all, malloc's too. So it is not told, and
 * what the host means by it is done here: what it executes is adopted. */
static long to_host(long personality)
{
	unsigned long kept = (unsigned long)personality & IMPLIES_EXEC_STAND_IN;

	if (sys_failed(personality) || !kept)
		return personality;
	return (long)(((unsigned long)personality & ~IMPLIES_EXEC_STAND_IN) | READ_IMPLIES_EXEC);
}

/* Whether that would be so has to be known before: afterwards the first refusal may
 * be one of libc's own, within fork or stdio, that is not ours to mend. */
static bool would_refuse_all(void)
{
	long probe;

	if (engine_mends_with_views() || !engine_may_mend_with_views())
		return engine_mends_with_views();
	probe = sys_mmap(0, PAGE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!sys_failed(probe))
		sys_munmap((uintptr_t)probe, PAGE_BYTES);
	else if (sys_refused(probe))
		policy_learn_execmem((int)-probe);
	return engine_mends_with_views();
}

static long set_personality(unsigned long personality)
{
	bool implied = personality & READ_IMPLIES_EXEC;
	bool keep = implied && would_refuse_all();
	long before;

	if (keep)
		personality = (personality & ~(unsigned long)READ_IMPLIES_EXEC) |
			      IMPLIES_EXEC_STAND_IN;
	before = sys_personality(personality);
	if (sys_failed(before))
		return before;
	if (implied)
		atomic_store(keep ? &walk.implies_exec_for_host : &walk.read_implies_exec, true);
	return before;
}

/* Over exec READ_IMPLIES_EXEC is taken away by the kernel (its SET_PERSONALITY), and
 * the stand-in is not. */
void walk_begin_personality(unsigned long personality)
{
	if (personality & (IMPLIES_EXEC_STAND_IN | READ_IMPLIES_EXEC))
		set_personality(personality & ~IMPLIES_EXEC_STAND_IN);
}

long engine_personality(unsigned long personality)
{
	if ((uint32_t)personality == CURRENT_PERSONALITY)
		return to_host(sys_personality(CURRENT_PERSONALITY));
	return to_host(set_personality(personality));
}

/* What the program asks of it, with what READ_IMPLIES_EXEC adds where we keep it. */
int walk_asked(const struct request *r)
{
	int asked = r->protection & (PROT_READ | PROT_WRITE | PROT_EXEC);

	if (!(asked & PROT_READ) || !atomic_load(&walk.implies_exec_for_host))
		return asked;
	return sys_current_personality() & IMPLIES_EXEC_STAND_IN ? asked | PROT_EXEC : asked;
}
