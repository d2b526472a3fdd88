/* masks.c: SIGSEGV sent, blocked, pending, waited for and handed on to new
 * programs. jitmend never lets it be blocked underneath; the host must not
 * notice. signals.c has the handlers and the faults. */
#include "signal-words.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

/* sighold and its kin are what is to be tried. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

extern char **environ;

/* ---------------------------------------------------------- sent and pending */

static void on_sent(int number, siginfo_t *info, void *context)
{
	(void)context;
	count++;
	say("signal %d, code %d, from %s, value %d", number, info->si_code,
	    info->si_pid == getpid() ? "here" : info->si_pid == getppid() ? "the parent" : "elsewhere",
	    info->si_code == SI_QUEUE ? info->si_value.sival_int : 0);
}

static void sent(void)
{
	union sigval value = { .sival_int = 1234 };

	code_page();
	handle(on_sent, 0);
	raise(SIGSEGV);
	kill(getpid(), SIGSEGV);
	pthread_kill(pthread_self(), SIGSEGV);
	sigqueue(getpid(), SIGSEGV, value);
	syscall(SYS_tgkill, getpid(), gettid(), SIGSEGV);
	say_result("to nobody", kill(getpid(), 65));
	say("%d signals", (int)count);
	signal(SIGSEGV, SIG_IGN);
	raise(SIGSEGV);
	say("ignored");
	signal(SIGSEGV, SIG_DFL);
}

static void pending(void)
{
	sigset_t segv = set_of(SIGSEGV), got;
	union sigval value = { .sival_int = 4321 };
	int turn;

	code_page();
	handle(on_sent, 0);
	sigprocmask(SIG_BLOCK, &segv, NULL);
	for (turn = 0; turn < 5; turn++) {
		count = 0;
		say_pending("nothing sent");
		switch (turn) {
		case 0: raise(SIGSEGV); break;
		case 1: kill(getpid(), SIGSEGV); break;
		case 2: pthread_kill(pthread_self(), SIGSEGV); break;
		case 3: sigqueue(getpid(), SIGSEGV, value); break;
		case 4: raise(SIGSEGV); raise(SIGSEGV); break;
		}
		say("%d so far", (int)count);
		say_pending("sent");
		must(sigprocmask(SIG_UNBLOCK, &segv, &got) == 0, "sigprocmask");
		say_set("was blocked", &got);
		say("%d now", (int)count);
		sigprocmask(SIG_BLOCK, &segv, NULL);
	}
	/* Unblocked by the other way to do it. */
	got = set_of(0);
	sigprocmask(SIG_BLOCK, &segv, NULL);
	raise(SIGSEGV);
	sigprocmask(SIG_SETMASK, &got, NULL);
	/* And pthread_sigmask. */
	pthread_sigmask(SIG_SETMASK, &segv, NULL);
	raise(SIGSEGV);
	pthread_sigmask(SIG_UNBLOCK, &segv, &got);
	say_set("was blocked", &got);
	say("errors: %d %d", pthread_sigmask(77, &segv, NULL), sigprocmask(77, &segv, NULL));
	say("bad how, no set: %d", sigprocmask(77, NULL, &got));
	signal(SIGSEGV, SIG_DFL);
}

/* A signal that is pending goes away when it is ignored. */
static void pending_ignored(void)
{
	sigset_t segv = set_of(SIGSEGV);

	code_page();
	sigprocmask(SIG_BLOCK, &segv, NULL);
	raise(SIGSEGV);
	say_pending("sent");
	signal(SIGSEGV, SIG_IGN);
	say_pending("ignored");
	handle(on_sent, 0);
	sigprocmask(SIG_UNBLOCK, &segv, NULL);
	say("%d", (int)count);
	signal(SIGSEGV, SIG_DFL);
}

static void on_usr1_raise(int number)
{
	(void)number;
	raise(SIGSEGV);
	say_pending("in the handler");
	say_mask("in the handler");
}

