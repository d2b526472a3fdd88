/* hostfilter.c: filters return to the library what they return to the kernel. */
#define _GNU_SOURCE
#include "hostfilter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys.h"
#include "tap.h"

#define FILTERS 300
#define MOST 40
#define ARGUMENTS { 7, 0x1234567, 3, 0, 0xfffffff0u, 0x80000001u }
#define RETURNED 0xff /* an errno of so many bits */
#define ENDED 0x100

static unsigned any(unsigned below)
{
	static uint32_t state = 4711;

	state = state * 1664525 + 1013904223;
	return (state >> 16) % below;
}

static struct sock_filter any_reckoning(void)
{
	static const unsigned char operations[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_OR, BPF_AND,
						    BPF_XOR, BPF_NEG };

	switch (any(4)) {
	case 0:
		return (struct sock_filter)BPF_STMT(BPF_ALU | (any(2) ? BPF_LSH : BPF_RSH) |
							    (any(2) ? BPF_K : BPF_X), any(32));
	case 1:
		return (struct sock_filter)BPF_STMT(BPF_ALU | BPF_DIV | (any(2) ? BPF_K : BPF_X),
						    1 + any(9));
	default:
		return (struct sock_filter)BPF_STMT(BPF_ALU | operations[any(7)] |
							    (any(2) ? BPF_K : BPF_X), any(1000));
	}
}

static struct sock_filter any_load(void)
{
	/* The first word of memory is stored before all. */
	switch (any(6)) {
	case 0:
		return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0);
	case 1:
		return (struct sock_filter)BPF_STMT(BPF_LDX | BPF_IMM, any(5000));
	case 2:
		return (struct sock_filter)BPF_STMT((any(2) ? BPF_LD : BPF_LDX) | BPF_MEM, 0);
	case 3:
		return (struct sock_filter)BPF_STMT(any(2) ? BPF_ST : BPF_STX, 0);
	case 4:
		return (struct sock_filter)BPF_STMT(BPF_MISC | (any(2) ? BPF_TAX : BPF_TXA), 0);
	default:
		return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						    offsetof(struct seccomp_data, args) + 4 * any(12));
	}
}

static struct sock_filter any_jump(unsigned left)
{
	static const unsigned char operations[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };

	if (any(5) == 0)
		return (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, any(left));
	return (struct sock_filter)BPF_JUMP(BPF_JMP | operations[any(4)] | (any(2) ? BPF_K : BPF_X),
					    any(2) ? any(10) : 0x1234567, any(left), any(left));
}

/* For getppid: it ends with A's lowest bits as an errno. All else is allowed. */
static unsigned any_filter(struct sock_filter *filter)
{
	const struct sock_filter begin[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_ST, 0),
	}, end[] = {
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, RETURNED),
		BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	unsigned count = sizeof begin / sizeof *begin;

	memcpy(filter, begin, sizeof begin);
	for (; count < MOST - 3; count++)
		switch (any(3)) {
		case 0:
			filter[count] = any_reckoning();
			break;
		case 1:
			filter[count] = any_load();
			break;
		default:
			filter[count] = any_jump(MOST - 3 - count);
		}
	memcpy(filter + count, end, sizeof end);
	return MOST;
}

/* The errno that the kernel gives, ENDED, or -1 where it takes no such filter. */
static int kernel_says(struct sock_filter *filter, unsigned count)
{
	const unsigned long a[6] = ARGUMENTS;
	struct sock_fprog program = { (unsigned short)count, filter };
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
			_exit(RETURNED);
		errno = 0;
		syscall(SYS_getppid, a[0], a[1], a[2], a[3], a[4], a[5]);
		_exit(errno & RETURNED);
	}
	waitpid(child, &status, 0);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return ENDED;
	return WIFEXITED(status) && WEXITSTATUS(status) != RETURNED ? WEXITSTATUS(status) : -1;
}

static int library_says(const struct sock_filter *filter, unsigned count)
{
	struct seccomp_data data = { .nr = SYS_getppid, .arch = ARCH_AUDIT, .args = ARGUMENTS };
	uint32_t answer = hostfilter_run(filter, count, &data);

	return (answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO ? (int)(answer & RETURNED) :
									 ENDED;
}

static void filters_at_random(void)
{
	struct sock_filter filter[MOST];
	int asked = 0, same = 0;

	for (int i = 0; i < FILTERS; i++) {
		unsigned count = any_filter(filter);
		int wanted = kernel_says(filter, count);

		if (wanted < 0)
			continue;
		asked++;
		same += library_says(filter, count) == wanted;
	}
	printf("# %d filters\n", asked);
	CHECK(asked > FILTERS / 2, "the kernel takes filters");
	SAME(same, asked, "they return what they return to the kernel");
}

static void read_and_kept(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof filter / sizeof *filter, filter };

	hostfilter_read(1);
	CHECK(!hostfilter_ends(HOSTFILTER_READ_MEMORY), "a filter that is nowhere says nothing");
	hostfilter_read((uintptr_t)&program);
	CHECK(hostfilter_ends(HOSTFILTER_READ_MEMORY), "what raises a signal is not called");
	CHECK(!hostfilter_ends(HOSTFILTER_QUERY), "an error is an answer");
	CHECK(!hostfilter_ends(HOSTFILTER_WRITE_MEMORY), "what is allowed is allowed");
}

int main(void)
{
	filters_at_random();
	read_and_kept();
	return tap_done();
}
