/* hook/exec.c: becoming another program, and starting one. Rules: hook/hook.h.
 *
 * A program inherits what is blocked and what is ignored: it gets the host's,
 * not what jitmend has in the kernel (signals.h). exec runs in children of
 * vfork too, on the parent's memory: nothing here changes any of it, and the
 * lock, which a successful exec would never give back, is not held over it. The
 * journal's counts are written before: no destructor runs. */
#include "config.h"

#include <alloca.h>
#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <unistd.h>

#include "../journal.h"
#include "../lock.h"
#include "../signals.h"
#include "hook.h"
#include "next.h"

static void before_exec(struct signals_handed *handed)
{
	journal_end();
	signals_hand_on(handed);
}

static int answer(int result, const struct signals_handed *handed)
{
	int error = errno;

	signals_take_back(handed);
	errno = error;
	return result;
}

HOOK int execve(const char *path, char *const arguments[], char *const environment[])
{
	struct signals_handed handed;

	before_exec(&handed);
	next_ensure();
	if (next.execve)
		return answer(next.execve(path, arguments, environment), &handed);
	return answer((int)hook_answer(SYS_CALL(SYS_execve, path, arguments, environment, 0, 0, 0)),
		      &handed);
}

HOOK int execvpe(const char *file, char *const arguments[], char *const environment[])
{
	struct signals_handed handed;

	next_ensure();
	if (!next.execvpe)
		return errno = ENOSYS, -1;
	before_exec(&handed);
	return answer(next.execvpe(file, arguments, environment), &handed);
}

HOOK int fexecve(int fd, char *const arguments[], char *const environment[])
{
	struct signals_handed handed;

	next_ensure();
	if (!next.fexecve)
		return errno = ENOSYS, -1;
	before_exec(&handed);
	return answer(next.fexecve(fd, arguments, environment), &handed);
}

HOOK int execveat(int fd, const char *path, char *const arguments[], char *const environment[],
		  int flags)
{
	struct signals_handed handed;

	next_ensure();
	if (!next.execveat)
		return errno = ENOSYS, -1;
	before_exec(&handed);
	return answer(next.execveat(fd, path, arguments, environment, flags), &handed);
}

HOOK int execv(const char *path, char *const arguments[])
{
	return execve(path, arguments, environ);
}

HOOK int execvp(const char *file, char *const arguments[])
{
	return execvpe(file, arguments, environ);
}

/* How many there are from FIRST on, the NULL at the end included. */
static size_t count_arguments(const char *first, va_list list)
{
	size_t count = 1;

	for (; first; first = va_arg(list, const char *))
		count++;
	return count;
}

static void collect_arguments(char **array, const char *first, va_list list)
{
	for (; first; first = va_arg(list, const char *))
		*array++ = (char *)first;
	*array = NULL;
}

HOOK int execl(const char *path, const char *first, ...)
{
	char **array;
	va_list list;

	va_start(list, first);
	array = alloca(count_arguments(first, list) * sizeof *array);
	va_end(list);
	va_start(list, first);
	collect_arguments(array, first, list);
	va_end(list);
	return execve(path, array, environ);
}

HOOK int execlp(const char *file, const char *first, ...)
{
	char **array;
	va_list list;

	va_start(list, first);
	array = alloca(count_arguments(first, list) * sizeof *array);
	va_end(list);
	va_start(list, first);
	collect_arguments(array, first, list);
	va_end(list);
	return execvpe(file, array, environ);
}

HOOK int execle(const char *path, const char *first, ...)
{
	char **array, *const *environment;
	va_list list;

	va_start(list, first);
	array = alloca(count_arguments(first, list) * sizeof *array);
	va_end(list);
	va_start(list, first);
	collect_arguments(array, first, list);
	environment = va_arg(list, char *const *);
	va_end(list);
	return execve(path, array, environment);
}

typedef int spawn(pid_t *, const char *, const posix_spawn_file_actions_t *,
		  const posix_spawnattr_t *, char *const *, char *const *);

/* While the kernel has the host's signals, which it seldom needs to have, no page
 * may move. */
static int spawn_with_hosts_signals(spawn *next_spawn, pid_t *pid, const char *file,
				    const posix_spawn_file_actions_t *actions,
				    const posix_spawnattr_t *attributes, char *const *arguments,
				    char *const *environment)
{
	struct signals_handed handed;
	uint64_t mask;
	int result;

	if (!signals_to_hand_on())
		return next_spawn(pid, file, actions, attributes, arguments, environment);
	lock_take(&mask);
	sys_sigprocmask(SIG_SETMASK, &mask, NULL); /* the child inherits it */
	signals_hand_on(&handed);
	result = next_spawn(pid, file, actions, attributes, arguments, environment);
	signals_take_back(&handed);
	lock_release(&mask);
	return result;
}

/* libc writes the answer with all signals blocked, where a fault kills: so not to the
 * host's memory. What it reads there, it may. */
static int spawn_by(spawn *next_spawn, pid_t *pid, const char *file,
		    const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
		    char *const *arguments, char *const *environment)
{
	pid_t started;
	int result;

	if (!next_spawn)
		return ENOSYS;
	result = spawn_with_hosts_signals(next_spawn, &started, file, actions, attributes, arguments,
					  environment);
	if (!result && pid)
		*pid = started;
	return result;
}

HOOK int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		     const posix_spawnattr_t *attributes, char *const arguments[],
		     char *const environment[])
{
	next_ensure();
	return spawn_by(next.posix_spawn, pid, path, actions, attributes, arguments, environment);
}

HOOK int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
		      const posix_spawnattr_t *attributes, char *const arguments[],
		      char *const environment[])
{
	next_ensure();
	return spawn_by(next.posix_spawnp, pid, file, actions, attributes, arguments, environment);
}

#ifdef HAVE_PIDFD_SPAWN
/* glibc 2.39 and later: the same, with a descriptor for an answer. */
HOOK int pidfd_spawn(int *pidfd, const char *path, const posix_spawn_file_actions_t *actions,
		     const posix_spawnattr_t *attributes, char *const arguments[],
		     char *const environment[])
{
	next_ensure();
	return spawn_by(next.pidfd_spawn, pidfd, path, actions, attributes, arguments, environment);
}

HOOK int pidfd_spawnp(int *pidfd, const char *file, const posix_spawn_file_actions_t *actions,
		      const posix_spawnattr_t *attributes, char *const arguments[],
		      char *const environment[])
{
	next_ensure();
	return spawn_by(next.pidfd_spawnp, pidfd, file, actions, attributes, arguments,
			environment);
}
#endif