/* Blocked by another signal's handler: delivered when that returns. */
static void handler_masks(void)
{
	struct sigaction action = { .sa_handler = on_usr1_raise };

	code_page();
	handle(on_sent, 0);
	sigfillset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	say("%d", (int)count);
	say_mask("afterwards");
	action.sa_mask = set_of(SIGSEGV);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	say("%d", (int)count);
	say_mask("afterwards");
	signal(SIGUSR1, SIG_DFL);
	signal(SIGSEGV, SIG_DFL);
}

/* Taken from where it is pending. */
static void waited(void)
{
	sigset_t segv = set_of(SIGSEGV);
	struct timespec moment = { 0, 20000000 };
	siginfo_t info;
	int number;

	code_page();
	sigprocmask(SIG_BLOCK, &segv, NULL);
	raise(SIGSEGV);
	say("sigwait: %d", sigwait(&segv, &number));
	say("signal %d", number);
	say_pending("taken");
	kill(getpid(), SIGSEGV);
	say("sigwaitinfo: %d", sigwaitinfo(&segv, &info));
	say("code %d, from here %d", info.si_code, info.si_pid == getpid());
	say_pending("taken");
	say_result("sigtimedwait", sigtimedwait(&segv, &info, &moment));
	raise(SIGSEGV);
	say_result("sigtimedwait", sigtimedwait(&segv, &info, &moment));
	unmask_all();
}

static void by_descriptor(void)
{
	sigset_t segv = set_of(SIGSEGV);
	struct signalfd_siginfo info;
	struct pollfd ready;
	int fd;

	code_page();
	sigprocmask(SIG_BLOCK, &segv, NULL);
	fd = signalfd(-1, &segv, SFD_CLOEXEC | SFD_NONBLOCK);
	must(fd >= 0, "signalfd");
	ready = (struct pollfd){ .fd = fd, .events = POLLIN };
	kill(getpid(), SIGSEGV);
	say_result("poll", poll(&ready, 1, 50));
	say("%d", read(fd, &info, sizeof(info)) == sizeof(info) && info.ssi_signo == SIGSEGV);
	say_pending("read");
	close(fd);
	unmask_all();
}

/* ------------------------------------------------------------------- masks */

static void *in_thread(void *argument)
{
	say_mask("the thread");
	return argument;
}

static void masks(void)
{
	static const int hows[] = { SIG_BLOCK, SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK, SIG_SETMASK };
	sigset_t sets[5], old;
	pthread_attr_t attributes;
	pthread_t thread;
	pid_t child;
	int i;

	code_page();
	sets[0] = set_of(SIGSEGV);
	sigfillset(&sets[1]);
	sets[2] = set_of(SIGSEGV);
	sigfillset(&sets[3]);
	sigdelset(&sets[3], SIGUSR1);
	sets[4] = set_of(SIGSEGV);
	for (i = 0; i < 5; i++) {
		must(sigprocmask(hows[i], &sets[i], &old) == 0, "sigprocmask");
		say_set("before", &old);
		say_mask("now");
		must(pthread_create(&thread, NULL, in_thread, NULL) == 0, "thread");
		pthread_join(thread, NULL);
		child = fork();
		if (child == 0) {
			say_mask("the child");
			_exit(0);
		}
		say_child("child", child);
	}
	unmask_all();
	for (i = 0; i < 5; i++) {
		must(pthread_sigmask(hows[i], &sets[i], &old) == 0, "pthread_sigmask");
		say_set("before", &old);
		must(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &old, 8) == 0, "syscall");
	}
	unmask_all();
	pthread_attr_init(&attributes);
	sigfillset(&sets[0]);
	if (pthread_attr_setsigmask_np(&attributes, &sets[0]) == 0) {
		must(pthread_create(&thread, &attributes, in_thread, NULL) == 0, "thread");
		pthread_join(thread, NULL);
	}
	pthread_attr_destroy(&attributes);
	say_mask("unchanged here");
}

/* The signal that jitmend borrows is the host's as well. */
static void on_stand_in(int number)
{
	say("signal %d", number);
}

