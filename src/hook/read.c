/* hook/read.c: what reads files and sockets into the host's memory, which may be
 * code pages (hook/written.h). Rules: hook/hook.h.
 *
 * Cancellation points, so the next definition makes the call. Fortified programs
 * call the __*_chk twins, which look at the room that there is. */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hook.h"
#include "next.h"
#include "written.h"

/* glibc declares them for fortified programs alone. */
ssize_t __read_chk(int fd, void *buffer, size_t length, size_t room);
ssize_t __pread_chk(int fd, void *buffer, size_t length, off_t offset, size_t room);
ssize_t __pread64_chk(int fd, void *buffer, size_t length, off64_t offset, size_t room);
ssize_t __recv_chk(int fd, void *buffer, size_t length, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *restrict buffer, size_t length, size_t room, int flags,
		       struct sockaddr *restrict address, socklen_t *restrict address_length);
ssize_t __readlink_chk(const char *restrict path, char *restrict buffer, size_t length,
		       size_t room);
ssize_t __readlinkat_chk(int fd, const char *restrict path, char *restrict buffer, size_t length,
			 size_t room);
char *__getcwd_chk(char *buffer, size_t length, size_t room);

/* What to do where there is no next definition yet. */
#define RAW(number, a, b, c, d, e, f) hook_answer(SYS_CALL(number, a, b, c, d, e, f))

/* ------------------------------------------------------------------ files */

HOOK ssize_t read(int fd, void *buffer, size_t length)
{
	struct iovec range = { buffer, length };

	next_ensure_late();
	return WRITTEN_CALL(&range, 1,
			    next.read ? next.read(fd, buffer, length)
				: RAW(SYS_read, fd, buffer, length, 0, 0, 0));
}

HOOK_ALIAS(__read, read);

HOOK ssize_t __read_chk(int fd, void *buffer, size_t length, size_t room)
{
	struct iovec range = { buffer, length };

	next_ensure_late();
	if (!next.read_chk)
		return read(fd, buffer, length);
	return WRITTEN_CALL(&range, 1, next.read_chk(fd, buffer, length, room));
}

HOOK ssize_t pread(int fd, void *buffer, size_t length, off_t offset)
{
	struct iovec range = { buffer, length };

	next_ensure_late();
	return WRITTEN_CALL(&range, 1,
			    next.pread ? next.pread(fd, buffer, length, offset)
				: hook_answer(sys_pread(fd, buffer, length, offset)));
}

HOOK ssize_t pread64(int fd, void *buffer, size_t length, off64_t offset)
{
	struct iovec range = { buffer, length };

	next_ensure_late();
	return WRITTEN_CALL(&range, 1,
			    next.pread64 ? next.pread64(fd, buffer, length, offset)
				: hook_answer(sys_pread(fd, buffer, length, offset)));
}

HOOK_ALIAS(__pread64, pread64);

HOOK ssize_t __pread_chk(int fd, void *buffer, size_t length, off_t offset, size_t room)
{
	struct iovec range = { buffer, length };

	next_ensure_late();
	if (!next.pread_chk)
		return pread(fd, buffer, length, offset);
	return WRITTEN_CALL(&range, 1, next.pread_chk(fd, buffer, length, offset, room));
}

HOOK ssize_t __pread64_chk(int fd, void *buffer, size_t length, off64_t offset, size_t room)
{
	struct iovec range = { buffer, length };

	next_ensure_late();
	if (!next.pread64_chk)
		return pread64(fd, buffer, length, offset);
	return WRITTEN_CALL(&range, 1, next.pread64_chk(fd, buffer, length, offset, room));
}

/* ---------------------------------------------------------------- vectors */

/* A negative count is the kernel's to refuse. */
static size_t count_of(int count)
{
	return count < 0 ? 0 : (size_t)count;
}

HOOK ssize_t readv(int fd, const struct iovec *vector, int count)
{
	next_ensure_late();
	return WRITTEN_VECTOR_CALL(vector, count_of(count),
				   next.readv ? next.readv(fd, vector, count)
				       : RAW(SYS_readv, fd, vector, count, 0, 0, 0));
}

HOOK ssize_t preadv(int fd, const struct iovec *vector, int count, off_t offset)
{
	next_ensure_late();
	return WRITTEN_VECTOR_CALL(vector, count_of(count),
				   next.preadv ? next.preadv(fd, vector, count, offset)
				       : hook_answer(sys_preadv(fd, vector, count, offset, 0)));
}

