/* tracer.c: COMMAND [ARGUMENT...] under ptrace(2), as a debugger has it that follows forks:
 * prints each event that the kernel tells of, up to the end. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS (PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
		 PTRACE_O_TRACECLONE | PTRACE_O_TRACEVFORKDONE)

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

static const char *name_of(int event)
{
	switch (event) {
	case PTRACE_EVENT_FORK:
		return "fork";
	case PTRACE_EVENT_VFORK:
		return "vfork";
	case PTRACE_EVENT_CLONE:
		return "clone";
	case PTRACE_EVENT_VFORK_DONE:
		return "vfork-done";
	}
	return "another one";
}

/* The signal that the command is to get, for a stop that is no event. */
static int signal_of(int status)
{
	int event = status >> 16;

	if (event) {
		puts(name_of(event));
		return 0;
	}
	/* Of a program that begins, and of a child that does. */
	if (WSTOPSIG(status) == SIGTRAP || WSTOPSIG(status) == SIGSTOP)
		return 0;
	return WSTOPSIG(status);
}

static void begin(char **command)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0)
		fail("ptrace");
	execvp(command[0], command);
	fail(command[0]);
}

int main(int argc, char **argv)
{
	int status = 0, signal = 0;
	pid_t child, stopped;

	if (argc < 2)
		return 2;
	child = fork();
	if (child == 0)
		begin(argv + 1);
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, child, NULL, OPTIONS) != 0)
		fail("ptrace");
	stopped = child;
	do {
		if (WIFSTOPPED(status))
			ptrace(PTRACE_CONT, stopped, NULL, signal);
		stopped = waitpid(-1, &status, __WALL);
		if (stopped < 0)
			fail("waitpid");
		signal = WIFSTOPPED(status) ? signal_of(status) : 0;
	} while (WIFSTOPPED(status) || stopped != child);
	printf("status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