static void stand_in(void)
{
	sigset_t set = set_of(STAND_IN), full;

	code_page();
	signal(STAND_IN, on_stand_in);
	raise(STAND_IN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(STAND_IN);
	sigpending(&set);
	say("pending %d", sigismember(&set, STAND_IN));
	say_mask("blocked");
	unmask_all();
	sigfillset(&full);
	sigdelset(&full, SIGSEGV);
	sigprocmask(SIG_SETMASK, &full, NULL);
	sigprocmask(SIG_BLOCK, NULL, &set);
	say("blocked %d", sigismember(&set, STAND_IN));
	raise(STAND_IN);
	sigprocmask(SIG_BLOCK, NULL, &set);
	say("unblocked");
	unmask_all();
	signal(STAND_IN, SIG_DFL);
}

/* Many threads come and go, each with a mask of its own. */
static void *own_mask(void *argument)
{
	sigset_t set = set_of((uintptr_t)argument % 2 ? SIGSEGV : SIGUSR2), now;

	pthread_sigmask(SIG_BLOCK, &set, NULL);
	sched_yield();
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, SIGSEGV) == (int)((uintptr_t)argument % 2) ? NULL : argument;
}

static void thread_masks(void)
{
	enum { AT_ONCE = 20 };
	pthread_t threads[AT_ONCE];
	int round, wrong = 0;
	uintptr_t i;
	void *result;

	code_page();
	for (round = 0; round < 50; round++) {
		for (i = 0; i < AT_ONCE; i++)
			must(pthread_create(&threads[i], NULL, own_mask, (void *)(i + 2)) == 0, "thread");
		for (i = 0; i < AT_ONCE; i++) {
			pthread_join(threads[i], &result);
			wrong += result != NULL;
		}
	}
	say("wrong %d", wrong);
}

static void on_alarm(int number)
{
	(void)number;
	say_mask("in the alarm's handler");
}

static void alarm_soon(void)
{
	struct itimerspec soon = { .it_value = { 0, 20000000 } };
	static timer_t timer;
	static bool made;

	if (!made)
		must(timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0, "timer");
	made = true;
	must(timer_settime(timer, 0, &soon, NULL) == 0, "timer");
}

/* Waiting with everything blocked but the alarm, which only the waiting itself lets
 * in, however late that begins. */
static void suspended(void)
{
	struct timespec moment = { 5, 0 };
	sigset_t all, alrm = set_of(SIGALRM);
	struct sigaction action = { .sa_handler = on_alarm };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event;

	code_page();
	sigemptyset(&action.sa_mask);
	sigaction(SIGALRM, &action, NULL);
	sigprocmask(SIG_BLOCK, &alrm, NULL);
	sigfillset(&all);
	sigdelset(&all, SIGALRM);
	alarm_soon();
	say_result("sigsuspend", sigsuspend(&all));
	say_mask("afterwards");
	alarm_soon();
	say_result("ppoll", ppoll(NULL, 0, &moment, &all));
	say_mask("afterwards");
	alarm_soon();
	say_result("pselect", pselect(0, NULL, NULL, NULL, &moment, &all));
	say_mask("afterwards");
	alarm_soon();
	say_result("epoll_pwait", epoll_pwait(epoll, &event, 1, 5000, &all));
	say_mask("afterwards");
	alarm_soon();
	say_result("epoll_pwait2", epoll_pwait2(epoll, &event, 1, &moment, &all));
	say_mask("afterwards");
	close(epoll);
	unmask_all();
	signal(SIGALRM, SIG_DFL);
}

