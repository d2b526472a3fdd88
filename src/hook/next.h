/* hook/next.h: the definitions that ours stand in front of: libc's, or those of
 * another preloaded library.
 *
 * Found once, by the first hook that needs one; those of the calls that read, close
 * and ask, by the first of these. The objects' own tables are read for that
 * (symbols.h); where one of them has none, dlsym is asked, so mmap and its kin, which
 * the loader and malloc call, never need any. Where there is none, or where dlsym
 * itself leads back here, a pointer is NULL and the hook has a way of its own. */
#ifndef JITMEND_NEXT_H
#define JITMEND_NEXT_H

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

struct next {
	/* After next_begin. */
	int (*register_atfork)(void (*)(void), void (*)(void), void (*)(void), void *);

	int (*posix_memalign)(void **, size_t, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	void *(*memalign)(size_t, size_t);
	void *(*valloc)(size_t);
	void *(*pvalloc)(size_t);
	int (*sigaction)(int, const struct sigaction *, struct sigaction *);
	void (*(*signal)(int, void (*)(int)))(int);
	void (*(*sysv_signal)(int, void (*)(int)))(int);
	void (*(*sigset)(int, void (*)(int)))(int);
	int (*siginterrupt)(int, int);
	int (*sighold)(int);
	int (*sigrelse)(int);
	int (*sigignore)(int);
	int (*sigsuspend)(const sigset_t *);
	int (*sigpending)(sigset_t *);
	int (*sigtimedwait)(const sigset_t *, siginfo_t *, const struct timespec *);
	int (*sigwait)(const sigset_t *, int *);
	int (*ppoll)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
	int (*ppoll_chk)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *,
			 size_t);
	int (*pselect)(int, fd_set *, fd_set *, fd_set *, const struct timespec *,
		       const sigset_t *);
	int (*epoll_pwait)(int, struct epoll_event *, int, int, const sigset_t *);
	int (*epoll_pwait2)(int, struct epoll_event *, int, const struct timespec *,
			    const sigset_t *);
	int (*attr_setsigmask)(pthread_attr_t *, const sigset_t *);
	int (*attr_getsigmask)(const pthread_attr_t *, sigset_t *);
	pid_t (*_Fork)(void);
	void *(*sbrk)(intptr_t);
	void (*abort)(void);
	void (*quick_exit)(int);
	int (*execve)(const char *, char *const *, char *const *);
	int (*execveat)(int, const char *, char *const *, char *const *, int);
	int (*execvpe)(const char *, char *const *, char *const *);
	int (*fexecve)(int, char *const *, char *const *);
	int (*posix_spawn)(pid_t *, const char *, const posix_spawn_file_actions_t *,
			   const posix_spawnattr_t *, char *const *, char *const *);
	int (*posix_spawnp)(pid_t *, const char *, const posix_spawn_file_actions_t *,
			    const posix_spawnattr_t *, char *const *, char *const *);
	int (*pidfd_spawn)(int *, const char *, const posix_spawn_file_actions_t *,
			   const posix_spawnattr_t *, char *const *, char *const *);
	int (*pidfd_spawnp)(int *, const char *, const posix_spawn_file_actions_t *,
			    const posix_spawnattr_t *, char *const *, char *const *);
	int (*clone)(int (*)(void *), void *, int, void *, ...);

