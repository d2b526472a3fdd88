/* deny-filter.c: the two seccomp filters. See deny-policy.h.
 *
 * libseccomp writes the programs, one architecture at a time (their calls
 * differ), and merges them. They are loaded by hand: libseccomp 2.5 knows
 * neither WAIT_KILLABLE_RECV nor "no_new_privs only where it must be". */
#include <config.h>

#include "deny-policy.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* Linux 5.19 */
#endif

static _Noreturn void fail(const char *what, int error)
{
	deny_fail(STATUS_OURS, "cannot %s: %s", what, strerror(error));
}

static void *check_context(scmp_filter_ctx context)
{
	if (!context)
		fail("begin a seccomp filter", ENOMEM);
	return context;
}

/* A filter of one architecture that lets everything through, other
 * architectures' calls too. */
static scmp_filter_ctx filter_for(uint32_t architecture)
{
	scmp_filter_ctx filter = check_context(seccomp_init(SCMP_ACT_ALLOW));
	int error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);

	if (!error && architecture != seccomp_arch_native()) {
		error = seccomp_arch_add(filter, architecture);
		if (!error)
			error = seccomp_arch_remove(filter, seccomp_arch_native());
	}
	if (error)
		fail("begin a seccomp filter", -error);
	return filter;
}

static void add(scmp_filter_ctx filter, uint32_t action, int call, unsigned count,
		const struct scmp_arg_cmp *arguments)
{
	int error = seccomp_rule_add_array(filter, action, call, count, arguments);

	if (error)
		fail("write a seccomp filter", -error);
}

/* Argument NUMBER has all the bits. */
static void add_bits(scmp_filter_ctx filter, uint32_t action, int call,
		     unsigned number, uint64_t bits)
{
	const struct scmp_arg_cmp has = {
		.arg = number, .op = SCMP_CMP_MASKED_EQ, .datum_a = bits, .datum_b = bits,
	};

	add(filter, action, call, 1, &has);
}

static void merge(scmp_filter_ctx into, scmp_filter_ctx from)
{
	int error = seccomp_merge(into, from);

	if (error)
		fail("merge seccomp filters", -error);
}

/* The program text, from malloc: it lives until exec. */
static struct sock_fprog program_of(scmp_filter_ctx filter)
{
	int fd = memfd_create("filter", MFD_CLOEXEC), error;
	struct sock_fprog program;
	struct stat found;

	error = fd < 0 ? -errno : seccomp_export_bpf(filter, fd);
	if (error)
		fail("write out a seccomp filter", -error);
	if (fstat(fd, &found) != 0)
		fail("write out a seccomp filter", errno);
	program.len = (unsigned short)((size_t)found.st_size / sizeof *program.filter);
	program.filter = malloc((size_t)found.st_size);
	if (!program.filter)
		fail("read a seccomp filter", ENOMEM);
	if (pread(fd, program.filter, (size_t)found.st_size, 0) != found.st_size)
		fail("read a seccomp filter", errno);
	close(fd);
	seccomp_release(filter);
	return program;
}

/* Where the process is privileged enough, without no_new_privs: set-user-ID
 * programs go on to work as without us. */
static long load(const struct sock_fprog *program, unsigned long flags)
{
	long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);

	if (result >= 0 || errno != EACCES)
		return result;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0)
		return -1;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
}

/* Beside that of i386, which has calls of its own. */
static uint32_t other_architecture(void)
{
	return seccomp_arch_native() == SCMP_ARCH_X86 ? SCMP_ARCH_X86_64 : seccomp_arch_native();
}

static scmp_filter_ctx systemd_other(uint32_t refuse)
{
	scmp_filter_ctx filter = filter_for(other_architecture());

	add_bits(filter, refuse, SCMP_SYS(mmap), 2, PROT_WRITE | PROT_EXEC);
	add_bits(filter, refuse, SCMP_SYS(mprotect), 2, PROT_EXEC);
	add_bits(filter, refuse, SCMP_SYS(pkey_mprotect), 2, PROT_EXEC);
	add_bits(filter, refuse, SCMP_SYS(shmat), 2, SHM_EXEC);
	return filter;
}

