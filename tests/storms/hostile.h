/* hostile.h: what the storms share: threads that do turns of work for as long as the
 * storm lasts, under a scheduler that is against them.
 *
 * Meanwhile one thread pins them to processors, changes their priorities and sends
 * them signals at random, and so does a timer. The handler of those signals writes code
 * and runs it. Every result is checked where it comes up; a storm ends with a verdict of
 * its own, which depends on nothing but whether all was right.
 *
 * STORM_SECONDS says how long it lasts, STORM_SEED where its random numbers begin. */
#ifndef JITMEND_TESTS_HOSTILE_H
#define JITMEND_TESTS_HOSTILE_H

#include "../hosts/code.h"

#include <pthread.h>
#include <stdatomic.h>

enum { WORKERS_MOST = 128 };

struct worker {
	int number;
	uint32_t random;
	pthread_t thread;
	_Atomic pid_t tid;
	unsigned char *signal_page; /* code that the handler writes and runs */
	atomic_uint signals;
	unsigned long turns;
	/* Of the storm's own. */
	unsigned char *own;
	long counted, added, patched;
};

extern struct worker workers[WORKERS_MOST];
extern int worker_count;

/* COUNT threads do turns until the storm's time is over, or something was wrong;
 * MEANWHILE, which may be NULL, is called on the main thread as long as they do. */
void storm(int count, void (*turn)(struct worker *), void (*meanwhile)(void));

bool storm_goes_on(void);

/* A number below LIMIT. */
unsigned some(struct worker *worker, unsigned limit);

/* Now and then the processor is given away. */
void maybe_yield(struct worker *worker);

/* Something is not as it has to be: says what, once, and ends the storm. Any context. */
void wrong(const char *what, long got, long wanted);

/* What a SIGSEGV comes to: true where the program expects it, and the instruction is to
 * be tried again. Others are wrong. */
extern bool (*expects_fault)(const siginfo_t *info, const void *context);
void catch_faults(void);

/* Whether the fault wanted to write, or to fetch an instruction. */
bool fault_is_write(const void *context);
bool fault_is_fetch(const void *context);

/* What was stored into code is there for every thread that sees what is stored after. */
void code_fence(void);

/* 0 where all was right; says so. */
int verdict(const char *storm);

#endif
