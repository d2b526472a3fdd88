/* arch/word64.h: system calls with offsets and lengths of files, where a register
 * holds the whole of one. See arch/i386.h for the others.
 *
 * Included by the processors' headers, below their arch_syscall. Async-signal-safe. */
#ifndef JITMEND_ARCH_WORD64_H
#define JITMEND_ARCH_WORD64_H

#include <stdint.h>
#include <sys/syscall.h>

#define ARCH_O_LARGEFILE 0 /* every file may be large */

static inline long arch_mmap(long address, long length, long protection, long flags, long fd,
			     int64_t offset)
{
	return arch_syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}

static inline long arch_pread(long fd, long buffer, long length, int64_t offset)
{
	return arch_syscall(SYS_pread64, fd, buffer, length, offset, 0, 0);
}

static inline long arch_pwrite(long fd, long bytes, long length, int64_t offset)
{
	return arch_syscall(SYS_pwrite64, fd, bytes, length, offset, 0, 0);
}

static inline long arch_preadv(long fd, long vector, long count, int64_t offset, long flags)
{
	return arch_syscall(flags ? SYS_preadv2 : SYS_preadv, fd, vector, count, offset, 0, flags);
}

static inline long arch_ftruncate(long fd, int64_t length)
{
	return arch_syscall(SYS_ftruncate, fd, length, 0, 0, 0, 0);
}

static inline long arch_fallocate(long fd, long mode, int64_t offset, int64_t length)
{
	return arch_syscall(SYS_fallocate, fd, mode, offset, length, 0, 0);
}

static inline long arch_seek(long fd, int64_t offset, long whence, int64_t *now)
{
	long result = arch_syscall(SYS_lseek, fd, offset, whence, 0, 0, 0);

	*now = result;
	return result < 0 ? result : 0;
}

static inline long arch_fcntl(long fd, long command, long argument)
{
	return arch_syscall(SYS_fcntl, fd, command, argument, 0, 0, 0);
}

static inline long arch_fstat(long fd, long status)
{
	return arch_syscall(SYS_fstat, fd, status, 0, 0, 0, 0);
}

static inline long arch_stat(long path, long status)
{
#ifdef SYS_stat
	return arch_syscall(SYS_stat, path, status, 0, 0, 0, 0);
#else
	return arch_syscall(SYS_newfstatat, -100 /* AT_FDCWD */, path, status, 0, 0, 0);
#endif
}

static inline long arch_statfs(long path, long status)
{
	return arch_syscall(SYS_statfs, path, status, 0, 0, 0, 0);
}

static inline long arch_shmat(long id, long address, long flags)
{
	return arch_syscall(SYS_shmat, id, address, flags, 0, 0, 0);
}

#endif
