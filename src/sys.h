/* sys.h: the system calls that jitmend makes, straight to the kernel.
 *
 * Never through libc: a hook would meet itself, and dlsym deadlocks at
 * start-up. Every function returns what the kernel returns: a result, or a
 * negated errno (see sys_failed). errno is never touched. Async-signal-safe.
 *
 * What a filter of the program's would end the process for (hostfilter.h) is refused here
 * with EPERM, as far as the engine gets on without. */
#ifndef JITMEND_SYS_H
#define JITMEND_SYS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "hostfilter.h"

#ifndef SYS_open_tree /* since Linux 5.2, everywhere these */
#define SYS_open_tree 428
#define SYS_move_mount 429
#endif

#if defined(__x86_64__)
#include "arch/x86_64.h"
#elif defined(__i386__)
#include "arch/i386.h"
#elif defined(__aarch64__) && defined(__LP64__)
#include "arch/aarch64.h"
#else
#error "no header under src/arch for this processor"
#endif

#define PAGE_BYTES ARCH_PAGE_SIZE

/* Static, and seldom touched: kept together (src/local.mk sorts sections by name), so
 * that what every start writes to fits on one page. */
#define LARGE __attribute__((section(".bss.large")))

/* The same, before all others: every start writes to its beginning. */
#define LARGE_BUT_BEGUN __attribute__((section(".bss.begun")))

static inline uintptr_t page_down(uintptr_t address)
{
	return address & ~(PAGE_BYTES - 1);
}

static inline uintptr_t page_up(uintptr_t address)
{
	return page_down(address + PAGE_BYTES - 1);
}

/* An address of 2 GiB or more is negative too: only the last page is errors. */
static inline bool sys_failed(long result)
{
	return (unsigned long)result > -4096UL;
}

/* A policy said no: what SELinux, MDWE, a filter and a noexec mount answer. */
static inline bool sys_refused(long result)
{
	return result == -EACCES || result == -EPERM;
}