HOOK ssize_t preadv64(int fd, const struct iovec *vector, int count, off64_t offset)
{
	next_ensure_late();
	return WRITTEN_VECTOR_CALL(vector, count_of(count),
				   next.preadv64 ? next.preadv64(fd, vector, count, offset)
				       : hook_answer(sys_preadv(fd, vector, count, offset, 0)));
}

HOOK ssize_t preadv2(int fd, const struct iovec *vector, int count, off_t offset, int flags)
{
	next_ensure_late();
	return WRITTEN_VECTOR_CALL(vector, count_of(count),
				   next.preadv2 ? next.preadv2(fd, vector, count, offset, flags)
				       : hook_answer(sys_preadv(fd, vector, count, offset, flags)));
}

HOOK ssize_t preadv64v2(int fd, const struct iovec *vector, int count, off64_t offset, int flags)
{
	next_ensure_late();
	return WRITTEN_VECTOR_CALL(vector, count_of(count),
				   next.preadv64v2 ? next.preadv64v2(fd, vector, count, offset, flags)
				       : hook_answer(sys_preadv(fd, vector, count, offset, flags)));
}

/* ---------------------------------------------------------------- sockets */

HOOK ssize_t recv(int fd, void *buffer, size_t length, int flags)
{
	struct iovec range = { buffer, length };

	next_ensure_late();
	return WRITTEN_CALL(&range, 1,
			    next.recv ? next.recv(fd, buffer, length, flags)
				: RAW(SYS_recvfrom, fd, buffer, length, flags, 0, 0));
}

HOOK ssize_t __recv_chk(int fd, void *buffer, size_t length, size_t room, int flags)
{
	struct iovec range = { buffer, length };

	next_ensure_late();
	if (!next.recv_chk)
		return recv(fd, buffer, length, flags);
	return WRITTEN_CALL(&range, 1, next.recv_chk(fd, buffer, length, room, flags));
}

/* The address and its length are written to as well. */
static size_t ranges_of_recvfrom(struct iovec *ranges, void *buffer, size_t length, void *address,
				 void *address_length)
{
	ranges[0] = (struct iovec){ buffer, length };
	if (!address || !address_length)
		return 1;
	ranges[1] = (struct iovec){ address, sizeof(struct sockaddr_storage) };
	ranges[2] = (struct iovec){ address_length, sizeof(socklen_t) };
	return 3;
}

HOOK ssize_t recvfrom(int fd, void *restrict buffer, size_t length, int flags,
		      struct sockaddr *restrict address, socklen_t *restrict address_length)
{
	struct iovec ranges[3];
	size_t count = ranges_of_recvfrom(ranges, buffer, length, address, address_length);

	next_ensure_late();
	return WRITTEN_CALL(ranges, count,
			    next.recvfrom ? next.recvfrom(fd, buffer, length, flags, address,
							  address_length)
				: RAW(SYS_recvfrom, fd, buffer, length, flags, address,
				      address_length));
}

HOOK ssize_t __recvfrom_chk(int fd, void *restrict buffer, size_t length, size_t room, int flags,
			    struct sockaddr *restrict address, socklen_t *restrict address_length)
{
	struct iovec ranges[3];
	size_t count = ranges_of_recvfrom(ranges, buffer, length, address, address_length);

	next_ensure_late();
	if (!next.recvfrom_chk)
		return recvfrom(fd, buffer, length, flags, address, address_length);
	return WRITTEN_CALL(ranges, count,
			    next.recvfrom_chk(fd, buffer, length, room, flags, address,
					      address_length));
}

HOOK ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	unsigned tries = 0;
	ssize_t result;

	next_ensure_late();
	do {
		written_prepare_messages(message, 1, sizeof *message);
		result = next.recvmsg ? next.recvmsg(fd, message, flags)
				      : RAW(SYS_recvmsg, fd, message, flags, 0, 0, 0);
	} while (written_messages_again(result, message, 1, sizeof *message, &tries));
	return result;
}

HOOK int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
		  struct timespec *timeout)
{
	const struct msghdr *first = (const struct msghdr *)messages;
	unsigned tries = 0;
	long result;

	next_ensure_late();
	do {
		written_prepare_messages(first, count, sizeof *messages);
		result = next.recvmmsg ? next.recvmmsg(fd, messages, count, flags, timeout)
				       : RAW(SYS_recvmmsg, fd, messages, count, flags, timeout, 0);
	} while (written_messages_again(result, first, count, sizeof *messages, &tries));
	return (int)result;
}

