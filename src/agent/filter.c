/* filter.c: puts the filter together, from a table. See filter.h. */
#include "filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "../sys.h"
#include "../writes.h"

/* The agent's own code: names that the linker gives. */
extern const char __executable_start[], etext[];

struct window {
	uintptr_t start, end;
};

enum when {
	ALWAYS,
	HAS,     /* a bit of VALUE is set in the argument */
	LACKS,   /* none is */
	ABOVE,   /* the argument is more than VALUE */
	IS,      /* it is VALUE */
	POINTER, /* the argument is not NULL */
	WITHIN,  /* the argument points into the window */
	NEVER,   /* the call is not there: ENOSYS */
};

/* Several rules of one number: any of them. */
struct rule {
	unsigned number;
	enum when when;
	unsigned argument;
	uint32_t value;
};

/* Where our descriptors begin, unless they could not be moved there (sys.h). */
#define OUR_DESCRIPTORS 900U

static const struct rule first_rules[] = {
	{ SYS_mmap, HAS, 2, PROT_EXEC },
	{ SYS_mmap, HAS, 3, MAP_FIXED },
	{ SYS_mmap, HAS, 3, MAP_SHARED },
	{ SYS_mmap, LACKS, 3, MAP_ANONYMOUS },
	{ SYS_mprotect, ALWAYS, 0, 0 },
	{ SYS_pkey_mprotect, ALWAYS, 0, 0 },
	{ SYS_munmap, ALWAYS, 0, 0 },
	{ SYS_brk, ALWAYS, 0, 0 },
	{ SYS_mremap, ALWAYS, 0, 0 },
	{ SYS_madvise, ABOVE, 2, MADV_WILLNEED },
	{ SYS_shmat, ALWAYS, 0, 0 },
	{ SYS_mlock, ALWAYS, 0, 0 },
	{ SYS_mlock2, ALWAYS, 0, 0 },
	{ SYS_mlockall, ALWAYS, 0, 0 },
	{ SYS_munlock, ALWAYS, 0, 0 },
	{ SYS_munlockall, ALWAYS, 0, 0 },
	{ SYS_personality, ALWAYS, 0, 0 },
	{ SYS_rt_sigaction, ALWAYS, 0, 0 },
	{ SYS_rt_sigprocmask, ALWAYS, 0, 0 },
	{ SYS_rt_sigpending, ALWAYS, 0, 0 },
	{ SYS_rt_sigtimedwait, ALWAYS, 0, 0 },
	{ SYS_rt_sigsuspend, ALWAYS, 0, 0 },
	{ SYS_ppoll, POINTER, 3, 0 },
	{ SYS_pselect6, POINTER, 5, 0 },
	{ SYS_epoll_pwait, POINTER, 4, 0 },
	{ SYS_epoll_pwait2, POINTER, 4, 0 },
	{ SYS_execve, ALWAYS, 0, 0 },
	{ SYS_execveat, ALWAYS, 0, 0 },
	{ SYS_fork, ALWAYS, 0, 0 },
	{ SYS_clone, LACKS, 0, CLONE_VM },
	{ SYS_clone3, NEVER, 0, 0 }, /* its flags lie in memory; clone does all of it */
	{ SYS_readlink, ALWAYS, 0, 0 },
	{ SYS_readlinkat, ALWAYS, 0, 0 },
	{ SYS_close, ABOVE, 0, OUR_DESCRIPTORS - 1 },
	{ SYS_close_range, ALWAYS, 0, 0 },
	{ SYS_dup2, ABOVE, 1, OUR_DESCRIPTORS - 1 },
	{ SYS_dup3, ABOVE, 1, OUR_DESCRIPTORS - 1 },
	{ SYS_exit_group, ALWAYS, 0, 0 },
	{ SYS_chroot, ALWAYS, 0, 0 },
	{ SYS_pivot_root, ALWAYS, 0, 0 },
	{ SYS_mount, ALWAYS, 0, 0 },
	{ SYS_move_mount, ALWAYS, 0, 0 },
	{ SYS_setns, ALWAYS, 0, 0 },
	{ SYS_umount2, ALWAYS, 0, 0 },
	{ SYS_seccomp, ALWAYS, 0, 0 },
	{ SYS_prctl, IS, 0, PR_SET_SECCOMP },
};

#define X32_BIT 0x40000000U

/* Of one filter: the first, or a window's. */
#define MOST_RULES (WRITES_MOST_TARGETS + WRITES_MOST_BY_VECTOR)

/* What each filter begins with; and of each rule the number, what it says of an argument,
 * the judgment by the place, the way there by halves, and the answer where that ends. */
