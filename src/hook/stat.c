/* hook/stat.c: what a file and a file system are, which is answered in a structure of the
 * host's (hook/result.c). Programs ask fstat which numbers are open: ours are not
 * (hook/descriptor.c). Rules: hook/hook.h.
 *
 * Programs that were linked before glibc 2.33 call __xstat and its kin. */
#include <sys/stat.h>
#include <sys/statfs.h>

#include "../descriptors.h"
#include "hook.h"
#include "next.h"
#include "written.h"

int __xstat(int version, const char *path, struct stat *status);
int __xstat64(int version, const char *path, struct stat64 *status);
int __lxstat(int version, const char *path, struct stat *status);
int __lxstat64(int version, const char *path, struct stat64 *status);
int __fxstat(int version, int fd, struct stat *status);
int __fxstat64(int version, int fd, struct stat64 *status);
int __fxstatat(int version, int fd, const char *path, struct stat *status, int flags);
int __fxstatat64(int version, int fd, const char *path, struct stat64 *status, int flags);

HOOK int stat(const char *restrict path, struct stat *restrict status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.stat)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.stat(path, status));
}

HOOK int stat64(const char *restrict path, struct stat64 *restrict status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.stat64)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.stat64(path, status));
}

HOOK int lstat(const char *restrict path, struct stat *restrict status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.lstat)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.lstat(path, status));
}

HOOK int lstat64(const char *restrict path, struct stat64 *restrict status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.lstat64)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.lstat64(path, status));
}

HOOK int fstat(int fd, struct stat *status)
{
	struct iovec range = { status, sizeof *status };

	if (descriptors_is_ours(fd))
		return (int)hook_answer(-EBADF);
	next_ensure_late();
	if (!next.fstat)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.fstat(fd, status));
}

HOOK int fstat64(int fd, struct stat64 *status)
{
	struct iovec range = { status, sizeof *status };

	if (descriptors_is_ours(fd))
		return (int)hook_answer(-EBADF);
	next_ensure_late();
	if (!next.fstat64)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.fstat64(fd, status));
}

HOOK int fstatat(int fd, const char *restrict path, struct stat *restrict status, int flags)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.fstatat)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.fstatat(fd, path, status, flags));
}

HOOK int fstatat64(int fd, const char *restrict path, struct stat64 *restrict status, int flags)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.fstatat64)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.fstatat64(fd, path, status, flags));
}

/* What stat and its kin were before glibc 2.33. */
HOOK int __xstat(int version, const char *path, struct stat *status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.xstat)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.xstat(version, path, status));
}

HOOK int __xstat64(int version, const char *path, struct stat64 *status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.xstat64)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.xstat64(version, path, status));
}

HOOK int __lxstat(int version, const char *path, struct stat *status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.lxstat)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.lxstat(version, path, status));
}

HOOK int __lxstat64(int version, const char *path, struct stat64 *status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.lxstat64)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.lxstat64(version, path, status));
}

HOOK int __fxstat(int version, int fd, struct stat *status)
{
	struct iovec range = { status, sizeof *status };

	if (descriptors_is_ours(fd))
		return (int)hook_answer(-EBADF);
	next_ensure_late();
	if (!next.fxstat)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.fxstat(version, fd, status));
}

HOOK int __fxstat64(int version, int fd, struct stat64 *status)
{
	struct iovec range = { status, sizeof *status };

	if (descriptors_is_ours(fd))
		return (int)hook_answer(-EBADF);
	next_ensure_late();
	if (!next.fxstat64)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.fxstat64(version, fd, status));
}

HOOK int __fxstatat(int version, int fd, const char *path, struct stat *status, int flags)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.fxstatat)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.fxstatat(version, fd, path, status, flags));
}

HOOK int __fxstatat64(int version, int fd, const char *path, struct stat64 *status, int flags)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.fxstatat64)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.fxstatat64(version, fd, path, status, flags));
}

HOOK int statx(int fd, const char *restrict path, int flags, unsigned mask,
	       struct statx *restrict status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.statx)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.statx(fd, path, flags, mask, status));
}

HOOK int statfs(const char *path, struct statfs *status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.statfs)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.statfs(path, status));
}

HOOK_ALIAS(__statfs, statfs);

HOOK int statfs64(const char *path, struct statfs64 *status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.statfs64)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.statfs64(path, status));
}

HOOK int fstatfs(int fd, struct statfs *status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.fstatfs)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.fstatfs(fd, status));
}

HOOK int fstatfs64(int fd, struct statfs64 *status)
{
	struct iovec range = { status, sizeof *status };

	next_ensure_late();
	if (!next.fstatfs64)
		return hook_missing();
	return (int)WRITTEN_CALL(&range, 1, next.fstatfs64(fd, status));
}
