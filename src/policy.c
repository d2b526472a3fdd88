/* policy.c: what is refused here. See policy.h. */
#include "policy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/wait.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "sys.h"

#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66 /* linux/prctl.h of Linux 6.3 */
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

static unsigned words;
static const char *known_from; /* NULL: requests */
static long mdwe; /* PR_GET_MDWE's answer */
static bool filtered; /* a seccomp filter is in force */
static atomic_int refusals[DANGER_COUNT]; /* errno; 0: not refused as far as known */
static atomic_bool any_refusal;
static atomic_bool no_anonymous, no_writable_code, no_gain, no_fresh_code;

/* The words that stand for a danger alone. */
static const unsigned covering[DANGER_COUNT] = {
	[DANGER_DEVZERO] = POLICY_EXECMOD | POLICY_NOEXEC_DEV,
	[DANGER_EXECHEAP] = POLICY_EXECHEAP,
	[DANGER_EXECMOD] = POLICY_EXECMOD,
	[DANGER_EXECMEM] = POLICY_EXECMEM,
	[DANGER_EXECSTACK] = POLICY_EXECSTACK,
};

/* The dangers that a policy's word stands for. What is stricter than the four
 * permissions of SELinux refuses all of them. */
static bool word_covers(enum danger danger)
{
	unsigned all = POLICY_MDWE | POLICY_SECCOMP | POLICY_STRICT;

	return danger != DANGER_NONE && words & (covering[danger] | all);
}

/* Of no page at all the kernel itself has nothing to refuse. */
bool policy_filter_refuses_exec(void)
{
	return sys_mprotect(PAGE_BYTES, 0, PROT_READ | PROT_EXEC, -1) == -EPERM;
}

/* A filter may answer with death, which then is a child's. It has memory of its own:
 * it leaves no core file, and kernels before 5.16 that write one end all who share
 * the memory. No handler of the host's runs in it, no signal tells of its end, and a
 * tracer of the host's has nothing to do with it; of CLONE_VFORK it would be told the end. */
static long begin_child(void)
{
	return SYS_CALL(SYS_clone, CLONE_UNTRACED, 0, 0, 0, 0, 0);
}

static void answer_in_child(void)
{
	if (!sys_failed(sys_prctl(PR_SET_DUMPABLE, 0)))
		SYS_CALL(SYS_exit, policy_filter_refuses_exec(), 0, 0, 0, 0, 0);
	for (;;)
		SYS_CALL(SYS_exit, 0, 0, 0, 0, 0, 0);
}

/* Where nobody can be sent to ask, the host's own requests find out. */
static bool filter_refuses_or_kills(void)
{
	uint64_t all = ~0ULL, mask;
	int status = 0;
	long child;

	sys_sigprocmask(SIG_SETMASK, &all, &mask);
	child = begin_child();
	if (child == 0)
		answer_in_child();
	if (!sys_failed(child))
		child = SYS_CALL(SYS_wait4, child, &status, __WCLONE, 0, 0, 0);
	sys_sigprocmask(SIG_SETMASK, &mask, NULL);
	return !sys_failed(child) && (status == 1 << 8 || (status & 0x7f) == SIGSYS);
}

static bool selinux_enforces(void)
{
	long fd = sys_open("/sys/fs/selinux/enforce", O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
	char answer = '0';

	if (sys_failed(fd))
		return false;
	sys_pread((int)fd, &answer, 1, 0);
	sys_close((int)fd);
	return answer == '1';
}

bool policy_may_refuse(void)
{
	return policy_refuses(DANGER_EXECMEM) || filtered || selinux_enforces();
}

static void find_out(void)
{
	if (policy_is_mdwe()) {
		words = POLICY_MDWE;
		known_from = "prctl";
	} else if (filtered && filter_refuses_or_kills()) {
		words = POLICY_SECCOMP;
		known_from = "filter";
	}
}

void policy_begin(unsigned set, bool mend)
{
	words = set;
	/* The two policies that answer without a record in anybody's log. */
	mdwe = sys_prctl(PR_GET_MDWE, 0);
	/* A kernel that does not know it says EINVAL. Who will not tell may refuse. */
	if (sys_failed(mdwe) && mdwe != -EINVAL)
		mdwe = PR_MDWE_REFUSE_EXEC_GAIN;
	filtered = sys_prctl(PR_GET_SECCOMP, 0) == SECCOMP_MODE_FILTER;
	if (words != POLICY_AUTO)
		known_from = "settings";
	else if (mend)
		find_out();
	atomic_store(&any_refusal, words != POLICY_AUTO);
	if (words & (POLICY_EXECMEM | POLICY_MDWE | POLICY_SECCOMP | POLICY_STRICT))
		policy_learn_no_anonymous();
	if (words & (POLICY_MDWE | POLICY_SECCOMP | POLICY_STRICT) || policy_is_mdwe())
		policy_learn_no_writable_code();
	if (words & (POLICY_MDWE | POLICY_SECCOMP) || policy_is_mdwe())
		policy_learn_no_gain();
	if (words & POLICY_EXECMEM)
		policy_learn_no_fresh_code();
}

const char *policy_known_from(void)
{
	return known_from ? known_from : "requests";
}

bool policy_is_mdwe(void)
{
	return !sys_failed(mdwe) && mdwe & PR_MDWE_REFUSE_EXEC_GAIN;
}

long policy_mdwe_answer(void)
{
	return mdwe;
}

bool policy_is_filtered(void)
{
	return filtered;
}

bool policy_expected(enum danger danger)
{
	return word_covers(danger);
}

bool policy_is_told(enum danger danger)
{
	return words & covering[danger];
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

/* Those that refuse memory which is written and executed, and let code be mapped anew,
 * are known from the start. */
static bool lets_code_be_mapped(void)
{
	return policy_is_mdwe() || words & (POLICY_MDWE | POLICY_SECCOMP | POLICY_STRICT);
}

void policy_learn_no_anonymous(void)
{
	atomic_store(&no_anonymous, true);
	if (!lets_code_be_mapped())
		policy_learn_no_fresh_code();
}

void policy_learn_execmem(int error)
{
	policy_learn_refusal(DANGER_EXECMEM, error);
	policy_learn_no_anonymous();
}

bool policy_allows_writable_code(void)
{
	return !atomic_load(&no_writable_code);
}

void policy_learn_no_writable_code(void)
{
	atomic_store(&no_writable_code, true);
}

bool policy_allows_gain(void)
{
	return !atomic_load(&no_gain);
}

void policy_learn_no_gain(void)
{
	atomic_store(&no_gain, true);
}

bool policy_allows_fresh_code(void)
{
	return !atomic_load(&no_fresh_code);
}

void policy_learn_no_fresh_code(void)
{
	atomic_store(&no_fresh_code, true);
}