/* As systemd has it: the old mmap, whose arguments lie in memory, is refused
 * altogether, and shmat by way of ipc passes. */
static scmp_filter_ctx systemd_i386(uint32_t refuse)
{
	scmp_filter_ctx filter = filter_for(SCMP_ARCH_X86);

	add(filter, refuse, SCMP_SYS(mmap), 0, NULL);
	add_bits(filter, refuse, SCMP_SYS(mmap2), 2, PROT_WRITE | PROT_EXEC);
	add_bits(filter, refuse, SCMP_SYS(mprotect), 2, PROT_EXEC);
	add_bits(filter, refuse, SCMP_SYS(pkey_mprotect), 2, PROT_EXEC);
	return filter;
}

void policy_seccomp(void)
{
	const uint32_t refuse = SCMP_ACT_ERRNO(EPERM);
	scmp_filter_ctx filter = systemd_other(refuse);
	struct sock_fprog program;

	merge(filter, systemd_i386(refuse));
	program = program_of(filter);
	if (load(&program, 0) < 0)
		fail("load the --seccomp filter", errno);
	free(program.filter);
}

static void ask_protection(scmp_filter_ctx filter, int call, bool reads)
{
	add_bits(filter, SCMP_ACT_NOTIFY, call, 2, PROT_EXEC);
	if (reads)
		add_bits(filter, SCMP_ACT_NOTIFY, call, 2, PROT_READ);
}

static scmp_filter_ctx ask_other(bool reads)
{
	scmp_filter_ctx filter = filter_for(other_architecture());

	ask_protection(filter, SCMP_SYS(mmap), reads);
	ask_protection(filter, SCMP_SYS(mprotect), reads);
	ask_protection(filter, SCMP_SYS(pkey_mprotect), reads);
	if (reads)
		add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(shmat), 0, NULL);
	else
		add_bits(filter, SCMP_ACT_NOTIFY, SCMP_SYS(shmat), 2, SHM_EXEC);
	if (!reads)
		add_bits(filter, SCMP_ACT_NOTIFY, SCMP_SYS(personality), 0,
			 READ_IMPLIES_EXEC);
	return filter;
}

/* 32-bit programs get READ_IMPLIES_EXEC at exec where they lack a GNU_STACK
 * header, and nothing tells a filter: their reads are always asked about. */
static scmp_filter_ctx ask_i386(void)
{
	const struct scmp_arg_cmp is_shmat = {
		.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = 0xffff, .datum_b = 21,
	};
	scmp_filter_ctx filter = filter_for(SCMP_ARCH_X86);

	add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(mmap), 0, NULL);
	ask_protection(filter, SCMP_SYS(mmap2), true);
	ask_protection(filter, SCMP_SYS(mprotect), true);
	ask_protection(filter, SCMP_SYS(pkey_mprotect), true);
	add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(ipc), 1, &is_shmat);
	return filter;
}

int policy_supervised(const struct deny_settings *settings)
{
	const unsigned long listener = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	scmp_filter_ctx filter = ask_other(settings->read_implies_exec);
	struct sock_fprog program;
	long fd;

	merge(filter, ask_i386());
	program = program_of(filter);
	/* Once the supervisor has the question, no signal but a deadly one
	 * breaks the call off: an mprotect never fails with EINTR. */
	fd = load(&program, listener | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	if (fd < 0 && errno == EINVAL)
		fd = load(&program, listener);
	free(program.filter);
	if (fd < 0 && errno == EBUSY)
		deny_fail(STATUS_OURS, "deny: these processes have a seccomp supervisor "
			  "already (a jitmend deny or a container around this one), "
			  "and the kernel allows only one");
	if (fd < 0 && errno == EINVAL)
		deny_fail(STATUS_OURS, "deny: this kernel cannot ask a supervisor "
			  "(seccomp user notification, Linux 5.0 and later)");
	if (fd < 0)
		fail("load the supervised filter", errno);
	return (int)fd;
}
