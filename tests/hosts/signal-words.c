/* signal-words.c: what the hosts that try SIGSEGV share; see signal-words.h. */
#include "signal-words.h"

volatile sig_atomic_t count;

unsigned char *code_page(void)
{
	static unsigned char *page;

	if (page)
		return page;
	page = heap_pages(2);
	code_write(page, 3);
	must(mprotect(page, PAGE, RWX) == 0 && code_run(page) == 3, "code");
	return page;
}

volatile unsigned char *null_page(void)
{
	static volatile unsigned char *volatile nowhere = (volatile unsigned char *)16;

	return nowhere;
}

void fault(void)
{
	*null_page() = 1;
}

sigset_t set_of(int number)
{
	sigset_t set;

	sigemptyset(&set);
	if (number)
		sigaddset(&set, number);
	return set;
}

void say_set(const char *what, const sigset_t *set)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGBUS, SIGFPE, SIGUSR1, SIGSEGV, SIGUSR2,
				       SIGALRM, SIGTERM, SIGCHLD, 34, 64 };
	char text[200] = "";
	int i, others = 0;

	for (i = 1; i <= 64; i++)
		others += i != STAND_IN && !IS_DROPPED(i) && sigismember(set, i) == 1;
	for (i = 0; i < (int)(sizeof(numbers) / sizeof(numbers[0])); i++)
		if (sigismember(set, numbers[i]))
			sprintf(text + strlen(text), " %s", sigabbrev_np(numbers[i]) ?: "RT");
	say("%s:%s, %d in all", what, text, others);
}

void say_mask(const char *what)
{
	sigset_t set;

	must(sigprocmask(SIG_BLOCK, NULL, &set) == 0, "sigprocmask");
	say_set(what, &set);
}

void say_pending(const char *what)
{
	sigset_t set;

	must(sigpending(&set) == 0, "sigpending");
	say_set(what, &set);
}

void unmask_all(void)
{
	sigset_t none = set_of(0);

	sigprocmask(SIG_SETMASK, &none, NULL);
}

void handler_a(int number)
{
	(void)number;
}

void handler_b(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
}

const char *handler_name(const struct sigaction *action)
{
	if (action->sa_handler == SIG_DFL)
		return "SIG_DFL";
	if (action->sa_handler == SIG_IGN)
		return "SIG_IGN";
	if (action->sa_handler == handler_a)
		return "a";
	return action->sa_sigaction == handler_b ? "b" : "somebody else's";
}

unsigned flags_of(const struct sigaction *action)
{
	return (unsigned)action->sa_flags & ~0x04000000u;
}

void say_action(const char *what)
{
	struct sigaction action;
	char text[200];

	memset(&action, 0x55, sizeof(action));
	must(sigaction(SIGSEGV, NULL, &action) == 0, "sigaction");
	snprintf(text, sizeof(text), "%s: %s, flags %#x, mask", what, handler_name(&action),
		 flags_of(&action));
	say_set(text, &action.sa_mask);
}

const char *signal_name(void (*was)(int))
{
	struct sigaction action = { .sa_handler = was };

	if (was == SIG_ERR)
		return "SIG_ERR";
	return was == SIG_HOLD ? "SIG_HOLD" : handler_name(&action);
}

void handle(void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = handler;
	action.sa_flags = SA_SIGINFO | flags;
	must(sigaction(SIGSEGV, &action, NULL) == 0, "sigaction");
}