/* The kernel's struct sigaction, and its signal set of 64 bits. */
struct sys_sigaction {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

#define SYS_CALL(number, a, b, c, d, e, f) \
	arch_syscall((number), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static inline uint64_t sys_signal_bit(int signal)
{
	return 1ULL << (signal - 1);
}

/* Where the engine keeps its own account of mappings, what changes them goes into it
 * (ledger.h). Set in the child of a fork, before it has threads. */
#ifdef SYS_WITHOUT_LEDGER /* a library without the engine */
#define sys_ledger_is_kept false
#define hostfilter_ends(call) false
#else
extern bool sys_ledger_is_kept;
#endif
long ledger_mmap(uintptr_t address, size_t length, int protection, int flags, int fd,
		 int64_t offset);
long ledger_mprotect(uintptr_t address, size_t length, int protection, int pkey);
long ledger_munmap(uintptr_t address, size_t length);
long ledger_mremap(uintptr_t from, size_t old_length, size_t length, int flags, uintptr_t to);
long ledger_brk(uintptr_t end);

static inline long sys_mmap(uintptr_t address, size_t length, int protection, int flags, int fd,
			    int64_t offset)
{
	if (sys_ledger_is_kept)
		return ledger_mmap(address, length, protection, flags, fd, offset);
	return arch_mmap((long)address, (long)length, protection, flags, fd, offset);
}

/* PKEY -1 is a plain mprotect. The first is not written down. */
static inline long sys_mprotect_plain(uintptr_t address, size_t length, int protection, int pkey)
{
	if (pkey == -1)
		return SYS_CALL(SYS_mprotect, address, length, protection, 0, 0, 0);
	return SYS_CALL(SYS_pkey_mprotect, address, length, protection, pkey, 0, 0);
}

static inline long sys_mprotect(uintptr_t address, size_t length, int protection, int pkey)
{
	if (sys_ledger_is_kept)
		return ledger_mprotect(address, length, protection, pkey);
	return sys_mprotect_plain(address, length, protection, pkey);
}

static inline long sys_munmap(uintptr_t address, size_t length)
{
	if (sys_ledger_is_kept)
		return ledger_munmap(address, length);
	return SYS_CALL(SYS_munmap, address, length, 0, 0, 0, 0);
}

static inline long sys_mremap(uintptr_t from, size_t old_length, size_t length, int flags,
			      uintptr_t to)
{
	if (sys_ledger_is_kept)
		return ledger_mremap(from, old_length, length, flags, to);
	return SYS_CALL(SYS_mremap, from, old_length, length, flags, to, 0);
}

static inline long sys_madvise(uintptr_t address, size_t length, int advice)
{
	return SYS_CALL(SYS_madvise, address, length, advice, 0, 0, 0);
}

static inline long sys_mlock2(uintptr_t address, size_t length, int flags)
{
	return SYS_CALL(SYS_mlock2, address, length, flags, 0, 0, 0);
}

static inline long sys_munlock(uintptr_t address, size_t length)
{
	return SYS_CALL(SYS_munlock, address, length, 0, 0, 0, 0);
}

static inline long sys_brk(uintptr_t end)
{
	if (sys_ledger_is_kept && end)
		return ledger_brk(end);
	return SYS_CALL(SYS_brk, end, 0, 0, 0, 0, 0);
}

/* Files of any size. */
static inline long sys_open(const char *path, int flags, int mode)
{
	if (hostfilter_ends(HOSTFILTER_OPEN))
		return -EPERM;
	return SYS_CALL(SYS_openat, -100 /* AT_FDCWD */, path, flags | ARCH_O_LARGEFILE, mode, 0, 0);
}

static inline long sys_close(int fd)
{
	return SYS_CALL(SYS_close, fd, 0, 0, 0, 0, 0);
}

static inline long sys_pread(int fd, void *buffer, size_t length, int64_t offset)
{
	return arch_pread(fd, (long)buffer, (long)length, offset);
}

/* Flags need a younger system call. */
static inline long sys_preadv(int fd, const void *vector, int count, int64_t offset, int flags)
{
	return arch_preadv(fd, (long)vector, count, offset, flags);
}

static inline long sys_pwrite(int fd, const void *bytes, size_t length, uint64_t offset)
{
	if (hostfilter_ends(HOSTFILTER_WRITE_AT))
		return -EPERM;
	return arch_pwrite(fd, (long)bytes, (long)length, (int64_t)offset);
}

static inline long sys_write(int fd, const void *buffer, size_t length)
{
	return SYS_CALL(SYS_write, fd, buffer, length, 0, 0, 0);
}

static inline long sys_ftruncate(int fd, uint64_t length)
{
	if (hostfilter_ends(HOSTFILTER_TRUNCATE))
		return -EPERM;
	return arch_ftruncate(fd, (int64_t)length);
}

static inline long sys_fallocate(int fd, int mode, uint64_t offset, uint64_t length)
{
	if (hostfilter_ends(HOSTFILTER_ALLOCATE))
		return -EPERM;
	return arch_fallocate(fd, mode, (int64_t)offset, (int64_t)length);
}

/* Where FD stands, in *OFFSET. */
static inline long sys_tell(int fd, int64_t *offset)
{
	if (hostfilter_ends(HOSTFILTER_SEEK))
		return -EPERM;
	return arch_seek(fd, 0, 1 /* SEEK_CUR */, offset);
}

static inline long sys_set_position(int fd, int64_t offset)
{
	int64_t now;

	if (hostfilter_ends(HOSTFILTER_SEEK))
		return -EPERM;
	return arch_seek(fd, offset, 0 /* SEEK_SET */, &now);
}

static inline long sys_ioctl(int fd, unsigned long request, void *argument)
{
	return SYS_CALL(SYS_ioctl, fd, request, argument, 0, 0, 0);
}

static inline long sys_fcntl(int fd, int command, long argument)
{
	return arch_fcntl(fd, command, argument);
}

/* The kernel's structures are libc's for files of any size. */
struct stat64;
static inline long sys_fstat(int fd, struct stat64 *status)
{
	return arch_fstat(fd, (long)status);
}

static inline long sys_stat(const char *path, struct stat64 *status)
{
	return arch_stat((long)path, (long)status);
}

struct statfs64;
static inline long sys_statfs(const char *path, struct statfs64 *status)
{
	return arch_statfs((long)path, (long)status);
}

static inline long sys_shmat(int id, uintptr_t address, int flags)
{
	return arch_shmat(id, (long)address, flags);
}

static inline long sys_readlink(const char *path, char *buffer, size_t size)
{
	return SYS_CALL(SYS_readlinkat, -100 /* AT_FDCWD */, path, buffer, size, 0, 0);
}

static inline int sys_getpid(void)
{
	return (int)SYS_CALL(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

static inline int sys_gettid(void)
{
	return (int)SYS_CALL(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

/* Waits while *WORD is VALUE, until woken; may return early. */
static inline void sys_futex_wait(const _Atomic uint32_t *word, uint32_t value)
{
	SYS_CALL(SYS_futex, word, 128 /* FUTEX_WAIT_PRIVATE */, value, 0, 0, 0);
}

static inline void sys_futex_wake(const _Atomic uint32_t *word, int waiters)
{
	SYS_CALL(SYS_futex, word, 129 /* FUTEX_WAKE_PRIVATE */, waiters, 0, 0, 0);
}

static inline long sys_sigaction(int signal, const struct sys_sigaction *action,
				 struct sys_sigaction *old)
{
	return SYS_CALL(SYS_rt_sigaction, signal, action, old, sizeof(uint64_t), 0, 0);
}

/* HOW is SIG_BLOCK, SIG_UNBLOCK or SIG_SETMASK. */
static inline long sys_sigprocmask(int how, const uint64_t *mask, uint64_t *old)
{
	return SYS_CALL(SYS_rt_sigprocmask, how, mask, old, sizeof(uint64_t), 0, 0);
}

/* Not of a stack that is in use: by the stack pointer of this call. */
static inline long sys_sigaltstack(const stack_t *stack, stack_t *old)
{
	return SYS_CALL(SYS_sigaltstack, stack, old, 0, 0, 0, 0);
}

/* Sends SIGNAL with INFO (a siginfo_t) to one thread of this process. */
static inline long sys_queue_to_thread(int pid, int tid, int signal, void *info)
{
	return SYS_CALL(SYS_rt_tgsigqueueinfo, pid, tid, signal, info, 0, 0);
}

/* The same to the process. */
static inline long sys_queue_to_process(int pid, int signal, void *info)
{
	return SYS_CALL(SYS_rt_sigqueueinfo, pid, signal, info, 0, 0, 0);
}

static inline long sys_memfd_create(const char *name, unsigned flags)
{
	if (hostfilter_ends(HOSTFILTER_NEW_FILE))
		return -EPERM;
	return SYS_CALL(SYS_memfd_create, name, flags, 0, 0, 0, 0);
}

/* A limit of this process's; WANTED or NOW may be NULL (prlimit(2)). */
struct rlimit64;
static inline long sys_limit(int resource, const struct rlimit64 *wanted, struct rlimit64 *now)
{
	if (hostfilter_ends(HOSTFILTER_LIMIT))
		return -EPERM;
	return SYS_CALL(SYS_prlimit64, 0, resource, wanted, now, 0, 0);
}

static inline long sys_prctl(int option, unsigned long a)
{
	return SYS_CALL(SYS_prctl, option, a, 0, 0, 0, 0);
}

/* The thread's personality(2) from now on; returns the one before. */
#define CURRENT_PERSONALITY 0xffffffffUL /* changes nothing */

static inline long sys_personality(unsigned long persona)
{
	return SYS_CALL(SYS_personality, persona, 0, 0, 0, 0, 0);
}

/* Nothing of it where the kernel will not say. */
static inline unsigned long sys_current_personality(void)
{
	long persona = sys_personality(CURRENT_PERSONALITY);

	return sys_failed(persona) ? 0 : (unsigned long)persona;
}

#define SYS_HIGH_DESCRIPTOR 900 /* above what programs take or close by number */

/* Moves a descriptor of ours to a high number, where the host neither closes by
 * number nor asks for the lowest; it stays where it is if RLIMIT_NOFILE is lower.
 * Returns the number that it has then. The kernel gives the lowest first: another
 * thread of the host's that makes a descriptor meanwhile gets the next one, so this
 * is the first thing to do with a new one. */
int sys_move_up(int fd);

/* The thread's signals that wait, blocked; none where nobody says. */
uint64_t sys_pending_signals(void);

/* Whether the instruction that the context goes on with comes after a system call. */
bool sys_was_called(const ucontext_t *context);

/* Copies this process's own memory, with an error where a plain read would
 * raise a signal. Returns the number of bytes read before the first bad page. */
long sys_read_memory(int pid, void *to, uintptr_t from, size_t length);

/* Of a mapping that may be read: this is past the end of its file, or guarded
 * (madvise(2), MADV_GUARD_INSTALL). */
bool sys_is_untouchable(uintptr_t address);

/* The same with plain loads where the kernel will not do it: filters may refuse those calls,
 * or memory for it be short. FROM is mapped, and may be read. */
long sys_copy_memory(int pid, void *to, uintptr_t from, size_t length);

/* The other way: bytes written before the first page that cannot be. */
long sys_write_memory(int pid, uintptr_t to, const void *from, size_t length);

#endif