/* ----------------------------------------------------------------- others */

HOOK ssize_t getrandom(void *buffer, size_t length, unsigned flags)
{
	struct iovec range = { buffer, length };

	next_ensure_late();
	return WRITTEN_CALL(&range, 1,
			    next.getrandom ? next.getrandom(buffer, length, flags)
				: RAW(SYS_getrandom, buffer, length, flags, 0, 0, 0));
}

/* Of 256 bytes at most, which the kernel gives at once. */
HOOK int getentropy(void *buffer, size_t length)
{
	struct iovec range = { buffer, length };

	next_ensure_late();
	if (!next.getentropy)
		return errno = ENOSYS, -1;
	return (int)WRITTEN_CALL(&range, 1, next.getentropy(buffer, length));
}

#ifdef HAVE_ARC4RANDOM_BUF
/* libc ends the process where the kernel does not write. No cancellation point. */
HOOK void arc4random_buf(void *buffer, size_t length)
{
	unsigned char *at = buffer;
	int error = errno;

	next_ensure_late();
	while (length && written_is_needed()) {
		struct iovec range = { at, length < 256 ? length : 256 };
		long got = WRITTEN_CALL(&range, 1,
					RAW(SYS_getrandom, at, range.iov_len, 0, 0, 0, 0));

		if (got <= 0)
			break;
		at += got;
		length -= (size_t)got;
	}
	errno = error;
	if (length && next.arc4random_buf)
		next.arc4random_buf(at, length);
}
#endif

HOOK ssize_t getdents64(int fd, void *buffer, size_t length)
{
	struct iovec range = { buffer, length };

	next_ensure_late();
	return WRITTEN_CALL(&range, 1,
			    next.getdents64 ? next.getdents64(fd, buffer, length)
				: RAW(SYS_getdents64, fd, buffer, length, 0, 0, 0));
}

HOOK ssize_t readlink(const char *restrict path, char *restrict buffer, size_t length)
{
	struct iovec range = { buffer, length };

	next_ensure_late();
	return WRITTEN_CALL(&range, 1,
			    next.readlink ? next.readlink(path, buffer, length)
				: RAW(SYS_readlinkat, AT_FDCWD, path, buffer, length, 0, 0));
}

HOOK ssize_t __readlink_chk(const char *restrict path, char *restrict buffer, size_t length,
			    size_t room)
{
	struct iovec range = { buffer, length };

	next_ensure_late();
	if (!next.readlink_chk)
		return readlink(path, buffer, length);
	return WRITTEN_CALL(&range, 1, next.readlink_chk(path, buffer, length, room));
}

HOOK ssize_t readlinkat(int fd, const char *restrict path, char *restrict buffer, size_t length)
{
	struct iovec range = { buffer, length };

	next_ensure_late();
	return WRITTEN_CALL(&range, 1,
			    next.readlinkat ? next.readlinkat(fd, path, buffer, length)
				: RAW(SYS_readlinkat, fd, path, buffer, length, 0, 0));
}

HOOK ssize_t __readlinkat_chk(int fd, const char *restrict path, char *restrict buffer,
			      size_t length, size_t room)
{
	struct iovec range = { buffer, length };

	next_ensure_late();
	if (!next.readlinkat_chk)
		return readlinkat(fd, path, buffer, length);
	return WRITTEN_CALL(&range, 1, next.readlinkat_chk(fd, path, buffer, length, room));
}

/* A NULL buffer is one that libc allocates. */
HOOK char *getcwd(char *buffer, size_t length)
{
	struct iovec range = { buffer, buffer ? length : 0 };
	char *result = NULL;

	next_ensure_late();
	if (!next.getcwd)
		return errno = ENOSYS, NULL;
	WRITTEN_CALL(&range, 1, (result = next.getcwd(buffer, length)) ? 0 : -1);
	return result;
}

HOOK char *__getcwd_chk(char *buffer, size_t length, size_t room)
{
	struct iovec range = { buffer, buffer ? length : 0 };
	char *result = NULL;

	next_ensure_late();
	if (!next.getcwd_chk)
		return getcwd(buffer, length);
	WRITTEN_CALL(&range, 1, (result = next.getcwd_chk(buffer, length, room)) ? 0 : -1);
	return result;
}