/* Pending when the wait begins that unblocks it. */
static void suspended_pending(void)
{
	struct timespec moment = { 5, 0 }, none = { 0, 0 };
	sigset_t segv = set_of(SIGSEGV), empty = set_of(0);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event;

	code_page();
	handle(on_sent, 0);
	sigprocmask(SIG_BLOCK, &segv, NULL);
	raise(SIGSEGV);
	say_result("sigsuspend", sigsuspend(&empty));
	say_mask("afterwards");
	raise(SIGSEGV);
	say_result("ppoll", ppoll(NULL, 0, &moment, &empty));
	raise(SIGSEGV);
	say_result("pselect", pselect(0, NULL, NULL, NULL, &moment, &empty));
	raise(SIGSEGV);
	say_result("epoll_pwait", epoll_pwait(epoll, &event, 1, 5000, &empty));
	raise(SIGSEGV);
	say_result("ppoll, blocked", ppoll(NULL, 0, &none, &segv));
	say_pending("left");
	unmask_all();
	say("%d", (int)count);
	close(epoll);
	signal(SIGSEGV, SIG_DFL);
}

static atomic_int main_thread;

/* Once the main thread sleeps: sends it SIGSEGV. */
static void *send_to_sleeper(void *argument)
{
	char path[64], text[512];
	FILE *file;
	bool asleep = false;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)main_thread);
	while (!asleep) {
		file = fopen(path, "re");
		must(file && fgets(text, sizeof(text), file), path);
		fclose(file);
		asleep = strstr(text, ") S ") != NULL;
		usleep(1000);
	}
	usleep(5000);
	syscall(SYS_tgkill, getpid(), (int)main_thread, SIGSEGV);
	if (argument) {
		while (!count)
			usleep(1000);
		must(write(*(int *)argument, "x", 1) == 1, "write");
	}
	return NULL;
}

static void on_sent_to_waiter(int number, siginfo_t *info, void *context)
{
	ucontext_t *where = context;

	(void)info;
	(void)number;
	count++;
	say_mask("in the handler");
	say_set("interrupted", &where->uc_sigmask);
}

static long wait_under(int way, int epoll, const sigset_t *mask)
{
	struct timespec moment = { 5, 0 };
	struct epoll_event event;

	switch (way) {
	case 0: return sigsuspend(mask);
	case 1: return ppoll(NULL, 0, &moment, mask);
	case 2: return pselect(0, NULL, NULL, NULL, &moment, mask);
	case 3: return epoll_pwait(epoll, &event, 1, 5000, mask);
	default: return epoll_pwait2(epoll, &event, 1, &moment, mask);
	}
}

/* Sent while a call waits under a mask of its own: that is the one which counts. */
static void suspended_sent(void)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), way, turn;
	sigset_t before[3], during[3];
	pthread_t thread;

	code_page();
	handle(on_sent_to_waiter, 0);
	main_thread = gettid();
	before[0] = before[2] = set_of(SIGUSR2);
	before[1] = set_of(SIGSEGV);
	sigaddset(&before[1], SIGUSR2);
	sigfillset(&during[0]);
	sigdelset(&during[0], SIGSEGV);
	during[1] = set_of(SIGALRM);
	during[2] = set_of(0);
	for (way = 0; way < 5; way++)
		for (turn = 0; turn < 3; turn++) {
			count = 0;
			sigprocmask(SIG_SETMASK, &before[turn], NULL);
			must(pthread_create(&thread, NULL, send_to_sleeper, NULL) == 0, "thread");
			say_result("wait", wait_under(way, epoll, &during[turn]));
			say("way %d, turn %d: %d times", way, turn, (int)count);
			pthread_join(thread, NULL);
			say_pending("left");
			unmask_all();
		}
	close(epoll);
	signal(SIGSEGV, SIG_DFL);
}

/* Blocked, a sent SIGSEGV interrupts nothing. */
static void uninterrupted(void)
{
	struct timespec moment = { 0, 100000000 };
	sigset_t all;
	pthread_t thread;
	int turn;

	code_page();
	handle(on_sent, 0);
	main_thread = gettid();
	sigfillset(&all);
	for (turn = 0; turn < 3; turn++) {
		sigprocmask(SIG_SETMASK, &all, NULL);
		must(pthread_create(&thread, NULL, send_to_sleeper, NULL) == 0, "thread");
		if (turn == 0)
			say_result("nanosleep", nanosleep(&moment, NULL));
		else if (turn == 1)
			say_result("poll", poll(NULL, 0, 100));
		else
			say_result("ppoll", ppoll(NULL, 0, &moment, &all));
		pthread_join(thread, NULL);
		say_pending("sent");
		unmask_all();
	}
	signal(SIGSEGV, SIG_DFL);
}