#define BEGIN_PARTS 6
#define NUMBER_PARTS 2
#define CONDITION_PARTS 5
#define PLACE_PARTS 7
#define WAY_PARTS 3
#define MOST_PARTS \
	(BEGIN_PARTS + MOST_RULES * (NUMBER_PARTS + CONDITION_PARTS + PLACE_PARTS + WAY_PARTS))

_Static_assert(sizeof first_rules / sizeof *first_rules <= MOST_RULES, "none is left out");
_Static_assert(MOST_PARTS <= BPF_MAXINSNS, "the kernel takes as many");

struct parts {
	struct sock_filter list[MOST_PARTS];
	unsigned short count;
};

static void add(struct parts *parts, unsigned short code, uint32_t value, unsigned char if_true,
		unsigned char if_false)
{
	parts->list[parts->count++] = (struct sock_filter){ code, if_true, if_false, value };
}

static void load(struct parts *parts, size_t offset)
{
	add(parts, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void answer(struct parts *parts, uint32_t what)
{
	add(parts, BPF_RET | BPF_K, what, 0, 0);
}

/* Where this is the agent's own code, ALLOW; else the trap. One 4 GiB holds it. */
static void judge_by_place(struct parts *parts)
{
	uint64_t start = (uintptr_t)__executable_start, end = (uintptr_t)etext;

	load(parts, offsetof(struct seccomp_data, instruction_pointer) + 4);
	add(parts, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(start >> 32), 0, 4);
	load(parts, offsetof(struct seccomp_data, instruction_pointer));
	add(parts, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)start, 0, 2);
	add(parts, BPF_JMP | BPF_JGT | BPF_K, (uint32_t)end, 1, 0);
	answer(parts, SECCOMP_RET_ALLOW);
	answer(parts, SECCOMP_RET_TRAP | FILTER_MARK);
}

/* Over the judgment where the argument is not as the rule has it. */
static void add_condition(struct parts *parts, const struct rule *rule,
			  const struct window *window)
{
	size_t low = offsetof(struct seccomp_data, args) + rule->argument * sizeof(uint64_t);
	bool lacks = rule->when == LACKS;

	switch (rule->when) {
	case HAS:
	case LACKS:
	case ABOVE:
		load(parts, low);
		add(parts, BPF_JMP | BPF_K | (rule->when == ABOVE ? BPF_JGT : BPF_JSET), rule->value,
		    lacks ? PLACE_PARTS : 0, lacks ? 0 : PLACE_PARTS);
		return;
	case IS:
		load(parts, low);
		add(parts, BPF_JMP | BPF_JEQ | BPF_K, rule->value, 0, PLACE_PARTS);
		return;
	case POINTER:
		load(parts, low);
		add(parts, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2);
		load(parts, low + 4);
		add(parts, BPF_JMP | BPF_JEQ | BPF_K, 0, PLACE_PARTS, 0);
		return;
	case WITHIN:
		load(parts, low + 4);
		add(parts, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(window->start >> 32), 0,
		    PLACE_PARTS + 3);
		load(parts, low);
		add(parts, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)window->start, 0, PLACE_PARTS + 1);
		add(parts, BPF_JMP | BPF_JGT | BPF_K, (uint32_t)(window->end - 1), PLACE_PARTS, 0);
		return;
	case ALWAYS:
	case NEVER:
		return;
	}
}

static void add_rule(struct parts *parts, const struct rule *rule, const struct window *window)
{
	unsigned short test;

	load(parts, offsetof(struct seccomp_data, nr));
	test = parts->count;
	add(parts, BPF_JMP | BPF_JEQ | BPF_K, rule->number, 0, 0);
	add_condition(parts, rule, window);
	if (rule->when == NEVER)
		answer(parts, SECCOMP_RET_ERRNO | ENOSYS);
	else
		judge_by_place(parts);
	parts->list[test].jf = (unsigned char)(parts->count - test - 1);
}

/* In the order of their numbers; those of one number as they were put in. */
struct ordered {
	struct rule list[MOST_RULES];
	size_t count;
};

static void put_in_order(struct ordered *ordered, const struct rule *rule)
{
	size_t at = ordered->count;

	for (; at && ordered->list[at - 1].number > rule->number; at--)
		ordered->list[at] = ordered->list[at - 1];
	ordered->list[at] = *rule;
	ordered->count++;
}

/* Where the second half begins; COUNT where all are of one number. */
static size_t middle_of(const struct rule *rules, size_t count)
{
	size_t middle = count / 2;

	while (middle && rules[middle].number == rules[middle - 1].number)
		middle--;
	if (middle)
		return middle;
	for (middle = 1; middle < count && rules[middle].number == rules[0].number; middle++)
		;
	return middle;
}

