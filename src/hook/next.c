/* hook/next.c: looks the next definitions up. See hook/next.h. */
#include "next.h"

#include <dlfcn.h>
#include <stddef.h>

#include "../sys.h"
#include "symbols.h"

struct next next LARGE_BUT_BEGUN;
atomic_bool next_found, next_late_found;

#define NEXT(field, name) { offsetof(struct next, field), name }

/* All that the constructor needs. */
static const struct symbol begin_symbols[] = {
	NEXT(register_atfork, "__register_atfork"),
};

static const struct symbol symbols[] = {
	NEXT(posix_memalign, "posix_memalign"),
	NEXT(aligned_alloc, "aligned_alloc"),
	NEXT(memalign, "memalign"),
	NEXT(valloc, "valloc"),
	NEXT(pvalloc, "pvalloc"),
	NEXT(sigaction, "sigaction"),
	NEXT(signal, "signal"),
	NEXT(sysv_signal, "__sysv_signal"),
	NEXT(sigset, "sigset"),
	NEXT(siginterrupt, "siginterrupt"),
	NEXT(sighold, "sighold"),
	NEXT(sigrelse, "sigrelse"),
	NEXT(sigignore, "sigignore"),
	NEXT(sigsuspend, "sigsuspend"),
	NEXT(sigpending, "sigpending"),
	NEXT(sigtimedwait, "sigtimedwait"),
	NEXT(sigwait, "sigwait"),
	NEXT(ppoll, "ppoll"),
	NEXT(ppoll_chk, "__ppoll_chk"),
	NEXT(pselect, "pselect"),
	NEXT(epoll_pwait, "epoll_pwait"),
	NEXT(epoll_pwait2, "epoll_pwait2"),
	NEXT(attr_setsigmask, "pthread_attr_setsigmask_np"),
	NEXT(attr_getsigmask, "pthread_attr_getsigmask_np"),
	NEXT(_Fork, "_Fork"),
	NEXT(sbrk, "sbrk"),
	NEXT(abort, "abort"),
	NEXT(quick_exit, "quick_exit"),
	NEXT(execve, "execve"),
	NEXT(execveat, "execveat"),
	NEXT(execvpe, "execvpe"),
	NEXT(fexecve, "fexecve"),
	NEXT(posix_spawn, "posix_spawn"),
	NEXT(posix_spawnp, "posix_spawnp"),
	NEXT(pidfd_spawn, "pidfd_spawn"),
	NEXT(pidfd_spawnp, "pidfd_spawnp"),
	NEXT(clone, "clone"),
};

