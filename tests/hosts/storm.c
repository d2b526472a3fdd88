/* storm.c: many requests for executable memory at once, with a timer's signals
 * in between: threads turn pages to and fro while processes fork and do the
 * same. Prints how the requests came out, a line for each errno met, so that
 * two runs can be compared. Anything lost, or broken off by a signal, shows.
 *
 *     storm [forever] */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, CHILDREN = 4, TURNS = 150, PAGE = 4096, ERRORS = 200 };

static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };

static atomic_int *counts; /* by errno; shared with the children */
static atomic_int wrong;
static int turns = TURNS;

static void tick(int signal)
{
	(void)signal;
}

static void turn_once(void *page)
{
	int (*function)(void);

	if (mprotect(page, PAGE, PROT_READ | PROT_EXEC) != 0) {
		counts[errno]++;
		return;
	}
	counts[0]++;
	memcpy(&function, &page, sizeof function);
	if (function() != 42)
		wrong++;
	mprotect(page, PAGE, PROT_READ | PROT_WRITE);
}

static void *turn_often(void *unused)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)unused;
	memcpy(page, code, sizeof code);
	for (int i = 0; i < turns; i++)
		turn_once(page);
	munmap(page, PAGE);
	return NULL;
}

static void turn_in_threads(void)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, turn_often, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	/* SA_RESTART: before a supervisor has taken the question up, a signal
	 * may take the call back, and it is made again. */
	struct sigaction action = { .sa_handler = tick, .sa_flags = SA_RESTART };
	struct itimerval often = { { 0, 2000 }, { 0, 2000 } }, never = { { 0, 0 }, { 0, 0 } };

	if (argc > 1 && strcmp(argv[1], "forever") == 0)
		turns = 1000000000;
	counts = mmap(NULL, ERRORS * sizeof *counts, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < CHILDREN; i++) {
		if (fork() == 0) {
			turn_often(NULL);
			_exit(wrong != 0);
		}
	}
	puts("begun");
	fflush(stdout);
	turn_in_threads();
	for (int status; wait(&status) > 0 || errno == EINTR;)
		wrong += status != 0;
	setitimer(ITIMER_REAL, &never, NULL);
	for (int i = 0; i < ERRORS; i++)
		if (counts[i])
			printf("%s %d\n", i ? strerrorname_np(i) : "ok", counts[i]);
	printf("wrong %d\n", wrong);
	return wrong != 0;
}
