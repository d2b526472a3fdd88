/* start.h: the library comes to life, once, on the first call that needs it or
 * in its constructor, whichever is first. */
#ifndef JITMEND_START_H
#define JITMEND_START_H

#include <stdbool.h>

/* The engine, its settings and the signals: what hooks need, with no call into
 * libc, so that it may happen before libc's own start is over. False as long as
 * that is not possible: pass the call on. */
bool start_engine(void);

/* Sees that every fork by libc's functions calls the three that follow. Once is
 * enough. They are called before a fork, and after it in the parent and in the child: no page is on the
 * move while memory is copied. */
void start_watch_forks(void);
void start_fork(void);
void start_fork_over(void);
void start_child(void);

#endif
