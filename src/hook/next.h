/* hook/next.h: the definitions that ours stand in front of: libc's, or those of
 * another preloaded library.
 *
 * Found by dlsym, once: in the constructor, or before it by a hook that needs
 * one, which must not be one that malloc or the loader itself may call (mmap and
 * its kin never need any). Where there is none, or where dlsym itself leads back
 * here, a pointer is NULL and the hook has a way of its own. */
#ifndef JITMEND_NEXT_H
#define JITMEND_NEXT_H

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>

struct next {
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
	int (*register_atfork)(void (*)(void), void (*)(void), void (*)(void), void *);
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
	int (*clone)(int (*)(void *), void *, int, void *, ...);
};

extern struct next next;

void next_ensure(void);

#endif
