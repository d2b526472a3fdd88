/* tcc-signals.c: for tcc -run: lives on signals. Catches those that
 * it sends itself, a timer's, and its own segmentation faults, of which it prints
 * where; with an argument it dies of SIGTERM at the end. */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t user, alarms;
static sigjmp_buf back;
static char *forbidden;
static volatile long distance;

static void on_user(int number)
{
	user += number == SIGUSR1;
}

static void on_alarm(int number)
{
	alarms += number == SIGALRM;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	distance = (char *)info->si_addr - forbidden;
	siglongjmp(back, 1);
}

static void handle(int number, void (*handler)(int))
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	sigaction(number, &action, NULL);
}

static void fault_at(int offset)
{
	if (sigsetjmp(back, 1) == 0)
		forbidden[offset] = 1;
	printf("fault at %ld\n", distance);
}

int main(int argc, char **argv)
{
	struct sigaction action;
	struct itimerval soon = {{0, 0}, {0, 1000}};
	sigset_t timer, none;

	(void)argv;
	handle(SIGUSR1, on_user);
	handle(SIGALRM, on_alarm);
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_fault;
	action.sa_flags = SA_SIGINFO;
	sigaction(SIGSEGV, &action, NULL);

	raise(SIGUSR1);
	kill(getpid(), SIGUSR1);
	printf("caught %d\n", (int)user);

	/* Blocked till it is waited for, so that it cannot come before. */
	sigemptyset(&none);
	sigemptyset(&timer);
	sigaddset(&timer, SIGALRM);
	sigprocmask(SIG_BLOCK, &timer, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	while (!alarms)
		sigsuspend(&none);
	sigprocmask(SIG_UNBLOCK, &timer, NULL);
	printf("the timer came %d time\n", (int)alarms);

	forbidden = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fault_at(0);
	fault_at(1234);

	sigaction(SIGSEGV, NULL, &action);
	printf("the handler is %s\n", action.sa_sigaction == on_fault ? "mine" : "another's");
	fflush(stdout);
	if (argc > 1)
		raise(SIGTERM);
	return 0;
}