/* A number is found by halves: each filter that there is is asked about each call that one
 * of them minds, and one test after the other would be most of what such a call costs. The
 * number is loaded already. */
static void add_rules(struct parts *parts, const struct rule *rules, size_t count,
		      const struct window *window)
{
	size_t middle = middle_of(rules, count);
	unsigned short jump;

	if (middle == count) {
		for (size_t i = 0; i < count; i++)
			add_rule(parts, &rules[i], window);
		answer(parts, SECCOMP_RET_ALLOW);
		return;
	}
	add(parts, BPF_JMP | BPF_JGE | BPF_K, rules[middle].number, 0, 1);
	jump = parts->count;
	add(parts, BPF_JMP | BPF_JA, 0, 0, 0);
	add_rules(parts, rules, middle, window);
	parts->list[jump].k = parts->count - jump - 1U;
	add_rules(parts, rules + middle, count - middle, window);
}

static void begin(struct parts *parts)
{
	parts->count = 0;
	load(parts, offsetof(struct seccomp_data, arch));
	add(parts, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	answer(parts, SECCOMP_RET_ALLOW);
	load(parts, offsetof(struct seccomp_data, nr));
	add(parts, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	answer(parts, SECCOMP_RET_ALLOW);
}

static long install(struct parts *parts, unsigned flags)
{
	struct sock_fprog program = { .filter = parts->list, .len = parts->count };

	return SYS_CALL(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program, 0, 0, 0);
}

static struct parts parts;
static struct ordered ordered;

/* Of the rules that were put in order. */
static void make(const struct window *window)
{
	begin(&parts);
	add_rules(&parts, ordered.list, ordered.count, window);
}

long filter_install(void)
{
	long result;

	ordered.count = 0;
	for (size_t i = 0; i < sizeof first_rules / sizeof *first_rules; i++)
		put_in_order(&ordered, &first_rules[i]);
	make(NULL);
	result = SYS_CALL(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);
	return sys_failed(result) ? result : install(&parts, 0);
}

bool filter_watch_mappings(void)
{
	static bool watches;

	if (watches)
		return true;
	ordered.count = 0;
	put_in_order(&ordered, &(struct rule){ SYS_mmap, ALWAYS, 0, 0 });
	make(NULL);
	watches = !install(&parts, SECCOMP_FILTER_FLAG_TSYNC);
	return watches;
}

/* ---------------------------------------------------- the kernel's writes */

/* Around code pages, in one 4 GiB. A buffer that begins as far below may reach into
 * them. */
#define WINDOW_BYTES 0x4000000UL
#define REACH_BYTES 0x1000000UL
#define FOUR_GIB 0x100000000UL
#define MOST_WINDOWS 32

static struct window windows[MOST_WINDOWS];
static size_t window_count;

static void watch_window(const struct window *window)
{
	if (hostfilter_ends(HOSTFILTER_FILTER))
		return;
	ordered.count = 0;
	for (size_t i = 0; i < writes_target_count; i++) {
		const struct writes_target *target = &writes_targets[i];

		put_in_order(&ordered, &(struct rule){ (unsigned)target->number, WITHIN,
						       (unsigned)target->argument, 0 });
	}
	for (size_t i = 0; i < writes_by_vector_count && !window_count; i++)
		put_in_order(&ordered,
			     &(struct rule){ (unsigned)writes_by_vector[i], ALWAYS, 0, 0 });
	make(window);
	install(&parts, SECCOMP_FILTER_FLAG_TSYNC);
}

static bool is_watched(uintptr_t start, uintptr_t end)
{
	for (size_t i = 0; i < window_count; i++)
		if (windows[i].start <= start && end <= windows[i].end)
			return true;
	return false;
}

/* The last window is the whole of a 4 GiB: too many tell of memory all over it. */
static void add_window(uintptr_t start, uintptr_t end)
{
	struct window window = { start, end };

	if (window_count == MOST_WINDOWS || is_watched(start, end))
		return;
	if (window_count == MOST_WINDOWS - 1)
		window = (struct window){ start & ~(FOUR_GIB - 1), (start & ~(FOUR_GIB - 1)) + FOUR_GIB };
	watch_window(&window);
	windows[window_count++] = window;
}

void filter_watch_writes(uintptr_t address, size_t length)
{
	uintptr_t end = address + length, last;

	if (is_watched(address, end))
		return;
	address &= ~(WINDOW_BYTES - 1);
	address -= address < REACH_BYTES ? address : REACH_BYTES;
	end = (end + WINDOW_BYTES - 1) & ~(WINDOW_BYTES - 1);
	for (; address < end; address = last) {
		last = (address / FOUR_GIB + 1) * FOUR_GIB;
		if (last > end)
			last = end;
		add_window(address, last);
	}
}