	/* After next_ensure_late. */
	int (*close)(int);
	int (*close_range)(unsigned, unsigned, int);
	void (*closefrom)(int);
	int (*dup2)(int, int);
	int (*dup3)(int, int, int);
	int (*fcntl)(int, int, ...);
	int (*fcntl64)(int, int, ...);
	ssize_t (*read)(int, void *, size_t);
	ssize_t (*read_chk)(int, void *, size_t, size_t);
	ssize_t (*pread)(int, void *, size_t, off_t);
	ssize_t (*pread64)(int, void *, size_t, off64_t);
	ssize_t (*pread_chk)(int, void *, size_t, off_t, size_t);
	ssize_t (*pread64_chk)(int, void *, size_t, off64_t, size_t);
	ssize_t (*readv)(int, const struct iovec *, int);
	ssize_t (*preadv)(int, const struct iovec *, int, off_t);
	ssize_t (*preadv64)(int, const struct iovec *, int, off64_t);
	ssize_t (*preadv2)(int, const struct iovec *, int, off_t, int);
	ssize_t (*preadv64v2)(int, const struct iovec *, int, off64_t, int);
	ssize_t (*recv)(int, void *, size_t, int);
	ssize_t (*recv_chk)(int, void *, size_t, size_t, int);
	ssize_t (*recvfrom)(int, void *, size_t, int, struct sockaddr *, socklen_t *);
	ssize_t (*recvfrom_chk)(int, void *, size_t, size_t, int, struct sockaddr *, socklen_t *);
	ssize_t (*recvmsg)(int, struct msghdr *, int);
	int (*recvmmsg)(int, struct mmsghdr *, unsigned, int, struct timespec *);
	ssize_t (*getrandom)(void *, size_t, unsigned);
	int (*getentropy)(void *, size_t);
	void (*arc4random_buf)(void *, size_t);
	ssize_t (*getdents64)(int, void *, size_t);
	ssize_t (*readlink)(const char *, char *, size_t);
	ssize_t (*readlink_chk)(const char *, char *, size_t, size_t);
	ssize_t (*readlinkat)(int, const char *, char *, size_t);
	ssize_t (*readlinkat_chk)(int, const char *, char *, size_t, size_t);
	char *(*getcwd)(char *, size_t);
	char *(*getcwd_chk)(char *, size_t, size_t);
	size_t (*fread)(void *, size_t, size_t, FILE *);
	size_t (*fread_unlocked)(void *, size_t, size_t, FILE *);
	size_t (*fread_chk)(void *, size_t, size_t, size_t, FILE *);
	size_t (*fread_unlocked_chk)(void *, size_t, size_t, size_t, FILE *);
	char *(*fgets)(char *, int, FILE *);
	char *(*fgets_unlocked)(char *, int, FILE *);
	char *(*fgets_chk)(char *, size_t, int, FILE *);
	char *(*fgets_unlocked_chk)(char *, size_t, int, FILE *);
	ssize_t (*getline)(char **, size_t *, FILE *);
	ssize_t (*getdelim)(char **, size_t *, int, FILE *);
	int (*fgetc)(FILE *);
	int (*getc_unlocked)(FILE *);
	int (*uflow)(FILE *);
	int (*underflow)(FILE *);
	int (*vfscanf)(FILE *, const char *, va_list);
	int (*isoc99_vfscanf)(FILE *, const char *, va_list);
	int (*isoc23_vfscanf)(FILE *, const char *, va_list);
	void (*doallocbuf)(FILE *);
	int (*stat)(const char *, struct stat *);
	int (*stat64)(const char *, struct stat64 *);
	int (*lstat)(const char *, struct stat *);
	int (*lstat64)(const char *, struct stat64 *);
	int (*fstat)(int, struct stat *);
	int (*fstat64)(int, struct stat64 *);
	int (*fstatat)(int, const char *, struct stat *, int);
	int (*fstatat64)(int, const char *, struct stat64 *, int);
	int (*xstat)(int, const char *, struct stat *);
	int (*xstat64)(int, const char *, struct stat64 *);
	int (*lxstat)(int, const char *, struct stat *);
	int (*lxstat64)(int, const char *, struct stat64 *);
	int (*fxstat)(int, int, struct stat *);
	int (*fxstat64)(int, int, struct stat64 *);
	int (*fxstatat)(int, int, const char *, struct stat *, int);
	int (*fxstatat64)(int, int, const char *, struct stat64 *, int);
	int (*statx)(int, const char *, int, unsigned, struct statx *);
	int (*statfs)(const char *, struct statfs *);
	int (*statfs64)(const char *, struct statfs64 *);
	int (*fstatfs)(int, struct statfs *);
	int (*fstatfs64)(int, struct statfs64 *);
	int (*pipe)(int *);
	int (*socketpair)(int, int, int, int *);
	int (*accept)(int, struct sockaddr *, socklen_t *);
	int (*accept4)(int, struct sockaddr *, socklen_t *, int);
	int (*getsockname)(int, struct sockaddr *, socklen_t *);
	int (*getpeername)(int, struct sockaddr *, socklen_t *);
	int (*getsockopt)(int, int, int, void *, socklen_t *);
	int (*poll)(struct pollfd *, nfds_t, int);
	int (*poll_chk)(struct pollfd *, nfds_t, int, size_t);
	int (*select)(int, fd_set *, fd_set *, fd_set *, struct timeval *);
	int (*epoll_wait)(int, struct epoll_event *, int, int);
	int (*nanosleep)(const struct timespec *, struct timespec *);
	int (*uname)(struct utsname *);
	int (*sysinfo)(struct sysinfo *);
	clock_t (*times)(struct tms *);
	int (*getrusage)(__rusage_who_t, struct rusage *);
	int (*getrlimit)(__rlimit_resource_t, struct rlimit *);
	int (*getrlimit64)(__rlimit_resource_t, struct rlimit64 *);
	int (*prlimit)(pid_t, __rlimit_resource_t, const struct rlimit *, struct rlimit *);
	int (*prlimit64)(pid_t, __rlimit_resource_t, const struct rlimit64 *, struct rlimit64 *);
	int (*sched_getaffinity)(pid_t, size_t, cpu_set_t *);
	int (*sigaltstack)(const stack_t *, stack_t *);
	int (*timerfd_gettime)(int, struct itimerspec *);
	int (*timerfd_settime)(int, int, const struct itimerspec *, struct itimerspec *);
	int (*getitimer)(__itimer_which_t, struct itimerval *);
	int (*setitimer)(__itimer_which_t, const struct itimerval *, struct itimerval *);
	int (*getgroups)(int, gid_t *);
	pid_t (*wait4)(pid_t, int *, int, struct rusage *);
	pid_t (*waitpid)(pid_t, int *, int);
	pid_t (*wait)(int *);
	int (*waitid)(idtype_t, id_t, siginfo_t *, int);
	int (*ioctl)(int, unsigned long, ...);
	struct dirent *(*readdir)(DIR *);
	struct dirent64 *(*readdir64)(DIR *);
};

extern struct next next;

extern atomic_bool next_found, next_late_found;

/* In the constructor, and before what it does is done earlier: which objects there are
 * to look in, and what it calls itself. */
void next_begin(void);
void next_find(void);
void next_find_late(void);

static inline void next_ensure(void)
{
	if (!atomic_load_explicit(&next_found, memory_order_acquire))
		next_find();
}

static inline void next_ensure_late(void)
{
	if (!atomic_load_explicit(&next_late_found, memory_order_acquire))
		next_find_late();
}

#endif