/* read() goes on after the handler, or not, as the flags say. */
static void restarted(void)
{
	int pipes[2], turn;
	pthread_t thread;
	char byte = '?';

	code_page();
	main_thread = gettid();
	must(pipe(pipes) == 0, "pipe");
	for (turn = 0; turn < 2; turn++) {
		count = 0;
		handle(on_sent, turn ? SA_RESTART : 0);
		must(pthread_create(&thread, NULL, send_to_sleeper, &pipes[1]) == 0, "thread");
		say_result("read", read(pipes[0], &byte, 1));
		pthread_join(thread, NULL);
		if (!turn)
			must(read(pipes[0], &byte, 1) == 1, "read");
		say("%c", byte);
	}
	signal(SIGSEGV, SIG_DFL);
}

static void old_ways(void)
{
	code_page();
	say("sigset: %s", signal_name(sigset(SIGSEGV, handler_a)));
	say_action("sigset");
	say("sigset: %s", signal_name(sigset(SIGSEGV, SIG_HOLD)));
	say_mask("held");
	say("sigset: %s", signal_name(sigset(SIGSEGV, SIG_HOLD)));
	say("sigset: %s", signal_name(sigset(SIGSEGV, handler_a)));
	say_mask("not held");
	say_result("sighold", sighold(SIGSEGV));
	say_mask("held");
	say_result("sigrelse", sigrelse(SIGSEGV));
	say_mask("not held");
	say_result("sigignore", sigignore(SIGSEGV));
	say_action("ignored");
	say_result("bad", sighold(65));
	say_result("bad", sigrelse(0));
	say_result("bad", sigignore(-1));
	say("sigblock: %#x", (unsigned)sigblock(1 << (SIGSEGV - 1) | 1 << (SIGUSR1 - 1)));
	say_mask("blocked");
	say("sigsetmask: %#x", (unsigned)sigsetmask(1 << (SIGSEGV - 1)));
	say_mask("set");
	say("sigsetmask: %#x", (unsigned)sigsetmask(0));
	say_mask("set");
	signal(SIGSEGV, SIG_DFL);
}

/* Sets that cannot be read: the kernel says so, to those that take them there. */
static void bad_sets(void)
{
	sigset_t *volatile bad = (sigset_t *)8;
	struct timespec now = { 0, 0 };
	struct epoll_event event;
	siginfo_t info;
	int epoll = epoll_create1(0);

	code_page();
	say_result("sigsuspend", sigsuspend(bad));
	say_result("ppoll", ppoll(NULL, 0, &now, bad));
	say_result("pselect", pselect(0, NULL, NULL, NULL, &now, bad));
	say_result("epoll_pwait", epoll_pwait(epoll, &event, 1, 0, bad));
	say_result("sigtimedwait", sigtimedwait(bad, &info, &now));
	say_result("sigwaitinfo", sigwaitinfo(bad, &info));
	close(epoll);
}

/* A vfork child changes its own state of signals, in its parent's memory. */
static void vforked(void)
{
	sigset_t segv = set_of(SIGSEGV), none = set_of(0);
	pid_t child;

	code_page();
	signal(SIGSEGV, handler_a);
	sigprocmask(SIG_BLOCK, &segv, NULL);
	child = vfork();
	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		sigprocmask(SIG_SETMASK, &none, NULL);
		_exit(0);
	}
	say_child("child", child);
	say_action("the parent's");
	say_mask("the parent's");
	unmask_all();
	signal(SIGSEGV, SIG_DFL);
}

/* -------------------------------------------------------------------- exec */

/* What a new program finds. */
static void report(void)
{
	say_mask("the new program");
	say_action("the new program");
}

/* And as the kernel has it. With the library there that is not what the
 * program is shown. */