/* Those of calls that many programs make, and many never. */
static const struct symbol late_symbols[] = {
	NEXT(close, "close"),
	NEXT(close_range, "close_range"),
	NEXT(closefrom, "closefrom"),
	NEXT(dup2, "dup2"),
	NEXT(dup3, "dup3"),
	NEXT(fcntl, "fcntl"),
	NEXT(fcntl64, "fcntl64"),
	NEXT(read, "read"),
	NEXT(read_chk, "__read_chk"),
	NEXT(pread, "pread"),
	NEXT(pread64, "pread64"),
	NEXT(pread_chk, "__pread_chk"),
	NEXT(pread64_chk, "__pread64_chk"),
	NEXT(readv, "readv"),
	NEXT(preadv, "preadv"),
	NEXT(preadv64, "preadv64"),
	NEXT(preadv2, "preadv2"),
	NEXT(preadv64v2, "preadv64v2"),
	NEXT(recv, "recv"),
	NEXT(recv_chk, "__recv_chk"),
	NEXT(recvfrom, "recvfrom"),
	NEXT(recvfrom_chk, "__recvfrom_chk"),
	NEXT(recvmsg, "recvmsg"),
	NEXT(recvmmsg, "recvmmsg"),
	NEXT(getrandom, "getrandom"),
	NEXT(getentropy, "getentropy"),
	NEXT(arc4random_buf, "arc4random_buf"),
	NEXT(getdents64, "getdents64"),
	NEXT(readlink, "readlink"),
	NEXT(readlink_chk, "__readlink_chk"),
	NEXT(readlinkat, "readlinkat"),
	NEXT(readlinkat_chk, "__readlinkat_chk"),
	NEXT(getcwd, "getcwd"),
	NEXT(getcwd_chk, "__getcwd_chk"),
	NEXT(fread, "fread"),
	NEXT(fread_unlocked, "fread_unlocked"),
	NEXT(fread_chk, "__fread_chk"),
	NEXT(fread_unlocked_chk, "__fread_unlocked_chk"),
	NEXT(fgets, "fgets"),
	NEXT(fgets_unlocked, "fgets_unlocked"),
	NEXT(fgets_chk, "__fgets_chk"),
	NEXT(fgets_unlocked_chk, "__fgets_unlocked_chk"),
	NEXT(getline, "getline"),
	NEXT(getdelim, "getdelim"),
	NEXT(fgetc, "fgetc"),
	NEXT(getc_unlocked, "getc_unlocked"),
	NEXT(uflow, "__uflow"),
	NEXT(underflow, "__underflow"),
	NEXT(vfscanf, "vfscanf"),
	NEXT(isoc99_vfscanf, "__isoc99_vfscanf"),
	NEXT(isoc23_vfscanf, "__isoc23_vfscanf"),
	NEXT(doallocbuf, "_IO_doallocbuf"),
	NEXT(stat, "stat"),
	NEXT(stat64, "stat64"),
	NEXT(lstat, "lstat"),
	NEXT(lstat64, "lstat64"),
	NEXT(fstat, "fstat"),
	NEXT(fstat64, "fstat64"),
	NEXT(fstatat, "fstatat"),
	NEXT(fstatat64, "fstatat64"),
	NEXT(xstat, "__xstat"),
	NEXT(xstat64, "__xstat64"),
	NEXT(lxstat, "__lxstat"),
	NEXT(lxstat64, "__lxstat64"),
	NEXT(fxstat, "__fxstat"),
	NEXT(fxstat64, "__fxstat64"),
	NEXT(fxstatat, "__fxstatat"),
	NEXT(fxstatat64, "__fxstatat64"),
	NEXT(statx, "statx"),
	NEXT(statfs, "statfs"),
	NEXT(statfs64, "statfs64"),
	NEXT(fstatfs, "fstatfs"),
	NEXT(fstatfs64, "fstatfs64"),
	NEXT(pipe, "pipe"),
	NEXT(socketpair, "socketpair"),
	NEXT(accept, "accept"),
	NEXT(accept4, "accept4"),
	NEXT(getsockname, "getsockname"),
	NEXT(getpeername, "getpeername"),
	NEXT(getsockopt, "getsockopt"),
	NEXT(poll, "poll"),
	NEXT(poll_chk, "__poll_chk"),
	NEXT(select, "select"),
	NEXT(epoll_wait, "epoll_wait"),
	NEXT(nanosleep, "nanosleep"),
	NEXT(uname, "uname"),
	NEXT(sysinfo, "sysinfo"),
	NEXT(times, "times"),
	NEXT(getrusage, "getrusage"),
	NEXT(getrlimit, "getrlimit"),
	NEXT(getrlimit64, "getrlimit64"),
	NEXT(getitimer, "getitimer"),
	NEXT(prlimit, "prlimit"),
	NEXT(prlimit64, "prlimit64"),
	NEXT(sched_getaffinity, "sched_getaffinity"),
	NEXT(sigaltstack, "sigaltstack"),
	NEXT(timerfd_gettime, "timerfd_gettime"),
	NEXT(timerfd_settime, "timerfd_settime"),
	NEXT(setitimer, "setitimer"),
	NEXT(getgroups, "getgroups"),
	NEXT(wait4, "wait4"),
	NEXT(waitpid, "waitpid"),
	NEXT(wait, "wait"),
	NEXT(waitid, "waitid"),
	NEXT(ioctl, "ioctl"),
	NEXT(readdir, "readdir"),
	NEXT(readdir64, "readdir64"),
};

/* False within itself: dlsym may allocate memory, by our own hooks. */
static bool ask_dlsym(const struct symbol *list, size_t count)
{
	static __thread bool asking;

	if (asking)
		return false;
	asking = true;
	for (size_t i = 0; i < count; i++)
		*(void **)((char *)&next + list[i].place) = dlsym(RTLD_NEXT, list[i].name);
	asking = false;
	return true;
}

static void find(const struct symbol *list, size_t count, atomic_bool *found)
{
	if (symbols_find(list, count, &next) || ask_dlsym(list, count))
		atomic_store_explicit(found, true, memory_order_release);
}

/* Where the objects' tables cannot be read, what needs dlsym is done while it can be. */
void next_begin(void)
{
	if (!symbols_find(begin_symbols, sizeof begin_symbols / sizeof *begin_symbols, &next))
		next_ensure();
}

void next_find(void)
{
	find(symbols, sizeof symbols / sizeof *symbols, &next_found);
}

void next_find_late(void)
{
	find(late_symbols, sizeof late_symbols / sizeof *late_symbols, &next_late_found);
}
