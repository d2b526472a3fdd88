/* sys.c: what sys.h cannot hold inline. The same rules apply. */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>

#include "hostfilter.h"
#include "memory.h"
#include "scratch.h"

/* By a filter; with which error is up to that. A process may read and write itself. */
static bool is_refused(long copied)
{
	return sys_failed(copied) && copied != -EFAULT;
}

long sys_read_memory(int pid, void *to, uintptr_t from, size_t length)
{
	struct iovec local = { .iov_base = to, .iov_len = length };
	struct iovec remote = { .iov_base = (void *)from, .iov_len = length };
	long copied = -EPERM;

	if (!hostfilter_ends(HOSTFILTER_READ_MEMORY))
		copied = SYS_CALL(SYS_process_vm_readv, pid, &local, 1, &remote, 1, 0);
	return is_refused(copied) ? scratch_copy((uintptr_t)to, from, length) : copied;
}

bool sys_is_untouchable(uintptr_t address)
{
	char byte;

	return sys_read_memory(sys_getpid(), &byte, address, 1) == -EFAULT;
}

long sys_copy_memory(int pid, void *to, uintptr_t from, size_t length)
{
	long copied = sys_read_memory(pid, to, from, length);

	if (!is_refused(copied))
		return copied;
	memcpy(to, (const void *)from, length);
	return (long)length;
}

long sys_write_memory(int pid, uintptr_t to, const void *from, size_t length)
{
	struct iovec local = { .iov_base = (void *)from, .iov_len = length };
	struct iovec remote = { .iov_base = (void *)to, .iov_len = length };
	long copied = -EPERM;

	if (!hostfilter_ends(HOSTFILTER_WRITE_MEMORY))
		copied = SYS_CALL(SYS_process_vm_writev, pid, &local, 1, &remote, 1, 0);
	return is_refused(copied) ? scratch_copy(to, (uintptr_t)from, length) : copied;
}

int sys_move_up(int fd)
{
	long high;

	if (fd >= SYS_HIGH_DESCRIPTOR)
		return fd;
	high = sys_fcntl(fd, F_DUPFD_CLOEXEC, SYS_HIGH_DESCRIPTOR);
	if (sys_failed(high))
		return fd;
	sys_close(fd);
	return (int)high;
}

uint64_t sys_pending_signals(void)
{
	uint64_t pending = 0;

	if (!hostfilter_ends(HOSTFILTER_PENDING))
		SYS_CALL(SYS_rt_sigpending, &pending, sizeof pending, 0, 0, 0, 0);
	return pending;
}

bool sys_was_called(const ucontext_t *context)
{
	static const unsigned char call[] = ARCH_SYSTEM_CALL;
	uintptr_t before = arch_instruction(context) - sizeof call;
	unsigned char bytes[sizeof call];

	if (sys_read_memory(sys_getpid(), bytes, before, sizeof bytes) != (long)sizeof bytes)
		return false;
	for (size_t i = 0; i < sizeof call; i++)
		if (bytes[i] != call[i])
			return false;
	return true;
}
