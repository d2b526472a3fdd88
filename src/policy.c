/* policy.c: what is refused here. See policy.h. */
#include "policy.h"

#include <errno.h>
#include <stdatomic.h>

#include "sys.h"

#define PR_GET_MDWE 66 /* linux/prctl.h of Linux 6.3 */
#define PR_MDWE_REFUSE_EXEC_GAIN 1

static unsigned words;
static long mdwe; /* PR_GET_MDWE's answer */
static atomic_int refusals[DANGER_COUNT]; /* errno; 0: not refused as far as known */
static atomic_bool any_refusal;
static atomic_bool no_anonymous;

/* The dangers that a policy's word stands for. What is stricter than the four
 * permissions of SELinux refuses all of them. */
static bool word_covers(enum danger danger)
{
	unsigned all = POLICY_MDWE | POLICY_SECCOMP | POLICY_STRICT;
	static const unsigned covering[DANGER_COUNT] = {
		[DANGER_DEVZERO] = POLICY_EXECMOD | POLICY_NOEXEC_DEV,
		[DANGER_EXECHEAP] = POLICY_EXECHEAP,
		[DANGER_EXECMOD] = POLICY_EXECMOD,
		[DANGER_EXECMEM] = POLICY_EXECMEM,
		[DANGER_EXECSTACK] = POLICY_EXECSTACK,
	};

	return danger != DANGER_NONE && words & (covering[danger] | all);
}

void policy_begin(unsigned set)
{
	words = set;
	atomic_store(&any_refusal, set != POLICY_AUTO);
	if (words & (POLICY_EXECMEM | POLICY_MDWE | POLICY_SECCOMP))
		policy_learn_no_anonymous();
	/* The one policy that answers without a record in anybody's log. */
	mdwe = sys_prctl(PR_GET_MDWE, 0);
	if (words == POLICY_AUTO && policy_is_mdwe())
		policy_learn_no_anonymous();
}

bool policy_is_mdwe(void)
{
	return !sys_failed(mdwe) && mdwe & PR_MDWE_REFUSE_EXEC_GAIN;
}

bool policy_is_none(void)
{
	return words & POLICY_NONE;
}

bool policy_expected(enum danger danger)
{
	return word_covers(danger);
}

bool policy_refuses(enum danger danger)
{
	return policy_expected(danger) || policy_has_refused(danger);
}

bool policy_has_refused(enum danger danger)
{
	return atomic_load(&refusals[danger]) != 0;
}

bool policy_refuses_any(void)
{
	return atomic_load_explicit(&any_refusal, memory_order_relaxed);
}

int policy_error(enum danger danger)
{
	int error = atomic_load(&refusals[danger]);

	if (error)
		return error;
	return words & POLICY_SECCOMP && !(words & POLICY_MDWE) ? EPERM : EACCES;
}

void policy_learn_refusal(enum danger danger, int error)
{
	atomic_store(&refusals[danger], error);
	atomic_store(&any_refusal, true);
}

bool policy_allows_anonymous(void)
{
	return !atomic_load(&no_anonymous);
}

void policy_learn_no_anonymous(void)
{
	atomic_store(&no_anonymous, true);
}
