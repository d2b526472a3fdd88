/* signal-words.h: what the hosts that try SIGSEGV share: how its state is told,
 * in words that do not depend on the run. */
#ifndef JITMEND_TESTS_SIGNAL_WORDS_H
#define JITMEND_TESTS_SIGNAL_WORDS_H

#include "host.h"

#include <signal.h>

/* jitmend borrows the last real-time signal but one; see the part stand-in. Where the build
 * says another, an emulator runs it, which has the kernel's last signal for that one, and
 * keeps two in its masks that the kernel drops. */
#ifdef SIGNAL_STAND_IN
#define STAND_IN SIGNAL_STAND_IN
#define STAND_IN_AS_SHOWN 64
#define IS_DROPPED(number) ((number) == SIGKILL || (number) == SIGSTOP)
#else
#define STAND_IN 63
#define STAND_IN_AS_SHOWN STAND_IN
#define IS_DROPPED(number) false
#endif

/* How often a handler ran. */
extern volatile sig_atomic_t count;

/* A page that is code by jitmend's grace, so that its handler stands. */
unsigned char *code_page(void);
/* Where nothing is mapped, and a store there. */
volatile unsigned char *null_page(void);
void fault(void);

/* A set of one signal; of none for 0. */
sigset_t set_of(int number);
/* Which signals of a set, of those that the tests use. */
void say_set(const char *what, const sigset_t *set);
void say_mask(const char *what);
void say_pending(const char *what);
void unmask_all(void);

/* Two handlers that do nothing, known by their names a and b. */
void handler_a(int number);
void handler_b(int number, siginfo_t *info, void *context);
const char *handler_name(const struct sigaction *action);
const char *signal_name(void (*was)(int));
/* The flags without SA_RESTORER, which libc adds for itself. */
unsigned flags_of(const struct sigaction *action);
void say_action(const char *what);

/* sigaction for SIGSEGV, with SA_SIGINFO. */
void handle(void (*handler)(int, siginfo_t *, void *), int flags);

#endif
