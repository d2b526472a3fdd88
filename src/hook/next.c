/* hook/next.c: looks the next definitions up. See hook/next.h. */
#include "next.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>

struct next next;

static void find_all(void)
{
	const struct {
		void *pointer;
		const char *name;
	} table[] = {
		{ &next.posix_memalign, "posix_memalign" },
		{ &next.aligned_alloc, "aligned_alloc" },
		{ &next.memalign, "memalign" },
		{ &next.valloc, "valloc" },
		{ &next.pvalloc, "pvalloc" },
		{ &next.sigaction, "sigaction" },
		{ &next.signal, "signal" },
		{ &next.sysv_signal, "__sysv_signal" },
		{ &next.sigset, "sigset" },
		{ &next.siginterrupt, "siginterrupt" },
		{ &next.sighold, "sighold" },
		{ &next.sigrelse, "sigrelse" },
		{ &next.sigignore, "sigignore" },
		{ &next.sigsuspend, "sigsuspend" },
		{ &next.sigpending, "sigpending" },
		{ &next.sigtimedwait, "sigtimedwait" },
		{ &next.sigwait, "sigwait" },
		{ &next.ppoll, "ppoll" },
		{ &next.ppoll_chk, "__ppoll_chk" },
		{ &next.pselect, "pselect" },
		{ &next.epoll_pwait, "epoll_pwait" },
		{ &next.epoll_pwait2, "epoll_pwait2" },
		{ &next.attr_setsigmask, "pthread_attr_setsigmask_np" },
		{ &next.attr_getsigmask, "pthread_attr_getsigmask_np" },
		{ &next._Fork, "_Fork" },
		{ &next.register_atfork, "__register_atfork" },
		{ &next.sbrk, "sbrk" },
		{ &next.abort, "abort" },
		{ &next.quick_exit, "quick_exit" },
		{ &next.execve, "execve" },
		{ &next.execveat, "execveat" },
		{ &next.execvpe, "execvpe" },
		{ &next.fexecve, "fexecve" },
		{ &next.posix_spawn, "posix_spawn" },
		{ &next.posix_spawnp, "posix_spawnp" },
		{ &next.clone, "clone" },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		*(void **)table[i].pointer = dlsym(RTLD_NEXT, table[i].name);
}

void next_ensure(void)
{
	static atomic_bool found;
	static __thread bool finding;

	if (atomic_load_explicit(&found, memory_order_acquire) || finding)
		return;
	finding = true;
	find_all();
	finding = false;
	atomic_store_explicit(&found, true, memory_order_release);
}