static void report_status(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];

	must(status, "/proc/self/status");
	while (fgets(line, sizeof(line), status))
		if (!strncmp(line, "SigBlk", 6) || !strncmp(line, "SigIgn", 6) ||
		    !strncmp(line, "SigCgt", 6))
			printf("%s", line);
	fclose(status);
	report();
}

static void run_self(int way, bool clean)
{
	static const char *const names[] = { "exec", "fork and exec", "vfork and exec", "posix_spawn",
					     "posix_spawn with a mask", "posix_spawn with a default",
					     "system" };
	char *const arguments[] = { "/proc/self/exe", clean ? "report-status" : "report", NULL };
	posix_spawnattr_t attributes;
	sigset_t all;
	pid_t child;

	say("%s, %s", names[way], clean ? "without the library" : "as it is");
	if (clean)
		unsetenv("LD_PRELOAD");
	posix_spawnattr_init(&attributes);
	sigfillset(&all);
	switch (way) {
	case 0:
		child = fork();
		if (child == 0) {
			execv("/proc/self/exe", arguments);
			_exit(127);
		}
		break;
	case 1:
		child = fork();
		if (child == 0) {
			execve("/proc/self/exe", arguments, environ);
			_exit(127);
		}
		break;
	case 2:
		child = vfork();
		if (child == 0) {
			execve("/proc/self/exe", arguments, environ);
			_exit(127);
		}
		break;
	case 4:
		posix_spawnattr_setsigmask(&attributes, &all);
		posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
		break;
	case 5:
		posix_spawnattr_setsigdefault(&attributes, &all);
		posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
		break;
	case 6:
		say_result("system", system(clean ? "exec \"$SELF\" report-status" :
						    "exec \"$SELF\" report"));
		return;
	}
	if (way > 2)
		must(posix_spawn(&child, "/proc/self/exe", NULL, &attributes, arguments,
				 environ) == 0, "posix_spawn");
	say_child("child", child);
	posix_spawnattr_destroy(&attributes);
}

static void run_ways(bool clean, int first, int last)
{
	sigset_t segv = set_of(SIGSEGV);
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	int state, way;

	must(length > 0, "/proc/self/exe");
	path[length] = 0;
	setenv("SELF", path, 1);
	code_page();
	for (state = 0; state < 5; state++) {
		if (state & 1)
			sigprocmask(SIG_BLOCK, &segv, NULL);
		else
			unmask_all();
		signal(SIGSEGV, state == 4 ? handler_a : state & 2 ? SIG_IGN : SIG_DFL);
		say("state %d", state);
		for (way = first; way <= last; way++) {
			char *preload = getenv("LD_PRELOAD");
			char *kept = preload ? strdup(preload) : NULL;

			run_self(way, clean);
			if (kept)
				setenv("LD_PRELOAD", kept, 1);
			free(kept);
		}
	}
	unmask_all();
	signal(SIGSEGV, SIG_DFL);
}

static void exec_clean(void)
{
	run_ways(true, 0, 5);
}

static void exec_same(void)
{
	run_ways(false, 0, 5);
}

static void system_clean(void)
{
	run_ways(true, 6, 6);
}

static void system_same(void)
{
	run_ways(false, 6, 6);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "sent", sent },
		{ "pending", pending },
		{ "pending-ignored", pending_ignored },
		{ "handler-masks", handler_masks },
		{ "waited", waited },
		{ "by-descriptor", by_descriptor },
		{ "masks", masks },
		{ "stand-in", stand_in },
		{ "thread-masks", thread_masks },
		{ "suspended", suspended },
		{ "suspended-pending", suspended_pending },
		{ "suspended-sent", suspended_sent },
		{ "uninterrupted", uninterrupted },
		{ "restarted", restarted },
		{ "old-ways", old_ways },
		{ "bad-sets", bad_sets },
		{ "vforked", vforked },
		{ "exec-clean", exec_clean },
		{ "exec-same", exec_same },
		{ "system-clean", system_clean },
		{ "system-same", system_same },
		{ "report", report },
		{ "report-status", report_status },
		{ NULL, NULL },
	};
	return host_main(parts, argc, argv);
}
